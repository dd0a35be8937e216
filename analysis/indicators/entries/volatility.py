"""Volatility: how far a price moves."""

from analysis.indicators.entry import OWN_PANE, PERCENT, PRICE, Range, ta
from analysis.indicators.series import CLOSE, RANGE, Ago, change
from analysis.indicators.undefined import Zero, fading

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_PERIOD = Range(14, 2, 1000)

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
]  # fmt: skip
