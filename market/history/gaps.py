"""Up to where no session of an exchange's calendar is missing among the bars that we hold, and what is asked for.

A hole that the source has been asked for and does not fill is asked for again, but not each time.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from importlib import import_module

from market import intervals
from market.coverage.held import Difference
from market.intervals import DAY
from market.models import Bar, Coverage
from market.prices import midnight

OVERLAP = timedelta(days=7)  # asked for again each time, for corrections and late actions
AGAIN = timedelta(days=7)  # between two times that an older hole is asked for which the source did not fill


def since(row: Coverage, now: datetime) -> date | None:
    """The session to ask from, so that an answer leaves nothing out but what the source has not; None: from the first.

    Up to `asked_until` the source has told what it has, and up to `unbroken_until` nothing is missing.
    """
    known = [each for each in (row.unbroken_until, row.asked_until) if each is not None]
    if row.last_held is None or not known:
        return None
    hole = hole_after(row)
    is_due = row.holes_asked_at is None or not now - AGAIN < row.holes_asked_at <= now
    until = hole if hole and is_due else max(known)
    return min(until, row.last_held.date()) - OVERLAP


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


def count_all() -> None:
    """The same of every symbol and interval, from their first bars on."""
    for row in Coverage.objects.select_related("symbol"):
        _say(row, unbroken_until(row))


def differences() -> list[Difference]:
    """Where a row says more than the bars hold. One that says less waits for the next count."""
    rows = Coverage.objects.exclude(unbroken_until=None).select_related("symbol")
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
    held = _sessions_held(row, since)
    if not held:
        return None
    # By name: it brings pandas.
    calendars, dated = import_module("market.calendars.sessions"), intervals.named(row.interval).dated
    try:
        expected = calendars.between(row.symbol.exchange, since or held[0], held[-1])
    except calendars.UnknownExchange:
        return None
    there, last = {since, *held}, since or held[0]
    for session in sorted({dated(each) if dated else each for each in expected}):
        if session not in there:
            break
        last = session
    return last


def _say(row: Coverage, found: date | None) -> None:
    """A row that was written to meanwhile is left to the next count."""
    same = Coverage.objects.filter(symbol_id=row.symbol_id, interval=row.interval, version=row.version)
    has_receded = row.unbroken_until is not None and (found is None or found < row.unbroken_until)
    same.update(unbroken_until=found, **({"holes_asked_at": None} if has_receded else {}))


def _sessions_held(row: Coverage, since: date | None) -> list[date]:
    bars = Bar.objects.filter(symbol_id=row.symbol_id, interval=row.interval)
    if since is not None:
        bars = bars.filter(opened_at__gte=midnight(since))
    return sorted(set(bars.values_list("session_date", flat=True)))
