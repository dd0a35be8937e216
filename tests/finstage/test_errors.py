"""Every error is a typed problem to programs and a page to people, and says nothing of our insides."""

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.urls("tests.finstage.web_urls")


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False, headers={"X-Request-ID": "trace-1"})


def problem(response) -> dict:
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response["X-Request-ID"] == "trace-1"
    return body


def test_a_wrong_field_is_named_in_the_code_and_in_errors(client):
    body = problem(client.get("/api/errors/interval"))
    assert body == {
        "type": "urn:finstage:error:invalid_interval",
        "title": "Bad Request",
        "status": 400,
        "detail": "interval: “2d” is not known.",
        "code": "invalid_interval",
        "errors": {"interval": ["“2d” is not known."]},
        "request_id": "trace-1",
    }


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("several", 400, "invalid"),
        ("coded", 400, "too_many_symbols"),
        ("unknown", 404, "unknown_symbol"),
        ("throttled", 429, "throttled"),
        ("database", 503, "temporarily_unavailable"),
        ("bug", 500, "internal_error"),
    ],
)
def test_each_error_has_its_status_and_code(client, kind, status, code):
    body = problem(client.get(f"/api/errors/{kind}"))
    assert (body["status"], body["code"]) == (status, code)
    assert "secret" not in str(body)


@pytest.mark.parametrize(("kind", "seconds"), [("throttled", "7"), ("database", "5")])
def test_what_passes_says_when_to_come_again(client, kind, seconds):
    assert client.get(f"/api/errors/{kind}")["Retry-After"] == seconds


def test_not_a_number_is_null_on_the_wire(client):
    response = client.post("/api/errors/any", {"a": 1}, format="json")
    assert response.content == b'{"numbers":[1.5,null,null],"got":{"a":1}}'


def test_malformed_json_is_a_typed_problem(client):
    response = client.post("/api/errors/any", "{not json", content_type="application/json")
    assert problem(response)["code"] == "parse_error"


@pytest.mark.parametrize("sent", ['{"a":1,"b":2,"a":3}', '[{"a":1,"a":1}]'])
def test_a_name_that_an_object_says_twice_is_refused_and_no_value_of_it_dropped(client, sent):
    answer = client.post("/api/errors/any", sent, content_type="application/json")
    assert (answer.status_code, problem(answer)["errors"]) == (400, {"a": ["is said twice in one object; say it once"]})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_a_typed_problem(client, number):
    answer = client.post("/api/errors/any", f"[{number}]", content_type="application/json")
    assert (answer.status_code, problem(answer)["code"]) == (400, "parse_error")
    assert number in problem(answer)["detail"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("levels", [101, 5_000, 100_000])
def test_endless_nesting_is_a_typed_problem(client, opening, levels):
    closing = "]" if opening == "[" else "}"
    sent = opening * levels + "1" + closing * levels
    answer = client.post("/api/errors/any", sent, content_type="application/json")
    assert (answer.status_code, problem(answer)["code"]) == (400, "parse_error")


def test_a_hundred_levels_are_read(client):
    answer = client.post("/api/errors/any", "[" * 100 + "]" * 100, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/broken", 500, "internal_error"),
        ("/api/unreachable", 503, "temporarily_unavailable"),
        ("/api/redis", 503, "temporarily_unavailable"),
        ("/api/nothing", 404, "not_found"),
    ],
)
def test_programs_get_problems_from_plain_views_too(client, path, status, code):
    body = problem(client.get(path))
    assert (body["status"], body["code"]) == (status, code)
    assert "secret" not in str(body)


@pytest.mark.django_db
def test_a_query_that_is_wrong_is_our_error_and_not_the_databases(client):
    assert problem(client.get("/api/table"))["status"] == 500


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/broken", 500), ("/unreachable", 503)])
def test_people_get_a_page(client, path, status):
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert "secret" not in response.content.decode()


def test_a_foreign_form_is_refused_as_a_problem():
    client = APIClient(enforce_csrf_checks=True)
    assert client.post("/api/broken").json()["code"] == "csrf_failed"


def test_the_safety_headers_are_on_every_answer(client):
    for path in ("/counts", "/missing", "/broken"):
        headers = client.get(path).headers
        assert "default-src 'self'; object-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"].replace("style-src 'self' 'unsafe-inline'", "")
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
