"""The OpenAPI document: what every operation answers beyond its own success."""

from collections.abc import Iterable

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework import serializers

from analysis.api import defaults
from finstage import answers, renderers, subjects
from finstage.access import MarketData
from finstage.renderers import CSVRenderer, ParquetRenderer
from market import intervals
from monitoring.api.refusals import ForStaff
from monitoring.queries import Query
from monitoring.submissions import Body
from realtime import messages

_VISIBLE = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"  # a text of blanks is none, and no database keeps a zero byte

# What any request may be refused with, before anybody knows which operation it means.
_ANYWHERE = {
    400: (
        *("bad_request", "bad_request_line", "bad_header", "bad_handshake", "unknown_host", "invalid_content_length"),
        *("bad_host", "ambiguous_length", "chunks_too_small", "short_body"),
    ),
    403: ("csrf_failed", "refused"),
    404: ("not_found",),
    405: ("method_not_allowed",),
    408: ("body_timeout",),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
    431: ("header_too_large", "head_too_large"),
    500: ("internal_error",),
    501: ("unknown_transfer_encoding",),
    503: ("too_many_connections",),
    505: ("http_version_not_supported",),
}
# What any operation may be refused with; a view adds its own as `problems = {status: (code, ..)}`. Each of its
# parameters and of its body's fields adds `invalid_<name>`.
_EVERYWHERE = {
    400: ("invalid_parameters",),
    401: ("not_authenticated", "invalid_key", "expired_key", "revoked_key"),
    403: ("missing_scope",),
    406: ("unknown_format",),
    414: ("uri_too_long",),
    429: ("rate_limited", "too_many_wrong_keys"),
    503: ("busy", "timeout", "temporarily_unavailable"),
}
_OF_EVENTS = {
    400: (
        *("invalid", "invalid_parameters", "invalid_symbols", "invalid_types", "invalid_interval"),
        *("invalid_indicators", "invalid_mode"),
        *("malformed", "oversized", "unknown_type", "too_many_symbols", "too_many_indicators"),
    ),
    401: ("login_required", "invalid_token", "invalid_key", "expired_key", "revoked_key"),
    403: ("staff_only", "origin_not_allowed", "missing_scope"),
    404: ("unknown_symbol",),
    414: ("uri_too_long",),
    429: ("rate_limited", "too_many_connections", "too_many_wrong_keys"),
    503: ("temporarily_unavailable", "no_room"),
}
_OF_SOME = {403: ("permission_denied",)}  # that write, or are for staff
_OF_BODIES = {
    400: ("invalid", "unknown_field", "duplicate_key", "parse_error", "short_body"),
    408: _ANYWHERE[408],
    413: _ANYWHERE[413],
    415: _ANYWHERE[415],
}
_OF_NO_BODY = {400: ("unexpected_body",)}
_TITLES = {
    400: "What was asked for cannot be; `errors` says what is allowed.",
    401: "This needs a login or an API key, or the key lets nobody in.",
    403: "This is not for you or your key's scopes, or the form's token is missing.",
    404: "Not found.",
    406: "Not in that format; the detail lists those there are.",
    408: "The body did not arrive in time.",
    409: "It does not go with what was asked for before.",
    413: "The body is too large.",
    414: "Path and query are too long together.",
    415: "The body is not in a format that is read here.",
    429: "Too many at once; try again after `Retry-After`.",
    503: "Something it needs is not there now; try again after `Retry-After`.",
}
_EXAMPLES = {
    "unknown_symbol": "We do not know the symbol XYZ1; GET /api/v2/symbols/ lists those we have.",
    "unknown_format": '"parquet" is not a format of this answer; it can be had as json (application/json).',
    "invalid_interval": '"3d" is not known here; it can be 1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo.',
    "invalid_parameters": "symbls: is no parameter here; there are format, symbols.",
}


_LIMITS = {
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": 'So many requests in so many seconds: `"key";q=30000;w=60`.',
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": 'Those left, and seconds until all are: `"key";r=29999;t=1`.',
    },
}


_TABLES = {
    CSVRenderer.media_type: {"type": "string"},
    ParquetRenderer.media_type: {"type": "string", "format": "binary"},
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
        is_open = settings.MARKET_DATA_OPEN and is_market_data and MarketData.is_read(self.method, self.view)
        return [*super().get_auth(), {}] if is_open else super().get_auth()

    def get_operation(self, *args, **kwargs) -> dict | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["parameters"] = self._with_format(operation.get("parameters", []))
        self._tell_problems(operation)
        for response in operation["responses"].values():
            response.setdefault("headers", {}).update(_LIMITS)
        if self.method == "GET":
            operation["responses"]["304"] = {"description": "Nothing has changed since the `ETag` of `If-None-Match`."}
        return operation

    def get_tags(self) -> list[str]:
        return [subjects.of(self.path)]

    def map_renderers(self, attribute: str) -> list:
        answering = renderers.answering(self.method, self.view.get_renderers(), self.view)
        return [getattr(each, attribute) for each in answering]

    def _get_response_for_code(self, *args, **kwargs) -> dict:
        """As it is, but a table is a text, or bytes."""
        response = super()._get_response_for_code(*args, **kwargs)
        for media_type, schema in _TABLES.items():
            if media_type in response.get("content", {}):
                response["content"][media_type] = {"schema": schema}
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
                if isinstance(field, serializers.ListField) and not field.allow_empty:
                    schema["properties"][name].setdefault("minItems", 1)
                if isinstance(field, serializers.ListField) and isinstance(field.child, serializers.CharField):
                    schema["properties"][name]["items"].setdefault("pattern", _VISIBLE)
        return schema

    def _with_format(self, parameters: list[dict]) -> list[dict]:
        others = [each for each in parameters if each["name"] != "format"]
        schema = {"type": "string", "enum": self.map_renderers("format")}
        return [*others, {"in": "query", "name": "format", "schema": schema, "description": "Before `Accept`."}]

    def _tell_problems(self, operation: dict) -> None:
        reference = self.resolve_serializer(Problem, "response").ref
        parts = [_EVERYWHERE, self._wrong_names(operation), self._own(operation)]
        is_for_staff = any(isinstance(permission, ForStaff) for permission in self.view.get_permissions())
        parts += [_OF_SOME] * (is_for_staff or self.method != "GET")
        parts.append(_OF_BODIES if "requestBody" in operation else _OF_NO_BODY)
        codes: dict[int, dict[str, None]] = {}
        for status, more in ((status, more) for part in parts for status, more in part.items()):
            codes.setdefault(status, {}).update(dict.fromkeys(more))
        responses = operation["responses"]
        for status in sorted(codes.keys() | {int(each) for each in responses if int(each) >= 400}):
            told = responses.get(str(status), {}).get("description", _TITLES.get(status, ""))
            responses[str(status)] = _response(reference, status, told, [*codes.get(status, ())])

    def _own(self, operation: dict) -> dict[int, tuple[str, ...]]:
        """The view's own codes. An operation that is told nothing finds nothing wrong with it."""
        codes = getattr(self.view, "problems", {})
        is_told = "requestBody" in operation or any(_is_said(each) for each in operation["parameters"])
        return codes if is_told else {status: codes[status] for status in codes if status != 400}

    def _wrong_names(self, operation: dict) -> dict[int, list[str]]:
        """The codes of its parameters and of its body's fields, whatever is wrong with one, and of several together."""
        said = [each["name"] for each in operation["parameters"] if _is_one(each)]
        body = force_instance(self.get_request_serializer() if "requestBody" in operation else None)
        fields = body.fields if isinstance(body, Body) else ()
        names = (*said, *fields)
        return {400: [*(f"invalid_{name}" for name in names), *["invalid"] * (len(names) > 1)]}


def _is_said(parameter: dict) -> bool:
    return parameter["in"] != "path" and parameter["name"] != "format"


def _is_one(parameter: dict) -> bool:
    """Whether a query says it by its own name; whichever format it names, `unknown_format` refuses that."""
    is_free = parameter["schema"].get("type") == "object"
    return parameter["in"] == "query" and parameter["name"] != "format" and not is_free


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "finstage.access.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "finstage.access.Key"
    name = ["key", "key_header"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict]:
        return [{"type": "http", "scheme": "bearer"}, {"type": "apiKey", "in": "header", "name": "X-API-Key"}]


def outside_django(result: dict, **kwargs) -> dict:
    """Add what answers before Django: health, metrics, the streams as server-sent events, and the refusals."""
    told = "; ".join(f"{status} {_listed(codes)}" for status, codes in _ANYWHERE.items())
    result["info"]["description"] += f"\n\nWhat the analysis means where it is left out:\n\n{defaults.table()}"
    result["info"]["description"] += f"\n\nAny request may also be refused before it reaches an operation: {told}."
    live, ready = _told("The process lives."), _told("It can serve; every dependency with its state.")
    text = {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    result["paths"] |= {
        "/health/live": _get("health_live", "Alive?", {"200": live}),
        "/health/ready": _get(
            "health_ready", "Ready?", {"200": ready, "503": _told("It cannot serve; the same shape.")}
        ),
        "/metrics": _get("metrics", "Metrics", {"200": text}),
        "/api/v2/stream/": {"get": _events()},
    }
    return result


def _events() -> dict:
    """The operation of `finstage.events`."""
    several = {"explode": False, "style": "form"}
    names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    asked = [
        _parameter("symbols", names, "Tickers, or `*`.", **several),
        _parameter("types", names | {"items": {"enum": [*messages.TYPES]}}, "All that is published.", **several),
        _parameter("interval", {"enum": [*intervals.ALL]}, "Of bars, indicators and signals."),
        _parameter("indicators", names, "Beyond those that everybody gets, as `sma_100`.", **several),
        _parameter("mode", {"enum": ["latest", "every"]}, "Of prices: the newest, or each."),
        _parameter(
            "Last-Event-ID", {"type": "string"}, "The last `id` that came: what was missed follows.", at="header"
        ),
    ]
    reference = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    told = {status: _response(reference, status, _TITLES[status], codes) for status, codes in _OF_EVENTS.items()}
    stream = {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    operation = _get("stream_events", "Live stream", {"200": stream} | {str(each): told[each] for each in told})["get"]
    operation["tags"] = [subjects.STREAM]
    about = (
        "The messages of `/ws/realtime`, each the `data` of an event, for as long as it is read (`curl -N`). An `id` "
        "says where its reader is in all its streams. Where it is long it stands at some events only, which a comment "
        "says: what came after the last one comes again after a break, with the same `seq`, and nothing is missed."
    )
    open_to = [{}] if settings.MARKET_DATA_OPEN else []
    security = [{"session": []}, {"key": []}, {"key_header": []}, *open_to]
    for response in operation["responses"].values():
        response["headers"] = _LIMITS
    return {**operation, "description": about, "parameters": asked, "security": security}


def _parameter(name: str, schema: dict, about: str, *, at: str = "query", **more: object) -> dict:
    return {"in": at, "name": name, "schema": schema, "description": about, **more}


def _get(name: str, summary: str, responses: dict) -> dict:
    return {"get": {"operationId": name, "summary": summary, "tags": [subjects.OPERATION], "responses": responses}}


def _told(description: str) -> dict:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _response(reference: dict, status: int, told: str, codes: list[str]) -> dict:
    shown = [code for code in codes if code in _EXAMPLES] or codes[:1]
    examples = {code: {"value": _example(status, code)} for code in shown}
    words = f" Codes: {_listed(codes)}." if codes else ""
    content = {"schema": reference, "examples": examples} if examples else {"schema": reference}
    return {"description": f"{told}{words}", "content": {"application/problem+json": content}}


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


def _example(status: int, code: str) -> dict:
    detail = _EXAMPLES.get(code, _TITLES[status])
    return answers.problem(status, code, detail, request_id="2JfUSeq1kAb9")
