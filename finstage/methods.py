"""What a page can't do is told so, with what it can, before anybody looks for a form's token."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from finstage import errors

# Ours, by the names of their paths: they are only read.
PAGES = frozenset({"account", "watchlist", "symbol", "tasks", "task", "connections"})
READ, FORM = ("GET", "HEAD"), ("GET", "HEAD", "POST")


class Middleware:
    """The interface for programs says the same of its own views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, *arguments) -> HttpResponse | None:
        if hasattr(view, "cls"):
            return None
        known = _known(view, request.resolver_match.url_name)
        return None if request.method in known else errors.method_not_allowed(request, known)


def _known(view: Callable, name: str | None) -> tuple[str, ...]:
    if (kind := getattr(view, "view_class", None)) is None:
        return READ if name in PAGES else FORM
    named = [each.upper() for each in kind.http_method_names if hasattr(kind, each)]
    return (*READ, *(each for each in named if each != "GET")) if "GET" in named else tuple(named)
