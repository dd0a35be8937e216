"""When exchanges trade: their state now, what opens and closes next, sessions, holidays and half days."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count as Counted
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from market.api.queries import PAGES
from market.api.shapes import JSON_ONLY, Page, Shape, shown
from market.calendars import clock, facts, kept
from market.calendars.table import Session, Table, Untold, days, instant
from market.models import Symbol
from market.prices import MARKET_STATES
from monitoring.queries import PAGING, Day, Query

FEED, CALENDAR = "feed", "calendar"
USUAL_DAYS, MOST_DAYS = 31, 1830
AROUND = timedelta(days=400)  # what of a table says the state now, and what is usual
EXCHANGE = {
    "exchange": "XNAS", "name": "Nasdaq", "time_zone": "America/New_York", "symbols": 5, "market_state": "open",
    "state_by": CALENDAR, "session_date": "2026-11-20", "next_open": "2026-11-23T14:30:00Z",
    "next_close": "2026-11-20T21:00:00Z", "known_from": "1999-01-01", "known_until": "2027-12-31",
}  # fmt: skip
EXCHANGE_PAGE = {"next": None, "previous": None, "results": [EXCHANGE]}
SESSIONS = {
    **EXCHANGE, "start": "2026-11-26", "end": "2026-11-27", "is_whole": True,
    "sessions": [
        {"session_date": "2026-11-27", "opens_at": "2026-11-27T14:30:00Z", "closes_at": "2026-11-27T18:00:00Z",
         "break": None, "is_half_day": True, "opens_late": False},
    ],
    "holidays": ["2026-11-26"],
}  # fmt: skip
MIC = OpenApiParameter(
    "exchange", str, OpenApiParameter.PATH, description="Market identifier code, such as XNYS, in any case."
)


class ExchangeShape(Shape):
    exchange = serializers.CharField(help_text="Market identifier code.")
    name = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField(allow_null=True)
    symbols = serializers.IntegerField(help_text="How many symbols that are collected are at home there.")
    market_state = serializers.ChoiceField(MARKET_STATES, allow_null=True, help_text="Now; null where nobody knows it.")
    state_by = serializers.ChoiceField(
        [FEED, CALENDAR],
        allow_null=True,
        help_text="Who says so: the feed, which of a recording tells the session that is played, or the calendar.",
    )
    session_date = serializers.DateField(allow_null=True, help_text="Of the running session, else of the last one.")
    next_open = serializers.DateTimeField(
        allow_null=True, help_text="Also after a lunch break; null of what never closes, and where it is not known."
    )
    next_close = serializers.DateTimeField(allow_null=True)
    known_from = serializers.DateField(allow_null=True, help_text="The first day that its calendar tells of.")
    known_until = serializers.DateField(
        allow_null=True, help_text="The last one; null: its calendar is not loaded, or there is none."
    )


@extend_schema_serializer(component_name="Exchange")
class OneExchangeShape(ExchangeShape):
    pass


class ExchangePage(Page):
    results = OneExchangeShape(many=True)


class Break(Shape):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SessionShape(Shape):
    session_date = serializers.DateField(help_text="The exchange's own date.")
    opens_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField()
    is_half_day = serializers.BooleanField(help_text="It closes before the time that is usual in that year.")
    opens_late = serializers.BooleanField(help_text="It opens after the time that is usual in that year.")

    def get_fields(self) -> dict:
        # `break` is a word of Python.
        return {**super().get_fields(), "break": Break(allow_null=True, help_text="At lunch, where it has one.")}


@extend_schema_serializer(component_name="ExchangeSessions")
class SessionsShape(ExchangeShape):
    start = serializers.DateField()
    end = serializers.DateField()
    is_whole = serializers.BooleanField(
        help_text="Whether the calendar tells of all days from `start` to `end`; else only up to `known_until`."
    )
    sessions = SessionShape(many=True)
    holidays = serializers.ListField(
        child=serializers.DateField(), help_text="Days of its usual week on which it does not trade."
    )


class SessionsQuery(Query):
    start = Day(required=False, help_text="The first day; today at the exchange where it is not said.")
    end = Day(required=False, help_text=f"The last day, at most {MOST_DAYS} later; {USUAL_DAYS} days where not said.")


class Exchanges(APIView):
    """The exchanges whose calendars are kept: where symbols are at home, and the large ones."""

    @extend_schema(
        operation_id="exchanges_list",
        summary="List exchanges",
        parameters=PAGING,
        responses=ExchangePage,
        examples=shown(EXCHANGE_PAGE),
    )
    def get(self, request) -> Response:
        pages = PAGES()
        names = sorted({*kept.exchanges(), *_at_home()})
        return pages.get_paginated_response(_told(pages.paginate_rows(names, request)))


class OneExchange(APIView):
    """One exchange with its sessions, holidays and half days."""

    renderer_classes = JSON_ONLY
    problems = {400: ("invalid_range",), 404: ("unknown_exchange",)}

    @extend_schema(
        operation_id="exchanges_retrieve",
        summary="When an exchange trades",
        parameters=[MIC, SessionsQuery],
        responses={(200, "application/json"): SessionsShape},
        examples=shown(SESSIONS),
    )
    def get(self, request, exchange: str) -> Response:
        name, query = exchange.upper(), SessionsQuery.read(request)
        names = {*kept.exchanges(), *_at_home()}
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise NotFound(
                f"There is no exchange {name[:20]} here; those with a calendar are {known}. One more comes with a "
                "symbol that is at home there.",
                "unknown_exchange",
            )
        told, now = _told([name])[0], datetime.now(UTC)
        start, end = _span(query, kept.tables([name], *_around(now)).get(name), now)
        return Response({**told, "start": start, "end": end, **_sessions(name, start, end)})


def _at_home() -> dict[str, int]:
    """How many tracked symbols are at home at each exchange."""
    counted = Symbol.objects.tracked().order_by().values("exchange").annotate(count=Counted("pk"))
    return dict(counted.values_list("exchange", "count"))


def _told(names: list[str]) -> list[dict]:
    """Exchanges as they are told, in this order."""
    now = datetime.now(UTC)
    by_feed = {each.exchange: each for each in clock.all_latest(now)}
    tables, spans, at_home = kept.tables(names, *_around(now)), kept.told(names), _at_home()
    return [
        {
            "exchange": name,
            "name": facts.EXCHANGES.get(name, ""),
            "time_zone": str(tables[name].zone) if name in tables else None,
            "symbols": at_home.get(name, 0),
            **_now(name, tables.get(name), by_feed.get(name), now),
            **dict(zip(("known_from", "known_until"), spans.get(name, (None, None)), strict=True)),
        }
        for name in names
    ]


def _now(name: str, table: Table | None, told: clock.Clock | None, now: datetime) -> dict:
    """The state of an exchange: as the feed tells it, else by the calendar, as far as that goes."""
    if told is not None:
        values = told.state, FEED, told.session_date, told.opens_at, told.closes_at
    else:
        values = (None,) * 5 if table is None else _by_calendar(name, table, now)
    return dict(zip(("market_state", "state_by", "session_date", "next_open", "next_close"), values, strict=True))


def _by_calendar(name: str, table: Table, now: datetime) -> tuple:
    try:
        state, session = facts.state(name, table, now), table.at(now).date
        return state, CALENDAR, session, table.next_open(now), table.next_close(now)
    except Untold:
        return (None,) * 5


def _around(now: datetime) -> tuple[date, date]:
    return (now - AROUND).date(), (now + AROUND).date()


def _span(query: dict, table: Table | None, now: datetime) -> tuple[date, date]:
    today = now.astimezone(table.zone if table else UTC).date()
    start = query.get("start") or min(today, query.get("end", today))
    end = query.get("end") or start + timedelta(days=USUAL_DAYS - 1)
    if start > end:
        raise _refused(f"start ({start}) is after end ({end}); it must not be later.")
    if (end - start).days >= MOST_DAYS:
        raise _refused(f"From {start} to {end} are {(end - start).days + 1} days; one answer has at most {MOST_DAYS}.")
    return start, end


def _refused(sentence: str) -> ValidationError:
    return ValidationError({"start": [ErrorDetail(sentence, "invalid_range")]})


def _sessions(name: str, start: date, end: date) -> dict:
    """The sessions and holidays between two days, as far as they are known."""
    table = kept.tables([name], start, end).get(name)
    if table is None or max(start, table.first) > min(end, table.last):
        return {"is_whole": False, "sessions": [], "holidays": []}
    first, last = max(start, table.first), min(end, table.last)
    usual = {year: _usual(table, year) for year in range(first.year, last.year + 1)}
    found = table.between(first, last)
    week = {year: _week(table, year) for year in usual}
    traded = {each.date for each in found}
    return {
        "is_whole": (first, last) == (start, end),
        "sessions": [_session(each, table, *usual[each.date.year]) for each in found],
        "holidays": [day for day in days(first, last) if day not in traded and day.weekday() in week[day.year]],
    }


def _week(table: Table, year: int) -> set[int]:
    """The days of the week on which it usually trades; a Saturday that was made up for, once, is none."""
    counted = Counter(each.date.weekday() for each in table.sessions if each.date.year == year)
    return {day for day, times in counted.items() if 2 * times > max(counted.values())}


def _usual(table: Table, year: int) -> tuple[time, time]:
    """When most sessions of a year open and close, in the exchange's own time; of equals the later close."""
    local = [_local(each, table) for each in table.sessions if each.date.year == year]
    return _commonest(opens for opens, _ in local), _commonest(closes for _, closes in local)


def _local(session: Session, table: Table) -> tuple[time, time]:
    opens, closes = (instant(each).astimezone(table.zone).time() for each in (session.opens, session.closes))
    return opens, closes


def _commonest(times: Iterable[time]) -> time:
    counted = Counter(times)
    return max(counted, key=lambda each: (counted[each], each), default=time())


def _session(session: Session, table: Table, opens: time, closes: time) -> dict:
    opened, closed = _local(session, table)
    rest = session.rest and dict(zip(("starts_at", "ends_at"), map(instant, session.rest), strict=True))
    return {
        "session_date": session.date,
        "opens_at": instant(session.opens),
        "closes_at": instant(session.closes),
        "break": rest,
        # Of what goes on to midnight no close is early.
        "is_half_day": closes > closed > time(),
        "opens_late": opened > opens,
    }
