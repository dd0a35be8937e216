"""Every error as `application/problem+json` to programs, and as a page to people."""

import logging
import sys
from http import HTTPStatus
from io import BytesIO

import redis.exceptions
from a2wsgi.wsgi import build_environ
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from finstage import answers
from finstage.accounts import preferences
from finstage.answers import PROBLEM, Answer, Refused, problem
from monitoring import names

logger = logging.getLogger(__name__)

UNREACHABLE = (OperationalError, InterfaceError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)
# What DRF asks before it looks at the method.
BEFORE = (
    exceptions.NotAuthenticated, exceptions.AuthenticationFailed, exceptions.PermissionDenied,
    exceptions.NotAcceptable,
)  # fmt: skip
RETRY_SECONDS = 5
MESSAGES, LONGEST, TOGETHER = 5, 1500, 4000  # of a field; characters of a message, and of all fields
PROGRAM_PATHS = (
    "/api/", "/technical-analysis/", "/async/", "/generate-report", "/system/", "/metrics", "/health/", "/ws/",
)  # fmt: skip
KEY_HEADERS = {"HTTP_AUTHORIZATION", "HTTP_X_API_KEY"}
PAGES = {404: "404.html", 500: "500.html", 503: "503.html"}
TITLES = {
    400: _("This request can't be understood"),
    401: _("This key does not open anything"),
    403: _("This is not yours to see"),
    404: _("There is nothing at this address"),
    429: _("Too many requests at once"),
    500: _("Something broke on our side"),
    503: _("Not ready at this moment"),
}
HOW = "Send Authorization: Bearer KEY, or X-API-Key: KEY."
NOBODY = f"This needs a login or an API key. {HOW}"
TEMPORARY = "A part that this needs does not answer. Try again in a moment."


def handle(error: Exception, context: dict) -> Response | None:
    """DRF's exception handler."""
    request = context["request"]
    if isinstance(error, BEFORE) and not hasattr(context["view"], request.method.lower()):
        error = exceptions.MethodNotAllowed(request.method)
    if _is_unreachable(error):
        logger.error("%s can't be answered now: %s", request.path, error)
        set_rollback()
        body = problem(503, "temporarily_unavailable", TEMPORARY, request_id=_request_id(request))
        return Response(body, 503, headers={"Retry-After": str(RETRY_SECONDS)}, content_type=PROBLEM)
    plain = exception_handler(error, context)
    if plain is None:
        return None
    body = _describe(error, plain, request)
    headers = {name: value for name, value in plain.items() if name.lower() != "content-type"}
    return Response(body, status=plain.status_code, headers=headers, content_type=PROBLEM)


def refusal(refused: Refused, scope: dict) -> Answer:
    """What the gate refuses before any view sees it, as a page to a browser."""
    headers = {name: value.decode("latin1") for name, value in scope["headers"]}
    if not _is_for_people(scope["path"], headers.get(b"accept", "")):
        return answers.refusal(refused, scope["request_id"])
    request = WSGIRequest(build_environ(scope, BytesIO()) | {"HTTP_X_REQUEST_ID": scope["request_id"]})
    with translation.override(translation.get_language_from_request(request)):
        page = _answer(request, refused.status, refused.code, refused.detail)
    plain = answers.refusal(refused, scope["request_id"])
    kept = [header for header in plain.headers if header[0] not in (b"content-type", b"content-length")]
    described = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(page.content)).encode())]
    return Answer(refused.status, kept + described, BytesIO(page.content))


def parameters_refused(request: HttpRequest, told: dict[str, list[str]]) -> HttpResponse:
    told = _few(told)
    body = problem(400, "invalid_parameters", _sentences(told), request_id=_request_id(request), errors=told)
    return JsonResponse(body, status=400, content_type=PROBLEM)


def body_refused(request: HttpRequest) -> HttpResponse:
    detail = "This operation takes no body, and one came: send none, or {}."
    body = problem(400, "unexpected_body", detail, request_id=_request_id(request))
    return JsonResponse(body, status=400, content_type=PROBLEM)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return _unknown_host(request)
    return _answer(request, 400, "bad_request", "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, "permission_denied", "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "csrf_failed", "The form's token is missing or old: load the page again and repeat.")


def refused(request: HttpRequest, status: int, code: str, detail: str, headers: dict[str, str]) -> HttpResponse:
    """What the door says to whom it does not let in. Who shows a key is a program, wherever it looks."""
    if request.META.keys() & KEY_HEADERS:
        body = problem(status, code, detail, request_id=_request_id(request))
        response = JsonResponse(body, status=status, content_type=PROBLEM)
    else:
        response = _answer(request, status, code, detail)
    for name, value in {"Cache-Control": "no-store", **headers}.items():
        response[name] = value
    return response


def method_not_allowed(request: HttpRequest, known: tuple[str, ...]) -> HttpResponse:
    response = _answer(request, 405, "method_not_allowed", f"Method {request.method[:20]!r} not allowed.")
    response["Allow"] = ", ".join(known)
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "not_found", f"There is nothing at {request.path}.")


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    logger.error("%s %s failed as request %s: %r", request.method, request.path, _request_id(request), error)
    if not _is_unreachable(error):
        return _answer(request, 500, "internal_error", "The server failed to answer; its log has this request's id.")
    response = _answer(request, 503, "temporarily_unavailable", TEMPORARY)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def _unknown_host(request: HttpRequest) -> HttpResponse:
    given = request.META.get("HTTP_HOST", "")[:200]
    name = split_domain_port(given)[0]
    logger.warning("A request for the host %r was refused: it is not in ALLOWED_HOSTS", given)
    fix = f" If it is this server's, start it with ALLOWED_HOSTS={name} (several by commas)." if name else ""
    return _answer(request, 400, "unknown_host", f"This server does not answer to the name {given!r}.{fix}")


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether a server failed and not our query: SQLite calls a missing table an OperationalError too."""
    return isinstance(error, UNREACHABLE) and not str(error).startswith("no such")


def _describe(error: Exception, plain: Response, request: HttpRequest) -> dict:
    detail = getattr(error, "detail", None) or plain.data.get("detail", "")
    errors = None
    if isinstance(error, exceptions.ValidationError):
        errors = _flat(detail) if isinstance(detail, dict) else {"non_field_errors": detail}
        code, errors = _validation_code(errors), _few(errors)
        text = _sentences(errors)
    else:
        code = getattr(detail, "code", None) or "error"
        text = NOBODY if isinstance(error, exceptions.NotAuthenticated) else _short(detail)
        errors = _few(getattr(error, "errors", None) or {})
    return problem(plain.status_code, code, text, request_id=_request_id(request), errors=errors)


def _flat(errors: dict, inside: str = "") -> dict:
    """Each field by its path, such as `then.0.args`; what concerns a whole part stands at the part."""
    flat: dict = {}
    for name, told in errors.items():
        path = f"{inside}{name}" if name != "non_field_errors" or not inside else inside.rstrip(".")
        if isinstance(told, list) and any(isinstance(each, dict) for each in told):
            told = {index: each for index, each in enumerate(told) if each}
        flat |= _flat(told, f"{path}.") if isinstance(told, dict) else {path: told}
    return flat


def _few(errors: dict) -> dict:
    """Of many fields a handful, and how many more there are: a refusal is small, however large what it refuses."""
    few, size = {}, 0
    for field, messages in errors.items():
        told = [_short(each) for each in messages[:MESSAGES]] if isinstance(messages, list) else _short(messages)
        size += len(field) + sum(map(len, told))
        if len(few) == names.HANDFUL or (few and size > TOGETHER):
            break
        few[_short(field)] = told
    if more := len(errors) - len(few):
        few["non_field_errors"] = [*few.get("non_field_errors", []), f"And {more:,} more."]
    return few


def _short(text: object) -> str:
    said = str(text)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def _validation_code(errors: dict) -> str:
    """`invalid_interval` for one wrong field, the field's own code where a view gave one, else `invalid`."""
    if len(errors) != 1:
        return "invalid"
    [(field, messages)] = errors.items()
    code = getattr(messages[0] if isinstance(messages, list) and messages else messages, "code", "invalid")
    if code != "invalid":
        return str(code)
    return f"invalid_{field}" if field.isidentifier() and field != "non_field_errors" else "invalid"


def _sentences(errors: dict) -> str:
    parts = []
    for field, messages in errors.items():
        text = " ".join(str(message) for message in messages) if isinstance(messages, list) else str(messages)
        parts.append(text if field == "non_field_errors" else f"{field}: {text}")
    return " ".join(parts)


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if not _is_for_people(request.path, request.headers.get("Accept", "text/html")):
        body = problem(status, code, detail, request_id=_request_id(request))
        return JsonResponse(body, status=status, content_type=PROBLEM)
    if not hasattr(request, "preferences"):  # refused before anybody asked for them
        request.preferences = preferences.of_cookies(request.COOKIES)
    title = TITLES.get(status, HTTPStatus(status).phrase)
    context = {
        "status": status, "title": title, "detail": detail, "request_id": _request_id(request),
        "request_path": request.path, "request": request,
    }  # fmt: skip
    return HttpResponse(render_to_string(PAGES.get(status, "error.html"), context), status=status)


def _is_for_people(path: str, accepted: str) -> bool:
    return "text/html" in accepted and not path.startswith(PROGRAM_PATHS)


def _request_id(request: HttpRequest) -> str:
    return request.META.get("HTTP_X_REQUEST_ID", "")
