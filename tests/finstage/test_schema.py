"""The OpenAPI document, its pages, and the WebSocket's schema."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator

from market import bars, prices, quotes
from market.models import DataSource
from realtime import messages

READS = {
    "/api/v2/symbols/": "/api/v2/symbols/",
    "/api/v2/symbols/{symbol}/": "/api/v2/symbols/AAPL/",
    "/api/v2/symbols/{symbol}/bars/": "/api/v2/symbols/AAPL/bars/",
    "/api/v2/symbols/{symbol}/quote/": "/api/v2/symbols/AAPL/quote/",
    "/api/v2/symbols/{symbol}/records/": "/api/v2/symbols/AAPL/records/",
    "/api/v2/symbols/{symbol}/actions/": "/api/v2/symbols/AAPL/actions/",
    "/api/v2/technical-analysis/indicators/{symbol}": "/api/v2/technical-analysis/indicators/AAPL",
    "/api/v2/technical-analysis/prices/batch": "/api/v2/technical-analysis/prices/batch?symbols=AAPL,GOOGL",
    "/async/symbols/batch": "/async/symbols/batch?symbols=AAPL",
    "/api/v2/watchlists/default/": "/api/v2/watchlists/default/",
}


@pytest.fixture
def document(client) -> dict:
    return client.get("/api/schema/", {"format": "json"}).json()


@pytest.fixture
def stocked(apple, quote) -> None:
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=quote("AAPL", 1.0).as_of)
    at = quote("AAPL", 1.0).as_of
    bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(at.date()), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", at)])
    quotes.keep([quote("AAPL", 1.5)])


def test_the_document_is_made_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


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
def test_what_answers_before_django_is_in_the_document_too(document):
    assert {"/health/live", "/health/ready", "/metrics"} <= set(document["paths"])


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "url"), READS.items())
def test_what_a_read_answers_is_what_the_document_says(client, document, stocked, path, url):
    answered = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = {**answered, "components": document["components"]}
    Draft202012Validator(schema).validate(client.get(url).json())


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
def test_the_browsable_documents_load_nothing_from_elsewhere_and_run_nothing_inline(client):
    page = client.get("/api/docs/").content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(url.startswith("/") and not url.startswith("//") for url in sources)
    assert sum(url.startswith("/static/drf_spectacular_sidecar/") for url in sources) >= 3
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert '"validatorUrl": null' in client.get(sources[-1]).content.decode()


@pytest.mark.django_db
def test_the_websockets_schema_is_the_one_the_server_checks_with(client):
    schema = client.get("/api/v2/realtime/schema").json()
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["actions"].keys() == messages.ACTIONS.keys()
    assert schema["$defs"]["messages"].keys() == messages.MESSAGES.keys()
