"""Splits and dividends."""

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import actions
from market.api.queries import PAGES, TICKER, Sessions, row_of, sessions
from market.api.shapes import SOURCED, Page, Sourced, shown
from market.models import CorporateAction
from monitoring.queries import PAGING, Choice

# In the order of CONTRACT.md; the heads of the tables.
ACTION_COLUMNS = ("symbol", "kind", "ex_date", "value", "disputed", "source", "received_at")
SPLIT = {
    "symbol": "AAPL", "kind": "split", "ex_date": "2005-02-28", "value": 2.0, "disputed": None, **SOURCED,
}  # fmt: skip
ACTION_PAGE = {"next": None, "previous": None, "results": [SPLIT]}


@extend_schema_serializer(component_name="CorporateAction")
class ActionShape(Sourced):
    symbol = serializers.CharField()
    kind = serializers.ChoiceField(CorporateAction.Kind.choices)
    ex_date = serializers.DateField(help_text="The first session that trades without it.")
    value = serializers.FloatField(help_text="Split: new shares for one old. Dividend: cash per share, as paid.")
    disputed = serializers.CharField(allow_null=True, help_text="What the source itself contradicts of it, in words.")


class ActionPage(Page):
    results = ActionShape(many=True)


class ActionQuery(Sessions):
    kind = Choice(CorporateAction.Kind.values, required=False)
    sort = Choice(["ex_date", "-ex_date"], default="-ex_date")


class Actions(APIView):
    """Splits and dividends."""

    csv_columns = ACTION_COLUMNS
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
        parameters=[TICKER, ActionQuery, *PAGING],
        responses=ActionPage,
        examples=shown(ACTION_PAGE),
    )
    def get(self, request, symbol: str) -> Response:
        query = ActionQuery.read(request)
        row = row_of(symbol)
        (start, end), wanted = sessions(query, row), Q()
        if "kind" in query:
            wanted &= Q(kind=query["kind"])
        if start is not None:
            wanted &= Q(ex_date__gte=start)
        if end is not None:
            wanted &= Q(ex_date__lte=end)
        found = actions.of(row.ticker).filter(wanted).values(*ACTION_COLUMNS[1:])
        pages = PAGES()
        pages.ordering = query["sort"]
        return pages.get_paginated_response(
            [{"symbol": row.ticker, **action} for action in pages.paginate_queryset(found, request, self)]
        )
