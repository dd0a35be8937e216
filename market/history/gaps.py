"""Which sessions of an exchange's calendar are missing among the bars that we hold, and what is asked for.

A hole that the source has been asked for and does not fill is asked for again, but not each time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import import_module
from itertools import groupby

import numpy as np
from django.db.models import CharField, Max, Min, Q
from django.db.models.functions import Cast

from market import clock, intervals
from market.calendars import kept
from market.calendars.table import Table
from market.coverage import rows as coverage
from market.coverage.held import Difference
from market.intervals import DAY
from market.models import Bar, Coverage, Symbol
from market.prices import midnight

OVERLAP = timedelta(days=7)  # asked for again each time, for corrections and late actions
OVERLAP_WITHIN = timedelta(days=2)  # of bars within sessions, which come without actions: one request over a weekend
AGAIN = timedelta(days=7)  # between two times that an older hole is asked for which the source did not fill
_ENDS = ("session_date", "first", "last")


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of sessions that are missing, from the first to the last of them, and how many they are."""

    first: date
    last: date
    sessions: int

    def as_json(self) -> list:
        return [str(self.first), str(self.last), self.sessions]


@dataclass(frozen=True, slots=True)
class Known:
    """The gaps between two sessions, both looked at; None where nothing could be."""

    first: date | None
    last: date | None
    gaps: list[Gap]


def since(row: Coverage, now: datetime, *, fill_holes: bool = False) -> date | None:
    """The session to ask from, so that an answer leaves nothing out but what the source has not; None: from the first.

    Up to `asked_until` the source has told what it has, and up to `unbroken_until` nothing is missing.
    fill_holes: whenever older ones were asked for.
    """
    known = [each for each in (row.unbroken_until, row.asked_until) if each is not None]
    if row.last_held is None or not known:
        return None
    hole = hole_after(row)
    until = hole if hole and (fill_holes or is_due(row, now)) else max(known)
    overlap = OVERLAP if intervals.named(row.interval).is_whole else OVERLAP_WITHIN
    return min(until, row.last_held.date()) - overlap


def is_due(row: Coverage, now: datetime) -> bool:
    """Whether older holes may be asked for again."""
    return row.holes_asked_at is None or not now - AGAIN < row.holes_asked_at <= now


def hole_after(row: Coverage) -> date | None:
    """The last session before one that is missing, as last counted; None where none is."""
    if row.unbroken_until is None or row.last_held is None or row.unbroken_until >= row.last_held.date():
        return None
    return row.unbroken_until


def count(tickers: Iterable[str], *, interval: str = DAY.name) -> None:
    """Have the coverage of these say it. Calendars take their time, so nothing is locked meanwhile."""
    asked = Coverage.objects.filter(symbol__ticker__in=list(tickers), interval=interval)
    for row in asked.select_related("symbol"):
        _say(row, unbroken_until(row, since=row.unbroken_until))


def say(row: Coverage) -> None:
    """Have a row say it, which the caller stores or not."""
    _put(row, unbroken_until(row, since=row.unbroken_until))


def counted(written: Mapping[Symbol, np.ndarray]) -> Callable[[Coverage], None]:
    """What has a row say it, as counted now: before whoever holds the row keeps others waiting.

    written: of symbols the sessions of bars that were just written, each once, oldest first, int64 (n,) in days since
    1970. Where a row has as many, it has no others.
    """
    symbols, known = {symbol.pk: symbol for symbol in written}, {}
    for row in coverage.read(symbols, [DAY.name]):
        row.symbol = symbols[row.symbol_id]
        held = written[row.symbol]
        are_all = 0 < len(held) == row.held and row.unbroken_until is None
        known[row.symbol_id] = row, _unbroken(row, held) if are_all else unbroken_until(row, since=row.unbroken_until)

    def tell(row: Coverage) -> None:
        now, found = known.get(row.symbol_id, (None, None))
        is_same = now and (row.version, row.unbroken_until) == (now.version, now.unbroken_until)
        _put(row, found) if is_same else say(row)

    return tell


def recount(symbol: Symbol) -> list[Coverage]:
    """The same of each interval of a symbol, from its first bar on, as somebody may have taken any away. Returns the
    rows as they say it now.
    """
    for row in rows(symbol):
        _say(row, unbroken_until(row))
    return rows(symbol)


def rows(symbol: Symbol, interval: str | None = None) -> list[Coverage]:
    """Those of each interval of a symbol, or of one; `now` is the session that runs, None of a live source."""
    found = Coverage.objects.filter(symbol=symbol).select_related("symbol").order_by("interval")
    found = found.annotate(now=clock.session())
    return list(found if interval is None else found.filter(interval=interval))


def of(row: Coverage) -> list[Gap]:
    """The gaps between the first bar and the last, oldest first; none where there is no such calendar."""
    held = sessions_held(row)
    return _between(held, _expected(row, held[0], held[-1]) or []) if held else []


def by_kept_calendar(row: Coverage) -> Known:
    """The same by the calendar that is kept as rows, for who may not import calendars: as far as it goes, and up to
    the market's clock.
    """
    held = sessions_held(row, is_so_far=True)
    table = kept.tables([row.symbol.exchange], held[0], held[-1]).get(row.symbol.exchange) if held else None
    if table is None or max(held[0], table.first) > min(held[-1], table.last):
        return Known(None, None, [])
    first, last = max(held[0], table.first), min(held[-1], table.last)
    return Known(first, last, _between(held, _dated(row, [each.date for each in table.between(first, last)])))


def differences(symbols: Iterable[Symbol]) -> list[Difference]:
    """Where a row of these says more than the bars hold. One that says less waits for the next count."""
    rows = Coverage.objects.filter(symbol__in=list(symbols)).exclude(unbroken_until=None).select_related("symbol")
    pairs = [(row, unbroken_until(row)) for row in rows]
    return [
        Difference(row.symbol.ticker, row.interval, "unbroken_until", row.unbroken_until, found)
        for row, found in pairs
        if found is None or row.unbroken_until > found
    ]


def unbroken_until(row: Coverage, *, since: date | None = None) -> date | None:
    """The last session before which none is missing; None without bars, or where there is no such calendar.

    since: up to where that is known, as calendars of many years take seconds to build.
    """
    held = sessions_held(row, since)
    expected = _expected(row, since or held[0], held[-1]) if held else None
    if expected is None:
        return None
    there, last = {since, *held}, since or held[0]
    for session in expected:
        if session not in there:
            break
        last = session
    return last


def _unbroken(row: Coverage, held: np.ndarray) -> date | None:
    """The same of days that all are known. held: int64 (n,), in days since 1970, oldest first."""
    # By name: it brings pandas.
    calendars = import_module("market.calendars.sessions")
    first, last = held[[0, -1]].astype("datetime64[D]").tolist()
    try:
        expected = calendars.columns(row.symbol.exchange, first, last)[0]
    except calendars.UnknownExchange:
        return None
    missing = np.flatnonzero(~np.isin(expected, held))
    whole = expected[: missing[0]] if len(missing) else expected
    return whole[-1].astype("datetime64[D]").item() if len(whole) else first


def _expected(row: Coverage, first: date, last: date) -> list[date] | None:
    """What stands for the sessions of the calendar from one to another, in order; None where there is no such."""
    # By name: it brings pandas.
    calendars = import_module("market.calendars.sessions")
    try:
        sessions = calendars.between(row.symbol.exchange, first, last)
    except calendars.UnknownExchange:
        return None
    return _dated(row, sessions)


def _dated(row: Coverage, sessions: Iterable[date]) -> list[date]:
    dated = intervals.named(row.interval).dated if row.interval != DAY.name else None
    return sorted({*map(dated, sessions)}) if dated else list(sessions)


def _between(held: list[date], expected: list[date]) -> list[Gap]:
    there = set(held)
    missing = [list(run) for is_there, run in groupby(expected, there.__contains__) if not is_there]
    return [Gap(run[0], run[-1], len(run)) for run in missing]


def _say(row: Coverage, found: date | None) -> None:
    """A row that was written to meanwhile is left to the next count."""
    same = Coverage.objects.filter(symbol_id=row.symbol_id, interval=row.interval, version=row.version)
    _put(row, found)
    same.update(unbroken_until=row.unbroken_until, holes_asked_at=row.holes_asked_at)


def _put(row: Coverage, found: date | None) -> None:
    if row.unbroken_until is not None and (found is None or found < row.unbroken_until):
        row.holes_asked_at = None
    row.unbroken_until = found


def sessions_held(row: Coverage, since: date | None = None, *, is_so_far: bool = False) -> list[date]:
    """Those of a row of which bars are there, oldest first; within a session, of each half of it.

    is_so_far: of those alone that have come by the market's clock.
    """
    come = clock.before() if is_so_far else Q()
    bars = Bar.objects.filter(come, symbol_id=row.symbol_id, interval=row.interval)
    if since is not None:
        bars = bars.filter(opened_at__gte=midnight(since))
    if intervals.named(row.interval).is_whole:
        told = bars.order_by("opened_at").values_list(Cast("session_date", CharField()), flat=True)
        return list(map(date.fromisoformat, told))
    by_session = bars.order_by().values("session_date").annotate(first=Min("opened_at"), last=Max("opened_at"))
    found = sorted(by_session.values_list(*_ENDS))
    if not found:
        return []
    exchange, ends = row.symbol.exchange, (found[0], found[-1])
    table = kept.tables([exchange], found[0][0], found[-1][0]).get(exchange)
    # The first may be cut by what is kept, and the last still runs.
    return [each[0] for each in found if each in ends or _is_held(table, *each)]


def _is_held(table: Table | None, session: date, first: datetime, last: datetime) -> bool:
    """Whether a session has bars before its lunch break and after it; a minute without a trade has none anyway."""
    if table is None or not table.first <= session <= table.last:
        return True
    told = table.of(session)
    return told is None or (first.timestamp() < told.spans[0][1] and last.timestamp() >= told.spans[-1][0])
