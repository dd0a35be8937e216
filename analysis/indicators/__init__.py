"""Indicators: a series in, a series out.

catalogue       every one there is; a new one is one entry (pure)
batch           over a whole series at once (pure)
live            their twins, which move with each bar (pure)
alone           one that breaks costs no other
carried         one live of one symbol, from quote to quote
talib           TA-Lib without pandas
frames          a symbol's over a period, from its bars
"""
