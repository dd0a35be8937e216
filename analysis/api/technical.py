"""One symbol's technical state: what is kept of it at once, or the job that computes it."""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.api.comprehensive import RemarkShape
from analysis.technical import state
from market import intervals, prices
from market.actions.adjustments import ADJUSTMENTS
from market.api.queries import TICKER, row_of
from market.api.shapes import JSON_ONLY, SOURCED, VERSION, Shape, Versioned, shown
from market.bars import NoBars
from market.coverage import Versions
from market.intervals import DAY
from monitoring.api.refusals import TOO_MANY, TooMany
from monitoring.jobs import Job
from monitoring.limits import Limit

A_MINUTE = 30  # jobs that one address may have begun in a process, at once or spread
RETRY_SECONDS = 60
_asking = Limit("analysis", A_MINUTE)

_STATE = {
    "symbol": "AAPL", "interval": DAY.name, "as_of": "2012-09-04T00:00:00Z", "session_date": "2012-09-04",
    "as_of_precision": "day", "adjustment": "split", "is_final": True, "state": prices.FINAL, **SOURCED,
    "version": VERSION, "close": 674.97, "change_percent": 1.4641, "indicators": {"rsi_14": {"rsi": 66.1}},
    "summary": [{"kind": "balanced", "values": {"rsi": 66.1}}], "reasons": {},
    "computed_at": "2026-11-21T09:30:00Z", "age_seconds": 12.5,
}  # fmt: skip


@extend_schema_serializer(component_name="TechnicalState")
class StateShape(Versioned):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.CHOICES)
    as_of = serializers.DateTimeField(help_text="The opening of the last bar that is over.")
    session_date = serializers.DateField(help_text="The exchange's own date of that bar.")
    as_of_precision = serializers.ChoiceField([prices.SECOND, prices.DAY])
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    is_final = serializers.BooleanField(help_text="Whether that bar is settled.")
    state = serializers.CharField(help_text=f"Of that bar: {prices.CLOSED_BAR}, or {prices.FINAL} once it is settled.")
    close = serializers.FloatField()
    change_percent = serializers.FloatField(
        allow_null=True, help_text="From the session before; null where we do not hold that one."
    )
    indicators = serializers.DictField(
        child=serializers.DictField(child=serializers.FloatField(allow_null=True)),
        help_text="The default set's values at that bar, by name and output.",
    )
    summary = RemarkShape(many=True, help_text="What these values say.")
    reasons = serializers.DictField(
        child=serializers.CharField(),
        help_text="Why an indicator has no value, where it is not for want of bars.",
    )
    computed_at = serializers.DateTimeField()
    age_seconds = serializers.FloatField(help_text="How long ago that was.")


@extend_schema_serializer(component_name="TechnicalStateAsked")
class AskedShape(Shape):
    task_id = serializers.CharField()
    status = serializers.CharField(help_text="Always `processing`.")
    estimated_time = serializers.CharField(
        allow_null=True, help_text="As the last ones took, such as `2 seconds`; null before the first."
    )
    result_url = serializers.CharField()


class Failed(APIException):
    status_code = 503
    default_code = "analysis_failed"

    def __init__(self, job: Job) -> None:
        super().__init__(f"The analysis came to nothing: {job.error or job.state}. It can be asked for again soon.")
        self.wait = RETRY_SECONDS


class TechnicalState(APIView):
    """A symbol's technical state at its last daily bar that is over."""

    renderer_classes = JSON_ONLY
    problems = {404: ("unknown_symbol", NoBars.code), 503: (Failed.default_code,)}

    @extend_schema(
        operation_id="technical_analysis_retrieve",
        summary="Technical state of a symbol",
        description=(
            "What is kept is told at once, with its age. Else it is computed by a job, one for each symbol and bar, "
            "however many ask: 202 with its id, and where its result will be."
        ),
        parameters=[TICKER],
        responses={
            (200, "application/json"): StateShape,
            (202, "application/json"): AskedShape,
            429: TOO_MANY,
        },
        examples=shown(_STATE),
    )
    def get(self, request, symbol: str) -> Response:
        ticker = row_of(symbol).ticker
        try:
            versions = state.versions(ticker)
        except NoBars as error:
            raise NotFound(str(error), error.code) from error
        if told := state.look(ticker, versions):
            return Response(told)
        job = _asked(request, ticker, versions)
        if job.state == Job.State.COMPLETED:
            return Response(state.came_to(job))
        told = {
            "task_id": str(job.pk),
            "status": "processing",
            "estimated_time": state.estimated(state.usual_seconds()),
            "result_url": f"/api/tasks/task/{job.pk}/result",
        }
        return Response(told, status=202, headers={"Retry-After": "1"})


def _asked(request, ticker: str, versions: Versions) -> Job:
    """The job of a symbol and bar, begun where nobody has, and again where it came to nothing a while ago.

    Raises Failed, and TooMany where its address has begun enough for now.
    """
    job = state.asked(ticker, versions)
    if job is not None and (job.state not in Job.UNDONE):
        return job
    if job is not None and timezone.now() - job.finished_at < timedelta(seconds=RETRY_SECONDS):
        raise Failed(job)
    if (standing := _asking.take(request.asker)) is not None and standing.is_over:
        raise TooMany(f"{A_MINUTE} analyses a minute of one address are enough; those that were asked for are told.")
    return state.ask(ticker, versions) if job is None else state.again(job)
