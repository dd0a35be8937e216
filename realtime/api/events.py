"""What was told and must not be lost, over HTTP: for a client that missed more than the streams keep."""

import re

import orjson
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotAuthenticated, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from market import intervals, prices, symbols
from monitoring.queries import PAGING, Query, Text
from realtime import kinds, people
from realtime.events import asking
from realtime.events.asking import Asked
from realtime.kinds import KINDS, Kind
from realtime.models import Event
from realtime.people import Person
from realtime.streams import Position

COLUMNS = ("id", "stream", "epoch", "seq", "written_at")
IS_WHOLE = "X-Is-Whole"
ROW = re.compile(r"[0-9]{1,18}")
NO_PLACE = "write the `id` of the last event that you have, or with its stream its epoch and seq, as 5f1c:1041."


class EventQuery(Query):
    stream = Text(required=False, max_length=120, help_text="Such as alerts:AAPL, alerts:@me, system.")
    after = Text(
        required=False,
        max_length=50,
        help_text="The `id` of the last event that you have, or with `stream` its `epoch:seq`, as a `gap` says it.",
    )


@extend_schema_serializer(component_name="Event")
class EventShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="Grows from each event to the next.")
    stream = serializers.CharField(help_text="As the socket names it; of one's own alerts: alerts:@me.")
    epoch = serializers.CharField()
    seq = serializers.IntegerField()
    written_at = serializers.DateTimeField()
    body = serializers.DictField(help_text="The message as it was told.")


@extend_schema_serializer(component_name="EventPage")
class EventPage(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    is_whole = serializers.BooleanField(
        allow_null=True,
        help_text=f"Whether all that was told since `after` is in this list, as in the header {IS_WHOLE}; false where "
        "some is older than what is kept. Null where no `after` is given.",
    )
    results = EventShape(many=True)


class Events(APIView):
    """Alerts, signals, news and what all were told, as their streams told it, for 90 days; the oldest first.

    Of a recording that has begun again those of the pass that runs; behind `after` also those of the pass before.
    """

    csv_columns = COLUMNS

    @extend_schema(
        operation_id="events_list",
        summary="Events",
        parameters=[EventQuery, *PAGING],
        responses={200: EventPage},
    )
    def get(self, request) -> Response:
        query, user = EventQuery.read(request), request.user
        person = Person(user.pk, user.is_staff) if user.is_authenticated else None
        stream = _stream(query["stream"], person) if "stream" in query else None
        after = _after(query["after"], stream) if "after" in query else None
        asked = Asked(person and person.user_id, stream, after)
        pages = api_settings.DEFAULT_PAGINATION_CLASS()
        pages.ordering = "id"
        rows = pages.paginate_queryset(asking.found(asked), request, self)
        answer = pages.get_paginated_response([_told(row) for row in rows])
        answer.data["is_whole"] = whole = asking.is_whole(asked)
        answer.headers[IS_WHOLE] = {True: "true", False: "false", None: "unknown"}[whole]
        return answer


def _told(row: Event) -> dict:
    plain = {"id": row.pk, "stream": kinds.public(row.stream), "epoch": row.epoch, "seq": row.seq}
    return {**plain, "written_at": prices.instant(row.written_at), "body": orjson.loads(row.body)}


def _stream(text: str, person: Person | None) -> str:
    """A stream as it is kept, of what a client calls it."""
    kind = KINDS.get(text.partition(":")[0])
    if kind is None or not kind.has_rows:
        there = ", ".join(each.name for each in kinds.WITH_ROWS)
        raise _refusal("stream", f'"{text[:40]}" tells nothing that is kept here; there are {there}.')
    if text == kind.own and kind.by_user:
        if person is None:
            raise NotAuthenticated
        return people.own(person, kind)[0]
    return _public(text, kind)


def _public(text: str, kind: Kind) -> str:
    if text == (kind.of_market if kind.has_market else kind.name if not kind.by_symbol else None):
        return text
    ticker, interval, _ = kinds.address(text)
    if kind.has_intervals and interval not in intervals.ALL:
        allowed = f"it can be {', '.join(intervals.ALL)}, as in {kind.of('AAPL', intervals.FIVE_MINUTES.name)}."
        raise _refusal("stream", f'"{interval[:20]}" of "{text[:40]}" is no interval; {allowed}')
    symbol = symbols.found([ticker]).get(ticker) if kind.by_symbol and ticker else None
    if symbol is None:
        raise _refusal(
            "stream", f'"{text[:40]}" is no stream; one is {kind.of("AAPL") if kind.by_symbol else kind.name}.'
        )
    return kind.of(symbol.ticker, interval)


def _after(text: str, stream: str | None) -> int | Position:
    if ROW.fullmatch(text):
        return int(text)
    place = kinds.PLACE.fullmatch(text)
    if place is None or stream is None:
        raise _refusal("after", f'"{text[:50]}" is no place here; {NO_PLACE}')
    return Position(place[1], int(place[2]))


def _refusal(field: str, sentence: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(sentence, f"invalid_{field}")]})
