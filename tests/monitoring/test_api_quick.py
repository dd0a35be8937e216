"""/api/tasks/quick/: what the query says, and a form, and a JSON body, is read alike; nothing of it is dropped."""

import pytest
from django.contrib.auth import get_user_model

from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TWO = ["AAPL", "FB"]


@pytest.fixture
def quick(client):
    """quick("?days=5", {"symbols": [..]}): posted by somebody who is not of the staff."""
    client.force_login(get_user_model().objects.create_user("person"))

    def post(query: str = "", body: object = None, kind: str = JSON, path: str = "sample"):
        return client.post(f"/api/tasks/quick/{path}{query}", *([] if body is None else [body, kind]))

    return post


@pytest.mark.parametrize(
    "said",
    [
        ("?symbols=AAPL,FB",),
        ("?symbols=AAPL,%20FB,",),
        ("?symbols=AAPL&symbols=FB",),
        ("", {"symbols": TWO}),
        ("", {"symbols": "AAPL, FB"}),
        ("", "symbols=AAPL,FB", FORM),
        ("", "symbols=AAPL&symbols=FB", FORM),
        ("?symbols=AAPL,FB", {"symbols": TWO}),
        ("?symbols=AAPL&symbols=FB", "symbols=AAPL,FB", FORM),
    ],
)
def test_a_list_is_the_same_however_it_is_said(quick, said):
    job = Job.objects.get(pk=quick(*said).json()["task_id"])
    assert job.arguments == {"symbols": TWO}


def test_the_query_and_the_body_say_each_a_part(quick):
    quick("?priority=high&symbol=AAPL&_=1", {"days": 5, "timeout": 60.0, "max_retries": 0})
    job = Job.objects.get()
    assert job.arguments == {"symbol": "AAPL", "days": 5}
    assert (job.get_priority_display(), job.timeout_seconds, job.max_attempts) == ("high", 60, 1)
    assert job.owner.username == "person"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (("?symbols=AAPL,FB", {"symbols": ["AAPL"]}), "symbols"),
        (("?priority=high", {"priority": "low"}), "priority"),
        (("?days=5&days=6",), "days"),
        (("?symbol=AAPL", "symbol=FB", FORM), "symbol"),
        (("?timeout=60", {"timeout": 61}), "timeout"),
        (("?max_retries=2", {"max_attempts": 2}), "max_retries"),
    ],
)
def test_what_is_said_in_two_ways_is_refused_by_its_name(quick, said, field):
    answer = quick(*said)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Job.objects.exists()


@pytest.mark.parametrize("said", [("?days=5&days=5",), ("?days=5", {"days": 5}), ("?days=5", "days=5", FORM)])
def test_what_is_said_twice_alike_is_said(quick, said):
    assert Job.objects.get(pk=quick(*said).json()["task_id"]).arguments == {"days": 5}


@pytest.mark.parametrize(
    "said", [("?symbl=AAPL",), ("", {"symbl": "AAPL"}), ("", "symbl=AAPL", FORM), ("?_=1&symbl=AAPL",)]
)
def test_an_unknown_name_is_refused_with_those_there_are(quick, said):
    answer = quick(*said).json()
    assert list(answer["errors"]) == ["symbl"]
    assert "symbol, days, symbols, priority" in answer["detail"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (("?days=x",), "days"),
        (("", {"days": "x"}), "days"),
        (("", {"days": None}), "days"),
        (("", {"symbols": {"AAPL": 1}}), "symbols"),
        (("", {"priority": 1}), "priority"),
        (("", {"max_retries": -1}), "max_retries"),
        (("?timeout=0",), "timeout"),
        (("?timeout=5.0",), "timeout"),
        (("?timeout=\u0665",), "timeout"),
        (("", {"timeout": 5.5}), "timeout"),
        (("", "timeout=\u0665", FORM), "timeout"),
        (("?days=\u0665",), "days"),
        (("?days=1_0",), "days"),
        (("?symbols=",), "symbols"),
        (("?symbols=,",), "symbols"),
        (("?symbols=AAPL,,FB",), "symbols"),
        (("?symbols=AAPL&symbols=",), "symbols"),
        (("", "symbols=", FORM), "symbols"),
        (("", {"symbols": []}), "symbols"),
        (("", {"symbols": ["AAPL", ""]}), "symbols"),
        (("?symbol=%20",), "symbol"),
        (("", {"_": 1}), "_"),
        (("", TWO), "non_field_errors"),
        (("", "null"), "non_field_errors"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(quick, said, field):
    answer = quick(*said)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_file_is_no_value(quick, client):
    with open(__file__) as file:
        answer = client.post("/api/tasks/quick/sample", {"symbol": file})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["symbol"])


def test_a_body_of_another_kind_is_refused_and_not_dropped(quick):
    assert quick("?symbol=AAPL", "symbol: FB", "text/yaml").status_code == 415
    assert not Job.objects.exists()


def test_a_path_that_means_an_argument_says_it(quick):
    assert Job.objects.get(pk=quick("?days=7", path="sample-week").json()["task_id"]).arguments == {"days": 7}
    assert list(quick("?days=1", path="sample-week").json()["errors"]) == ["days"]


def test_a_word_that_is_no_quick_job_is_a_404(quick):
    assert quick(path="nothing").json()["code"] == "unknown_task"
