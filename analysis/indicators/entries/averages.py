"""Averages of the price, and lines that follow it."""

from analysis.indicators.entry import (
    CANDLE,
    LOWER,
    OWN_PANE,
    PERCENT,
    PRICE,
    PRICE_PANE,
    UPPER,
    Output,
    Range,
    made,
    ta,
)
from analysis.indicators.series import CLOSE, Formula, call, ratio

_PERIOD = Range(20, 2, 1000)

ENTRIES = [
    ta("SMA", period=_PERIOD, source="The arithmetic mean of the last closes"),
    ta("EMA", period=_PERIOD, source="Appel, Technical Analysis, 2005; seeded with the plain mean (TA-Lib)"),
    ta("WMA", period=_PERIOD, source="Weights n, n - 1, .., 1; Kaufman, Trading Systems and Methods, 5th ed."),
    ta("RMA", period=Range(14, 2, 1000), source="Wilder, New Concepts in Technical Trading Systems, 1978"),
    ta("DEMA", period=_PERIOD, source="Mulloy, Stocks & Commodities, January 1994"),
    ta("TEMA", period=_PERIOD, source="Mulloy, Stocks & Commodities, February 1994"),
    ta("TRIMA", period=_PERIOD, source="A mean of means; Kaufman, Trading Systems and Methods, 5th ed."),
    ta("HMA", period=_PERIOD, title="Hull Moving Average",
       source="Hull, How to reduce lag in a moving average, 2005; both derived periods are cut to whole"),
    ta("KAMA", period=Range(10, 2, 1000), source="Kaufman, Smarter Trading, 1995; 2 and 30 bars"),
    ta("T3", period=Range(5, 2, 200), volume=Range(0.7, 0, 1, ("vfactor",)),
       source="Tillson, Stocks & Commodities, January 1998"),
    ta("ZLEMA", period=_PERIOD,
       source="Tulip Indicators, zlema: an EMA of 2 closes less the one half a period ago; of no known author"),
    ta("MAMA", fast=Range(0.5, 0.01, 0.99, ("fastlimit",)), slow=Range(0.05, 0.01, 0.99, ("slowlimit",)),
       source="Ehlers, MESA and Trading Market Cycles, 2001"),
    ta("HT_TRENDLINE", source="Ehlers, Rocket Science for Traders, 2001"),
    ta("LINEARREG", period=Range(14, 2, 1000), source="The end of the least squares line over the last closes"),
    ta("TSF", period=Range(14, 2, 1000), source="The least squares line one bar ahead"),
    ta("MIDPOINT", period=Range(14, 2, 1000), source="Half of the highest and lowest close"),
    ta("MIDPRICE", period=Range(14, 2, 1000), source="Half of the highest high and lowest low"),
    ta("AVGPRICE", source="(open + high + low + close) / 4"),
    ta("MEDPRICE", source="(high + low) / 2"),
    ta("TYPPRICE", source="(high + low + close) / 3"),
    ta("WCLPRICE", source="(high + low + 2 close) / 4"),
    ta("HA", pane=OWN_PANE, unit=PRICE,
       outputs=tuple(Output(f"ha{part}", CANDLE) for part in ("open", "high", "low", "close")),
       source="StockCharts ChartSchool, Heikin-Ashi; the first opens at the middle of its open and close"),
    made("envelope", lambda of: Formula(
            lambda mean: (mean * (1 + of["percent"] / 100), mean, mean * (1 - of["percent"] / 100)),
            (call("SMA", CLOSE, timeperiod=of["period"]),)),
         Output("upperband", UPPER), "middleband", Output("lowerband", LOWER),
         title="Moving Average Envelopes", period=_PERIOD, percent=Range(2.5, 0.1, 50.0), pane=PRICE_PANE,
         source="Murphy, Technical Analysis of the Financial Markets, 1999"),
    made("disparity", lambda of: Formula(
            lambda close, mean: (100 * ratio(close, mean),), (CLOSE, call("SMA", CLOSE, timeperiod=of["period"]))),
         title="Disparity Index", unit=PERCENT, period=_PERIOD, levels=(100,),
         source="Nison, Beyond Candlesticks, 1994, told as 100 and the distance: the close in percent of its average"),
]  # fmt: skip
