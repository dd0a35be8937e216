"""The screens that people keep, and share by a link."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from analysis.api.screener.asking import WHERE, ScreenView, Where, translated
from analysis.models import Screen
from analysis.screener import asking, screens
from analysis.screener.screens import Refused
from market import intervals
from market.api.queries import PAGES
from market.api.shapes import JSON_ONLY, Page, Shape, shown
from market.intervals import DAY
from monitoring import submissions
from monitoring.api.refusals import Conflict
from monitoring.queries import PAGING, Choice, Text, Truth
from monitoring.submissions import Body

WHICH = OpenApiParameter(
    "screen", {"type": "string", "minLength": 1}, OpenApiParameter.PATH, description="Its `id`, or its link's `token`."
)
IN_THE_WAY = {409: OpenApiResponse(description="It can't be: `name_taken`, `too_many_screens`.")}
NOT_STORED = {"Cache-Control": "no-store"}
_SCREEN = {
    "id": "7", "name": "Oversold", "is_own": True, "is_shared": False, "token": None, "where": WHERE,
    "interval": DAY.name, "fields": ["close"], "sort": ["-rsi_14"], "errors": {}, "changed_at": "2026-11-21T09:30:00Z",
}  # fmt: skip


class ScreenBody(Body):
    name = Text(max_length=100, help_text="None of your screens has it yet.")
    where = Where(required=False, allow_null=True, default=None, help_text="None: every symbol.")
    interval = Choice(list(intervals.ALL), default=DAY.name)
    fields = serializers.ListField(child=Text(max_length=120), default=list)
    sort = serializers.ListField(child=Text(max_length=121), default=list)
    is_shared = Truth(default=False, help_text="Whether who has its link may read it.")


class ScreenChange(Body):
    """What stays out, stays as it is."""

    name = Text(max_length=100, required=False)
    where = Where(required=False, allow_null=True)
    interval = Choice(list(intervals.ALL), required=False)
    fields = serializers.ListField(child=Text(max_length=120), required=False)
    sort = serializers.ListField(child=Text(max_length=121), required=False)
    is_shared = Truth(required=False)


@extend_schema_serializer(component_name="Screen")
class ScreenShape(Shape):
    id = serializers.CharField()
    name = serializers.CharField()
    is_own = serializers.BooleanField(help_text="False of another's that is shared.")
    is_shared = serializers.BooleanField()
    token = serializers.CharField(allow_null=True, help_text="What its link calls it; null while it is not shared.")
    where = Where(allow_null=True)
    interval = serializers.ChoiceField(intervals.CHOICES)
    fields = serializers.ListField(child=serializers.CharField())
    sort = serializers.ListField(child=serializers.CharField())
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Why it can't be asked any more, by the paths of its nodes: an indicator that is gone.",
    )
    changed_at = serializers.DateTimeField()


class ScreenPage(Page):
    results = ScreenShape(many=True)


class KeptView(ScreenView):
    renderer_classes = JSON_ONLY

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Conflict(str(exc), exc.code) if isinstance(exc, Refused) else translated(exc))


class Screens(KeptView):
    """The screens that you keep, oldest first; a guest has none."""

    problems = {400: ("invalid_condition",)}

    @extend_schema(
        operation_id="screens_list",
        summary="Your screens",
        parameters=PAGING,
        responses={(200, "application/json"): ScreenPage},
        examples=shown({"next": None, "previous": None, "results": [_SCREEN]}),
    )
    def get(self, request) -> Response:
        pages = PAGES()
        pages.ordering = "id"
        rows = pages.paginate_queryset(screens.owned(request.user.pk), request)
        return pages.get_paginated_response([_told(row, request.user.pk) for row in rows])

    @extend_schema(
        operation_id="screens_make",
        summary="Keep a screen",
        description=f"{screens.MOST} of one person are the most.",
        request=ScreenBody,
        responses={201: ScreenShape, **IN_THE_WAY},
    )
    def post(self, request) -> Response:
        body = submissions.read(ScreenBody, request.data)
        made = screens.make(request.user.pk, body["name"], _asked(body), is_shared=body["is_shared"])
        return Response(_told(made, request.user.pk), 201, headers=NOT_STORED)


class OneScreen(KeptView):
    """A screen that is yours, or shared with you by its link."""

    problems = {400: ("invalid_condition",), 404: ("unknown_screen",)}

    @extend_schema(
        operation_id="screen_retrieve",
        summary="A screen",
        parameters=[WHICH],
        responses={(200, "application/json"): ScreenShape},
        examples=shown(_SCREEN),
    )
    def get(self, request, screen: str) -> Response:
        return Response(_told(screens.one(request.user.pk, screen), request.user.pk))

    @extend_schema(
        operation_id="screen_change",
        summary="Change a screen",
        parameters=[WHICH],
        request=ScreenChange,
        responses={200: ScreenShape, **IN_THE_WAY},
    )
    def patch(self, request, screen: str) -> Response:
        body = submissions.read(ScreenChange, request.data)
        told: dict[str, Any] = {name: body[name] for name in ("name", "is_shared") if name in body}
        if question := {name: body[name] for name in ("where", "interval", "fields", "sort") if name in body}:
            told["asked"] = _asked(screens.one(request.user.pk, screen).asked | question)
        return Response(_told(screens.change(request.user.pk, screen, **told), request.user.pk), headers=NOT_STORED)

    @extend_schema(
        operation_id="screen_delete",
        summary="Delete a screen",
        parameters=[WHICH],
        request=None,
        responses={204: None},
    )
    def delete(self, request, screen: str) -> Response:
        screens.delete(request.user.pk, screen)
        return Response(status=204)


def _asked(said: dict) -> asking.Asked:
    return asking.read(said["where"], interval=said["interval"], fields=said["fields"], sort=said["sort"])


def _told(row: Screen, reader_id: int | None) -> dict:
    is_own = row.owner_id == reader_id
    return {
        "id": str(row.pk) if is_own else row.token,
        "name": row.name,
        "is_own": is_own,
        "is_shared": row.is_shared,
        "token": row.token if row.is_shared else None,
        **row.asked,
        "errors": _errors(row.asked),
        "changed_at": row.changed_at,
    }


def _errors(said: dict) -> dict[str, list[str]]:
    try:
        _asked(said)
    except asking.Invalid as error:
        return error.errors
    return {}
