"""/api/tasks/submit with an idempotency key: the same key is the same task, and what cannot be one is refused."""

import pytest

from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
ADD = {"task": "sample.add", "args": {"a": 1}}
QUICK = "/api/tasks/quick/sample?symbol=AAPL"


def submit(client, body, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/tasks/submit", body, content_type="application/json", headers=headers)


def test_a_key_makes_a_repeated_submission_the_same_task(admin_client):
    first, second = (submit(admin_client, ADD, "k").json() for _ in range(2))
    assert first["task_id"] == second["task_id"]
    assert submit(admin_client, {**ADD, "priority": "normal"}, "k").json()["task_id"] == first["task_id"]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("args.a", {"args": {"a": 2}}),
        ("priority", {"priority": "low"}),
        ("timeout", {"timeout": 9}),
        ("max_attempts", {"max_attempts": 9}),
        ("max_retries", {"max_retries": 9}),
    ],
)
def test_a_key_that_comes_with_another_submission_is_refused_by_what_the_caller_said(admin_client, field, other):
    submit(admin_client, ADD, "k")
    refused = submit(admin_client, {**ADD, **other, "key": "k"})
    told = refused.json()
    assert (refused.status_code, told["code"]) == (409, "key_reused")
    assert told["errors"] == {"key": [f"came with another {field} before"]}
    assert f"another {field} before" in told["detail"]


def test_the_same_key_in_header_and_body_is_one_key(admin_client):
    body = {**ADD, "key": "one"}
    first, second = submit(admin_client, body, "one"), submit(admin_client, body)
    assert (first.status_code, first.json()["task_id"]) == (202, second.json()["task_id"])


def test_two_keys_that_differ_are_refused(admin_client):
    answer = submit(admin_client, {**ADD, "key": "one"}, "other")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_key")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("a,b", "is said once"),
        ('"a","b"', "is said once"),
        ("k" * 101, "at most 100"),
    ],
)
def test_a_header_that_says_no_key_or_several_is_refused_with_the_reason(admin_client, key, said):
    for answer in (submit(admin_client, ADD, key), admin_client.post(QUICK, headers={"Idempotency-Key": key})):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_key")
        assert said in answer.json()["errors"]["key"][0]
    assert not Job.objects.exists()


@pytest.mark.parametrize("key", ['"a,b"', '"a, \\"b\\" and \\\\"', "a b", '"'])
def test_a_key_is_taken_as_it_is_and_in_quotes_a_comma_is_part_of_it(admin_client, key):
    first, second = (submit(admin_client, ADD, key) for _ in range(2))
    assert (first.status_code, first.json()["task_id"]) == (202, second.json()["task_id"])
    assert Job.objects.get().key.endswith(f":{key}")
