"""Signals over HTTP.

shapes          what is told of them
listed          all of them, and their rules
rating          the combined rating of a symbol
"""
