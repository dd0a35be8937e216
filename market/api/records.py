"""The highest high and the lowest low, of all time and of 52 weeks."""

from datetime import date

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import actions, prices, quotes, records
from market.actions.adjustments import ADJUSTMENTS, Factors
from market.api.queries import TICKER, row_of
from market.api.shapes import SOURCED, VERSION, Shape, Sourced, shown
from market.bars import stored
from market.models import Record, Symbol
from market.prices import DAY, SECOND, Quote

EXTREMES = {"high": 680.87, "high_date": "2012-08-27", "low": 354.24, "low_date": "2011-10-04",
            "since": "2011-09-06"}  # fmt: skip
RECORDS = {
    "symbol": "AAPL",
    "adjustment": "split",
    "current": {"price": 674.97, "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED},
    "records": {
        "52_weeks": {
            **EXTREMES, "high_distance_percent": -0.8665, "low_distance_percent": 90.5403,
            "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED, "version": VERSION,
        },
        "all_time": None,
    },
}  # fmt: skip


class Extremes(Shape):
    high = serializers.FloatField()
    high_date = serializers.DateField()
    low = serializers.FloatField()
    low_date = serializers.DateField()
    since = serializers.DateField(allow_null=True, help_text="The first session counted; null until it is known.")


class DatedExtremes(Extremes, Sourced):
    high_distance_percent = serializers.FloatField(
        allow_null=True,
        help_text="How far the current price is above the high, in percent points, so below zero where it is under it; "
        "null where no price is known, or the high is not above zero.",
    )
    low_distance_percent = serializers.FloatField(allow_null=True, help_text="The same of the low.")
    as_of = serializers.DateTimeField(help_text="The last session counted; the one that runs, once it has set one.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY])
    version = serializers.CharField(
        allow_null=True, help_text="Of the bars that they were computed from; null where that is not known."
    )


class CurrentPrice(Sourced):
    price = serializers.FloatField()
    as_of = serializers.DateTimeField()
    as_of_precision = serializers.ChoiceField([SECOND, DAY])


@extend_schema_serializer(component_name="Records")
class RecordsShape(Shape):
    symbol = serializers.CharField()
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    current = CurrentPrice(
        allow_null=True, help_text="What distances are counted from: the newest quote, or close where it is newer."
    )
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
        row = row_of(symbol)
        splits = actions.splits([row.ticker])
        held, quote = records.latest([row.ticker], splits)[row.ticker], quotes.latest([row.ticker])[row.ticker]
        last = max((record.as_of for record in held.values()), default=None)
        if quote is not None and last is not None and quote.session_date < last:
            quote = None  # in what may be other shares
        current = _of_quote(quote) if quote else _of_close(row, last, splits[row.ticker])
        price = current and current["price"]
        found = {scope: _extremes(record, quote, price) for scope, record in held.items()}
        told = {"symbol": row.ticker, "adjustment": "split", "current": current}
        return Response({**told, "records": dict.fromkeys(Record.Scope.values) | found})


def _of_quote(quote: Quote) -> dict:
    told = {"as_of": quote.as_of, "as_of_precision": quote.as_of_precision}
    return {"price": quote.price, **told, "source": quote.source, "received_at": quote.received_at}


def _of_close(row: Symbol, session: date | None, splits: Factors) -> dict | None:
    """The close of the last session counted, in today's shares."""
    bar = stored.settled({row.ticker: session}).get(row.ticker) if session else None
    if bar is None:
        return None
    told = {"as_of": bar.opened_at, "as_of_precision": DAY, "source": bar.source, "received_at": bar.received_at}
    return {"price": prices.kept(bar.close * splits.at(session)[0], row.price_decimals), **told}


def _extremes(record: Record, quote: Quote | None, price: float | None) -> dict:
    now = records.with_session(record, quote)
    told = {name: getattr(now, name) for name in ("high", "high_date", "low", "low_date", "since", "source")}
    for name in ("high", "low"):
        extreme = getattr(now, name)
        told[f"{name}_distance_percent"] = None if price is None else records.distance_percent(price, extreme)
    dated = {"as_of": prices.midnight(record.as_of), "as_of_precision": DAY, "received_at": record.computed_at}
    if now is not record:
        dated = {"as_of": quote.as_of, "as_of_precision": quote.as_of_precision, "received_at": quote.received_at}
    return {**told, **dated, "version": record.version}
