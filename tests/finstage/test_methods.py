"""A method that an address does not know is told so, whoever asks, with those that it knows."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.server import Running, running


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running("manage.py", "web") as server:
        yield server


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/static/favicon.svg"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "BREW"])
def test_what_is_only_there_to_be_read_is_not_written(web, path, method):
    client = web.connect()
    client.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    received = b""
    while piece := client.recv(10_000):  # it says that it closes, and closes
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 405 " in head.split(b"\r\n")[0]
    assert b"allow: get, head" in head.lower()
    assert json.loads(body)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/health/live", "/metrics", "/static/favicon.svg"])
def test_a_head_request_is_a_read(web, path):
    client = web.connect()
    client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert client.recv(10_000).startswith(b"HTTP/1.1 200")


def api_views() -> Iterator[tuple[str, type]]:
    """Every route of a DRF view, with something in the place of what varies."""
    for route, callback in _routes(get_resolver().url_patterns):
        if (view := getattr(callback, "cls", None) or getattr(callback, "view_class", None)) is not None and hasattr(
            view, "permission_classes"
        ):
            yield route, callback


def _routes(patterns, before: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern), pattern.callback


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted({route for route, _ in api_views()}))
def test_a_method_that_no_api_knows_is_405_for_a_client_without_a_login(rf, route):
    callback = next(callback for each, callback in api_views() if each == route)
    answer = callback(rf.generic("TRACE", "/"), **{name: "1" for name in _names(route)})
    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert answer.data["code"] == "method_not_allowed"


def _names(route: str) -> list[str]:
    return [part.split(">")[0].split(":")[-1] for part in route.split("<")[1:]]


def test_a_known_method_without_a_login_is_still_401(web):
    client = web.connect()
    client.sendall(b"POST /api/tasks/submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert b" 401 " in client.recv(100)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "DELETE", "FOO", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/tasks/", "/symbols/AAPL/", "/admin/login/", "/i18n/setlang/"])
def test_a_method_that_no_page_knows_is_405_with_those_that_it_knows(path, method):
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert answer.status_code == 405
    assert answer["Allow"].startswith("GET, HEAD")


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "allow"), [
    ("POST", "/", "GET, HEAD"), ("POST", "/tasks/", "GET, HEAD"), ("GET", "/logout/", "POST, OPTIONS"),
])  # fmt: skip
def test_a_page_that_is_only_read_takes_no_form_and_one_that_only_takes_a_form_is_not_read(method, path, allow):
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert (answer.status_code, answer["Allow"]) == (405, allow)


@pytest.mark.django_db
def test_a_form_without_its_token_is_still_403():
    assert Client(enforce_csrf_checks=True).post("/login/").status_code == 403
