"""Mathematics of a bar's columns: what formulas are made of, rather than what a chart's menu holds."""

from analysis.indicators.entry import MATHEMATICS, PRICE, PRICE_PANE, Range, ta
from analysis.indicators.series import CLOSE, Ago
from analysis.indicators.undefined import Zero

_PERIOD = Range(20, 2, 1000)
_SOURCE = "As its name says, of the close"
_OF_THE_CLOSE = ("ATAN", "CEIL", "COS", "EXP", "FLOOR", "LN", "LOG10", "SIN", "SQRT", "TAN", "TANH")
_OF_HIGH_AND_LOW = ("ADD", "DIV", "MULT", "SUB")
_RATIOS = ("ROCP", "ROCR", "ROCR100")
# MAXINDEX, MININDEX and MINMAXINDEX count from an array's start, which is no fact of a series that goes on.

ENTRIES = [
    *(ta(each, kind=MATHEMATICS, pane=PRICE_PANE, period=_PERIOD, source=_SOURCE) for each in ("MAX", "MIN", "MINMAX")),
    ta("SUM", unit=PRICE, kind=MATHEMATICS, period=_PERIOD, source=_SOURCE),
    ta("CUMSUM", unit=PRICE, kind=MATHEMATICS, source=_SOURCE),
    ta("PERCENTILE", kind=MATHEMATICS, pane=PRICE_PANE, period=_PERIOD, percentile=Range(50.0, 1, 100),
       source="Of the last closes, by the nearest rank"),
    *(ta(each, kind=MATHEMATICS, period=Range(10, 1, 1000), source=_SOURCE,
         zero=lambda of: (Zero(Ago(CLOSE, of["period"]), 1),)) for each in _RATIOS),
    *(ta(each, kind=MATHEMATICS, source="As its name says, of the high and the low") for each in _OF_HIGH_AND_LOW),
    *(ta(each, kind=MATHEMATICS, source=_SOURCE) for each in _OF_THE_CLOSE),
]  # fmt: skip
