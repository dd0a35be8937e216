"""The OpenAPI document: what every operation answers beyond its own success."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework import serializers

from finstage import answers, renderers
from finstage.access import MarketData
from finstage.renderers import CSVRenderer
from monitoring.queries import Query
from monitoring.submissions import Body

_VISIBLE = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"  # a text of blanks is none, and no database keeps a zero byte

# What any operation may be refused with; a view adds its own as `problems = {status: (code, ..)}`.
_EVERYWHERE = {
    400: ("invalid_parameters",),
    401: ("not_authenticated",),
    406: ("unknown_format",),
    503: ("busy", "timeout", "temporarily_unavailable"),
}
_OF_WRITES = {403: ("permission_denied",)}
_OF_BODIES = {
    400: ("invalid", "parse_error", "short_body"),
    408: ("body_timeout",),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
}
_OF_NO_BODY = {400: ("unexpected_body",)}
_TITLES = {
    400: "What was asked for cannot be; `errors` says what is allowed.",
    401: "This needs a login.",
    403: "This is not for you, or the form's token is missing.",
    404: "Not found.",
    406: "Not in that format; the detail lists those there are.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not in a format that is read here.",
    503: "Something it needs is not there now; try again after `Retry-After`.",
}
_EXAMPLES = {
    "unknown_symbol": "We do not know the symbol XYZ1; GET /api/v2/symbols/ lists those we have.",
    "unknown_format": '"parquet" is not a format of this answer; it can be had as json (application/json).',
    "invalid_interval": '"3d" is not known here; it can be 1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo.',
    "invalid_parameters": "symbls: is no parameter here; there are format, symbols.",
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
    """Adds to every operation what all have: its formats, the problems it may answer with, and for reads the 304."""

    def get_auth(self) -> list[dict]:
        """A read of market data needs no login where it is open."""
        is_market_data = any(isinstance(permission, MarketData) for permission in self.view.get_permissions())
        is_open = settings.MARKET_DATA_OPEN and self.method == "GET" and is_market_data
        return [*super().get_auth(), {}] if is_open else super().get_auth()

    def get_operation(self, *args, **kwargs) -> dict | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["parameters"] = self._with_format(operation.get("parameters", []))
        self._tell_problems(operation)
        if self.method == "GET":
            operation["responses"]["304"] = {"description": "Nothing has changed since the `ETag` of `If-None-Match`."}
        return operation

    def map_renderers(self, attribute: str) -> list:
        return [getattr(each, attribute) for each in renderers.answering(self.method, self.view.get_renderers())]

    def _get_response_for_code(self, *args, **kwargs) -> dict:
        """As it is, but a table is a text."""
        response = super()._get_response_for_code(*args, **kwargs)
        if CSVRenderer.media_type in response.get("content", {}):
            response["content"][CSVRenderer.media_type] = {"schema": {"type": "string"}}
        return response

    def _map_basic_serializer(self, serializer, direction: str) -> dict:
        """Closed where a name too many is refused, and texts not empty where an empty one is."""
        schema = super()._map_basic_serializer(serializer, direction)
        instance = force_instance(serializer)
        if isinstance(instance, Body):
            schema["additionalProperties"] = False
        if isinstance(instance, Body | Query):
            for name, field in instance.fields.items():
                if isinstance(field, serializers.CharField) and not field.allow_blank:
                    schema["properties"][name].setdefault("pattern", _VISIBLE)
        return schema

    def _with_format(self, parameters: list[dict]) -> list[dict]:
        others = [each for each in parameters if each["name"] != "format"]
        schema = {"type": "string", "enum": self.map_renderers("format")}
        return [*others, {"in": "query", "name": "format", "schema": schema, "description": "Before `Accept`."}]

    def _tell_problems(self, operation: dict) -> None:
        reference = self.resolve_serializer(Problem, "response").ref
        parts = [_EVERYWHERE, getattr(self.view, "problems", {})]
        parts += [_OF_WRITES] * (self.method != "GET")
        parts.append(_OF_BODIES if "requestBody" in operation else _OF_NO_BODY)
        codes: dict[int, list[str]] = {}
        for status, more in ((status, more) for part in parts for status, more in part.items()):
            codes.setdefault(status, []).extend(more)
        responses = operation["responses"]
        for status in sorted(codes.keys() | {int(each) for each in responses if int(each) >= 400}):
            told = responses.get(str(status), {}).get("description", _TITLES.get(status, ""))
            responses[str(status)] = _response(reference, status, told, codes.get(status, []))


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


def _response(reference: dict, status: int, told: str, codes: list[str]) -> dict:
    shown = [code for code in codes if code in _EXAMPLES] or codes[:1]
    examples = {code: {"value": _example(status, code)} for code in shown}
    words = f" Codes: {', '.join(f'`{code}`' for code in codes)}." if codes else ""
    content = {"schema": reference, "examples": examples} if examples else {"schema": reference}
    return {"description": f"{told}{words}", "content": {"application/problem+json": content}}


def _example(status: int, code: str) -> dict:
    detail = _EXAMPLES.get(code, _TITLES[status])
    return answers.problem(status, code, detail, request_id="2JfUSeq1kAb9")
