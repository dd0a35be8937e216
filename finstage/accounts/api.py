"""One's own preferences, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from finstage.accounts import preferences
from finstage.accounts.preferences import Wrong
from monitoring import submissions
from monitoring.queries import Choice
from monitoring.submissions import Body

NOT_STORED = {"Cache-Control": "no-store"}
GROUP = {
    "type": "object",
    "propertyNames": {"pattern": rf"^{preferences.KEY.pattern}$"},
    "additionalProperties": True,  # what is in a value only pages read
    "maxProperties": 20,
}


@extend_schema_field(GROUP)
class Group(serializers.Field):
    """Values by name; a null forgets one."""

    default_error_messages = {"invalid": "It must be an object: values by name, a null to forget one."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        for key, value in data.items():
            try:
                preferences.check(f"{self.field_name}.{key}", value)
            except Wrong as wrong:
                raise serializers.ValidationError(f"{key[:40]}: {wrong}.") from None
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


@extend_schema_field(
    {"type": ["string", "null"], "enum": [preferences.MARKET, preferences.LOCAL, *preferences.zones(), None]}
)
class Zone(serializers.Field):
    """Whose clock times are told by."""

    def to_internal_value(self, data: Any) -> str:
        try:
            preferences.check(preferences.ZONE, data)
        except Wrong as wrong:
            raise serializers.ValidationError(f"It {wrong}.") from None
        return data

    def to_representation(self, value: str) -> str:
        return value


def _choice(name: str, said: str) -> Choice:
    return Choice(preferences.CHOICES[name], required=False, allow_null=True, help_text=f"{said}; null: the default.")


class PreferencesBody(Body):
    """What stays out, stays as it is."""

    theme = _choice("theme", "By default the system's")
    language = _choice("language", "By default the browser's")
    palette = _choice("palette", "What rises and what falls; by default the language's")
    density = _choice("density", "How high rows are")
    tour = _choice("tour", "Whether the first steps were closed")
    time_zone = Zone(
        required=False,
        allow_null=True,
        help_text="`market` (the default: prices by its clock, the rest by yours), `local` (the browser's), or a zone.",
    )
    columns = Group(required=False, allow_null=False, help_text="By table.")
    chart = Group(required=False, allow_null=False, help_text="By setting.")
    drawings = Group(required=False, allow_null=False, help_text="By symbol.")


class PreferencesShape(PreferencesBody):
    pass


class Preferences(APIView):
    """What you chose about how pages look and work."""

    permission_classes = [IsAuthenticated]
    problems = {400: ("invalid_preferences",)}

    @extend_schema(
        operation_id="preferences_read",
        summary="Your preferences",
        description="Null where you chose nothing and the default holds.",
        responses={200: PreferencesShape},
    )
    def get(self, request) -> Response:
        return _told(request)

    @extend_schema(
        operation_id="preferences_change",
        summary="Change your preferences",
        description="What stays out stays as it is, a null forgets; so too within `columns`, `chart` and `drawings`.",
        request=PreferencesBody,
        responses={200: PreferencesShape},
    )
    def patch(self, request) -> Response:
        asked = submissions.read(PreferencesBody, request.data)
        try:
            preferences.change(request.user, preferences.flat(asked))
        except Wrong as wrong:
            raise exceptions.ValidationError({"preferences": [f"{wrong}."]}) from None
        return _told(request)


def _told(request) -> Response:
    return Response(preferences.nested(preferences.of(request.user.pk)), headers=NOT_STORED)
