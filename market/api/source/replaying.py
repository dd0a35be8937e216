"""The player of a recorded source: where it is, and what staff want of it."""

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from market import sources
from market.api.shapes import JSON_ONLY, Shape, shown
from market.api.source.health import NO_SOURCE, held
from market.player import steering
from market.prices import instant
from monitoring import audit, submissions
from monitoring.api.refusals import REFUSED, Conflict, ForStaff
from monitoring.queries import Count, Day, Text
from monitoring.submissions import Body

PLAYER = {
    "source": "replay", "is_recorded": True, "pass": 2, "session": "2012-09-05", "at": "2012-09-05T00:00:00Z",
    "speed": 1170.0, "paused": False, "first": "2000-03-01", "last": "2013-03-01",
    "going_live": None,
}  # fmt: skip
FIXED = OpenApiResponse(
    description="It is live already (`not_recorded`), or FINSTAGE_SOURCE asks for the recording (`source_fixed`)."
)
NOT_RECORDED = OpenApiResponse(description="Its prices are live, and their time is now: `not_recorded`.")


@extend_schema_serializer(component_name="Player")
class PlayerShape(Shape):
    """Of a live source all but the first two is null."""

    source = serializers.CharField()
    is_recorded = serializers.BooleanField()
    session = serializers.DateField(allow_null=True, help_text="The one that runs; null before the first.")
    at = serializers.DateTimeField(allow_null=True, help_text="The market's time.")
    speed = serializers.FloatField(allow_null=True, help_text="Seconds of a session in one.")
    paused = serializers.BooleanField(allow_null=True)
    first = serializers.DateField(allow_null=True, help_text="The first recorded session.")
    last = serializers.DateField(allow_null=True, help_text="The last one.")
    going_live = serializers.CharField(
        allow_null=True, help_text="From which source prices come as soon as it tells one; null: nobody wished so."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        number = serializers.IntegerField(
            allow_null=True, help_text="It grows where the recording begins again, or goes back in time."
        )
        return {"pass": number, **super().get_fields()}  # which Python keeps for itself


class SteerBody(Body):
    """Any of these; what is not named stays as it is."""

    paused = serializers.BooleanField(required=False)
    speed = Count(
        min_value=steering.SLOWEST,
        max_value=steering.FASTEST,
        required=False,
        help_text="Seconds of a session in one.",
    )
    date = Day(required=False, help_text="Go on from the first session of this day on; back in time it is a new pass.")

    def validate(self, asked: dict) -> dict:
        if not asked:
            raise ValidationError("Say at least one of paused, speed and date.", "nothing_asked")
        return asked


class Player(APIView):
    """Where the player of the recorded source is."""

    renderer_classes = JSON_ONLY
    problems = {**NO_SOURCE, 400: ("nothing_asked", "out_of_range"), 409: ("not_recorded",)}

    def get_permissions(self) -> list:
        return [ForStaff()] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        operation_id="replay_retrieve",
        summary="Where the recording plays",
        responses={(200, "application/json"): PlayerShape},
        examples=shown(PLAYER),
    )
    def get(self, request) -> Response:
        return Response(_told())

    @extend_schema(
        operation_id="replay_steer",
        summary="Steer the recording",
        description="For everybody. It is heard within a second, where a feed plays.",
        request=SteerBody,
        responses={200: PlayerShape, 403: REFUSED, 409: NOT_RECORDED},
    )
    def post(self, request) -> Response:
        asked, about = submissions.read(SteerBody, request.data), held()
        if not about.may_be_steered:
            raise Conflict(f"{about.title} is live: its time is now, and nobody can steer it.", "not_recorded")
        try:
            with audit.act(request, "replay.steer", about.name, **_facts(asked)):
                steering.want(request.user.get_username(), **asked)
        except steering.OutOfRange as error:
            raise ValidationError({"date": [ErrorDetail(str(error), error.code)]}) from error
        return Response(_told())


class LiveBody(Body):
    source = Text(max_length=16, help_text="The name of the live source, typed: all recorded prices go.")


class GoLive(APIView):
    """Take prices from a live source instead of the recording: as soon as it tells one, everything that is a price
    starts afresh. People, watchlists and rules stay.
    """

    permission_classes = [ForStaff]
    problems = {**NO_SOURCE, 400: ("unknown_source",), 409: ("not_recorded", "source_fixed")}

    @extend_schema(
        operation_id="replay_go_live",
        summary="Go live",
        request=LiveBody,
        responses={200: PlayerShape, 403: REFUSED, 409: FIXED},
    )
    def post(self, request) -> Response:
        name, about = submissions.read(LiveBody, request.data)["source"], held()
        if not about.is_recorded:
            raise Conflict(f"{about.title} is live already.", "not_recorded")
        live = [each.name for each in sources.SOURCES.values() if not each.is_recorded and "quotes" in each.can]
        if name.lower() not in live:
            told = f"There is no live source {name!r}; there is {', '.join(live)}."
            raise ValidationError({"source": [ErrorDetail(told, "unknown_source")]})
        if settings.SOURCE not in ("auto", name.lower()):
            told = f"FINSTAGE_SOURCE is {settings.SOURCE}: unset it first, or no process would start on {name} prices."
            raise Conflict(told, "source_fixed")
        with audit.act(request, "replay.go_live", name.lower()):
            steering.want(request.user.get_username(), source=name.lower())
        return Response(_told())


def _facts(asked: dict) -> dict:
    return {name: str(value) if name == "date" else value for name, value in asked.items()}


def _told() -> dict:
    """Raises NotFound before there is a source."""
    about = held()
    told = {"source": about.name, "is_recorded": about.is_recorded}
    if not about.is_recorded:
        return told | dict.fromkeys(("pass", "session", "at", "speed", "paused", "first", "last", "going_live"))
    stands = steering.standing()
    return told | {
        "pass": stands.pass_number,
        "session": stands.session,
        "at": stands.at and instant(stands.at),
        "speed": stands.speed,
        "paused": stands.is_paused,
        "first": stands.first,
        "last": stands.last,
        "going_live": stands.going_live or None,
    }
