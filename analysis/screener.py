"""Which symbols a condition holds for, by the bars of each that have closed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from analysis.conditions.evaluating import Condition
from analysis.conditions.tree import AT, Series
from analysis.conditions.truth import TRUE, UNKNOWN
from analysis.conditions.values import OWN, Columns, Frames, History, Language, Place
from analysis.indicators import alone
from analysis.signals.catalogue import LANGUAGE
from market import bars, intervals, symbols
from market.bars import stored
from market.calendars import hours
from market.intervals import DAY
from market.models import Symbol

AT_ONCE = 100  # symbols whose bars are in memory together
EARLIER = 250  # bars beyond those that a condition needs, for what touched or was unknown meanwhile
NO_BARS = "no bars are held"


@dataclass(frozen=True, slots=True)
class Screened:
    """rows: of the symbols that it holds for, by ticker. unknown: why nobody knows it of the others that are not known.

    asked: how many were judged, so that the rest of them it does not hold for.
    """

    interval: str
    asked: int
    rows: list[dict]
    unknown: dict[str, str]


def screen(
    condition: Condition,
    tickers: Collection[str] | None = None,
    *,
    interval: str = DAY.name,
    language: Language = LANGUAGE,
) -> Screened:
    """Judge the tracked symbols, or those named, each by its own newest bar that has closed.

    Raises symbols.UnknownSymbol of a symbol that the condition names, UnknownInterval.
    """
    wanted = sorted([symbol.ticker for symbol in symbols.tracked()] if tickers is None else set(tickers))
    others, closes = _others(condition, interval), _Closes()
    rows, unknown = [], {}
    for first in range(0, len(wanted), AT_ONCE):
        part = wanted[first : first + AT_ONCE]
        values, missing = _values(condition, part, interval, language, others, closes)
        told = condition.now(values) if any(each.size for each in values.values()) else np.empty(0, np.int8)
        known = [ticker for ticker in part if ticker not in missing]
        rows += _rows([known[at] for at in np.flatnonzero(told == TRUE)], known, values, interval)
        unknown |= missing | {known[at]: _why(values, at) for at in np.flatnonzero(told == UNKNOWN)}
    return Screened(interval, len(wanted), rows, unknown)


def _values(
    condition: Condition,
    tickers: Sequence[str],
    interval: str,
    language: Language,
    others: Mapping[Place, tuple[str, str]],
    closes: "_Closes",
) -> tuple[dict[Series, np.ndarray], dict[str, str]]:
    """The last values of each series, (bars, symbols) of those that have any, and why the others have none."""
    length = condition.bars + EARLIER
    found, missing, columns = [], {}, bars.of_many(tickers, interval=interval)
    homes = dict(Symbol.objects.filter(ticker__in=tickers).values_list("ticker", "exchange"))
    for ticker in tickers:
        own = columns[ticker]
        if not len(own["close"]):
            missing[ticker] = NO_BARS
            continue
        since = own["opened_at"][-length:][0]
        frames = {OWN: own}
        if others or AT in condition.series:
            frames = closes.frames(ticker, own, interval, homes[ticker], others, since)
        values, broken = alone.attempt("screen", ticker, History(frames, language).of, condition)
        if values is None:
            missing[ticker] = broken
        else:
            found.append({series: _end(each, length) for series, each in values.items()})
    return {series: np.stack([each[series] for each in found], 1) if found else np.empty((0, 0))
            for series in condition.series}, missing  # fmt: skip


def _others(condition: Condition, interval: str) -> dict[Place, tuple[str, str]]:
    """The ticker, empty of one's own, and the interval of each place that is read beside one's own bars."""
    places = {(each.symbol, each.interval) for each in condition.series if each != AT} - {OWN}
    return {(symbol, of): (symbols.resolve(symbol).ticker if symbol else "", of or interval) for symbol, of in places}


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


def _rows(
    holds: Sequence[str], known: Sequence[str], values: Mapping[Series, np.ndarray], interval: str
) -> Iterator[dict]:
    of = intervals.named(interval)
    newest = stored.newest_of(holds, of.stored_as)
    for ticker in holds:
        at, bar = known.index(ticker), newest[ticker][1]
        yield {
            "symbol": ticker,
            "as_of": bar.opened_at,
            "as_of_precision": of.precision,
            "session_date": bar.session_date,
            "source": bar.source,
            "received_at": bar.received_at,
            "values": {str(series): _told(each[-1, at]) for series, each in values.items() if series != AT},
        }


def _why(values: Mapping[Series, np.ndarray], at: int) -> str:
    lacking = [str(series) for series, each in values.items() if not np.isfinite(each[-1, at])]
    return f"no value yet of {', '.join(lacking)}" if lacking else "too few bars"


def _end(values: np.ndarray, length: int) -> np.ndarray:
    last = values[-length:]
    return np.concatenate([np.full(length - len(last), np.nan), last])


def _told(value: float) -> float | None:
    return value.item() if np.isfinite(value) else None
