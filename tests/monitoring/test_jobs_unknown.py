"""Jobs that a worker does not know, as in the middle of a deploy: it leaves them for one that does."""

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import JSONField, Value
from django.utils import timezone

from finstage import diagnosis
from monitoring import jobs
from monitoring.jobs import declaration
from monitoring.jobs.claiming import claims
from monitoring.jobs.declaration import Declaration, Rules
from monitoring.jobs.ending.reaper import Reaper
from monitoring.models import Job
from tests.monitoring import sample_jobs
from tests.monitoring.conftest import until

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def claim(limit: int = 1) -> list[Job]:
    return claims.claim(uuid.uuid4(), limit, timezone.now())


@pytest.fixture
def of_a_newer_version() -> list[Job]:
    """Three jobs of high priority whose name no worker here knows."""
    asked = jobs.submit_many("sample.add", [{"a": number} for number in range(3)], priority="high")
    Job.objects.update(name="sample.newer")
    return asked


@pytest.fixture
def deploy(monkeypatch):
    """deploy(): from here on this worker knows them."""
    return lambda: monkeypatch.setitem(declaration._declared, "sample.newer", sample_jobs.add)


def test_a_job_that_a_worker_does_not_know_waits_on_with_all_its_attempts_and_says_why(of_a_newer_version):
    assert claim() == []
    left = Job.objects.first()
    assert (left.state, left.attempt, left.error_code) == ("pending", 0, "unknown_job")


def test_those_that_nobody_here_knows_keep_nobody_behind_them(of_a_newer_version):
    known = jobs.submit("sample.add", {"a": 1}, priority="low")
    assert claim(3) == [known]


def test_more_unknown_ones_than_are_looked_through_at_once_keep_nobody_behind_them():
    jobs.submit_many("sample.add", [{"a": 1}] * (claims.LOOKED_THROUGH + 1))
    Job.objects.update(name="sample.newer")
    known = jobs.submit("sample.add", {"a": 1})
    assert claim() == [known]


def test_who_leaves_some_takes_no_more_than_there_is_room_for():
    first, unknown, second, *_ = jobs.submit_many("sample.add", [{"a": number} for number in range(6)])
    Job.objects.filter(pk=unknown.pk).update(name="sample.newer")
    assert claim(2) == [first, second]


def test_what_was_claimed_is_held_when_the_connection_breaks_behind_it():
    known, unknown = jobs.submit_many("sample.add", [{"a": number} for number in range(2)])
    Job.objects.filter(pk=unknown.pk).update(name="sample.newer")
    is_claimed = []

    def away_behind_the_claim(execute, sql, *rest):
        if is_claimed and sql.startswith("SELECT"):
            raise OperationalError(2013, "Lost connection to server during query")
        is_claimed.extend([sql] * sql.startswith("UPDATE"))
        return execute(sql, *rest)

    with connection.execute_wrapper(away_behind_the_claim):
        assert claim(2) == [known]
    assert Job.objects.get(pk=known.pk).state == "running"


def test_a_connection_that_breaks_behind_no_claim_is_for_the_worker_to_mend(of_a_newer_version):
    def away_before_they_are_left(execute, sql, *rest):
        if sql.startswith("SELECT") and "condition" in sql:
            raise OperationalError(2013, "Lost connection to server during query")
        return execute(sql, *rest)

    with connection.execute_wrapper(away_before_they_are_left), pytest.raises(OperationalError):
        claim(2)


def test_a_worker_that_knows_them_takes_them_up_before_what_came_after_them(of_a_newer_version, deploy):
    claim(10)
    after = jobs.submit("sample.add", {"a": 1}, priority="high")
    deploy()
    Reaper(lambda: None).round(timezone.now())
    taken = claim(10)
    assert taken == [*of_a_newer_version, after]
    assert {(job.attempt, job.error_code) for job in taken} == {(1, "")}


def test_those_that_stay_unknown_hide_none_behind_them_and_a_round_looks_through_a_few(monkeypatch, deploy):
    monkeypatch.setattr(claims, "TAKEN_UP", 4)
    best, last = (jobs.submit("sample.add", {"a": 1}, priority=rank) for rank in ("high", "low"))
    Job.objects.update(name="sample.newer")
    unknown = jobs.submit_many("sample.add", [{"a": number} for number in range(10)])
    Job.objects.filter(pk__in=[job.pk for job in unknown]).update(arguments={"newer": True})
    claim(20)
    deploy()
    rounds = claims.Round()
    assert [claims.take_up(rounds) for _ in range(4)] == [1, 0, 1, 0]
    assert {job.pk for job in claim(20)} == {best.pk, last.pk}


def test_a_job_under_a_condition_that_a_worker_does_not_know_is_left_too(monkeypatch):
    asked = jobs.submit("sample.add", {"a": 1}, only_if={"name": "sample.open", "arguments": {"exchange": "XOPEN"}})
    asked_by = declaration._conditions.pop("sample.open")
    try:
        assert claim() == []
        assert claims.take_up() == 0
    finally:
        declaration._conditions["sample.open"] = asked_by
    claims.take_up()
    assert claim() == [asked]


def test_a_job_whose_arguments_only_a_newer_version_understands_is_left_too(monkeypatch):
    asked = jobs.submit("sample.add", {"a": 1})
    Job.objects.update(arguments={"a": 1, "newer": True})
    assert claim() == []
    assert claims.take_up() == 0
    left = Job.objects.get()
    assert (left.state, left.attempt, left.error_code) == ("pending", 0, "unknown_job")
    monkeypatch.setitem(declaration._declared, "sample.add", Declaration("sample.add", _newer_add, Rules(), ""))
    assert claims.take_up() == 1
    assert claim() == [asked]


def test_a_job_whose_condition_is_asked_as_only_a_newer_version_understands_is_left_too():
    jobs.submit("sample.add", {"a": 1}, only_if={"name": "sample.open", "arguments": {"exchange": "XOPEN"}})
    Job.objects.update(condition={"name": "sample.open", "arguments": {"exchange": "XOPEN", "newer": True}})
    assert claim() == []
    assert claims.take_up() == 0


@pytest.mark.parametrize("condition", [{"name": "sample.open"}, {"all": []}, {}, ["x"], [], "x", {"name": ["a"]}, 1, 0])
def test_a_job_whose_condition_nobody_can_read_is_left_and_told_and_keeps_nobody_behind_it(condition, caplog):
    unreadable, known = jobs.submit("sample.add", {"a": 1}), jobs.submit("sample.add", {"a": 2})
    Job.objects.filter(pk=unreadable.pk).update(condition=condition)
    assert claim(2) == [known]
    assert Job.objects.get(pk=unreadable.pk).error_code == "unknown_job"
    Reaper(lambda: None).round(timezone.now() + timedelta(minutes=2))
    assert "no worker that looked knows the condition of some sample.add" in caplog.text


@pytest.mark.parametrize("condition", [{"name": ["a"], "arguments": {}}, {"name": "sample.open", "arguments": ["x"]}])
def test_a_condition_with_a_name_or_arguments_that_are_none_is_left_too(condition):
    jobs.submit("sample.add", {"a": 1})
    Job.objects.update(condition=condition)
    assert claim() == []
    assert claims.take_up() == 0


@pytest.mark.parametrize("arguments", [None, [], ["a"], "a", 1])
def test_a_job_whose_arguments_nobody_can_read_is_left_too(arguments):
    jobs.submit("sample.add", {"a": 1})
    Job.objects.update(arguments=Value(arguments, JSONField()))
    assert claim() == []
    assert claims.take_up() == 0


def test_that_nobody_knows_a_job_is_told_once_while_it_lasts_and_shown_on_the_dashboard(
    of_a_newer_version, admin_client, caplog
):
    claim()
    reaper, later = Reaper(lambda: None), timezone.now() + timedelta(minutes=2)
    reaper.round(timezone.now() + timedelta(seconds=30))
    assert "no worker that looked knows" not in caplog.text
    for _ in range(2):
        reaper.round(later)
    assert caplog.text.count("no worker that looked knows sample.newer") == 1
    assert admin_client.get("/api/tasks/dashboard").json()["unknown"] == {"sample.newer": 3}


@pytest.mark.parametrize(
    ("newer", "what"),
    [
        ({"name": "sample.newer"}, "sample.newer"),
        ({"arguments": {"newer": 1}}, "the arguments of some sample.add"),
        ({"condition": {"name": "sample.newer", "arguments": {}}}, "the condition of some sample.add"),
    ],
)
def test_who_is_told_of_an_unknown_job_is_told_what_of_it_is_unknown(admin_client, caplog, newer, what):
    asked = jobs.submit("sample.add", {"a": 1})
    Job.objects.update(**newer)
    assert diagnosis.unknown_jobs() == "none wait"
    claim()
    assert f"left for workers that know {what}" in caplog.text
    assert f"knows {what};" in admin_client.get(f"/api/tasks/task/{asked.pk}").json()["error"]["message"]
    Reaper(lambda: None).round(timezone.now() + timedelta(minutes=2))
    assert f"no worker that looked knows {what}:" in caplog.text
    assert diagnosis.unknown_jobs() == "none wait"
    Job.objects.update(not_before=timezone.now() - timedelta(minutes=2))
    with pytest.raises(diagnosis.Broken, match=f"no worker that looked knows {what}$"):
        diagnosis.unknown_jobs()


def test_a_job_of_a_priority_that_only_a_newer_version_knows_is_left_for_it_and_told_as_what_it_is(
    admin_client, caplog
):
    newer, _ = jobs.submit_many("sample.add", [{"a": 1}, {"a": 2}])
    Job.objects.filter(pk=newer.pk).update(priority=3, lane=3)
    assert len(claim(10)) == 1
    assert claims.take_up() == 0
    listed = admin_client.get("/api/tasks/tasks").json()["results"]
    assert {each["priority"] for each in listed} == {"normal", "3"}
    assert admin_client.get("/api/tasks/dashboard").json()["unknown"] == {"sample.add": 1}
    Reaper(lambda: None).round(timezone.now() + timedelta(minutes=2))
    assert "no worker that looked knows the priority of some sample.add" in caplog.text
    assert jobs.cancel(newer.pk) == "cancelled"


def test_a_left_job_can_be_cancelled(of_a_newer_version):
    claim()
    assert jobs.cancel(of_a_newer_version[0].pk) == "cancelled"
    assert claims.take_up() == 0


def _newer_add(a: int, newer: bool = False) -> int:
    return a + newer


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_turns_burns_no_attempt_of_a_job_that_it_does_not_know(start_inside):
    start_inside()
    newer = jobs.submit("sample.add", {"a": 1}, not_before=timezone.now() + timedelta(seconds=1))
    Job.objects.update(name="sample.newer")
    until(lambda: Job.objects.get(pk=newer.pk).error_code == "unknown_job")
    assert jobs.wait(jobs.submit("sample.add", {"a": 2}).pk, 60).state == "completed"
    assert Job.objects.get(pk=newer.pk).attempt == 0
