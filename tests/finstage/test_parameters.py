"""What is given twice, misspelt or too much is named and refused, on every path that reads or writes."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from drf_spectacular.generators import EndpointEnumerator

from market import quotes
from monitoring import jobs
from monitoring.models import Job, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = pytest.mark.django_db
NAMES = {"{symbol}": "AAPL", "{task_id}": str(uuid.uuid4()), "{name}": "mine", "{kind}": "sample"} | dict.fromkeys(
    ["{key_id}", "{action_id}", "{bar_id}"], "1"
)
OPERATIONS = [(path, method) for path, _, method, _ in EndpointEnumerator().get_api_endpoints()]


def url(path: str) -> str:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path


@pytest.fixture(autouse=True)
def staff(client, apple):
    user = get_user_model().objects.create_user("staff", is_staff=True)
    client.force_login(user)
    return user


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("end", ["as it is", "the other"])
def test_a_misspelt_parameter_is_named_and_nothing_is_done(client, staff, path, method, end):
    if end == "the other" and path not in ("/api/schema/", "/api/docs/"):
        path = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    JobTemplate.objects.create(name="mine", owner=staff, submission={"task": "sample.open_to_all"})
    answer = client.generic(method, f"{url(path)}?symbls=FB&_=1")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["errors"]) == ["symbls"]
    assert (Job.objects.count(), JobTemplate.objects.count()) == (0, 1)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_parameter_that_takes_one_value_is_refused_twice(client, path, method):
    answer = client.generic(method, f"{url(path)}?format=json&format=csv")
    assert answer.status_code == 400
    assert "format" in answer.json()["errors"]


WITHOUT_BODY = [
    each for each in OPERATIONS if each[1] not in ("POST", "PATCH") or each[0].endswith(("/cancel", "/retry"))
]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(("path", "method"), WITHOUT_BODY)
def test_a_body_where_none_is_taken_is_refused_and_nothing_is_done(client, staff, path, method):
    JobTemplate.objects.create(name="mine", owner=staff, submission={"task": "sample.open_to_all"})
    answer = client.generic(method, url(path), '{"reason": "late"}', content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "unexpected_body")
    assert "takes no body" in answer.json()["detail"]
    assert JobTemplate.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", JSON, 202),
        (" { } ", JSON, 202),
        ("", FORM, 202),
        ("csrfmiddlewaretoken=x", FORM, 202),
        ("[]", JSON, 400),
        ("reason=late", FORM, 400),
        ("late", "text/plain", 400),
    ],
)
def test_a_body_that_says_nothing_is_none(client, body, kind, status):
    job = jobs.submit("sample.open_to_all")
    assert client.post(f"/api/tasks/task/{job.pk}/cancel", body, content_type=kind).status_code == status


@pytest.mark.parametrize(
    "query", ["exchange=XNAS&exchange=XKRX", "limit=1&limit=2", "sort=name&sort=name", "cursor=a&cursor=b"]
)
def test_one_that_is_repeated_is_named(client, query):
    answer = client.get(f"/api/v2/symbols/?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("=")[0]])


def test_a_lone_underscore_is_let_through(client):
    assert client.get("/api/v2/symbols/?_=1764400000").status_code == 200


@pytest.mark.parametrize("path", ["/api/v2/technical-analysis/prices/batch", "/async/symbols/batch"])
@pytest.mark.parametrize("query", ["symbols=AAPL&symbols=FB", "symbols=AAPL,FB", "symbols=AAPL&symbols=, fb ,AAPL"])
def test_a_list_may_be_said_by_commas_or_one_by_one(client, quote, path, query):
    quotes.keep([quote("AAPL", 1.5)])
    assert client.get(f"{path}?{query}").json()["prices"] == {"AAPL": 1.5, "FB": None}


def test_names_of_indicators_may_be_said_one_by_one(client):
    path = "/api/v2/technical-analysis/indicators/AAPL?indicators=rsi&indicators=nonsense"
    assert "nonsense" in client.get(path).json()["errors"]["indicators"][0]


@pytest.mark.parametrize("words", ["status=", "name=", "symbol=", "parent=", "limit=", "cursor=", "format="])
def test_an_empty_value_is_none(client, words):
    assert client.get(f"/api/tasks/tasks?{words}").status_code in (400, 406)


def test_a_text_is_as_long_as_it_is_said_and_counts_without_the_blanks_around_it(client):
    path = "/api/v2/symbols/"
    assert len(client.get(path, {"exchange": " XNAS "}).json()["results"]) == 1
    assert client.get(path, {"exchange": "     XNAS"}).status_code == 400
    body = {"task": f"{'sample.open_to_all':<101}"}
    assert client.post("/api/tasks/submit", body, content_type="application/json").status_code == 400


BODIES = [
    '{"task": "sample.add", "task": "sample.open_to_all"}',
    '{"task": "sample.add", "args": {"a": 1, "a": 2}}',
    '{"task": "sample.add", "args": {"a": 1}, "then": [{"task": "sample.add", "task": "sample.open_to_all"}]}',
    '{"task": "sample.add", "args": {"a": NaN}}',
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/api/tasks/submit", "/api/tasks/quick/sample"])
def test_a_body_that_names_a_field_twice_is_refused(client, path, body):
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code == 400
    assert not Job.objects.exists()


@pytest.mark.parametrize("path", ["/api/tasks/submit", "/api/tasks/templates"])
def test_a_form_is_not_read_where_it_cannot_say_what_is_asked(client, path):
    form = "application/x-www-form-urlencoded"
    assert client.post(path, "task=sample.add&task=sample.open_to_all", content_type=form).status_code == 415
    assert not Job.objects.exists()


def test_the_page_of_a_job_that_is_not_there_is_a_404(client):
    assert client.get(f"/tasks/{uuid.uuid4()}/").status_code == 404
    assert client.get(f"/tasks/{jobs.submit('sample.open_to_all').pk}/").status_code == 200


def test_the_page_of_somebody_elses_job_is_a_404_too(client):
    job = jobs.submit("sample.add", {"a": 1})
    client.force_login(get_user_model().objects.create_user("person"))
    assert client.get(f"/tasks/{job.pk}/").status_code == 404
