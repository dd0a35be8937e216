"""What shows that an indicator's numbers are right: measured, and told with each entry of the catalogue.

kept            what was measured of each, as it is told
measuring       measures it anew
certificates    what is measured of one indicator over a series (pure)
behaviour       on series that stand still, leap, are tiny or huge, not traded, or short (pure)
comparing       live against batch (pure)
formulas        second formulas, written from the cited sources without TA-Lib (pure)
references      what they are made of (pure)
page            shows them
"""
