"""Volatility: how far a price moves, by itself and beside that of another symbol."""

from analysis.indicators.entry import AGAINST, OWN_PANE, PERCENT, PRICE, Range, made, ta
from analysis.indicators.series import CLOSE, RANGE, Ago, Column, Formula, call, change, ratio
from analysis.indicators.undefined import Zero, fading

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_PERIOD = Range(14, 2, 1000)
_OTHER, _MONTH = Column(AGAINST), Range(20, 2, 1000)


def _stood_still(of):
    """Of two whose closes are compared, either."""
    return tuple(Zero(change(each), of["period"] - 1) for each in (CLOSE, _OTHER))


def _moved_alike(of):
    """Its changes in percent have no variance to divide by."""
    return (Zero(change(call("ROCP", _OTHER, timeperiod=1)), of["period"] - 1),)


ENTRIES = [
    ta("ATR", unit=PRICE, period=_PERIOD, source=_WILDER),
    ta("NATR", unit=PERCENT, period=_PERIOD,
       source="Forman, Stocks & Commodities, May 2006: ATR in percent of the close",
       zero=lambda _: (Zero(CLOSE, 1),)),
    ta("TRANGE", unit=PRICE, source=_WILDER),
    ta("ADR", unit=PRICE, period=_PERIOD, source="The mean of high less low"),
    ta("STDDEV", unit=PRICE, period=Range(20, 2, 1000), source="The standard deviation of the whole population"),
    ta("VAR", period=Range(20, 2, 1000), source="The variance of the whole population"),
    ta("AVGDEV", unit=PRICE, period=_PERIOD, pane=OWN_PANE, source="The mean distance from the mean"),
    ta("CVI", unit=PERCENT, period=Range(10, 2, 400), change=Range(10, 1, 400, ("rocperiod",)), levels=(0,),
       source="Chaikin, as Achelis, Technical Analysis from A to Z, 2000",
       zero=lambda of: (Zero(Ago(RANGE, of["change"]), None, fades=fading(1 - 2 / (of["period"] + 1))),)),
    ta("MASSI", fast=Range(9, 2, 200), slow=Range(25, 2, 400), levels=(26.5, 27), title="Mass Index",
       source="Dorsey, Stocks & Commodities, June 1992",
       zero=lambda of: (Zero(RANGE, None, {0: of["slow"] - 1}, fading(1 - 2 / (of["fast"] + 1))),)),
    ta("RVI", period=_PERIOD, deviation=Range(10, 2, 400, ("stddevperiod",)), levels=(40, 60),
       source="Dorsey, Stocks & Commodities, June 1993",
       zero=lambda of: (Zero(change(CLOSE), None, fades=fading(1 - 1 / of["period"])),)),
    made("relativestrength", lambda _: Formula(lambda close, other: (ratio(close, other),), (CLOSE, _OTHER)),
         title="Relative Strength",
         source="thinkorswim, RelativeStrength, and TC2000, Relative Strength: the close by that of the other symbol",
         note="In what a share of the one costs in shares, or points, of the other: only its course says something."),
    ta("BETA", of=(_OTHER, CLOSE), period=_MONTH, levels=(1,), zero=_moved_alike,
       source="Sharpe, Journal of Finance, September 1964: the slope of the line through its changes by the other's",
       note="Of the changes from bar to bar in percent; the other's are the line's x."),
    ta("CORREL", of=(CLOSE, _OTHER), period=_MONTH, levels=(0,), zero=_stood_still, title="Correlation",
       source="Pearson, Proceedings of the Royal Society, 1895; of closes, as TradingView's Correlation Coefficient"),
]  # fmt: skip
