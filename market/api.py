"""Reading the market over HTTP: symbols, bars, quotes, records, actions and prices."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Lower
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from market import bars, examples, prices, queries, quotes, records, shapes
from market.actions.adjustments import ADJUSTMENTS
from market.bars.wire import row_fields
from market.history import coverage
from market.models import CorporateAction, Interval, Record, Symbol
from market.queries import Tickers
from monitoring.queries import PAGING, Choice, Count, Query, Span, Text

PAGES = api_settings.DEFAULT_PAGINATION_CLASS


class SymbolQuery(Query):
    exchange = Text(required=False, max_length=8, help_text="Market identifier code, such as XNAS.")
    asset_type = Choice(Symbol.AssetType.values, required=False)
    active = serializers.BooleanField(required=False)
    search = Text(required=False, max_length=100, help_text="Part of the ticker or the name.")
    sort = Choice(["symbol", "-symbol", "name", "-name"], default="symbol")


class BarQuery(Span):
    interval = Choice(Interval.values, default=Interval.DAY)
    adjusted = Choice(ADJUSTMENTS, default="split", help_text="As traded, or restated.")
    limit = Count(min_value=1, max_value=10_000, default=500, help_text="Bars in a page; the newest come first.")
    cursor = Text(required=False, help_text="Where the page ends, as `next` says it.")


class ActionQuery(Span):
    kind = Choice(CorporateAction.Kind.values, required=False)
    sort = Choice(["ex_date", "-ex_date"], default="-ex_date")


class PricesQuery(Query):
    symbols = Tickers(help_text="Separated by commas; one that we do not know has the price null.")


class Symbols(APIView):
    """The symbols we know, and which bars of each we hold."""

    csv_columns = shapes.SYMBOL_COLUMNS
    problems = {400: ("invalid_asset_type", "invalid_sort", "invalid_active", "invalid_limit", "invalid_cursor")}

    @extend_schema(
        operation_id="symbols_list",
        summary="List symbols",
        parameters=[SymbolQuery, *PAGING],
        responses=shapes.SymbolPage,
        examples=examples.shown(examples.SYMBOL_PAGE),
    )
    def get(self, request) -> Response:
        query = SymbolQuery.read(request)
        found = _reference(Symbol.objects.alias(lower_name=Lower("name")).filter(_matching(query)))
        pages = PAGES()
        pages.ordering = query["sort"]
        return pages.get_paginated_response(_with_coverage(pages.paginate_queryset(found, request, self)))


class OneSymbol(APIView):
    """One symbol, and which bars of it we hold."""

    csv_columns = shapes.SYMBOL_COLUMNS
    problems = {404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="symbols_retrieve",
        summary="One symbol",
        parameters=[queries.TICKER],
        responses=shapes.SymbolShape,
        examples=examples.shown(examples.SYMBOL),
    )
    def get(self, request, symbol: str) -> Response:
        rows = list(_reference(Symbol.objects.filter(ticker=symbol.upper())))
        if not rows:
            raise queries.unknown(symbol)
        return Response(_with_coverage(rows)[0])


class Bars(APIView):
    """Open, high, low, close and volume; oldest first in a page, and the newest page first."""

    csv_columns = shapes.BAR_COLUMNS
    problems = {
        400: (
            "invalid_interval", "invalid_adjusted", "invalid_start", "invalid_end", "invalid_range", "invalid_limit",
            "invalid_cursor",
        ),
        404: ("unknown_symbol",),
    }  # fmt: skip

    @extend_schema(
        operation_id="bars_list",
        summary="Bars of a symbol",
        parameters=[queries.TICKER, BarQuery],
        responses=shapes.BarPage,
        examples=examples.shown(examples.BAR_PAGE),
    )
    def get(self, request, symbol: str) -> Response:
        query = BarQuery.read(request)
        cursors = PAGES.cursors(request, query["interval"])
        found = bars.rows(
            queries.known(symbol),
            interval=query["interval"],
            start=query.get("start"),
            end=_end(query, cursors.asked()),
            adjusted=query["adjusted"],
            limit=query["limit"] + 1,
        )
        page = [row_fields(*row) for row in found[-query["limit"] :]]
        following = cursors.url(PAGES.place([page[0]["opened_at"]])) if len(found) > len(page) else None
        headers = {"Link": f'<{following}>; rel="next"'} if following else None
        return Response({"next": following, "results": page}, headers=headers)


class OneQuote(APIView):
    """The latest quote, with its age and whether the market is open."""

    problems = {404: ("unknown_symbol", "no_quote")}

    @extend_schema(
        operation_id="quote_retrieve",
        summary="Latest quote",
        parameters=[queries.TICKER],
        responses=shapes.QuoteShape,
        examples=examples.shown(examples.QUOTE),
    )
    def get(self, request, symbol: str) -> Response:
        ticker = queries.known(symbol)
        quote = quotes.latest([ticker])[ticker]
        if quote is None:
            raise NotFound(
                f"There is no quote of {ticker} yet; it comes with the first price from the source.", "no_quote"
            )
        return Response(quotes.as_json(quote, datetime.now(UTC)))


class Records(APIView):
    """The highest high and the lowest low, of all time and of 52 weeks, in today's shares."""

    problems = {404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="records_retrieve",
        summary="Highs and lows",
        parameters=[queries.TICKER],
        responses=shapes.RecordsShape,
        examples=examples.shown(examples.RECORDS),
    )
    def get(self, request, symbol: str) -> Response:
        ticker = queries.known(symbol)
        found = {scope: _extremes(record) for scope, record in records.latest([ticker])[ticker].items()}
        shown = dict.fromkeys(Record.Scope.values) | found
        return Response({"symbol": ticker, "adjustment": "split", "records": shown})


class Actions(APIView):
    """Splits and dividends."""

    csv_columns = shapes.ACTION_COLUMNS
    problems = {
        400: (
            "invalid_kind", "invalid_start", "invalid_end", "invalid_range", "invalid_sort", "invalid_limit",
            "invalid_cursor",
        ),
        404: ("unknown_symbol",),
    }  # fmt: skip

    @extend_schema(
        operation_id="actions_list",
        summary="Splits and dividends",
        parameters=[queries.TICKER, ActionQuery, *PAGING],
        responses=shapes.ActionPage,
        examples=examples.shown(examples.ACTION_PAGE),
    )
    def get(self, request, symbol: str) -> Response:
        query = ActionQuery.read(request)
        ticker = queries.known(symbol)
        wanted = Q(symbol__ticker=ticker)
        if "kind" in query:
            wanted &= Q(kind=query["kind"])
        if "start" in query:
            wanted &= Q(ex_date__gte=query["start"].date())
        if "end" in query:
            wanted &= Q(ex_date__lte=query["end"].date())
        found = CorporateAction.objects.filter(wanted).values("kind", "ex_date", "value", "source", "received_at")
        pages = PAGES()
        pages.ordering = query["sort"]
        return pages.get_paginated_response(
            [{"symbol": ticker, **row} for row in pages.paginate_queryset(found, request, self)]
        )


class Prices(APIView):
    """Many latest prices at once."""

    problems = {400: ("invalid_symbols",)}

    @extend_schema(
        operation_id="prices_batch",
        summary="Many prices",
        parameters=[PricesQuery],
        responses=shapes.PricesShape,
        examples=examples.shown(examples.PRICES),
    )
    def get(self, request) -> Response:
        latest = quotes.latest(PricesQuery.read(request)["symbols"])
        prices = {ticker: None if quote is None else quote.price for ticker, quote in latest.items()}
        return Response({"timestamp": datetime.now(UTC), "prices": prices})


@extend_schema_view(get=extend_schema(operation_id="prices_batch_older_name", summary="Many prices (older name)"))
class PricesByOlderName(Prices):
    """The same as `/api/v2/technical-analysis/prices/batch`, at the address it had before."""


def _matching(query: dict) -> Q:
    wanted = Q()
    if "exchange" in query:
        wanted &= Q(exchange=query["exchange"].upper())
    if "asset_type" in query:
        wanted &= Q(asset_type=query["asset_type"])
    if "active" in query:
        wanted &= Q(is_active=query["active"])
    if "search" in query:
        # Not icontains: with a binary collation MariaDB tells cases apart there.
        wanted &= Q(ticker__contains=query["search"].upper()) | Q(lower_name__contains=query["search"].lower())
    return wanted


def _reference(symbols) -> Iterable[dict]:
    plain = ("name", "exchange", "currency", "time_zone", "asset_type", "price_decimals")
    return symbols.values(*plain, symbol=F("ticker"), active=F("is_active"))


def _with_coverage(rows: list[dict]) -> list[dict]:
    held = coverage.latest([row["symbol"] for row in rows])
    return [{**{name: row[name] for name in shapes.SYMBOL_COLUMNS}, "coverage": held[row["symbol"]]} for row in rows]


def _end(query: dict, place) -> datetime | None:
    """The last instant that counts, when the cursor stands before the asked end."""
    ends = [query["end"]] if "end" in query else []
    if place is not None:
        ends.append(datetime.fromisoformat(place.values[0]) - timedelta(microseconds=1))
    return min(ends, default=None)


def _extremes(row: Record) -> dict:
    plain = {name: getattr(row, name) for name in ("high", "high_date", "low", "low_date", "source")}
    return {**plain, "as_of": prices.midnight(row.as_of), "as_of_precision": prices.DAY, "received_at": row.computed_at}
