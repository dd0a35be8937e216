"""The symbols we know, which bars of each we hold, and their key figures."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import F, Q
from django.db.models.functions import Lower
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import figures, sources
from market.api.data import adding
from market.api.queries import PAGES, TICKER, known
from market.api.shapes import Page, Shape, shown
from market.api.symbols.figures import FIGURES, KeyFiguresShape
from market.coverage import held
from market.intervals import DAY
from market.models import Symbol, SymbolAlias
from monitoring.queries import PAGING, Choice, Query, Text

# In the order of CONTRACT.md; the heads of the tables.
SYMBOL_COLUMNS = (
    "symbol",
    "name",
    "exchange",
    "currency",
    "time_zone",
    "asset_type",
    "price_decimals",
    "active",
    "local_name",
    "last_session",
)
SYMBOL = {
    "symbol": "AAPL", "name": "Apple Inc.", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York",
    "asset_type": "equity", "price_decimals": 2, "active": True, "local_name": "",
    "last_session": None,
    "coverage": {DAY.name: {"first": "2000-03-01T00:00:00Z", "last": "2012-09-04T00:00:00Z", "count": 3149}},
    "key_figures": FIGURES,
}  # fmt: skip
SYMBOL_PAGE = {"next": None, "previous": None, "results": [SYMBOL]}


class Coverage(Shape):
    first = serializers.DateTimeField(help_text="The opening of the oldest bar.")
    last = serializers.DateTimeField(help_text="The opening of the newest bar.")
    count = serializers.IntegerField()


@extend_schema_serializer(component_name="Symbol")
class SymbolShape(Shape):
    symbol = serializers.CharField(help_text="As Yahoo writes it: AAPL, 005930.KS, ^GSPC.")
    name = serializers.CharField()
    local_name = serializers.CharField(help_text="Its name at home, such as 삼성전자; empty where that is `name`.")
    exchange = serializers.CharField(help_text="Market identifier code (ISO 10383).")
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    asset_type = serializers.ChoiceField(Symbol.AssetType.choices)
    price_decimals = serializers.IntegerField()
    active = serializers.BooleanField(help_text="Only active symbols are collected.")
    last_session = serializers.DateField(
        allow_null=True, help_text="The last one of what is traded no more and so not collected; null while it is."
    )
    coverage = serializers.DictField(child=Coverage(), help_text="The bars that we hold, by interval.")
    key_figures = KeyFiguresShape()


class SymbolPage(Page):
    results = SymbolShape(many=True)


class SymbolQuery(Query):
    exchange = Text(required=False, max_length=8, help_text="Market identifier code, such as XNAS.")
    asset_type = Choice(Symbol.AssetType.values, required=False)
    active = serializers.BooleanField(required=False)
    search = Text(
        required=False,
        max_length=100,
        help_text="Part of the ticker, the name, the name at home, or what else it is or was called.",
    )
    sort = Choice(["symbol", "-symbol", "name", "-name"], default="symbol")


class Symbols(APIView):
    """The symbols we know, which bars of each we hold, and their key figures."""

    csv_columns = SYMBOL_COLUMNS

    @extend_schema(
        operation_id="symbols_list",
        summary="List symbols",
        parameters=[SymbolQuery, *PAGING],
        responses=SymbolPage,
        examples=shown(SYMBOL_PAGE),
    )
    def get(self, request) -> Response:
        query = SymbolQuery.read(request)
        found = _reference(
            Symbol.objects.alias(lower_name=Lower("name"), lower_local_name=Lower("local_name")).filter(
                _matching(query)
            )
        )
        pages = PAGES()
        pages.ordering = query["sort"]
        return pages.get_paginated_response(_with_rest(pages.paginate_queryset(found, request, self)))

    @extend_schema(
        operation_id="symbols_add",
        summary="Add a symbol",
        description="That the source knows: it is collected from then on, and its history loaded. What is not wanted "
        "any more is taken off a watchlist; its history stays.",
        request=adding.AdditionBody,
        responses={
            200: adding.AdditionShape,
            202: adding.AdditionShape,
            404: OpenApiResponse(description="Nobody knows it: `unknown_symbol`, with what may have been meant."),
            429: OpenApiResponse(description="So many a day are the most: `too_many_additions`."),
        },
    )
    def post(self, request) -> Response:
        told = adding.add(request)
        return Response(told, 200 if told["task_id"] is None else 202, headers={"Cache-Control": "no-store"})


class OneSymbol(APIView):
    """One symbol, which bars of it we hold, and its key figures."""

    csv_columns = SYMBOL_COLUMNS
    problems = {404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="symbols_retrieve",
        summary="One symbol",
        parameters=[TICKER],
        responses=SymbolShape,
        examples=shown(SYMBOL),
    )
    def get(self, request, symbol: str) -> Response:
        return Response(_with_rest(list(_reference(Symbol.objects.filter(ticker=known(symbol)))))[0])


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
        capitals, lower = query["search"].upper(), query["search"].lower()
        called = SymbolAlias.objects.filter(text__contains=capitals).order_by().values("symbol")
        wanted &= (
            Q(ticker__contains=capitals)
            | Q(lower_name__contains=lower)
            | Q(lower_local_name__contains=lower)
            | Q(pk__in=called)
        )
    return wanted


def _reference(symbols) -> Iterable[dict]:
    plain = (
        "name", "local_name", "exchange", "currency", "time_zone", "asset_type", "price_decimals", "last_session",
    )  # fmt: skip
    return symbols.values(*plain, symbol=F("ticker"), active=F("is_active"))


def _with_rest(rows: list[dict]) -> list[dict]:
    """The rows with the bars that we hold of each, and its key figures."""
    found = held.latest([row["symbol"] for row in rows])
    told = figures.latest(rows, datetime.now(UTC), can=sources.can("figures"))
    return [
        {**{name: row[name] for name in SYMBOL_COLUMNS}, "coverage": found[row["symbol"]],
         "key_figures": told[row["symbol"]]}
        for row in rows
    ]  # fmt: skip
