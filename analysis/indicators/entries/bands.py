"""Bands and stops around the price, and what is read off them."""

from analysis.indicators.entry import DIRECTION, PERCENT, PRICE_PANE, Output, Range, made, ta
from analysis.indicators.series import CLOSE, HIGH, LOW, Formula, call, change, ratio
from analysis.indicators.undefined import Zero

_PERIOD = Range(20, 2, 1000)
_BOLLINGER = "Bollinger, Bollinger on Bollinger Bands, 2001; the deviation of the whole population"
_DEVIATIONS = Range(2.0, 0.1, 10)


def _bollinger(of):
    return call("BBANDS", CLOSE, timeperiod=of["period"], nbdevup=of["deviations"], nbdevdn=of["deviations"])


ENTRIES = [
    ta("BBANDS", period=_PERIOD, deviations=Range(2.0, 0.1, 10, ("nbdevup", "nbdevdn")), source=_BOLLINGER),
    made("percentb", lambda of: Formula(
            lambda upper, _, lower, close: (ratio(close - lower, upper - lower),), (_bollinger(of), CLOSE)),
         title="Bollinger %B", period=_PERIOD, deviations=_DEVIATIONS, source=_BOLLINGER, levels=(0, 1),
         zero=lambda of: (Zero(change(CLOSE), of["period"] - 1),)),
    made("bandwidth", lambda of: Formula(
            lambda upper, middle, lower: (100 * ratio(upper - lower, middle),), (_bollinger(of),)),
         title="Bollinger BandWidth", unit=PERCENT, period=_PERIOD, deviations=_DEVIATIONS, source=_BOLLINGER),
    ta("ACCBANDS", period=_PERIOD, source="Headley, Big Trends in Trading, 2002"),
    ta("DONCHIAN", period=_PERIOD, source="Donchian: the highest high, the lowest low and half of them"),
    ta("KC", name="keltner", period=_PERIOD, range=Range(10, 1, 1000, ("atrperiod",)),
       multiple=Range(2.0, 0.1, 20, ("nbdev",)),
       source="Keltner, How To Make Money in Commodities, 1960, as TTR and ta4j: EMA of typical prices, Wilder's ATR"),
    ta("SUPERTREND", period=Range(10, 1, 200), multiple=Range(3.0, 0.1, 20, ("multiplier",)),
       outputs=(Output("supertrend"), Output("trend", DIRECTION)),
       source="Seban, Tout le monde mérite d'être riche; bands of ATR around (high + low) / 2, begun rising (ta4j)"),
    ta("SAR", acceleration=Range(0.02, 0.001, 1), maximum=Range(0.2, 0.001, 1),
       outputs=(Output("sar", "dots"),), source="Wilder, New Concepts in Technical Trading Systems, 1978"),
    made("chandelier", lambda of: Formula(
            lambda high, low, reach: (high - of["multiple"] * reach, low + of["multiple"] * reach),
            (call("MAX", HIGH, timeperiod=of["period"]), call("MIN", LOW, timeperiod=of["period"]),
             call("ATR", HIGH, LOW, CLOSE, timeperiod=of["period"]))),
         "long", "short", title="Chandelier Exit", period=Range(22, 2, 400), multiple=Range(3.0, 0.1, 20),
         pane=PRICE_PANE, source="Le Beau, in Elder, Come Into My Trading Room, 2002"),
]  # fmt: skip
