"""Who moved most."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from market import quotes, symbols
from market.api.quotes import QUOTE, QuoteShape, as_told
from market.api.shapes import JSON_ONLY, Shape, shown
from market.calendars import exchanges
from market.quotes.movers import movers
from monitoring.queries import Count, Query, Text

RANKINGS = ("gainers", "losers", "most_active")
MOVERS = {
    "timestamp": "2026-11-21T09:30:00Z", "sessions": {"XNAS": "2012-09-04"}, "gainers": [QUOTE], "losers": [],
    "most_active": [QUOTE], "left_out": {"no_quote": 0, "older_session": 0, "no_change_known": 0},
}  # fmt: skip


class LeftOut(Shape):
    no_quote = serializers.IntegerField(help_text="They have no price yet.")
    older_session = serializers.IntegerField(help_text="Their newest price is of a session before their exchange's.")
    no_change_known = serializers.IntegerField(help_text="Nobody told the close before.")


@extend_schema_serializer(component_name="Movers")
class MoversShape(Shape):
    timestamp = serializers.DateTimeField()
    sessions = serializers.DictField(
        child=serializers.DateField(), help_text="By exchange, the session that is compared: its newest."
    )
    gainers = QuoteShape(many=True, help_text="The greatest rise in percent first; a tie goes by ticker.")
    losers = QuoteShape(many=True, help_text="The greatest fall in percent first.")
    most_active = QuoteShape(many=True, help_text="The most shares traded first; of shares and funds alone.")
    left_out = LeftOut(help_text="How many tracked symbols are not compared, and why.")


class MoversQuery(Query):
    exchange = Text(required=False, max_length=20, help_text="Only symbols at home there: `XNAS`.")
    limit = Count(min_value=1, max_value=100, default=10, help_text="Of each ranking.")

    def validate_exchange(self, exchange: str) -> str:
        if wrong := exchanges.unknown(exchange.upper()).get("exchange"):
            raise ValidationError([ErrorDetail(each, "invalid_exchange") for each in wrong])
        return exchange.upper()


class Movers(APIView):
    """Gainers, losers and the most active of the tracked symbols, in the newest session of each exchange."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="movers_retrieve",
        summary="Who moved most",
        parameters=[MoversQuery],
        responses={(200, "application/json"): MoversShape},
        examples=shown(MOVERS),
    )
    def get(self, request) -> Response:
        query = MoversQuery.read(request)
        tracked = [row for row in symbols.tracked() if row.exchange == query.get("exchange", row.exchange)]
        latest = quotes.latest([row.ticker for row in tracked])
        found, rows = movers(tracked, latest, query["limit"]), {row.ticker: row for row in tracked}
        ranked = {name: as_told([rows[ticker] for ticker in getattr(found, name)], latest) for name in RANKINGS}
        return Response(
            {"timestamp": datetime.now(UTC), "sessions": found.sessions, **ranked, "left_out": found.left_out}
        )
