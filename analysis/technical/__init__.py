"""The technical state of symbols, computed once and kept.

answers         a symbol's indicators as the bytes that go out
"""
