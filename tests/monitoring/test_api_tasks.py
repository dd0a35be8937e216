"""/api/tasks/: who may ask for what, in which shapes, and how it is refused."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.models import Job, JobTemplate, Worker
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
JSON = "application/json"
NOBODYS = "7d4f1c55-3a0e-4a87-9a6b-2f0c1de5b0a4"
ADD = {"task": "sample.add", "args": {"a": 1}}


@pytest.fixture
def person(client):
    """Logs in somebody who is not of the staff."""
    user = get_user_model().objects.create_user("person")
    client.force_login(user)
    return user


@pytest.fixture
def staff(client):
    user = get_user_model().objects.create_user("staff", is_staff=True)
    client.force_login(user)
    return user


def submit(client, body, **headers):
    return client.post("/api/tasks/submit", body, content_type=JSON, headers=headers)


def run_next(state: str = Job.State.COMPLETED, **facts) -> Job:
    (job,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    endings.write([Ending(job, state, **facts)])
    return job


def test_a_submitted_task_says_where_it_stands_until_its_result(client, staff):
    answer = submit(client, {**ADD, "priority": "high", "timeout": 300})
    assert answer.status_code == 202
    path = f"/api/tasks/task/{answer.json()['task_id']}"
    told = client.get(path).json()
    assert (told["status"], told["priority"], told["timeout"], told["execution_time"]) == ("pending", "high", 300, None)
    assert client.get(f"{path}/result").status_code == 202
    run_next(result=2)
    assert client.get(f"{path}/result").json()["result"] == 2
    told = client.get(path).json()
    assert told["execution_time"] >= 0
    assert [each["outcome"] for each in told["attempts"]] == ["completed"]


def test_the_queue_has_the_shape_that_scripts_read(client, staff):
    now = timezone.now()
    facts = {"host": "h", "pid": 1, "place": "p", "birth": 1.0, "concurrency": 4, "processed": 9}
    Worker.objects.create(id=uuid.uuid4(), started_at=now, heartbeat_at=now, **facts)
    jobs.submit_many("sample.add", [{"a": 1}] * 4)
    run_next()
    run_next(Job.State.FAILED, error_code="wrong")
    told = client.get("/api/tasks/status").json()
    expected = {"pending_tasks": 2, "total_submitted": 4, "total_completed": 1, "success_rate": 50.0}
    assert expected.items() <= told["queue_stats"].items()
    assert {"worker_id", "processed_tasks", "success_rate", "current_task_id"} <= told["worker_stats"][0].keys()
    assert {"pending": 2, "running": 0, "completed": 1, "failed": 1}.items() <= told["status_counts"].items()


def test_the_dashboard_says_how_long_jobs_waited_and_ran(client, staff):
    jobs.submit("sample.add", {"a": 1})
    run_next()
    told = client.get("/api/tasks/dashboard").json()
    assert told["running_seconds"]["p99"] >= 0
    assert told["throughput"]["per_minute_last_minute"] == 1
    assert [each["name"] for each in told["by_name"]] == ["sample.add"]


def test_the_dashboard_counts_what_ended_in_the_last_hour_by_how_it_did(client, staff):
    jobs.submit_many("sample.add", [{"a": 1}] * 4)
    for state in ("completed", "completed", "failed"):
        run_next(state)
    Job.objects.filter(state="completed").update(finished_at=timezone.now() - timedelta(minutes=61))
    jobs.cancel(Job.objects.get(state="pending").pk)
    told = client.get("/api/tasks/dashboard").json()["last_hour"]
    assert told == {"completed": 0, "failed": 1, "cancelled": 1, "timed_out": 0}


def test_the_dashboard_of_an_empty_queue_has_no_figures(client, staff):
    told = client.get("/api/tasks/dashboard").json()
    assert told["queue_stats"]["success_rate"] is told["window_success_rate"] is None
    assert told["waiting_seconds"] == {"p50": None, "p95": None, "p99": None}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["task"]),
        ({"task": "sample.nothing"}, ["task"]),
        ({"task": "sample.add"}, ["a"]),
        ({"task": "sample.add", "args": {"a": "1"}}, ["a"]),
        ({"task": "sample.add", "args": {"a": 1, "c": 1}}, ["c"]),
        ({"task": "sample.add", "args": []}, ["args"]),
        ({**ADD, "priority": "urgent"}, ["priority"]),
        ({**ADD, "timeout": 0}, ["timeout"]),
        ({**ADD, "countdown": 5}, ["countdown"]),
        ({**ADD, "only_if": {"name": "os.system"}}, ["only_if"]),
        ({**ADD, "then": [{"task": "sample.nothing"}]}, ["then.0.task"]),
        ({**ADD, "then": [{**ADD, "priority": "high"}]}, ["then.0.priority"]),
        ({**ADD, "then": [ADD, {"task": "sample.add"}]}, ["then.1.a"]),
        ({**ADD, "only_if": {"name": "sample.open", "args": {}}}, ["only_if.args"]),
        ({**ADD, "only_if": {"name": "sample.open"}}, ["only_if.arguments.exchange"]),
        ({**ADD, "\ud800": 1}, ["?"]),
        ({**ADD, "args": {"\ud800": 1}}, ["a", "?"]),
        ({**ADD, "priority": "\ud800"}, ["priority"]),
        ({**ADD, "beside": [ADD]}, ["then"]),
        ({**ADD, "beside": [ADD], "then": [ADD, ADD]}, ["then"]),
        ({**ADD, "then": [ADD], "key": "once"}, ["key"]),
        ({"template": "unheard"}, ["template"]),
        ([], ["non_field_errors"]),
        (1, ["non_field_errors"]),
    ],
)
def test_a_wrong_submission_is_a_400_that_names_the_field(client, staff, body, fields):
    answer = submit(client, body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == fields
    assert not Job.objects.exists()


def test_a_chain_is_submitted_as_one(client, staff):
    told = submit(client, {**ADD, "then": [ADD, ADD]}).json()
    assert Job.objects.filter(pk__in=told["task_ids"]).count() == 3


def test_a_group_is_submitted_with_the_job_that_finishes_it(client, staff):
    told = submit(client, {**ADD, "beside": [ADD, ADD], "then": [{"task": "sample.add", "args": {"a": 9}}]}).json()
    *group, finishing = (Job.objects.get(pk=pk) for pk in told["task_ids"])
    assert (len(group), finishing.arguments, finishing.waits, finishing.runs_after) == (3, {"a": 9}, 3, "end")
    assert {job.then_id for job in group} == {finishing.pk}


def test_a_template_is_a_submission_with_a_name(client, staff):
    saved = {"name": "one and two", "submission": {"task": "sample.add", "args": {"a": 1, "b": 2}, "priority": "low"}}
    assert client.post("/api/tasks/templates", saved, content_type=JSON).status_code == 201
    assert client.post("/api/tasks/templates", saved, content_type=JSON).status_code == 409
    submit(client, {"template": "one and two", "args": {"b": 5}})
    job = Job.objects.get()
    assert (job.arguments, job.get_priority_display()) == ({"a": 1, "b": 5}, "low")


def test_a_template_is_kept_as_it_is_understood_and_its_owner_may_delete_it(client, person):
    said = {"task": " sample.open_to_all ", "then": [{"task": "sample.open_to_all"}], "not_before": "2099-01-01T00:00Z"}
    saved = {"name": "mine", "submission": said}
    assert client.post("/api/tasks/templates", saved, content_type=JSON).status_code == 201
    (told,) = client.get("/api/tasks/templates").json()["templates"]
    assert (told["submission"]["task"], told["submission"]["not_before"]) == (
        "sample.open_to_all",
        "2099-01-01T00:00:00Z",
    )
    assert submit(client, {"template": "mine"}).status_code == 202
    assert client.post("/api/tasks/templates", {**saved, "name": "a/b"}, content_type=JSON).status_code == 201
    assert client.delete("/api/tasks/templates/a%2Fb").status_code == 204
    assert client.delete("/api/tasks/templates/mine").status_code == 204
    assert client.delete("/api/tasks/templates/mine").status_code == 404


@pytest.mark.parametrize("name", ["/", "a/", "/a", "a/b/ "])
def test_a_name_whose_end_a_path_would_lose_is_refused(client, person, name):
    saved = {"name": name, "submission": {"task": "sample.open_to_all"}}
    answer = client.post("/api/tasks/templates", saved, content_type=JSON)
    assert (answer.status_code, answer.json()["errors"]) == (400, {"name": ["must not begin or end with a slash"]})


@pytest.mark.parametrize(
    ("name", "path"), [("a", "a"), ("a", "a/"), ("a/b", "a/b/"), ("old/", "old/"), ("old/", "old//")]
)
def test_a_template_is_deleted_with_and_without_the_closing_slash(client, person, name, path):
    JobTemplate.objects.create(name=name, owner=person, submission={"task": "sample.open_to_all"})
    assert client.delete(f"/api/tasks/templates/{path}").status_code == 204
    assert not JobTemplate.objects.exists()


def test_a_template_of_somebody_else_is_neither_seen_nor_used_nor_deleted(client, person):
    other = get_user_model().objects.create_user("other")
    JobTemplate.objects.create(name="theirs", owner=other, submission={"task": "sample.open_to_all"})
    assert client.get("/api/tasks/templates").json() == {"templates": []}
    assert submit(client, {"template": "theirs"}).status_code == 400
    assert client.delete("/api/tasks/templates/theirs").status_code == 404


@pytest.mark.parametrize("ask", [{"QUERY_STRING": "format=csv"}, {"HTTP_ACCEPT": "text/csv"}])
def test_a_write_whose_answer_cannot_be_had_as_asked_is_not_done(client, person, ask):
    JobTemplate.objects.create(name="mine", owner=person, submission={"task": "sample.open_to_all"})
    assert client.delete("/api/tasks/templates/mine", **ask).status_code in (400, 406)
    assert JobTemplate.objects.exists()


def test_one_person_may_have_only_so_many_tasks_waiting(client, person):
    one = {"task": "sample.open_to_all"}
    assert submit(client, {**one, "then": [one] * 49}).status_code == 202
    assert submit(client, {**one, "then": [one] * 49}).status_code == 202
    answer = submit(client, one)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "too_many_tasks", "30")
    first = Job.objects.filter(waits=0).first()
    jobs.cancel(first.pk)  # and with it the 49 behind it
    kept = submit(client, one, **{"Idempotency-Key": "kept"}).json()["task_id"]
    assert submit(client, {**one, "then": [one] * 48}).status_code == 202
    assert submit(client, one, **{"Idempotency-Key": "kept"}).json()["task_id"] == kept
    assert client.post(f"/api/tasks/task/{first.pk}/retry").status_code == 429


def test_a_task_for_the_past_is_one_for_now(client, staff):
    submit(client, {**ADD, "not_before": "2001-01-01T00:00:00Z"})
    assert timezone.now() - Job.objects.get().not_before < timedelta(seconds=10)


def test_templates_are_shown_to_those_who_may_submit_their_jobs(client, person):
    JobTemplate.objects.create(name="mine", submission={"task": "sample.open_to_all"})
    JobTemplate.objects.create(name="theirs", submission=ADD)
    JobTemplate.objects.create(name="old", submission={"task": "sample.gone"})
    told = client.get("/api/tasks/templates").json()["templates"]
    assert [each["name"] for each in told] == ["mine"]


@pytest.mark.parametrize(
    ("submission", "field"),
    [
        ({"task": "sample.add"}, "a"),
        ({**ADD, "then": [{"task": "sample.add"}]}, "then.0.a"),
        ({**ADD, "then": [{"task": "sample.nothing"}]}, "then.0.task"),
        ({**ADD, "only_if": {"name": "sample.open", "arguments": {"exchange": 1}}}, "only_if.arguments.exchange"),
        ({**ADD, "timeout": 10**9}, "submission.timeout"),
        ({**ADD, "key": "once"}, "submission.key"),
        ({**ADD, "prioritty": "high"}, "submission.prioritty"),
        ({**ADD, "\ud800": 1}, "submission.?"),
    ],
)
def test_a_template_that_could_not_be_submitted_is_refused_when_it_is_saved(client, staff, submission, field):
    answer = client.post("/api/tasks/templates", {"name": "t", "submission": submission}, content_type=JSON)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_a_waiting_task_is_cancelled_and_can_run_again(client, staff):
    path = f"/api/tasks/task/{submit(client, ADD).json()['task_id']}"
    assert client.post(f"{path}/cancel").json()["status"] == "cancelled"
    assert client.post(f"{path}/retry").json()["status"] == "pending"
    run_next()
    assert client.post(f"{path}/cancel").status_code == 409
    assert client.post(f"{path}/retry").status_code == 409


@pytest.mark.parametrize("task_id", ["1", NOBODYS, "x" * 500])
def test_an_unknown_task_is_a_404(client, staff, task_id):
    assert client.get(f"/api/tasks/task/{task_id}").json()["code"] == "unknown_task"


@pytest.mark.parametrize("path", ["status", "workers", "dashboard"])
def test_only_staff_sees_the_queue(client, person, path):
    assert client.get(f"/api/tasks/{path}").status_code == 403


@pytest.mark.parametrize("path", ["submit", "templates", "quick/daily-report", f"task/{NOBODYS}/cancel"])
def test_nobody_writes_without_a_login(client, path):
    assert client.post(f"/api/tasks/{path}", {}, content_type=JSON).status_code == 401


def test_only_staff_submits_what_is_not_for_everybody(client, person):
    assert submit(client, ADD).status_code == 403
    assert submit(client, {"task": "sample.open_to_all", "then": [ADD]}).status_code == 403


def test_people_see_and_cancel_their_own_tasks_only(client, person):
    own = submit(client, {"task": "sample.open_to_all"}).json()["task_id"]
    other = jobs.submit("sample.add", {"a": 1}).pk
    assert [row["task_id"] for row in client.get("/api/tasks/tasks").json()["results"]] == [own]
    assert client.get(f"/api/tasks/task/{own}").status_code == 200
    for path in (f"/api/tasks/task/{other}", f"/api/tasks/task/{other}/result"):
        assert client.get(path).status_code == 404
    assert client.post(f"/api/tasks/task/{other}/cancel").status_code == 404
    assert client.post(f"/api/tasks/task/{own}/cancel").status_code == 202


def test_a_public_task_that_nobody_owns_is_seen_by_whoever_knows_its_id(client):
    public = jobs.submit("sample.open_to_all").pk
    assert client.get(f"/api/tasks/task/{public}/result").status_code == 202


def test_the_parent_of_somebody_else_is_as_one_that_there_is_not(client, person):
    others = jobs.submit("sample.open_to_all", owner=get_user_model().objects.create_user("other"))
    mine = jobs.submit("sample.open_to_all", owner=person)
    for parent in (others.pk, NOBODYS):
        answer = client.get(f"/api/tasks/tasks?parent={parent}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_task")
    assert client.get(f"/api/tasks/tasks?parent={mine.pk}").json()["results"] == []


def test_tasks_are_found_by_state_name_and_symbol(client, staff):
    jobs.submit("sample.add", {"a": 1, "title": "AAPL"})
    jobs.submit("sample.add", {"a": 1, "title": "MSFT"})
    jobs.submit("sample.open_to_all")
    for words, count in [("symbol=aapl", 1), ("name=sample.add", 2), ("status=pending", 3), ("status=failed", 0)]:
        assert len(client.get(f"/api/tasks/tasks?{words}").json()["results"]) == count
    assert client.get("/api/tasks/tasks?status=lost").status_code == 400


def test_the_kinds_say_which_arguments_a_task_takes(client, staff):
    kinds = {each["name"]: each for each in client.get("/api/tasks/kinds").json()["kinds"]}
    first = {"name": "a", "kind": "a whole number", "required": True, "default": None}
    assert kinds["sample.add"]["arguments"][0] == first
    assert (kinds["sample.add"]["max_attempts"], kinds["sample.add"]["max_retries"]) == (4, 3)
    assert kinds["sample.open_to_all"]["quick"] == ["sample", "sample-week"]


def test_the_kinds_say_which_conditions_there_are(client, staff):
    told = {each["name"]: each for each in client.get("/api/tasks/kinds").json()["conditions"]}
    exchange = {"name": "exchange", "kind": "a string", "least_length": 1, "required": True, "default": None}
    assert told["sample.open"] == {"name": "sample.open", "about": "Open at all.", "arguments": [exchange]}


@pytest.mark.parametrize(
    ("said", "attempts"),
    [
        ({"max_retries": 0}, 1),
        ({"max_retries": 99}, 100),
        ({"max_retries": 5.0}, 6),
        ({"max_retries": 2, "max_attempts": 3}, 3),
    ],
)
def test_so_many_retries_are_one_attempt_more(client, staff, said, attempts):
    task = client.get(f"/api/tasks/task/{submit(client, {**ADD, **said}).json()['task_id']}").json()
    assert task["max_attempts"] == attempts


@pytest.mark.parametrize("retries", [-1, 100, "many", 1.5, 1e300, "5.0", "\u0665", " 5", "5_0", True])
def test_retries_that_cannot_be_are_refused_with_those_that_can(client, staff, retries):
    errors = submit(client, {**ADD, "max_retries": retries}).json()["errors"]
    assert errors == {"max_retries": ["It must be a whole number from 0 to 99."]}


def test_retries_and_attempts_that_disagree_are_refused(client, staff):
    answer = submit(client, {**ADD, "max_retries": 3, "max_attempts": 3})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["max_retries"])
    assert "4 attempts" in answer.json()["detail"]


def test_a_template_keeps_its_retries_as_attempts(client, staff):
    saved = {"name": "t", "submission": {**ADD, "max_retries": 5}}
    assert client.post("/api/tasks/templates", saved, content_type=JSON).status_code == 201
    submit(client, {"template": "t"})
    assert Job.objects.get().max_attempts == 6


def test_a_list_of_tasks_costs_the_same_however_long_it_is(client, staff, django_assert_num_queries):
    jobs.submit_many("sample.add", [{"a": n} for n in range(50)])
    with django_assert_num_queries(3):  # session, user, the page
        client.get("/api/tasks/tasks?limit=50")
