"""The OpenAPI document, its pages, and the WebSocket's schema."""

import ast
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from jsonschema import Draft202012Validator

from analysis.api import defaults
from market import bars, prices, quotes
from market.models import DataSource, SupersededAction
from realtime import messages
from realtime.messages.shapes import ERROR_CODES
from realtime.sse import asking

ROOT = Path(__file__).parents[2]
# Who is told a code, by what our code calls to say it.
REFUSING = {
    *("Refused", "Refusal", "handshake", "problem", "_answer", "refused", "NotFound", "Conflict", "Invalid"),
    *("ErrorDetail", "ValidationError", "PermissionDenied", "NotAcceptable"),
}
READS = {
    "/api/v2/symbols/": "/api/v2/symbols/",
    "/api/v2/symbols/{symbol}/": "/api/v2/symbols/AAPL/",
    "/api/v2/symbols/{symbol}/bars/": "/api/v2/symbols/AAPL/bars/",
    "/api/v2/symbols/{symbol}/quote/": "/api/v2/symbols/AAPL/quote/",
    "/api/v2/symbols/{symbol}/records/": "/api/v2/symbols/AAPL/records/",
    "/api/v2/symbols/{symbol}/actions/": "/api/v2/symbols/AAPL/actions/",
    "/api/v2/technical-analysis/indicators/{symbol}": "/api/v2/technical-analysis/indicators/AAPL",
    "/api/v2/technical-analysis/catalogue": "/api/v2/technical-analysis/catalogue",
    "/api/v2/technical-analysis/prices/batch": "/api/v2/technical-analysis/prices/batch?symbols=AAPL,GOOGL",
    "/technical-analysis/{symbol}": "/technical-analysis/AAPL",
    "/api/v2/technical-analysis/prices/monitor": "/api/v2/technical-analysis/prices/monitor?symbols=AAPL,GOOGL",
    "/async/symbols/batch": "/async/symbols/batch?symbols=AAPL",
    "/api/v2/symbols/{symbol}/restatements/": "/api/v2/symbols/AAPL/restatements/",
    "/api/v2/restatements/": "/api/v2/restatements/",
    "/api/v2/watchlists/": "/api/v2/watchlists/",
    "/api/v2/watchlists/{watchlist}/": "/api/v2/watchlists/default/",
}
WRITES = {
    "/api/v2/keys/": {"name": "nightly"},
    "/api/v2/realtime/ticket": {},
    "/api/v2/watchlists/": {"name": "mine", "symbols": ["AAPL"]},
    "/api/v2/technical-analysis/batch/indicators": {"symbols": ["AAPL", "GOOGL"]},
    "/api/v2/technical-analysis/analysis/comprehensive": {"symbols": ["AAPL", "GOOGL"]},
}
BY_BODY = ("batch/indicators", "analysis/comprehensive")


@pytest.fixture
def document(client) -> dict:
    return client.get("/api/schema/", {"format": "json"}).json()


@pytest.fixture
def stocked(apple, quote) -> None:
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=quote("AAPL", 1.0).as_of)
    at = quote("AAPL", 1.0).as_of
    bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(at.date()), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", at)])
    later = at + timedelta(days=1)
    bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(at.date()), 1.0, 2.0, 0.5, 1.6, 11, True, "replay", later)])
    told = {"source": "replay", "received_at": at, "kind": "dividend", "ex_date": at.date(), "value": 0.2}
    SupersededAction.objects.create(id=1, symbol=apple, superseded_at=later, **told)
    quotes.keep([quote("AAPL", 1.5)])


def test_the_document_is_made_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.mark.django_db
def test_the_document_says_all_that_the_streams_as_events_are_asked_by(document):
    told = document["paths"]["/api/v2/stream/"]["get"]
    assert {each["name"] for each in told["parameters"]} == {*asking.NAMES, "Last-Event-ID"}
    assert told["responses"]["200"]["content"].keys() == {"text/event-stream"}
    assert all(f"`invalid_{name}`" in told["responses"]["400"]["description"] for name in asking.NAMES)
    assert "#/components/schemas/Problem" in str(told["responses"]["503"])


@pytest.mark.django_db
def test_the_document_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"


@pytest.mark.django_db
@pytest.mark.parametrize("is_open", [True, False])
def test_the_document_says_whether_a_read_needs_a_login(client, settings, is_open):
    settings.MARKET_DATA_OPEN = is_open
    read = client.get("/api/schema/", {"format": "json"}).json()["paths"]["/api/v2/symbols/"]["get"]
    assert ({} in read["security"]) == is_open


@pytest.mark.django_db
@pytest.mark.parametrize("is_open", [True, False])
def test_a_question_that_is_a_body_is_a_read_in_the_document_too(client, settings, is_open):
    settings.MARKET_DATA_OPEN = is_open
    paths = client.get("/api/schema/", {"format": "json"}).json()["paths"]
    told = {name: paths[f"/api/v2/technical-analysis/{name}"]["post"]["security"] for name in BY_BODY}
    assert [{} in each for each in told.values()] == [is_open, False]


@pytest.mark.django_db
def test_the_document_has_the_one_table_of_what_is_meant_where_it_is_left_out(document):
    assert defaults.table() in document["info"]["description"]
    written = document["components"]["schemas"]
    [alerts_only] = [
        each
        for each in document["paths"]["/api/v2/technical-analysis/prices/monitor"]["get"]["parameters"]
        if each["name"] == "alerts_only"
    ]
    told = {
        name: written["BatchBody"]["properties"][name]["default"] for name in ("period", "indicators", "batch_size")
    }
    told["save_results"] = written["ComprehensiveBody"]["properties"]["save_results"]["default"]
    told["alerts_only"] = alerts_only["schema"]["default"]
    assert told == {
        "period": "1mo", "indicators": "all", "batch_size": 5, "save_results": True, "alerts_only": False,
    }  # fmt: skip


@pytest.mark.django_db
def test_what_answers_before_django_is_in_the_document_too(document):
    assert {"/health/live", "/health/ready", "/metrics"} <= set(document["paths"])


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "url"), READS.items())
def test_what_a_read_answers_is_what_the_document_says(client, document, stocked, path, url):
    answer = client.get(url)
    answered = document["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]["application/json"]
    schema = {**answered["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(answer.json())


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "body"), WRITES.items())
def test_what_a_write_answers_is_what_the_document_says(client, document, stocked, django_user_model, path, body):
    client.force_login(django_user_model.objects.create_user("reader"))
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code < 300
    answered = document["paths"][path]["post"]["responses"][str(answer.status_code)]["content"]["application/json"]
    Draft202012Validator({**answered["schema"], "components": document["components"]}).validate(answer.json())


@pytest.mark.django_db
@pytest.mark.parametrize("path", READS)
def test_every_refusal_is_in_the_document_as_a_problem(document, path):
    responses = document["paths"][path]["get"]["responses"]
    assert {"200", "304", "401", "406", "503"} <= set(responses)
    for status, response in responses.items():
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", READS)
def test_every_read_has_an_example_that_keeps_to_its_shape(document, path):
    answered = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    [example] = answered["examples"].values()
    Draft202012Validator({**answered["schema"], "components": document["components"]}).validate(example["value"])


@pytest.mark.django_db
def test_a_problem_is_what_the_document_says(client, document, stocked):
    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    for url in ("/api/v2/symbols/nope/", "/api/v2/symbols/AAPL/bars/?interval=3d"):
        Draft202012Validator(schema).validate(client.get(url).json())


@pytest.mark.django_db
def test_every_code_of_an_error_is_in_a_document(document):
    told = {*re.findall("`([a-z_]+)`", str(document)), *ERROR_CODES}
    assert len(codes := _codes()) > 60
    assert sorted(codes - told) == []


@pytest.mark.django_db
def test_a_code_of_what_is_said_is_in_the_document_only_where_something_is_said(document):
    told = document["paths"]["/api/v2/watchlists/{watchlist}/"]
    codes = {method: told[method]["responses"]["400"]["description"] for method in ("get", "patch", "delete")}
    assert [method for method, text in codes.items() if "`unknown_symbol`" in text] == ["patch"]


@pytest.mark.django_db
def test_a_text_in_a_list_is_no_more_than_it_may_be_by_itself(document):
    listed = document["components"]["schemas"]["StreamingBody"]["properties"]["symbols"]["items"]
    assert [bool(re.search(listed["pattern"], text)) for text in ("AAPL", " ", "A\0")] == [True, False, False]


@pytest.mark.django_db
def test_every_refusal_is_described(document):
    told = {
        (path, method, status): response["description"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
    }
    assert [place for place, words in told.items() if place[2] >= "4" and not words] == []


def _codes() -> set[str]:
    """Those that our code refuses with, as it writes them; what leads out tells its own to receipts alone."""
    rooms = ("finstage", "market", "analysis", "realtime", "monitoring")
    files = [
        path for room in rooms for path in (ROOT / room).rglob("*.py") if {"sources", "outbound"}.isdisjoint(path.parts)
    ]
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    refusing = [each for each in calls if getattr(each.func, "attr", getattr(each.func, "id", "")) in REFUSING]
    said = [value for each in refusing for value in (*each.args, *(named.value for named in each.keywords))]
    return {
        value.value
        for value in said
        if isinstance(value, ast.Constant) and re.fullmatch("[a-z]+(_[a-z]+)+|busy|timeout|invalid", str(value.value))
    }


@pytest.mark.django_db
def test_the_browsable_documents_load_nothing_from_elsewhere_and_run_nothing_inline(client):
    page = client.get("/api/docs/").content.decode()
    sources = re.findall(r'(?:src|href)="([^"#]+)', page)
    assert all(url.startswith("/") and not url.startswith("//") for url in sources)
    assert sum(url.startswith("/static/drf_spectacular_sidecar/") for url in sources) == 2
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert "validatorUrl: null" in Path(finders.find(sources[-1].removeprefix("/static/"))).read_text()


@pytest.mark.django_db
def test_the_document_groups_operations_by_subject_and_is_in_english_whoever_reads_it(client, document):
    known = {tag["name"] for tag in document["tags"]}
    tags = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert tags == known == {"Symbols", "Prices", "Indicators", "Live stream", "Tasks", "Your account", "Operation"}
    korean = client.get("/api/schema/?format=json", headers={"Accept-Language": "ko"})
    assert korean.json() == document


@pytest.mark.django_db
def test_the_websockets_schema_is_the_one_the_server_checks_with(client):
    schema = client.get("/api/v2/realtime/schema").json()
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["actions"].keys() == messages.ACTIONS.keys()
    assert schema["$defs"]["messages"].keys() == messages.MESSAGES.keys()
