"""The highest high and the lowest low, of all time and of 52 weeks."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import prices, records
from market.actions.adjustments import ADJUSTMENTS
from market.api.queries import TICKER, known
from market.api.shapes import SOURCED, Shape, Sourced, shown
from market.models import Record
from market.prices import DAY, SECOND

EXTREMES = {"high": 680.87, "high_date": "2012-08-27", "low": 354.24, "low_date": "2011-10-04",
            "since": "2011-09-06"}  # fmt: skip
RECORDS = {
    "symbol": "AAPL",
    "adjustment": "split",
    "records": {
        "52_weeks": {**EXTREMES, "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED},
        "all_time": None,
    },
}


class Extremes(Shape):
    high = serializers.FloatField()
    high_date = serializers.DateField()
    low = serializers.FloatField()
    low_date = serializers.DateField()
    since = serializers.DateField(allow_null=True, help_text="The first session counted; null until it is known.")


class DatedExtremes(Extremes, Sourced):
    as_of = serializers.DateTimeField(help_text="The last session counted.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY])


@extend_schema_serializer(component_name="Records")
class RecordsShape(Shape):
    symbol = serializers.CharField()
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    records = serializers.DictField(
        child=DatedExtremes(allow_null=True), help_text="`52_weeks` and `all_time`; null before the first are computed."
    )


class Records(APIView):
    """The highest high and the lowest low, of all time and of 52 weeks, in today's shares."""

    problems = {404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="records_retrieve",
        summary="Highs and lows",
        parameters=[TICKER],
        responses=RecordsShape,
        examples=shown(RECORDS),
    )
    def get(self, request, symbol: str) -> Response:
        ticker = known(symbol)
        found = {scope: _extremes(record) for scope, record in records.latest([ticker])[ticker].items()}
        shown = dict.fromkeys(Record.Scope.values) | found
        return Response({"symbol": ticker, "adjustment": "split", "records": shown})


def _extremes(row: Record) -> dict:
    plain = {name: getattr(row, name) for name in ("high", "high_date", "low", "low_date", "since", "source")}
    return {**plain, "as_of": prices.midnight(row.as_of), "as_of_precision": prices.DAY, "received_at": row.computed_at}
