"""Splits, dividends, capital gains and spin-offs."""

from datetime import date

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import actions
from market.api.queries import PAGES, TICKER, Sessions, row_of, sessions
from market.api.shapes import SOURCED, Page, Sourced, shown
from market.models import CorporateAction, Decision
from monitoring.queries import PAGING, Choice, Past

# In the order of CONTRACT.md; the heads of the tables.
ACTION_COLUMNS = (
    "symbol", "kind", "ex_date", "value", "numerator", "denominator", "disputed", "decision", "source", "received_at",
)  # fmt: skip
SPLIT = {
    "symbol": "AAPL", "kind": "split", "ex_date": "2005-02-28", "value": 2.0, "numerator": 2.0, "denominator": 1.0,
    "disputed": None, "decision": None, **SOURCED,
}  # fmt: skip
ACTION_PAGE = {"next": None, "previous": None, "results": [SPLIT]}


@extend_schema_serializer(component_name="CorporateAction")
class ActionShape(Sourced):
    symbol = serializers.CharField()
    kind = serializers.ChoiceField(CorporateAction.Kind.choices)
    ex_date = serializers.DateField(help_text="The first session that trades without it.")
    value = serializers.FloatField(
        help_text="Split or spin-off: new shares for one old, by which prices are restated. Others: cash per share, as "
        "paid."
    )
    numerator = serializers.FloatField(
        allow_null=True, help_text="Split: new shares, for so many old ones as `denominator` says: 1:3 stays exact."
    )
    denominator = serializers.FloatField(allow_null=True)
    disputed = serializers.CharField(allow_null=True, help_text="What the source itself contradicts of it, in words.")
    decision = serializers.ChoiceField(
        Decision.choices,
        allow_null=True,
        help_text="What somebody said of a disputed one: what is `kept_out` restates no price; the others do.",
    )


class ActionPage(Page):
    results = ActionShape(many=True)


class ActionQuery(Sessions):
    kind = Choice(CorporateAction.Kind.values, required=False)
    sort = Choice(["ex_date", "-ex_date"], default="-ex_date")
    as_known_at = Past(required=False, help_text="Those that stood at an instant: received, and not superseded yet.")


class Actions(APIView):
    """Splits, dividends, capital gains and spin-offs; one that is only suspected is disputed."""

    csv_columns = ACTION_COLUMNS
    problems = {400: ("invalid_range",), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="actions_list",
        summary="Splits, dividends, capital gains, spin-offs",
        parameters=[TICKER, ActionQuery, *PAGING],
        responses=ActionPage,
        examples=shown(ACTION_PAGE),
    )
    def get(self, request, symbol: str) -> Response:
        query = ActionQuery.read(request)
        row = row_of(symbol)
        wanted, pages = _wanted(query, *sessions(query, row)), PAGES()
        if "as_known_at" in query:
            rows = pages.paginate_rows(_known(row.ticker, query, wanted), request)
        else:
            pages.ordering = query["sort"]
            found = actions.of(row.ticker).filter(wanted).values(*ACTION_COLUMNS[1:])
            rows = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response([{"symbol": row.ticker, **action} for action in rows])


def _wanted(query: dict, start: date | None, end: date | None) -> Q:
    wanted = Q()
    if "kind" in query:
        wanted &= Q(kind=query["kind"])
    if start is not None:
        wanted &= Q(ex_date__gte=start)
    if end is not None:
        wanted &= Q(ex_date__lte=end)
    return wanted


def _known(ticker: str, query: dict, wanted: Q) -> list[dict]:
    """Those that stood at the moment that is asked for, in the order that is."""
    found = [
        {name: getattr(action, name) for name in ACTION_COLUMNS[1:]}
        for action in actions.known(ticker, query["as_known_at"], wanted)
    ]
    return found[::-1] if query["sort"].startswith("-") else found
