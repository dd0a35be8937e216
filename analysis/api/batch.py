"""Many symbols' indicators at once."""

import logging
import time
from datetime import UTC, datetime
from functools import partial

import orjson
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.api import defaults, several
from analysis.api.indicators import INDICATORS, IndicatorsShape
from analysis.api.several import SeveralShape, SymbolsBody
from analysis.indicators import frames
from analysis.technical import answers
from analysis.technical.answers import Asked
from market import bars
from market.api.many import UNKNOWN
from market.api.queries import why_unknown
from market.api.shapes import JSON_ONLY, shown
from monitoring import submissions
from monitoring.api.refusals import TooLarge
from monitoring.queries import Count

logger = logging.getLogger(__name__)

MOST_TOGETHER = 50
MOST_BYTES = 64 << 10  # of a body, whoever sends it
ERRORS = {"APPL": {"code": UNKNOWN, "detail": why_unknown("APPL", ["AAPL"])}}
FIGURES = {"analyzed_count": 1, "execution_time": 0.012, "success_rate": 50.0}
_ANSWER = {
    "timestamp": "2026-11-21T09:30:00Z", "results": {"AAPL": INDICATORS, "APPL": None}, "errors": ERRORS, **FIGURES,
}  # fmt: skip


class BatchBody(SymbolsBody):
    batch_size = Count(
        min_value=1,
        max_value=MOST_TOGETHER,
        default=defaults.BATCH_SIZE,
        help_text="Symbols whose bars are read together: more are faster, fewer take less memory.",
    )


@extend_schema_serializer(component_name="BatchIndicators")
class BatchShape(SeveralShape):
    results = serializers.DictField(
        child=IndicatorsShape(allow_null=True), help_text="By what was asked, in capitals; null: `errors` says why."
    )


class BatchIndicators(APIView):
    """Many symbols' indicators over a period, each as it is told alone."""

    renderer_classes = JSON_ONLY
    scope = "read"  # its question is a body, and it does nothing but answer
    problems = {400: ("too_many_values",)}

    @extend_schema(
        operation_id="indicators_of_many",
        summary="Indicators of many symbols",
        description=f"A read, open as other reads are. One answer has at most {several.MOST_VALUES:,} values.",
        request=BatchBody,
        responses={(200, "application/json"): BatchShape},
        examples=shown(_ANSWER),
    )
    def post(self, request) -> Response:
        if len(request.body) > MOST_BYTES:
            raise TooLarge(MOST_BYTES)
        asked, began = submissions.read(BatchBody, request.data), time.perf_counter()
        results, errors = several.analysed(asked, asked["batch_size"], partial(_told, asked), partial(_kept, asked))
        figures = several.figures(results, time.perf_counter() - began)
        logger.info(
            "batch_analysis_completed analyzed_count=%(analyzed_count)s execution_time=%(execution_time)s "
            "success_rate=%(success_rate)s",
            figures,
        )
        return Response({"timestamp": datetime.now(UTC), "results": results, "errors": errors, **figures})


def _told(asked: dict, series: bars.Series, basis: bars.Basis) -> orjson.Fragment:
    return orjson.Fragment(answers.told(_asked(asked, series.ticker), basis, frames.with_bars(series)).body)


def _kept(asked: dict, ticker: str, basis: bars.Basis) -> bytes | None:
    found = answers.kept(_asked(asked, ticker), basis)
    return found and found.body


def _asked(asked: dict, ticker: str) -> Asked:
    return Asked(ticker, asked["period"], asked["interval"], asked["adjusted"], asked["indicators"])
