"""Values that are computed of symbols' bars, each from its first one on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from analysis.conditions.tree import AT, Series
from analysis.conditions.values import OWN, Columns, Frames, History, Language, Place
from analysis.indicators import alone
from analysis.screener.kept import Values
from analysis.signals.catalogue import LANGUAGE
from market import bars, coverage, intervals, symbols
from market.bars import stored
from market.calendars import hours
from market.models import Symbol

NO_BARS = "no bars are held"


class Computing:
    """What is asked of many symbols, some at a time; what they share is read once.

    Raises symbols.UnknownSymbol of a symbol that a series names.
    """

    def __init__(self, wanted: Collection[Series], interval: str, language: Language = LANGUAGE) -> None:
        self._wanted, self._interval, self._language = tuple(wanted), interval, language
        places = {(each.symbol, each.interval) for each in self._wanted if each != AT} - {OWN}
        # The ticker, empty of one's own, and the interval of each place that is read beside one's own bars.
        self._others: dict[Place, tuple[str, str]] = {
            (symbol, of): (symbols.resolve(symbol).ticker if symbol else "", of or interval) for symbol, of in places
        }
        self._closes = _Closes()

    def values(self, tickers: Sequence[str], length: int) -> tuple[Values, dict[str, str]]:
        """So many of the last values of each series, of those that have any, and why the others have none."""
        stored_as = intervals.named(self._interval).stored_as
        versions = coverage.latest(tickers, interval=stored_as)
        found, facts, missing, columns = [], {}, {}, bars.of_many(tickers, interval=self._interval)
        homes = dict(Symbol.objects.filter(ticker__in=tickers).values_list("ticker", "exchange"))
        for ticker in tickers:
            own = columns[ticker]
            if not len(own["close"]):
                missing[ticker] = NO_BARS
                continue
            told, broken = self._told(ticker, own, homes[ticker], length)
            if told is None:
                missing[ticker] = broken
                continue
            facts[ticker] = {"as_of": own["opened_at"][-1].item().replace(tzinfo=UTC),
                             "session_date": own["session_date"][-1].item()}  # fmt: skip
            found.append({series: _end(each, length) for series, each in told.items()})
        self._name_sources(facts, stored_as, versions)
        stacked = {each: np.stack([values[each] for values in found], 1) if found else np.empty((length, 0))
                   for each in self._wanted}  # fmt: skip
        return Values(list(facts), stacked, facts), missing

    def _told(self, ticker: str, own: Columns, home: str, length: int) -> tuple[dict[Series, np.ndarray] | None, str]:
        frames: Frames = {OWN: own}
        if self._others or AT in self._wanted:
            since = own["opened_at"][-length:][0]
            frames = self._closes.frames(ticker, own, self._interval, home, self._others, since)
        return alone.attempt("screen", ticker, History(frames, self._language).values, self._wanted)

    def _name_sources(self, facts: dict[str, dict], stored_as: str, versions: Mapping[str, str]) -> None:
        """Where the last bar of each came from. The version is empty where others wrote while it was read."""
        newest, after = stored.newest_of(list(facts), stored_as), coverage.latest(list(facts), interval=stored_as)
        for ticker, told in facts.items():
            bar = newest[ticker][1]
            told |= {
                "source": bar and bar.source,
                "received_at": bar and bar.received_at,
                "version": versions[ticker] if versions[ticker] == after[ticker] else "",
            }


class _Closes:
    """When bars close, by the calendars of their exchanges, each asked once."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str, datetime], float] = {}
        self.columns = lru_cache(maxsize=64)(lambda ticker, of: bars.columns(ticker, interval=of))
        self.home = lru_cache(maxsize=None)(lambda ticker: symbols.resolve(ticker).exchange)
        self._calendar = lru_cache(maxsize=None)(hours.calendar)

    def frames(
        self,
        ticker: str,
        own: Columns,
        interval: str,
        exchange: str,
        others: Mapping[Place, tuple[str, str]],
        since: np.datetime64,
    ) -> Frames:
        """One's own bars and the others that are read beside them, with their closes."""
        frames = {OWN: {**own, "closes_at": self._of(own, interval, exchange, since)}}
        for place, (other, of) in others.items():
            columns = self.columns(other or ticker, of)
            home = self.home(other) if other else exchange
            frames[place] = {**columns, "closes_at": self._of(columns, of, home, since)}
        return frames

    def _of(self, columns: Columns, interval: str, exchange: str, since: np.datetime64) -> np.ndarray:
        """Seconds since 1970, of the bars since one and the one before it; -inf of older ones, which closed before."""
        opened = columns["opened_at"]
        first = max(0, int(np.searchsorted(opened, since)) - 1)
        told = [self._closed(at.replace(tzinfo=UTC), interval, exchange) for at in opened[first:].tolist()]
        return np.concatenate([np.full(first, -np.inf), np.array(told, np.float64)])

    def _closed(self, opened_at: datetime, interval: str, exchange: str) -> float:
        key = exchange, interval, opened_at
        if key not in self._at:
            self._at[key] = intervals.named(interval).close(opened_at, self._calendar(exchange)).timestamp()
        return self._at[key]


def _end(values: np.ndarray, length: int) -> np.ndarray:
    last = values[-length:]
    return np.concatenate([np.full(length - len(last), np.nan), last])
