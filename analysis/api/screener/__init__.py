"""The screener over HTTP.

asking          a question and its answer
kept            the questions that people keep and share
"""
