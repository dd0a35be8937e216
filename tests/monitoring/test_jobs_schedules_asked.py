"""What a schedule asks for: its job, its condition, its options; one that asks for nonsense stops no other."""

import pytest
from django_celery_beat.models import PeriodicTask

from monitoring.jobs import condition, schedules
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.plans import NOON, planned, taken


@condition("sample.is_it")
def is_it(so: bool) -> bool:
    return so


@condition("sample.broken")
def is_broken() -> bool:
    raise RuntimeError("the exchange's calendar is gone")


@condition("sample.talkative")
def is_talkative() -> bool:
    raise RuntimeError("gone " * 100)


@pytest.mark.django_db
def test_why_a_slot_is_refused_is_told_in_as_much_as_its_row_holds():
    schedule = planned("0 * * * *", "UTC", only_if={"name": "sample.talkative", "arguments": {}})
    schedules.run_due(NOON)
    slot = schedule.slots.first()
    assert slot.reason.startswith("RuntimeError: gone gone")
    assert len(slot.reason) == slot._meta.get_field("reason").max_length


@pytest.mark.django_db
def test_a_schedule_asks_its_condition():
    no = planned("0 * * * *", "UTC", only_if={"name": "sample.is_it", "arguments": {"so": False}})
    yes = planned("0 12 * * *", "UTC", only_if={"name": "sample.is_it", "arguments": {"so": True}})
    schedules.run_due(NOON)
    assert (no.slots.first().outcome, yes.slots.first().outcome) == ("refused", "submitted")


@pytest.mark.django_db
def test_a_schedule_may_say_a_priority_and_a_time_limit():
    planned("0 * * * *", "UTC", priority="high", timeout=7)
    schedules.run_due(NOON)
    job = Job.objects.get(name="sample.add")
    assert (job.priority, job.timeout_seconds) == (0, 7)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timout": 5}, "The schedule asks for timout; there are arguments"),
        ({"arguments": {}}, "sample.add: a is required"),
    ],
)
def test_a_schedule_that_asks_for_what_there_is_not_says_so(more, said):
    schedule = planned("0 * * * *", "UTC", **more)
    schedules.run_due(NOON)
    assert schedule.slots.first().reason.startswith(said)


BROKEN = {
    "no object": '["x"]',
    "no JSON": "{job",
    "no name": '{"job": ["a"]}',
    "an unhashable condition": '{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": ["a"]}}',
    "a condition that raises": '{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": "sample.broken"}}',
}


@pytest.mark.django_db
@pytest.mark.parametrize("kwargs", BROKEN.values(), ids=BROKEN)
def test_a_schedule_that_cannot_be_read_is_refused_and_stops_no_other(kwargs, caplog):
    broken = planned("0 * * * *", "Europe/Paris")
    PeriodicTask.objects.filter(pk=broken.pk).update(kwargs=kwargs)
    good = planned("0 * * * *", "UTC")
    schedules.run_due(NOON)
    assert broken.slots.first().outcome == "refused"
    assert taken(good) == [NOON]
    assert any(record.exc_info for record in caplog.records)


def test_a_schedule_whose_times_make_no_sense_stops_no_other(no_other_schedules, caplog):
    planned("99 * * * *", "UTC")
    good = planned("0 * * * *", "UTC")
    assert schedules.run_due(NOON) == 1
    assert taken(good) == [NOON]
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.django_db
def test_a_schedule_of_an_unknown_job_is_refused_and_stops_no_other(hourly):
    broken = planned("0 * * * *", "Europe/Paris", job="sample.gone")
    schedules.run_due(NOON)
    assert broken.slots.first().outcome == "refused"
    assert taken(hourly) == [NOON]
