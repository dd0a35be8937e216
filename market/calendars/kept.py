"""The tables of sessions as rows: a job writes them, and pages read them, who may not import the calendars."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import orjson
from django.db import connection
from django.db.models import Max, Min

from market.calendars.table import Session, Table
from market.models import TradingYear

_WRITTEN = ("time_zone", "first", "last", "sessions", "told_at")


def keep(exchange: str, table: Table) -> int:
    """Write the years of a table, safe to do twice and at once; says how many sessions."""
    now, years = datetime.now(UTC), range(table.first.year, table.last.year + 1)
    rows = [
        TradingYear(
            exchange=exchange,
            year=year,
            time_zone=str(table.zone),
            first=max(table.first, date(year, 1, 1)),
            last=min(table.last, date(year, 12, 31)),
            sessions=orjson.dumps([_packed(each) for each in table.sessions if each.date.year == year]).decode(),
            told_at=now,
        )
        for year in years
    ]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["exchange", "year"]
    TradingYear.objects.bulk_create(rows, update_conflicts=True, update_fields=_WRITTEN, unique_fields=unique)
    return len(table.sessions)


def told(exchanges: Collection[str]) -> dict[str, tuple[date, date]]:
    """The first and the last day that is known of each exchange that is kept."""
    spans = TradingYear.objects.filter(exchange__in=exchanges).order_by().values("exchange")
    found = spans.annotate(since=Min("first"), until=Max("last")).values_list("exchange", "since", "until")
    return {exchange: (since, until) for exchange, since, until in found}


def told_since(moment: datetime) -> set[str]:
    """The exchanges whose calendars were asked since."""
    return set(TradingYear.objects.filter(told_at__gte=moment).order_by().values_list("exchange", flat=True).distinct())


def told_at(exchanges: Collection[str]) -> dict[str, str]:
    """When the calendar of each that is kept was asked last, as text: equal ones are of equal calendars."""
    found = TradingYear.objects.filter(exchange__in=exchanges).order_by().values("exchange").annotate(at=Max("told_at"))
    return {exchange: at.isoformat() for exchange, at in found.values_list("exchange", "at")}


def exchanges() -> list[str]:
    """Those that are kept, by name."""
    return list(TradingYear.objects.order_by("exchange").values_list("exchange", flat=True).distinct())


def tables(exchanges: Collection[str], first: date, last: date) -> dict[str, Table]:
    """The table of each that is kept, of the years from one day's to another's that are known without a gap."""
    rows = TradingYear.objects.filter(exchange__in=exchanges, year__range=(first.year, last.year))
    years: dict[str, list[TradingYear]] = {}
    for row in rows.order_by("exchange", "year"):
        years.setdefault(row.exchange, []).append(row)
    return {exchange: _table(_unbroken(found)) for exchange, found in years.items()}


def _unbroken(years: list[TradingYear]) -> list[TradingYear]:
    """Those up to the first gap: what lies behind one that was never written is not known."""
    ends = next(
        (place for place, (one, other) in enumerate(pairwise(years), 1) if other.year != one.year + 1), len(years)
    )
    return years[:ends]


def _table(years: list[TradingYear]) -> Table:
    sessions = [_session(*each) for year in years for each in orjson.loads(year.sessions)]
    return Table(ZoneInfo(years[-1].time_zone), sessions, years[0].first, years[-1].last)


def _packed(session: Session) -> list[str | int]:
    return [session.date.isoformat(), session.opens, session.closes, *(session.rest or ())]


def _session(day: str, opens: int, closes: int, *rest: int) -> Session:
    return Session(date.fromisoformat(day), opens, closes, rest or None)
