"""What was revised of all symbols, and of one."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market import intervals
from market.api.queries import PAGES, TICKER, row_of
from market.api.restatements.shapes import COLUMNS, RESTATEMENT, RestatementPage
from market.api.shapes import shown
from market.history import restated
from market.history.restated import Wanted
from monitoring.queries import PAGING, Choice, Day, Past, Span, Text

_EXAMPLE = shown({"next": None, "previous": None, "results": [RESTATEMENT]})
_PROBLEMS = {400: ("invalid_range",), 404: ("unknown_symbol",)}


class RestatementQuery(Span):
    what = Choice(restated.KINDS, required=False)
    interval = Choice(list(intervals.ALL), required=False, help_text="Bars of this interval alone, and no actions.")
    start = Day(required=False, help_text="The first session whose bar was revised, or ex date, that counts.")
    end = Day(required=False, help_text="The last one.")
    revised_after = Past(required=False, help_text="What was revised from this instant on.")


class AllQuery(RestatementQuery):
    symbol = Text(required=False, max_length=32, help_text="Of this symbol alone.")


class Restatements(APIView):
    """What was revised, the newest first: what it was, what it is, why, and what was computed from the former value.

    What settles a closed bar is no restatement.
    """

    csv_columns = COLUMNS
    problems = _PROBLEMS

    @extend_schema(
        operation_id="restatements_list",
        summary="What was revised",
        parameters=[AllQuery, *PAGING],
        responses=RestatementPage,
        examples=_EXAMPLE,
    )
    def get(self, request) -> Response:
        query = AllQuery.read(request)
        return _page(request, query, row_of(query["symbol"]).pk if "symbol" in query else None)


class RestatementsOfOne(APIView):
    """The same of one symbol."""

    csv_columns = COLUMNS
    problems = _PROBLEMS

    @extend_schema(
        operation_id="restatements_of_symbol",
        summary="What was revised of a symbol",
        parameters=[TICKER, RestatementQuery, *PAGING],
        responses=RestatementPage,
        examples=_EXAMPLE,
    )
    def get(self, request, symbol: str) -> Response:
        return _page(request, RestatementQuery.read(request), row_of(symbol).pk)


def _page(request: Request, query: dict, symbol: int | None) -> Response:
    asked = (query.get(name) for name in ("what", "interval", "start", "end", "revised_after"))
    pages = PAGES()
    pages.ordering = "-revised_at"
    rows = pages.paginate_tables(restated.tables(Wanted(symbol, *asked)), request)
    return pages.get_paginated_response(restated.told(rows))
