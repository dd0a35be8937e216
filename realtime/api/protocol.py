"""The WebSocket's protocol over HTTP, for programs that check what they send and hear."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from realtime import messages


class Protocol(APIView):
    """Every action and message of `/ws/realtime` as one JSON Schema document."""

    permission_classes = [AllowAny]
    renderer_classes = api_settings.DEFAULT_RENDERER_CLASSES[:1]

    @extend_schema(
        operation_id="realtime_schema",
        summary="Protocol of the WebSocket",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request) -> Response:
        return Response(messages.schema())
