"""The newest prices with the conditions that hold now."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.api import defaults
from market import quotes, symbols
from market.api.many import NO_QUOTE, UNKNOWN, unknown, without_quote
from market.api.queries import Tickers, why_unknown
from market.api.quotes import QUOTE, QuoteShape, as_told
from market.api.shapes import JSON_ONLY, Shape, shown
from market.models import Symbol
from market.prices import DAY
from monitoring.queries import Query, Truth
from realtime import alerts, holding
from realtime.conditions import HOLDING
from realtime.holding import RECORDS
from realtime.models import SEVERITIES

_ANSWER = {
    "timestamp": "2026-11-21T09:30:00Z",
    "prices": {
        "AAPL": {
            **QUOTE,
            "alerts": [
                {"kind": "price_above", "level": 650.0, "since": "2012-08-20T00:00:00Z", "since_precision": DAY,
                 "severity": "warning"},
                {"kind": "new_high", "level": 675.14, "since": "2012-09-04T00:00:00Z", "since_precision": DAY,
                 "scope": "52_weeks"},
            ],
        },
        "APPL": None,
    },
    "errors": {"APPL": {"code": UNKNOWN, "detail": why_unknown("APPL", ["AAPL"])}},
}  # fmt: skip


class HeldShape(Shape):
    kind = serializers.CharField(help_text=f"{', '.join([*HOLDING, *RECORDS])}.")
    level = serializers.FloatField(help_text="The rule's: a price, or percent points; of a record that which stands.")
    since = serializers.DateTimeField(
        allow_null=True, help_text="The session since which it holds; null: since before the bars that we hold."
    )
    since_precision = serializers.ChoiceField([DAY])
    scope = serializers.ChoiceField(["52_weeks", "all_time"], required=False, help_text="Of a record.")
    severity = serializers.ChoiceField([word for word, _ in SEVERITIES], required=False, help_text="Of a rule.")


@extend_schema_serializer(component_name="MonitoredQuote")
class MonitoredShape(QuoteShape):
    alerts = HeldShape(many=True)


class UnpricedShape(Shape):
    code = serializers.CharField(help_text=f"{UNKNOWN} or {NO_QUOTE}.")
    detail = serializers.CharField()


@extend_schema_serializer(component_name="MonitoredPrices")
class MonitorShape(Shape):
    timestamp = serializers.DateTimeField()
    prices = serializers.DictField(
        child=MonitoredShape(allow_null=True), help_text="By what was asked, in capitals; null: `errors` says why."
    )
    errors = serializers.DictField(child=UnpricedShape())


class MonitorQuery(Query):
    symbols = Tickers(required=False, help_text="Separated by commas; left out: all that are tracked.")
    alerts_only = Truth(
        default=defaults.ALERTS_ONLY, help_text="Only those of which a condition holds; what failed stays in `errors`."
    )


class Monitor(APIView):
    """The newest prices, each with the conditions that hold now: of the system's rules, of your own, and records."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="prices_monitor",
        summary="Prices and what holds of them",
        parameters=[MonitorQuery],
        responses={(200, "application/json"): MonitorShape},
        examples=shown(_ANSWER),
    )
    def get(self, request) -> Response:
        query = MonitorQuery.read(request)
        rows = symbols.found(query["symbols"]) if "symbols" in query else {row.ticker: row for row in symbols.tracked()}
        asked = query.get("symbols", list(rows))
        told = _told({row.ticker: row for row in rows.values()}, request.user.pk)
        lacking = {
            text: without_quote(rows[text].ticker) for text in asked if text in rows and rows[text].ticker not in told
        }
        errors = lacking | dict(unknown(text for text in asked if text not in rows))
        found = {text: told.get(rows[text].ticker) if text in rows else None for text in asked}
        if query["alerts_only"]:
            found = {text: each for text, each in found.items() if each and each["alerts"]}
        # Whose rules they are is in no address.
        answer = {"timestamp": datetime.now(UTC), "prices": found, "errors": errors}
        return Response(answer, headers={"Cache-Control": "no-store"})


def _told(rows: dict[str, Symbol], user_id: int | None) -> dict[str, dict]:
    """The quote of each ticker that has one, with what holds of it for somebody."""
    latest = quotes.latest(list(rows))
    held = holding.of([quote for quote in latest.values() if quote is not None], alerts.rules_for(user_id))
    return {
        quote["symbol"]: {**quote, "alerts": [each.as_json() for each in held[quote["symbol"]]]}
        for quote in as_told(rows.values(), latest)
    }
