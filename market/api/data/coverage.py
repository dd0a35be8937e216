"""What is held of each symbol and interval, and what is not."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import intervals
from market.api.queries import PAGES, row_of
from market.api.shapes import Page, Shape, shown
from market.history import listed
from monitoring.queries import PAGING, Choice, Query, Text

CHOSEN = {listed.TORN: listed.torn, listed.UNPROVEN: listed.unproven}  # by what no query knows
_ORDERS = {"symbol": "symbol__ticker", "held": "held", "last": "last_held"}
ROW = {
    "symbol": "AAPL", "interval": intervals.DAY.name, "first": "2000-03-01T00:00:00Z", "last": "2012-09-04T00:00:00Z",
    "first_session": "2000-03-01", "last_session": "2012-09-04", "held": 3149, "refused": 0, "quarantined": 0,
    "is_complete": True, "is_torn": False, "unbroken_until": "2012-09-04", "wanted_since": "2000-01-01",
    "asked_until": "2012-09-04", "suspended_until": None, "unknown_since": None, "is_active": True, "source": "yahoo",
    "version": "0199c1f1a3b27e0f6f0a3f5d1c4e8b2a",
}  # fmt: skip


@extend_schema_serializer(component_name="CoverageRow")
class CoverageShape(Shape):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.STORED_CHOICES, help_text="A stored one; the others are made of it.")
    first = serializers.DateTimeField(allow_null=True, help_text="The oldest bar's opening.")
    last = serializers.DateTimeField(allow_null=True, help_text="The newest bar's opening.")
    first_session = serializers.DateField(allow_null=True, help_text="The exchange's own date of the oldest bar.")
    last_session = serializers.DateField(allow_null=True)
    held = serializers.IntegerField(help_text="How many bars there are.")
    refused = serializers.IntegerField(help_text="How many bars could not be, of all that came.")
    quarantined = serializers.IntegerField(help_text="How many are held back until somebody looks at them.")
    is_complete = serializers.BooleanField(help_text="Whether all that the source has was loaded once.")
    is_torn = serializers.BooleanField(
        allow_null=True,
        help_text="Whether a session after `unbroken_until` is missing, and later ones are held; null where the "
        "exchange's calendar is not kept.",
    )
    unbroken_until = serializers.DateField(
        allow_null=True,
        help_text="No session of the calendar is missing up to here, as last counted; null: not counted, or there is "
        "no such calendar.",
    )
    wanted_since = serializers.DateField(allow_null=True, help_text="The first session that was asked for.")
    asked_until = serializers.DateField(allow_null=True, help_text="The source has told all that it has up to here.")
    suspended_until = serializers.DateTimeField(allow_null=True, help_text="The source is not asked before.")
    unknown_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when the source says that there is no such symbol."
    )
    is_active = serializers.BooleanField(help_text="Whether the symbol is collected.")
    source = serializers.CharField(allow_blank=True)
    version = serializers.CharField(help_text="Of its bars: equal versions are equal bars.")


class CoveragePage(Page):
    results = CoverageShape(many=True)


class CoverageQuery(Query):
    symbol = Text(required=False, max_length=32, help_text="Of this symbol alone.")
    interval = Choice([each.name for each in intervals.STORED], required=False)
    state = Choice(
        listed.STATES,
        required=False,
        help_text="`torn`: sessions are missing; `unproven`: they are, or nobody has counted yet; `held_back`: bars "
        "wait until somebody looks at them; `unloaded`: the history was never loaded whole; `refused`: bars came that "
        "can't be.",
    )
    sort = Choice([f"{sign}{name}" for name in _ORDERS for sign in ("", "-")], default="symbol")


class Coverages(APIView):
    """What is held of each symbol and stored interval, and whether something is missing or waits."""

    csv_columns = listed.COLUMNS
    problems = {
        400: ("invalid_interval", "invalid_state", "invalid_sort", "invalid_limit", "invalid_cursor"),
        404: ("unknown_symbol",),
    }

    @extend_schema(
        operation_id="coverage_list",
        summary="What is held",
        parameters=[CoverageQuery, *PAGING],
        responses=CoveragePage,
        examples=shown({"next": None, "previous": None, "results": [ROW]}),
    )
    def get(self, request) -> Response:
        query, pages = CoverageQuery.read(request), PAGES()
        sign, name = "-" * query["sort"].startswith("-"), query["sort"].removeprefix("-")
        pages.ordering = [f"{sign}{_ORDERS[name]}"]
        symbol = row_of(query["symbol"]).pk if "symbol" in query else None
        rows = listed.rows(symbol=symbol, interval=query.get("interval"), state=query.get("state"))
        found = pages.paginate_queryset(rows, request, self, choose=CHOSEN.get(query.get("state")))
        return pages.get_paginated_response(listed.told(found))
