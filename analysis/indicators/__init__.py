"""Indicators: a series in, a series out.

catalogue       every one there is, by name and by key, and the default set (pure)
entries         one entry an indicator; a new one is one more (pure)
entry           what an entry is, and an indicator with its parameters (pure)
undefined       0/0 has no value (pure)
live            one that moves with each bar (pure)
series          what they are made of: batch and live from one definition (pure)
talib           TA-Lib without pandas
alone           one that breaks costs no other
across          live ones of many symbols, moved by one operation for all
carried         one live of one symbol, from quote to quote
frames          a symbol's over a period, from its bars
"""
