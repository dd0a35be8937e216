"""What is held of all symbols, row by row, and found by what is the matter with it.

A row is torn where the session that follows `unbroken_until` is not held and a later one is: what the feed has told
since the last count tears nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import DateField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from market import clock, prices
from market.calendars import kept
from market.calendars.table import Table
from market.coverage import so_far, versions
from market.intervals import DAY
from market.models import Bar, Coverage

STATES = TORN, UNPROVEN, HELD_BACK, UNLOADED, REFUSED = "torn", "unproven", "held_back", "unloaded", "refused"
_TORN, _UNCOUNTED = Q(unbroken_until__lt=F("last_date")), Q(unbroken_until=None, last_held__isnull=False)
_NONE = Q(pk__in=())
MOST_ENDS = 32  # ends of what is unbroken, the newest, of which is looked what follows them
LONGEST_BREAK = timedelta(days=31)  # between two sessions of any exchange
_FOUND = {
    TORN: _TORN,  # or only not counted since
    UNPROVEN: _TORN | _UNCOUNTED,
    HELD_BACK: Q(quarantined__gt=0),
    UNLOADED: Q(complete_since=None, interval=DAY.name),
    REFUSED: Q(refused__gt=0),
}
COLUMNS = (
    "symbol", "interval", "first", "last", "first_session", "last_session", "held", "refused", "quarantined",
    "is_complete", "is_torn", "unbroken_until", "wanted_since", "asked_until", "suspended_until", "unknown_since",
    "is_active", "source", "version",
)  # fmt: skip
_READ = {
    "symbol": "symbol__ticker", "first": "first_held", "last": "last_held", "wanted_since": "first_wanted",
    "is_active": "symbol__is_active",
}  # fmt: skip
_MADE = {"is_complete", "is_torn", "first_session", "last_session"}


def rows(*, symbol: int | None = None, interval: str | None = None, state: str | None = None) -> QuerySet:
    """Plain values of those that are asked for; None: of all. state: one of STATES."""
    wanted = Q() if state is None else _FOUND[state]
    wanted &= Q() if symbol is None else Q(symbol=symbol)
    wanted &= Q() if interval is None else Q(interval=interval)
    columns = [_READ.get(name, name) for name in COLUMNS if name not in _MADE]
    later = Bar.objects.filter(symbol=OuterRef("symbol"), interval=OuterRef("interval"))
    later = later.filter(opened_at__gt=OuterRef("unbroken_until"), session_date__gt=OuterRef("unbroken_until"))
    found = Coverage.objects.annotate(
        last_date=Cast("last_held", DateField()),  # instants are kept as UTC; to truncate one SQLite calls Python
        next_held=Subquery(later.order_by("opened_at").values("session_date")[:1]),
        now=clock.session(),
    )
    found = found.filter(wanted)
    if state in (TORN, UNPROVEN):
        found = found.exclude(_at_rest(found.filter(_TORN)))
    return found.values(*columns, "complete_since", "next_held", "now", "symbol__exchange", "symbol__time_zone")


def told(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of these as an answer tells them."""
    return [_told(row, is_torn=is_torn) for row, is_torn in _judged(_so_far(found))]


def torn(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those rows of these that are torn."""
    return [row for row, is_torn in _judged(found) if is_torn]


def unproven(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are torn, and those of which nobody knows: they were never counted, or the calendar is not kept."""
    return [row for row, is_torn in _judged(found) if is_torn is not False or row["unbroken_until"] is None]


def _judged(found: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], bool | None]]:
    tables = _tables(found)
    return [(row, _is_torn(row, tables.get(row["symbol__exchange"]))) for row in found]


def _at_rest(doubted: QuerySet) -> Q:
    """Of rows that may be torn those that are not, as nothing is held behind the session that follows: they are nearly
    all, from the end of a session until what it brought is counted.
    """
    ends = doubted.order_by("-unbroken_until").values_list("symbol__exchange", "unbroken_until").distinct()[:MOST_ENDS]
    ends = [(exchange, until) for exchange, until in ends if until is not None]
    if not ends:
        return _NONE
    days = [until for _, until in ends]
    tables = kept.tables({exchange for exchange, _ in ends}, min(days), max(days) + LONGEST_BREAK)
    rest = _NONE
    for exchange, until in ends:
        table = tables.get(exchange)
        if table and table.first <= until <= table.last and (following := table.after(until)):
            ends_with = Q(interval=DAY.name, last_held__lte=prices.midnight(following.date))
            ends_with |= ~Q(interval=DAY.name) & Q(last_held__lt=datetime.fromtimestamp(following.closes, UTC))
            rest |= Q(symbol__exchange=exchange, unbroken_until=until) & ends_with
    return rest


def _so_far(found: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The same up to the market's clock."""
    session = next((row["now"] for row in found if row["now"]), None)
    if session is None:
        return found
    ends = so_far.counted({row["symbol__ticker"] for row in found}, session)
    return [_cut(row, ends.get((row["symbol__ticker"], row["interval"]), so_far.NO_ENDS)) for row in found]


def _cut(row: Mapping[str, Any], ends: so_far.Ends) -> Mapping[str, Any]:
    until, last = row["unbroken_until"], ends.last and ends.last.date()
    cut = {"held": ends.count, "first_held": ends.first, "last_held": ends.last}
    until = until and last and min(until, last)
    return {**row, **cut, "version": versions.cut(row["version"], row["now"]), "unbroken_until": until}


def _tables(found: Sequence[Mapping[str, Any]]) -> dict[str, Table]:
    doubtful = [row for row in found if row["next_held"] is not None]
    if not doubtful:
        return {}
    first, last = min(row["unbroken_until"] for row in doubtful), max(row["next_held"] for row in doubtful)
    return kept.tables({row["symbol__exchange"] for row in doubtful}, first, last)


def _is_torn(row: Mapping[str, Any], table: Table | None) -> bool | None:
    """None where the calendar that would tell is not kept."""
    until, later = row["unbroken_until"], row["next_held"]
    if later is None:
        return False
    if table is None or not table.first <= until <= table.last:
        return None
    following = table.after(until)
    return following is not None and following.date < later


def _told(row: Mapping[str, Any], *, is_torn: bool | None) -> dict[str, Any]:
    ends = (row["first_held"], row["last_held"])
    first, last = (at and prices.session_at(at, row["symbol__time_zone"]) for at in ends)
    made = {"is_complete": row["complete_since"] is not None, "is_torn": is_torn}
    made |= {"first_session": first, "last_session": last}
    return {name: made[name] if name in made else row[_READ.get(name, name)] for name in COLUMNS}
