"""Symbols' indicators with what they say, and the job that saves them."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from analysis.api import defaults, several
from analysis.api.batch import ERRORS, FIGURES
from analysis.api.indicators import INDICATORS, IndicatorsShape
from analysis.api.several import SeveralShape, SymbolsBody, tickers
from analysis.api.signals.shapes import SIGNAL, SignalShape
from analysis.seen import asked as signals
from analysis.technical import comprehensive
from market.api.shapes import JSON_ONLY, Shape, shown
from monitoring import submissions
from monitoring.api import idempotency, submitting
from monitoring.api.refusals import REFUSED, TOO_MANY, WRONG_STATE, TaskView
from monitoring.jobs import Job
from monitoring.queries import Truth

JOB = "analysis.comprehensive"
MOST_SYMBOLS = 100  # what is saved of more is too much for one job's result
_TASK = "0199c1f1-a3b2-7e0f-8f0a-3f5d1c4e8b2a"
_ANSWER = {
    "timestamp": "2026-11-21T09:30:00Z",
    "results": {
        "AAPL": {
            "indicators": INDICATORS, "summary": [{"kind": "overbought", "values": {"rsi": 74.2}}],
            "signals": [{name: value for name, value in SIGNAL.items() if name != "after"}],
        },
        "APPL": None,
    },
    "errors": ERRORS, **FIGURES, "task_id": _TASK, "result_url": f"/api/tasks/task/{_TASK}/result",
}  # fmt: skip


class ComprehensiveBody(SymbolsBody):
    symbols = tickers(MOST_SYMBOLS)
    save_results = Truth(default=defaults.SAVE_RESULTS, help_text="Have a job save what is found, as `task_id`.")


class RemarkShape(Shape):
    kind = serializers.CharField(help_text="`overbought`, `above_average` and so on.")
    values = serializers.DictField(child=serializers.FloatField(), help_text="The numbers that it rests upon.")


class AnalysisShape(Shape):
    indicators = IndicatorsShape()
    signals = SignalShape(many=True, help_text="Those of the last thirty days, the newest first, fifty at most.")
    summary = RemarkShape(many=True, help_text="What the newest values of the default set say.")


@extend_schema_serializer(component_name="Comprehensive")
class ComprehensiveShape(SeveralShape):
    results = serializers.DictField(
        child=AnalysisShape(allow_null=True), help_text="By what was asked, in capitals; null: `errors` says why."
    )
    task_id = serializers.UUIDField(
        allow_null=True, help_text="The job that saves them; null where nothing is to be saved."
    )
    result_url = serializers.CharField(allow_null=True, help_text="Where what it saved is read.")


class Comprehensive(TaskView):
    """Symbols' indicators over a period, and what their newest values say."""

    renderer_classes = JSON_ONLY
    problems = {400: ("too_many_values",)}

    @extend_schema(
        operation_id="analysis_comprehensive",
        summary="Analysis of symbols",
        description="The job computes the newest values again when it runs: each says of which bar and version it is.",
        request=ComprehensiveBody,
        parameters=[idempotency.HEADER],
        responses={
            (200, "application/json"): ComprehensiveShape, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY,
        },
        examples=shown(_ANSWER),
    )  # fmt: skip
    def post(self, request) -> Response:
        asked, key = submissions.read(ComprehensiveBody, request.data), idempotency.key(request)
        began = time.perf_counter()
        results, errors = several.analysed(
            asked,
            defaults.BATCH_SIZE,
            lambda series, _: comprehensive.of(series, asked["period"], asked["indicators"]),
        )
        _add_signals(results, asked["interval"])
        figures = several.figures(results, time.perf_counter() - began)
        job = _saving(request.user, asked, results, key) if asked["save_results"] else None
        where = {"task_id": job and str(job.pk), "result_url": job and f"/api/tasks/task/{job.pk}/result"}
        return Response({"timestamp": datetime.now(UTC), "results": results, "errors": errors, **figures, **where})


def _add_signals(results: Mapping[str, dict | None], interval: str) -> None:
    by_ticker = {told["indicators"]["symbol"]: told for told in results.values() if told is not None}
    for ticker, found in signals.recent(by_ticker, interval).items():
        by_ticker[ticker]["signals"] = found


def _saving(user, asked: dict, results: Mapping[str, object], key: str | None) -> Job | None:
    """The job that saves what came of those that something came of; None where nothing did."""
    symbols = [ticker for ticker, told in results.items() if told is not None]
    if not symbols:
        return None
    args = {"symbols": symbols, **{name: asked[name] for name in ("interval", "adjusted", "indicators")}}
    said = {"task": JOB, "args": args}
    [job] = submitting.submitted(user, submissions.read(submissions.SubmissionBody, said), key, said)
    return job
