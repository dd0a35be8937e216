"""One's own API keys, and tickets for the stream, over HTTP."""

from datetime import datetime, timedelta

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from finstage.access import keys, tickets
from finstage.access.keys import Grant
from finstage.access.tickets import Holder
from finstage.models import ApiKey
from market.prices import instant
from monitoring import audit, submissions
from monitoring.api.refusals import Conflict
from monitoring.queries import PAGING, Moment, Text
from monitoring.submissions import Body

AT_MOST = 100  # keys that let somebody in, of one person who is not of the staff
LONGEST = timedelta(days=36_525)
NOT_STORED = {"Cache-Control": "no-store"}


class Scopes(serializers.MultipleChoiceField):
    """DRF's, which would take an object for a list of its names."""

    def to_internal_value(self, data: object) -> set[str]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return super().to_internal_value(data)


class KeyBody(Body):
    name = Text(max_length=100, help_text="What it is for, so that you know it again.")
    scopes = Scopes(
        choices=ApiKey.SCOPES,
        default=[ApiKey.READ],
        allow_empty=False,
        error_messages={"invalid_choice": f'"{{input}}" is no scope; there are {", ".join(ApiKey.SCOPES)}.'},
        help_text="`staff` is for staff accounts.",
    )
    expires_at = Moment(
        required=False, allow_null=True, default=None, help_text="An instant to come, with its offset; null: never."
    )

    def validate_expires_at(self, at: datetime | None) -> datetime | None:
        if at is not None and not timedelta(0) < at - timezone.now() <= LONGEST:
            raise exceptions.ValidationError("must be to come, within a hundred years")
        return at


class KeyShape(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The part of the key that is no secret.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKey.SCOPES))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To about a minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class KeyPage(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = KeyShape(many=True)


class NewKey(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKey.SCOPES))
    expires_at = serializers.DateTimeField(allow_null=True)
    key = serializers.CharField(help_text="The key itself. It is told this once, and kept as a hash.")


class TicketShape(serializers.Serializer):
    ticket = serializers.CharField(help_text="For `authenticate` on the socket, once.")
    expires_at = serializers.DateTimeField()


class Keys(APIView):
    """One's own API keys, the newest first."""

    permission_classes = [IsAuthenticated]
    csv_columns = tuple(KeyShape().fields)

    @extend_schema(operation_id="keys_list", summary="Your API keys", parameters=PAGING, responses={200: KeyPage})
    def get(self, request) -> Response:
        pages = api_settings.DEFAULT_PAGINATION_CLASS()
        pages.ordering = "-id"
        rows = pages.paginate_queryset(ApiKey.objects.filter(owner_id=request.user.pk), request, self)
        return pages.get_paginated_response(KeyShape(rows, many=True).data)

    @extend_schema(
        operation_id="keys_make",
        summary="Make an API key",
        description="A key that is made by a key may no more than that one, ends with it, and makes none itself.",
        request=KeyBody,
        responses={201: NewKey, 409: OpenApiResponse(description="There are too many already: `too_many_keys`.")},
    )
    def post(self, request) -> Response:
        asked = submissions.read(KeyBody, request.data)
        maker = request.auth if isinstance(request.auth, Grant) else None
        _require_scopes(request.user, asked["scopes"], maker)
        mine = ApiKey.objects.filter(keys.live(), owner_id=request.user.pk)
        if not request.user.is_staff and mine.count() >= AT_MOST:
            raise Conflict(f"You have {AT_MOST} keys: revoke one that you do not need.", "too_many_keys")
        said = {"scopes": sorted(asked["scopes"]), "expires_at": asked["expires_at"] and instant(asked["expires_at"])}
        with audit.act(request, "keys.make", asked["name"], **said) as outcome:
            made_by = maker and maker.key_id
            row, text = keys.make(request.user, asked["name"], asked["scopes"], asked["expires_at"], made_by)
            outcome |= {"id": row.pk, "prefix": row.prefix}
        told = {"id": row.pk, "name": row.name, "scopes": row.scopes, "expires_at": row.expires_at, "key": text}
        return Response(NewKey(told).data, status=201, headers=NOT_STORED)


class Key(APIView):
    """One API key."""

    permission_classes = [IsAuthenticated]
    problems = {404: ("unknown_key",)}

    @extend_schema(
        operation_id="keys_revoke",
        summary="Revoke an API key",
        description="It and those that it made, within 5 s everywhere, open sockets too. Revoked keys stay listed.",
        parameters=[OpenApiParameter("key_id", int, OpenApiParameter.PATH)],
        request=None,
        responses={204: None},
    )
    def delete(self, request, key_id: int) -> Response:
        row = ApiKey.objects.filter(pk=key_id, owner_id=request.user.pk).first()
        if row is None:
            raise exceptions.NotFound(f"There is no key {key_id}, or it is not yours.", "unknown_key")
        with audit.act(request, "keys.revoke", str(row), id=key_id) as outcome:
            outcome["revoked"] = keys.revoke(key_id)
        keys.forget()
        return Response(status=204)


class Ticket(APIView):
    """A ticket for the stream."""

    permission_classes = [IsAuthenticated]
    scope = ApiKey.READ

    @extend_schema(
        operation_id="realtime_ticket",
        summary="A ticket for the stream",
        description="For `authenticate`: one use, 30 s. The socket then may what this login or key may, for as long.",
        request=None,
        responses={201: TicketShape},
    )
    def post(self, request) -> Response:
        by_key = isinstance(request.auth, Grant)
        name = str(request.auth.key_id) if by_key else request.session.session_key
        ticket, expires_at = tickets.make(Holder(tickets.KEY if by_key else tickets.SESSION, name))
        return Response(TicketShape({"ticket": ticket, "expires_at": expires_at}).data, 201, headers=NOT_STORED)


def _require_scopes(user, asked: set[str], maker: Grant | None) -> None:
    """Refuse what a person or a key can't hand on."""
    if maker is not None and maker.is_made_by_key:
        raise exceptions.PermissionDenied("A key that a key has made makes none itself: log in, or use the first one.")
    may = {ApiKey.READ, ApiKey.WRITE} | ({ApiKey.STAFF} if user.is_staff else set())
    may = may if maker is None else may & maker.scopes
    if over := [scope for scope in ApiKey.SCOPES if scope in asked and scope not in may]:
        has = ", ".join(scope for scope in ApiKey.SCOPES if scope in may)
        raise exceptions.ValidationError({"scopes": [f"{', '.join(over)} is not yours to give; you can give {has}."]})
