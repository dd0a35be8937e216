"""Paths of the HTTP interface. Each answers with and without its closing slash: scripts write both."""

from collections.abc import Callable

from django.urls import URLPattern, register_converter
from django.urls.converters import StringConverter
from django.urls.resolvers import RoutePattern


class Written(StringConverter):
    """What people write, also with a slash within: BRK/B, EUR/USD."""

    regex = "[^/]+(?:/[^/]+)?"


WRITTEN = "written"
register_converter(Written, WRITTEN)


class EitherEnd(RoutePattern):
    """A whole path that is the same one with and without a closing slash. The documents tell of it once, as written.

    No redirect: most clients repeat a redirected POST as a GET, and its body is lost.
    """

    def match(self, path: str) -> tuple | None:
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        return super().match(path) or super().match(other)


def path(route: str, view: Callable, name: str | None = None) -> URLPattern:
    """As Django's, for a view of the interface."""
    return URLPattern(EitherEnd(route, is_endpoint=True), view, name=name)
