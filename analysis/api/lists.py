"""The lists of symbols that people keep: told, made, and symbols put on them and taken off."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import symbols, watchlists
from market.api.queries import PAGES, TICKER, row_of, why_unknown
from market.api.shapes import Page, Shape, shown
from market.models import Symbol
from market.watchlists import Listed, Refused, Unknown
from monitoring import submissions
from monitoring.api.refusals import Conflict
from monitoring.queries import PAGING, Query, Text
from monitoring.submissions import Body

LIST = OpenApiParameter(
    "watchlist",
    {"type": "string", "pattern": "^(default|[0-9]{1,18})$"},
    OpenApiParameter.PATH,
    description="Its `id`; `default` is your default list.",
)
COLUMNS = ("id", "name", "is_own", "changed_at", "symbols")
HOUSES = {"id": "default", "name": "Default", "is_own": False, "symbols": ["AAPL", "MSFT"], "changed_at": None}
OWN = {"id": "7", "name": "Chips", "is_own": True, "symbols": ["NVDA", "005930.KS"],
       "changed_at": "2026-11-21T09:30:00Z"}  # fmt: skip
NOT_STORED = {"Cache-Control": "no-store"}
UNKNOWN_LIST = {404: ("unknown_watchlist",)}
IN_THE_WAY = {
    409: OpenApiResponse(
        description="It can't be: `name_taken`, `default_watchlist`, `too_many_watchlists`, `too_many_symbols`."
    )
}
NAMED = 3  # unknown symbols of which is told what was meant; to look for it costs a query each


class WatchlistBody(Body):
    name = Text(max_length=100, help_text="None of your lists has it yet.")
    symbols = serializers.ListField(
        child=Text(max_length=32),
        default=list,
        max_length=watchlists.MOST_SYMBOLS,
        help_text="In the order that the list has; each once.",
    )


class WatchlistChange(Body):
    """What stays out, stays as it is."""

    name = Text(max_length=100, required=False, help_text="The default list keeps its own.")
    symbols = serializers.ListField(
        child=Text(max_length=32),
        required=False,
        max_length=watchlists.MOST_SYMBOLS,
        help_text="All that the list has from now on, in this order.",
    )


class ListShape(Shape):
    id = serializers.CharField(help_text="`default`, or a number as text.")
    name = serializers.CharField()
    is_own = serializers.BooleanField(help_text="False of the house's, which is your default list until you change it.")
    symbols = serializers.ListField(child=serializers.CharField(), help_text="Today's tickers, in the list's order.")
    changed_at = serializers.DateTimeField(allow_null=True, help_text="Null of the house's.")


class ListPage(Page):
    results = ListShape(many=True)


class ListQuery(Query):
    symbol = Text(required=False, max_length=32, help_text="Only lists that have it.")


class ListView(APIView):
    """Says in HTTP's words what lists refuse."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Unknown):
            exc = exceptions.NotFound(str(exc), exc.code)
        elif isinstance(exc, Refused):
            exc = Conflict(str(exc), exc.code)
        return super().handle_exception(exc)


class Watchlists(ListView):
    """Your lists of symbols, the default one first; a guest has the house's alone."""

    csv_columns = COLUMNS
    problems = {400: ("unknown_symbol",), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="watchlists_list",
        summary="Your watchlists",
        parameters=[ListQuery, *PAGING],
        responses=ListPage,
        examples=shown({"next": None, "previous": None, "results": [HOUSES, OWN]}),
    )
    def get(self, request) -> Response:
        query, pages = ListQuery.read(request), PAGES()
        wanted = row_of(query["symbol"]).pk if "symbol" in query else None
        found = watchlists.owned(request.user.pk, with_symbol=wanted)
        rows = pages.paginate_rows(found, request, key=lambda each: each.order)
        return pages.get_paginated_response([fields(each) for each in watchlists.filled(rows)])

    @extend_schema(
        operation_id="watchlists_make",
        summary="Make a watchlist",
        description=f"{watchlists.MOST} of one person are the most, and {watchlists.MOST_SYMBOLS} symbols of one list.",
        request=WatchlistBody,
        responses={201: ListShape, **IN_THE_WAY},
    )
    def post(self, request) -> Response:
        asked = submissions.read(WatchlistBody, request.data)
        made = watchlists.make(request.user.pk, asked["name"], named(asked["symbols"]))
        return Response(fields(made), 201, headers=NOT_STORED)


class Watched(ListView):
    """A symbol of a list."""

    problems = {404: ("unknown_watchlist", "unknown_symbol")}

    @extend_schema(
        operation_id="watchlists_add",
        summary="Put a symbol on a watchlist",
        description="At its end, unless it is there. The first change of the default list makes it your own.",
        parameters=[LIST, TICKER],
        request=None,
        responses={200: ListShape, **IN_THE_WAY},
    )
    def put(self, request, watchlist: str, symbol: str) -> Response:
        return changed(watchlists.add(request.user.pk, watchlist, row_of(symbol)))

    @extend_schema(
        operation_id="watchlists_remove",
        summary="Take a symbol off a watchlist",
        description="Its history stays. The first change of the default list makes it your own.",
        parameters=[LIST, TICKER],
        request=None,
        responses={200: ListShape, **IN_THE_WAY},
    )
    def delete(self, request, watchlist: str, symbol: str) -> Response:
        return changed(watchlists.remove(request.user.pk, watchlist, row_of(symbol)))


def fields(listed: Listed) -> dict:
    """As an answer tells it."""
    return {name: getattr(listed, name) for name in COLUMNS}


def named(texts: Sequence[str]) -> list[Symbol]:
    """The symbols that a body names, in its order. Raises ValidationError, which says of each unknown one so."""
    found = symbols.found(texts)
    if missing := [text for text in texts if text not in found]:
        near = {text: symbols.near(text) for text in missing[:NAMED]}
        told = [why_unknown(text, near.get(text, [])) for text in missing]
        raise exceptions.ValidationError({"symbols": told}, code="unknown_symbol")
    return [found[text] for text in texts]


def changed(listed: Listed) -> Response:
    return Response(fields(listed), headers=NOT_STORED)
