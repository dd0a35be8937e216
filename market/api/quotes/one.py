"""The latest quote of a symbol, and the latest prices of many."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from market import quotes, symbols
from market.api.queries import TICKER, Tickers, row_of
from market.api.shapes import SOURCED, Shape, Sourced, shown
from market.calendars import openings
from market.models import Symbol
from market.prices import DAY, MARKET_STATES, POST, PRE, SECOND, Quote
from monitoring.queries import Query

FRESHNESS = ("live", "delayed", "stale", "closed")
QUOTE = {
    "symbol": "AAPL", "current_price": 674.97, "previous_close": 665.24, "change": 9.73, "change_percent": 1.4626,
    "volume": 13139000, "open": 665.76, "high": 675.14, "low": 664.5, "timestamp": "2012-09-04T00:00:00Z",
    "session_date": "2012-09-04",
    "as_of_precision": "day", "market_state": "closed", "freshness": "closed",
    "closed_until": "2012-09-05T13:30:00Z", "extended": None, **SOURCED,
}  # fmt: skip
PRICES = {"timestamp": "2026-11-21T09:30:00Z", "prices": {"AAPL": 674.97, "GOOGL": None}}


@extend_schema_serializer(component_name="Extended")
class ExtendedShape(Shape):
    session = serializers.ChoiceField((PRE, POST), help_text="Before the session or after it.")
    price = serializers.FloatField()
    change = serializers.FloatField(
        allow_null=True, help_text="From the close that it stands beside; null where that is not known."
    )
    change_percent = serializers.FloatField(allow_null=True, help_text="Percent points: 1.25 is 1.25 %.")
    timestamp = serializers.DateTimeField(help_text="The market's time of the price.")
    received_at = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="When the next session opens; then it stands there no more.")


@extend_schema_serializer(component_name="Quote")
class QuoteShape(Sourced):
    symbol = serializers.CharField()
    current_price = serializers.FloatField()
    previous_close = serializers.FloatField(allow_null=True)
    change = serializers.FloatField(allow_null=True)
    change_percent = serializers.FloatField(allow_null=True, help_text="Percent points: 1.25 is 1.25 %.")
    volume = serializers.IntegerField(allow_null=True)
    open = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    timestamp = serializers.DateTimeField(help_text="The market's time of the price.")
    session_date = serializers.DateField(help_text="The exchange's own date.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY])
    market_state = serializers.ChoiceField(MARKET_STATES)
    extended = ExtendedShape(
        allow_null=True,
        help_text="The last price of before or after the session, beside its close; it moves no bar and no record.",
    )
    freshness = serializers.ChoiceField(
        FRESHNESS,
        help_text="`closed` until the exchange opens again; a close is `delayed`, then `stale` from there on.",
    )
    closed_until = serializers.DateTimeField(
        allow_null=True, help_text="When the exchange opens first after this price; null where that is not known."
    )


@extend_schema_serializer(component_name="Prices")
class PricesShape(Shape):
    timestamp = serializers.DateTimeField()
    prices = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        help_text="By what was asked, in capitals; null: we have no price of it.",
    )


class PricesQuery(Query):
    symbols = Tickers(help_text="Separated by commas; one that we do not know has the price null.")


class OneQuote(APIView):
    """The latest quote, with its age and whether the market is open."""

    problems = {404: ("unknown_symbol", "no_quote")}

    @extend_schema(
        operation_id="quote_retrieve",
        summary="Latest quote",
        parameters=[TICKER],
        responses=QuoteShape,
        examples=shown(QUOTE),
    )
    def get(self, request, symbol: str) -> Response:
        row = row_of(symbol)
        ticker = row.ticker
        quote = quotes.latest([ticker])[ticker]
        if quote is None:
            raise NotFound(
                f"There is no quote of {ticker} yet; it comes with the first price from the source.", "no_quote"
            )
        return Response(*as_told([row], {ticker: quote}))


class Prices(APIView):
    """Many latest prices at once."""

    @extend_schema(
        operation_id="prices_batch",
        summary="Many prices",
        parameters=[PricesQuery],
        responses=PricesShape,
        examples=shown(PRICES),
    )
    def get(self, request) -> Response:
        latest = _latest(PricesQuery.read(request)["symbols"])
        prices = {asked: None if quote is None else quote.price for asked, quote in latest.items()}
        return Response({"timestamp": datetime.now(UTC), "prices": prices})


def as_told(rows: Iterable[Symbol], latest: Mapping[str, Quote | None]) -> list[dict]:
    """The quote of each symbol that has one as REST tells it, in this order."""
    now, rows = datetime.now(UTC), [row for row in rows if latest[row.ticker] is not None]
    opened = openings.latest({row.exchange for row in rows}, now)
    return [quotes.as_json(latest[row.ticker], now, opened[row.exchange]) for row in rows]


def _latest(asked: list[str]) -> dict[str, Quote | None]:
    """The latest quote under each name that was asked; what is no ticker with a price may be another name of one."""
    found = quotes.latest(asked)
    tickers = symbols.tickers([text for text, quote in found.items() if quote is None])
    others = quotes.latest(list(tickers.values()))
    return found | {text: others[ticker] for text, ticker in tickers.items()}


@extend_schema_view(get=extend_schema(operation_id="prices_batch_older_name", summary="Many prices (older name)"))
class PricesByOlderName(Prices):
    """The same as `/api/v2/technical-analysis/prices/batch`, at the address it had before."""
