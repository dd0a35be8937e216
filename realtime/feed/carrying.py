"""Indicators on bars within sessions, live for as long as somebody holds their streams: they move with those bars."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from analysis.indicators import catalogue
from analysis.indicators.entry import Indicator
from analysis.summary import IndicatorValues
from analysis.within import Key, Versions, Within
from market.prices import Bar
from realtime import kinds, messages, naming
from realtime.feed.insisting import AWAY
from realtime.kinds import INDICATORS
from realtime.messages import Message

logger = logging.getLogger(__name__)
Told = list[tuple[str, Message]]  # each with its ticker

SHOWN_AT_ONCE = 50  # series that are opened: each reads its bars


class Carrying:
    """By series the keys of what is held, "" of what everybody gets."""

    def __init__(self) -> None:
        self._held: dict[Key, frozenset[str]] = {}
        self._unshown: dict[Key, frozenset[str]] = {}  # is held, and what it says now is still to be told
        self._series = Within()

    @property
    def names(self) -> set[str]:
        """The streams of which the newest was told."""
        return {
            INDICATORS.of(*series, each)
            for series, keys in self._held.items()
            for each in keys - self._unshown.get(series, frozenset())
        }

    @property
    def held(self) -> Collection[Key]:
        return self._held.keys()

    def open(self, names: Iterable[str], newest: Callable[[str, str], Sequence[Bar]]) -> Told:
        """Make these from now on, and no others; what the new ones say at the newest bar, of many series a few at a
        time, and those whose bars others have changed.
        """
        held = _by_series(names)
        new = {series: keys - self._held.get(series, frozenset()) for series, keys in held.items()}
        due = {series: keys & (self._unshown.get(series, frozenset()) | new[series]) for series, keys in held.items()}
        self._held, self._unshown = held, {series: keys for series, keys in due.items() if keys}
        self._series.choose({series: _chosen(series, keys) for series, keys in held.items()})
        self._unshown |= {series: held[series] for series in self._series.changed()}
        told: Told = []
        for series in list(self._unshown)[:SHOWN_AT_ONCE]:
            first = self._moved(newest(*series))
            told += [(at, replace(each, keep=False, conflate=True)) for at, each in _messages(first, self._unshown)]
            del self._unshown[series]
        return told

    def follow(self, versions: Versions) -> None:
        """Bars that were stored, and that `moved` is about to be told."""
        self._series.follow(versions)

    def moved(self, bars: Sequence[Bar], gone: Sequence[Bar]) -> Told:
        """What they say after these bars. gone: those that nobody has, though they were told while they formed."""
        self._series.forget((bar.ticker, bar.interval) for bar in gone)
        return _messages(self._moved([bar for bar in bars if (bar.ticker, bar.interval) in self._held]), self._held)

    def forget(self, tickers: Collection[str]) -> None:
        """Open those of these symbols anew: they are told under another ticker."""
        for series in [each for each in self._held if each[0] in tickers]:
            del self._held[series]
            self._unshown.pop(series, None)
        self._series.choose({series: _chosen(series, keys) for series, keys in self._held.items()})

    def _moved(self, bars: Sequence[Bar]) -> list[IndicatorValues]:
        """What breaks here costs no bar, and the others of its series no value."""
        if not bars:
            return []
        try:
            return self._series.tick(bars)
        except AWAY:
            raise
        except Exception as error:
            keys = {(bar.ticker, bar.interval) for bar in bars}
            if len(keys) == 1:
                logger.error("Indicators of %s %s are opened anew at the next bar", *keys.pop(), exc_info=error)
                self._series.forget((bar.ticker, bar.interval) for bar in bars)
                return []
        by_series: dict[Key, list[Bar]] = {}
        for bar in bars:
            by_series.setdefault((bar.ticker, bar.interval), []).append(bar)
        return [values for some in by_series.values() for values in self._moved(some)]


def _by_series(names: Iterable[str]) -> dict[Key, frozenset[str]]:
    found: dict[Key, set[str]] = {}
    for name in names:
        if kinds.is_carried(name) and kinds.is_within(name) and naming.is_published(name):
            ticker, interval, key = kinds.address(name)
            found.setdefault((ticker, interval), set()).add(key)
    return {series: frozenset(keys) for series, keys in found.items()}


def _chosen(series: Key, keys: frozenset[str]) -> dict[str, Indicator]:
    chosen = {key: catalogue.named(key) for key in sorted(keys) if key}
    return {**(catalogue.defaults(series[1]) if "" in keys else {}), **chosen}


def _messages(values: Iterable[IndicatorValues], held: dict[Key, frozenset[str]]) -> Told:
    return [
        (each.ticker, messages.indicators(_told(each, key), key))
        for each in values
        for key in sorted(held[each.ticker, each.interval])
    ]


def _told(values: IndicatorValues, key: str) -> IndicatorValues:
    """Of what everybody gets that alone."""
    if key:
        return values
    usual = catalogue.defaults(values.interval)
    reasons = {name: reason for name, reason in values.reasons.items() if name in usual}
    return replace(values, values={name: values.values[name] for name in usual}, reasons=reasons)
