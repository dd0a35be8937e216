"""What a request says, behind its `?` or in a body, is in its operation's documents, or refused: never dropped."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse, QueryDict
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.views import APIView

from finstage import errors
from monitoring import names

UNHEEDED = "_"  # many clients add it, so that no cache answers
ANY = ""
TOKEN = "csrfmiddlewaretoken"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
WITH_BODY = ("post", "put", "patch")
OF_ALL = {"format": False}  # the negotiation of the answer's format reads it


class Middleware:
    """Looks before the view does: a misspelt name is no read of something else, and no write."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, *arguments) -> HttpResponse | None:
        kind, method = getattr(view, "cls", None), "get" if request.method == "HEAD" else request.method.lower()
        if kind is None or not hasattr(kind, method) or method == "options":
            return None
        if request.GET and (told := _faults(request.GET, documented(kind, method))):
            return errors.parameters_refused(request, told)
        if not takes_body(kind, method) and _has_body(request):
            return errors.body_refused(request)
        return None


@cache
def documented(view: type[APIView], method: str) -> dict[str, bool]:
    """The parameters that an operation documents, and whether each may be repeated; ANY where it reads all itself."""
    if (schema := _schema(view, method)) is None:
        return OF_ALL
    found = dict(OF_ALL)
    for each in schema.get_override_parameters():
        if not isinstance(each, OpenApiParameter):
            found |= {name: getattr(field, "are_many", False) for name, field in each().fields.items()}
        elif each.location == OpenApiParameter.QUERY:
            if isinstance(each.type, dict) and each.type["type"] == "object":
                return {**OF_ALL, ANY: True}
            found[each.name] = each.many
    return found


@cache
def takes_body(view: type[APIView], method: str) -> bool:
    """Whether an operation documents a body; one without documents is left to itself."""
    schema = _schema(view, method)
    return schema is None or (method in WITH_BODY and schema.get_request_serializer() is not None)


def _schema(view: type[APIView], method: str) -> AutoSchema | None:
    decorated = getattr(getattr(view, method), "kwargs", {}).get("schema")
    if decorated is None:
        return None
    schema = decorated()
    schema.view, schema.method = view(request=None, kwargs={}), method.upper()
    return schema


def _has_body(request: HttpRequest) -> bool:
    """Whether a body says anything: an empty object says nothing, nor does a form of the login's token alone."""
    if request.method == "POST" and request.content_type in FORMS:
        return bool(request.body) and bool(request.FILES or request.POST.keys() - {TOKEN})
    return b"".join(request.body.split()) not in (b"", b"{}")


def _faults(said: QueryDict, known: dict[str, bool]) -> dict[str, list[str]]:
    faults = {
        name: [f"is given {len(values)} times; say it once."]
        for name, values in said.lists()
        if len(values) > 1 and not known.get(name, True)
    }
    if ANY in known:
        return faults
    there = f"there are {', '.join(known)}."
    return faults | names.unknown(said, {*known, UNHEEDED}, there, "is no parameter here")
