"""The combined rating of a symbol at its newest bar, which may form."""

from dataclasses import dataclass
from math import isfinite

from analysis.indicators import frames
from analysis.signals.rating import AVERAGES, OSCILLATORS
from analysis.signals.rule import OWN
from market import bars

# Each with the least rating above which it is said; a strong sell is what is below -0.5.
STRONG_BUY, BUY, NEUTRAL, SELL, STRONG_SELL = WORDS = "strong_buy", "buy", "neutral", "sell", "strong_sell"
_RATING = OWN["rating"]


@dataclass(frozen=True, slots=True)
class Rated:
    """parts: each with its group and 1, 0, -1 or None. word: None while nobody knows."""

    word: str | None
    all: float | None
    averages: float | None
    oscillators: float | None
    parts: list[tuple[str, str, int | None]]


def at_newest(series: bars.Series) -> Rated:
    """Of a series that has bars."""
    found, _ = frames.values(_RATING, series.ticker, frames.with_newest(series))
    told = {name: each[-1].item() if isfinite(each[-1]) else None for name, each in found.items()}
    groups = [
        (name, group) for group, names in (("averages", AVERAGES), ("oscillators", OSCILLATORS)) for name in names
    ]
    parts = [(name, group, None if told[name] is None else int(told[name])) for name, group in groups]
    return Rated(word(told["all"]), told["all"], told["averages"], told["oscillators"], parts)


def word(value: float | None) -> str | None:
    """As TradingView calls it."""
    if value is None:
        return None
    if value > 0.1:
        return STRONG_BUY if value > 0.5 else BUY
    if value < -0.1:
        return STRONG_SELL if value < -0.5 else SELL
    return NEUTRAL
