"""Signals: what a rule saw on a bar.

catalogue       every rule there is, by name, and the language that they are written in (pure)
rules           the rules of averages, oscillators, bands, records and volume (pure)
patterns        those of candlestick patterns (pure)
rule            what a rule is: a condition with a direction and a source (pure)
rating          the combined technical rating, and its 26 parts (pure)
divergence      where an oscillator and a price part (pure)
"""
