"""Actions that a source itself contradicts, and what is decided of them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from market import actions
from market.api.actions import ACTION_COLUMNS, SPLIT, ActionShape
from market.api.queries import PAGES, row_of
from market.api.shapes import Page, shown
from market.models import CorporateAction, Decision
from monitoring import audit, submissions
from monitoring.api.refusals import REFUSED, Conflict, ForStaff
from monitoring.queries import PAGING, Choice, Query, Text
from monitoring.submissions import Body

OPEN, DECIDED = STATES = "open", "decided"
RIGHT = "market.change_corporateaction"
COLUMNS = ("id", *ACTION_COLUMNS, "decided_at", "decided_by")
DISPUTE = {
    "id": 7, **SPLIT, "disputed": "the closes do not show it", "decided_at": None, "decided_by": None,
}  # fmt: skip


@extend_schema_serializer(component_name="DisputedAction")
class DisputeShape(ActionShape):
    id = serializers.IntegerField(help_text="Of this telling: once it is decided another has its place.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True, help_text="Who decided it; told to staff alone.")


class DisputePage(Page):
    results = DisputeShape(many=True)


class DisputeQuery(Query):
    symbol = Text(required=False, max_length=32, help_text="Of this symbol alone.")
    state = Choice(STATES, required=False)


class DecisionBody(Body):
    decision = serializers.ChoiceField(
        Decision.choices, help_text="`accepted`: adjusted prices count it as told; `kept_out`: they don't."
    )


class Disputes(APIView):
    """Splits, dividends and others that the source itself contradicts, the newest first."""

    csv_columns = COLUMNS
    problems = {400: ("invalid_state", "invalid_limit", "invalid_cursor"), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="disputes_list",
        summary="Disputed actions",
        parameters=[DisputeQuery, *PAGING],
        responses=DisputePage,
        examples=shown({"next": None, "previous": None, "results": [DISPUTE]}),
    )
    def get(self, request) -> Response:
        query, pages = DisputeQuery.read(request), PAGES()
        symbol = row_of(query["symbol"]).pk if "symbol" in query else None
        is_decided = query["state"] == DECIDED if "state" in query else None
        pages.ordering = "-ex_date"
        rows = pages.paginate_queryset(actions.disputed(symbol=symbol, is_decided=is_decided), request, self)
        return pages.get_paginated_response([_fields(row, by_staff=request.user.is_staff) for row in rows])


class Decide(APIView):
    """Say whether adjusted prices count a disputed action."""

    permission_classes = [ForStaff]
    problems = {404: ("unknown_action",)}

    @extend_schema(
        operation_id="disputes_decide",
        summary="Decide a disputed action",
        parameters=[OpenApiParameter("action_id", int, OpenApiParameter.PATH)],
        request=DecisionBody,
        responses={
            200: DisputeShape,
            403: REFUSED,
            409: OpenApiResponse(
                description="Nothing is disputed, or it was told otherwise meanwhile: `not_disputed`."
            ),
        },
    )
    def post(self, request, action_id: int) -> Response:
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied("Your account may not decide this: it lacks the right to change corporate actions.")
        decision = Decision(submissions.read(DecisionBody, request.data)["decision"])
        row = actions.by_key(action_id)
        if row is None:
            raise NotFound(f"There is no action {action_id}; it may have been told otherwise.", "unknown_action")
        if row.decision != decision:
            row = _decided(request, row, decision)
        return Response(_fields(row, by_staff=True))


def _decided(request, row: CorporateAction, decision: Decision) -> CorporateAction:
    facts = {"kind": row.kind, "ex_date": str(row.ex_date), "value": row.value, "decision": decision.value}
    with audit.act(request, "actions.decide", row.symbol.ticker, **facts) as outcome:
        outcome["is_new"] = actions.decide(row, decision, request.user.get_username())
    stands = actions.in_place_of(row)
    if stands is None or stands.decision != decision:
        raise Conflict("Nothing of it is disputed, or it was told otherwise meanwhile.", "not_disputed")
    return stands


def _fields(row: CorporateAction, *, by_staff: bool) -> dict[str, Any]:
    told = {"symbol": row.symbol.ticker, "decided_by": (by_staff and row.decided_by) or None}
    return {name: told[name] if name in told else getattr(row, name) for name in COLUMNS}
