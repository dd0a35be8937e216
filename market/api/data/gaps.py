"""Which sessions are missing among the bars of a symbol."""

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from market import coverage, intervals
from market.api.queries import TICKER, row_of
from market.api.shapes import JSON_ONLY, Shape, shown
from market.calendars import kept
from market.history import gaps
from market.models import Coverage
from monitoring.caches.store import Store
from monitoring.queries import Choice, Query

MOST = 500
GAPS = {
    "symbol": "AAPL", "interval": intervals.DAY.name, "known_from": "2000-03-01", "known_until": "2012-09-04",
    "sessions": 2, "count": 1, "gaps": [{"first": "2001-09-10", "last": "2001-09-17", "sessions": 2}],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What was told of a row's gaps while its bars had a version, and the calendar another."""

    version: tuple[str | None, ...]
    told: dict[str, Any]

    @property
    def bytes(self) -> int:
        """Some more than it takes."""
        return 2_000 + 500 * len(self.told["gaps"])


_KEPT = Store[Answer]("ANSWERS_BYTES")


class Gap(Shape):
    first = serializers.DateField(help_text="The first session that is missing.")
    last = serializers.DateField(help_text="The last one of the same run.")
    sessions = serializers.IntegerField(help_text="How many they are.")


@extend_schema_serializer(component_name="Gaps")
class GapsShape(Shape):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.STORED_CHOICES)
    known_from = serializers.DateField(allow_null=True, help_text="The first session that was looked at.")
    known_until = serializers.DateField(
        allow_null=True, help_text="The last one; null: nothing is held, or the exchange's calendar is not."
    )
    sessions = serializers.IntegerField(help_text="How many are missing in all.")
    count = serializers.IntegerField(help_text="In how many runs.")
    gaps = Gap(many=True, help_text=f"The newest first, {MOST} at most.")


class GapsQuery(Query):
    interval = Choice([each.name for each in intervals.STORED], default=intervals.DAY.name)


class Gaps(APIView):
    """The sessions of its exchange's calendar that a symbol lacks between its first bar and its last."""

    renderer_classes = JSON_ONLY
    problems = {400: ("invalid_interval",), 404: ("unknown_symbol", "no_bars")}

    @extend_schema(
        operation_id="gaps_of_symbol",
        summary="What a symbol lacks",
        parameters=[TICKER, GapsQuery],
        responses={(200, "application/json"): GapsShape},
        examples=shown(GAPS),
    )
    def get(self, request, symbol: str) -> Response:
        query, symbol_row = GapsQuery.read(request), row_of(symbol)
        row = next((each for each in gaps.rows(symbol_row) if each.interval == query["interval"]), None)
        if row is None:
            raise NotFound(f"No {query['interval']} bars of {symbol_row.ticker} were ever asked for.", "no_bars")
        return Response(_told(row))


def _told(row: Coverage) -> dict[str, Any]:
    """What is missing of a row. It costs a look at all its bars, so it is kept as long as nobody writes any and, where
    a recording plays, its session runs.
    """
    ticker, exchange = row.symbol.ticker, row.symbol.exchange
    held = coverage.cut(row.version, row.now)
    key, version = (row.symbol_id, row.interval), (held, ticker, kept.told_at([exchange]).get(exchange))
    if (answer := _KEPT.get(key, version)) is not None:
        return answer.told
    answer = Answer(version, _looked_up(row))
    if coverage.latest([ticker], interval=row.interval).get(ticker) == held:
        _KEPT.keep(key, answer)
    return answer.told


def _looked_up(row: Coverage) -> dict[str, Any]:
    found = gaps.by_kept_calendar(row)
    return {
        "symbol": row.symbol.ticker,
        "interval": row.interval,
        "known_from": found.first,
        "known_until": found.last,
        "sessions": sum(each.sessions for each in found.gaps),
        "count": len(found.gaps),
        "gaps": [
            {"first": each.first, "last": each.last, "sessions": each.sessions} for each in reversed(found.gaps[-MOST:])
        ],
    }
