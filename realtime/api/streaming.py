"""Which symbols are collected and streamed."""

from collections.abc import Callable, Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import symbols
from market.sources import tracking
from market.sources.tracking import Named
from monitoring import audit
from monitoring.api.refusals import ForStaff
from monitoring.queries import Text
from monitoring.submissions import Body, read
from realtime.api.shapes import REFUSED, Streaming

MOST = 500  # symbols at once


class StreamingBody(Body):
    symbols = serializers.ListField(
        child=Text(max_length=symbols.LONGEST), allow_empty=False, max_length=MOST, help_text="Tickers, in any case."
    )


class Start(APIView):
    """Collect these symbols: feeds take them up within seconds. Those that are collected go on."""

    permission_classes = [ForStaff]

    @extend_schema(
        operation_id="streaming_start",
        summary="Start streaming",
        request=StreamingBody,
        responses={200: Streaming, 403: REFUSED},
    )
    def post(self, request) -> Response:
        return Response(_done(request, "streaming", tracking.start))


class Stop(APIView):
    """Collect these symbols no more. Their history stays."""

    permission_classes = [ForStaff]

    @extend_schema(
        operation_id="streaming_stop",
        summary="Stop streaming",
        request=StreamingBody,
        responses={200: Streaming, 403: REFUSED},
    )
    def post(self, request) -> Response:
        return Response(_done(request, "stopped", tracking.stop))


def _done(request, status: str, act: Callable[[Iterable[str]], Named]) -> dict[str, Any]:
    asked = read(StreamingBody, request.data)["symbols"]
    with audit.act(request, f"symbols.{status}", ", ".join(asked), symbols=asked) as outcome:
        named = act(asked)
        outcome |= {"status": status, "symbols": named.tickers, "unknown": named.unknown}
    return outcome
