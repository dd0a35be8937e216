"""The OpenAPI document: what every operation answers beyond its own success."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from finstage import answers
from finstage.access import MarketData

# What any read may be refused with; a view adds its own as `problems = {status: (code, ..)}`.
_EVERYWHERE = {
    401: ("not_authenticated",),
    406: ("unknown_format",),
    503: ("busy", "timeout", "temporarily_unavailable"),
}
_TITLES = {
    400: "What was asked for cannot be; `errors` says what is allowed.",
    401: "Reading needs a login here (FINSTAGE_MARKET_DATA_OPEN=false).",
    404: "Not found.",
    406: "Not in that format; the detail lists those there are.",
    503: "Something it needs is not there now; try again after `Retry-After`.",
}
_EXAMPLES = {
    "unknown_symbol": "We do not know the symbol XYZ1; GET /api/v2/symbols/ lists those we have.",
    "unknown_format": '"parquet" is not a format of this answer; it can be had as json (application/json).',
    "invalid_interval": '"3d" is not known here; it can be 1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo.',
}


class Problem(serializers.Serializer):
    """An error, as RFC 9457 writes it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What, why, and what is allowed.")
    code = serializers.CharField(help_text="The reason, for programs.")
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="Messages by field."
    )
    request_id = serializers.CharField(help_text="Say it when you ask about this error.")


class Schema(AutoSchema):
    """Adds to every operation the problems it may answer with, and for reads the 304."""

    def get_auth(self) -> list[dict]:
        """A read of market data needs no login where it is open."""
        is_market_data = any(isinstance(permission, MarketData) for permission in self.view.get_permissions())
        is_open = settings.MARKET_DATA_OPEN and self.method == "GET" and is_market_data
        return [*super().get_auth(), {}] if is_open else super().get_auth()

    def get_operation(self, *args, **kwargs) -> dict | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        reference = self.resolve_serializer(Problem, "response").ref
        problems = {**_EVERYWHERE, **getattr(self.view, "problems", {})}
        for status, codes in sorted(problems.items()):
            operation["responses"][str(status)] = _response(reference, status, codes)
        if self.method == "GET":
            operation["responses"]["304"] = {"description": "Nothing has changed since the `ETag` of `If-None-Match`."}
        return operation


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "finstage.access.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def outside_django(result: dict, **kwargs) -> dict:
    """Add what answers before Django: health and metrics."""
    live, ready = _told("The process lives."), _told("It can serve; every dependency with its state.")
    text = {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    result["paths"] |= {
        "/health/live": _get("health_live", "Alive?", {"200": live}),
        "/health/ready": _get(
            "health_ready", "Ready?", {"200": ready, "503": _told("It cannot serve; the same shape.")}
        ),
        "/metrics": _get("metrics", "Metrics", {"200": text}),
    }
    return result


def _get(name: str, summary: str, responses: dict) -> dict:
    return {"get": {"operationId": name, "summary": summary, "tags": ["operation"], "responses": responses}}


def _told(description: str) -> dict:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _response(reference: dict, status: int, codes: tuple[str, ...]) -> dict:
    shown = [code for code in codes if code in _EXAMPLES] or codes[:1]
    examples = {code: {"value": _example(status, code)} for code in shown}
    words = ", ".join(f"`{code}`" for code in codes)
    return {
        "description": f"{_TITLES[status]} Codes: {words}.",
        "content": {"application/problem+json": {"schema": reference, "examples": examples}},
    }


def _example(status: int, code: str) -> dict:
    detail = _EXAMPLES.get(code, _TITLES[status])
    return answers.problem(status, code, detail, request_id="2JfUSeq1kAb9")
