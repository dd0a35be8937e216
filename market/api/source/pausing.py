"""Leave the source of prices alone for a while, and ask it again."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from market import sources
from market.api.source.health import NO_SOURCE, HealthShape, health
from market.sources import pace
from market.sources.pace import Pace, pausing
from monitoring import audit, submissions
from monitoring.api.refusals import REFUSED, Conflict, ForStaff
from monitoring.queries import Count
from monitoring.submissions import Body

CANNOT = OpenApiResponse(description="It is a source that is asked at will, as a recording is: `no_pace`.")


class PauseBody(Body):
    minutes = Count(min_value=1, max_value=pace.LONGEST_COOL_DOWN_SECONDS // 60, help_text="From now on; again, anew.")


class Pause(APIView):
    """Ask the source for nothing for some minutes, from all processes. What it tells by its own stream still comes."""

    permission_classes = [ForStaff]
    problems = NO_SOURCE

    @extend_schema(
        operation_id="source_pause",
        summary="Pause the source",
        request=PauseBody,
        responses={200: HealthShape, 403: REFUSED, 409: CANNOT},
    )
    def post(self, request) -> Response:
        minutes = submissions.read(PauseBody, request.data)["minutes"]
        asked, name = _paced()
        with audit.act(request, "source.pause", name, minutes=minutes):
            pausing.pause(asked, minutes * 60)
        return Response(health())


class Resume(APIView):
    """End a pause. What the source itself wants to be left alone for stays."""

    permission_classes = [ForStaff]
    problems = NO_SOURCE

    @extend_schema(
        operation_id="source_resume",
        summary="Ask the source again",
        request=None,
        responses={200: HealthShape, 403: REFUSED, 409: CANNOT},
    )
    def post(self, request) -> Response:
        asked, name = _paced()
        with audit.act(request, "source.resume", name) as outcome:
            outcome["was_paused"] = pausing.resume(asked)
        return Response(health())


def _paced() -> tuple[Pace, str]:
    """The pace of the source that is held, and its name. Raises what `health` does, and Conflict where it has none."""
    told, about = health(), sources.held()
    if about is None or about.pace is None:
        raise Conflict(f"{told['title']} is asked at will and has no pace: there is nothing to pause.", "no_pace")
    return about.pace(), about.name
