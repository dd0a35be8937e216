"""Bars that are held back as hardly true, and their release."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from market import intervals
from market.api.queries import PAGES, row_of
from market.api.shapes import SOURCED, Page, Sourced, shown
from market.bars import quarantine
from market.models import QuarantinedBar
from monitoring import audit
from monitoring.api.refusals import REFUSED, Conflict, ForStaff
from monitoring.queries import PAGING, Choice, Query, Text

WAITING, SETTLED, RELEASED = STATES = "waiting", "settled", "released"
RIGHT = "market.change_quarantinedbar"
COLUMNS = (
    "id", "symbol", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "reason",
    "state", "source", "received_at", "released_at", "released_by",
)  # fmt: skip
_FOUND = {
    WAITING: Q(released_at=None),
    SETTLED: Q(released_at__isnull=False, released_by=""),
    RELEASED: Q(released_at__isnull=False) & ~Q(released_by=""),
}
BAR = {
    "id": 7, "symbol": "AAPL", "interval": intervals.DAY.name, "opened_at": "2012-09-04T00:00:00Z",
    "session_date": "2012-09-04", "open": 6657.6, "high": 6751.4, "low": 6645.0, "close": 6749.7, "volume": 13139000,
    "reason": "ten times its neighbours", "state": WAITING, **SOURCED, "released_at": None, "released_by": None,
}  # fmt: skip


@extend_schema_serializer(component_name="QuarantinedBar")
class QuarantinedShape(Sourced):
    id = serializers.IntegerField()
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.STORED_CHOICES)
    opened_at = serializers.DateTimeField()
    session_date = serializers.DateField()
    open = serializers.FloatField(help_text="As the source told it, and the others too.")
    high = serializers.FloatField()
    low = serializers.FloatField()
    close = serializers.FloatField()
    volume = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(help_text="Why it is hardly true.")
    state = serializers.ChoiceField(
        STATES, help_text="`settled`: a later answer stood; `released`: somebody let it through."
    )
    released_at = serializers.DateTimeField(allow_null=True, help_text="Since when it waits no more.")
    released_by = serializers.CharField(allow_null=True, help_text="Who let it through; told to staff alone.")


class QuarantinePage(Page):
    results = QuarantinedShape(many=True)


class QuarantineQuery(Query):
    symbol = Text(required=False, max_length=32, help_text="Of this symbol alone.")
    interval = Choice([each.name for each in intervals.STORED], required=False)
    state = Choice(STATES, required=False)


class Quarantine(APIView):
    """Bars that are held back, the newest first."""

    csv_columns = COLUMNS
    problems = {
        400: ("invalid_interval", "invalid_state", "invalid_limit", "invalid_cursor"),
        404: ("unknown_symbol",),
    }

    @extend_schema(
        operation_id="quarantine_list",
        summary="Bars that are held back",
        parameters=[QuarantineQuery, *PAGING],
        responses=QuarantinePage,
        examples=shown({"next": None, "previous": None, "results": [BAR]}),
    )
    def get(self, request) -> Response:
        query, pages = QuarantineQuery.read(request), PAGES()
        wanted = _FOUND[query["state"]] if "state" in query else Q()
        if "symbol" in query:
            wanted &= Q(symbol=row_of(query["symbol"]).pk)
        if "interval" in query:
            wanted &= Q(interval=query["interval"])
        pages.ordering = "-received_at"
        found = QuarantinedBar.objects.filter(wanted).select_related("symbol")
        by_staff = request.user.is_staff
        rows = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response([fields(row, by_staff=by_staff) for row in rows])


class Release(APIView):
    """Let a bar through as it was told, whatever its neighbours say. Only one that waits can be."""

    permission_classes = [ForStaff]
    problems = {404: ("unknown_bar",)}

    @extend_schema(
        operation_id="quarantine_release",
        summary="Release a bar",
        parameters=[OpenApiParameter("bar_id", int, OpenApiParameter.PATH)],
        request=None,
        responses={
            200: QuarantinedShape,
            403: REFUSED,
            409: OpenApiResponse(description="It waits no more: `not_waiting`; or it can be none: `refused`."),
        },
    )
    def post(self, request, bar_id: int) -> Response:
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied("Your account may not release bars: it lacks the right to change quarantined bars.")
        row = _row(bar_id)
        if row.released_at is not None:
            raise Conflict(f"Bar {bar_id} waits no more since {row.released_at:%Y-%m-%d %H:%M} UTC.", "not_waiting")
        facts = {"id": bar_id, "interval": row.interval, "opened_at": f"{row.opened_at:%Y-%m-%dT%H:%M:%SZ}"}
        with audit.act(request, "quarantine.release", row.symbol.ticker, **facts) as outcome:
            written = quarantine.release(row, request.user.get_username())
            outcome |= {"refused": list(written.refused), "written": written.inserted + written.changed}
        if written.refused:
            raise Conflict("; ".join(written.refused), "refused")
        return Response(fields(_row(bar_id), by_staff=True))


def fields(row: QuarantinedBar, *, by_staff: bool) -> dict[str, Any]:
    """As an answer tells it."""
    state = next(name for name, is_so in zip(STATES, _is(row), strict=True) if is_so)
    told = {"symbol": row.symbol.ticker, "state": state, "released_by": (by_staff and row.released_by) or None}
    return {name: told[name] if name in told else getattr(row, name) for name in COLUMNS}


def _is(row: QuarantinedBar) -> tuple[bool, bool, bool]:
    waits = row.released_at is None
    return waits, not waits and not row.released_by, not waits and bool(row.released_by)


def _row(bar_id: int) -> QuarantinedBar:
    row = QuarantinedBar.objects.filter(pk=bar_id).select_related("symbol").first()
    if row is None:
        raise NotFound(f"There is no bar {bar_id} that is or was held back.", "unknown_bar")
    return row
