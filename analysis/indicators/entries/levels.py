"""Levels: prices that were, and stand."""

from collections.abc import Mapping

from analysis.indicators.entry import CLOUD, PERCENT, PRICE_PANE, STEPS, Output, Range, made
from analysis.indicators.series import CLOSE, HIGH, LOW, Before, Call, Formula, call, ratio

_NO_SESSION = "the session before is not held"
_STEPS = (0.382, 0.618, 1.0)


def _middle(bars: float) -> Call:
    return call("MIDPRICE", HIGH, LOW, timeperiod=bars)


def _ichimoku(of: Mapping[str, float]) -> Formula:
    lines = (_middle(of["conversion"]), _middle(of["base"]), _middle(of["span"]), CLOSE)
    return Formula(lambda fast, slow, span, close: (fast, slow, (fast + slow) / 2, span, close), lines)


def _pivots(high, low, close):
    pivot = (high + low + close) / 3
    return (
        pivot, 2 * pivot - low, 2 * pivot - high, pivot + (high - low), pivot - (high - low),
        high + 2 * (pivot - low), low - 2 * (high - pivot),
    )  # fmt: skip


def _fibonacci(high, low, close):
    pivot, reach = (high + low + close) / 3, high - low
    return (pivot, *(level for step in _STEPS for level in (pivot + step * reach, pivot - step * reach)))


def _camarilla(high, low, close):
    reach = (high - low) * 1.1
    return tuple(level for part in (12, 6, 4, 2) for level in (close + reach / part, close - reach / part))


def _distance(of: Mapping[str, float]) -> Formula:
    extremes = (call("MAX", HIGH, timeperiod=of["period"]), call("MIN", LOW, timeperiod=of["period"]))
    return Formula(
        lambda close, high, low: (100 * (ratio(close, high) - 1), 100 * (ratio(close, low) - 1)), (CLOSE, *extremes)
    )


_SIX = tuple(Output(name, STEPS) for name in ("pivot", "r1", "s1", "r2", "s2", "r3", "s3"))

ENTRIES = [
    made("ichimoku", _ichimoku, "conversion", "base", Output("spana", CLOUD, "base"), Output("spanb", CLOUD, "base"),
         Output("lagging", "line", "-base"), title="Ichimoku Cloud", pane=PRICE_PANE, conversion=Range(9, 2, 200),
         base=Range(26, 2, 400), span=Range(52, 2, 1000), source="Hosoda, 1969; Elliott, Ichimoku Charts, 2007",
         note="Every line is told at the bar that it is known of; the spans are drawn later, the lagging one earlier."),
    made("pivots", lambda _: Formula(_pivots, (Before(),)), *_SIX, title="Pivot Points", pane=PRICE_PANE,
         undefined=_NO_SESSION, source="Person, A Complete Guide to Technical Trading Tactics, 2004"),
    made("pivotsfibonacci", lambda _: Formula(_fibonacci, (Before(),)), *_SIX, title="Pivot Points (Fibonacci)",
         pane=PRICE_PANE, undefined=_NO_SESSION,
         source="TradingView, Pivot Points Standard: the pivot, and 38.2, 61.8 and 100 % of the range about it"),
    made("camarilla", lambda _: Formula(_camarilla, (Before(),)),
         *(Output(f"{side}{step}", STEPS) for step in (1, 2, 3, 4) for side in "rs"),
         title="Camarilla Pivots", pane=PRICE_PANE, undefined=_NO_SESSION,
         source="TradingView, Pivot Points Standard: the close and 1.1 / 12, / 6, / 4 and / 2 of the range about it"),
    made("distance", _distance, "high", "low", title="Distance from the High and the Low", period=Range(252, 2, 2600),
         unit=PERCENT, levels=(0,),
         source="The close against the highest high and lowest low, in percent; 252 bars of 1d: a year"),
]  # fmt: skip
