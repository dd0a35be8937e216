"""The combined rating of a symbol at its newest bar of which all is known, which may form."""

from dataclasses import dataclass
from datetime import UTC
from math import isfinite

from analysis.indicators import frames
from analysis.signals.rating import AVERAGES, OSCILLATORS
from analysis.signals.rule import OWN
from market import bars
from market.prices import Bar

# Each with the least rating above which it is said; a strong sell is what is below -0.5.
STRONG_BUY, BUY, NEUTRAL, SELL, STRONG_SELL = WORDS = "strong_buy", "buy", "neutral", "sell", "strong_sell"
_RATING = OWN["rating"]
_PRICED = [name for name in _RATING.inputs if name != "session_date"]


@dataclass(frozen=True, slots=True)
class Rated:
    """parts: each with its group and 1, 0, -1 or None. word: None while nobody knows. bar: at which it is."""

    bar: Bar
    word: str | None
    all: float | None
    averages: float | None
    oscillators: float | None
    parts: list[tuple[str, str, int | None]]


def at_newest(series: bars.Series) -> Rated:
    """Of a series that has bars. A bar that forms without its volume, as a recording's do, says nothing yet: then it is
    that of the last one that is over.
    """
    bar, columns = series.newest, frames.with_newest(series)
    if len(series.columns["close"]) and not all(isfinite(columns[name][-1]) for name in _PRICED):
        columns = series.columns
        at = columns["opened_at"][-1].item().replace(tzinfo=UTC)
        found = bars.history(series.ticker, interval=series.interval, start=at, end=at, adjusted="raw")
        bar = found[0] if found else bar
    found, _ = frames.values(_RATING, series.ticker, columns)
    told = {name: each[-1].item() if isfinite(each[-1]) else None for name, each in found.items()}
    groups = [
        (name, group) for group, names in (("averages", AVERAGES), ("oscillators", OSCILLATORS)) for name in names
    ]
    parts = [(name, group, None if told[name] is None else int(told[name])) for name, group in groups]
    return Rated(bar, word(told["all"]), told["all"], told["averages"], told["oscillators"], parts)


def word(value: float | None) -> str | None:
    """As TradingView calls it."""
    if value is None:
        return None
    if value > 0.1:
        return STRONG_BUY if value > 0.5 else BUY
    if value < -0.1:
        return STRONG_SELL if value < -0.5 else SELL
    return NEUTRAL
