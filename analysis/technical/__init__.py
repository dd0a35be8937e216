"""The technical state of symbols, computed once and kept.

answers         a symbol's indicators as the bytes that go out
state           the technical state of one symbol, which a job computes
comprehensive   indicators with what they say, of several symbols, which a job saves
rows            the default set's newest values, kept as rows
"""
