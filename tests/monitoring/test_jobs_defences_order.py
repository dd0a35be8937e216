"""Who is next, however long it waited and however it came to wait; and that who waits is seen though nobody rings."""

import uuid
from datetime import datetime, timedelta
from itertools import product

import pytest
from celery import current_app
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import doorbell
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.ending.reaper import Reaper
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
LANES = ("high", "normal", "low")


def claim(now: datetime, limit: int = 1) -> list[Job]:
    return claims.claim(uuid.uuid4(), limit, now)


def waiting_for(seconds: float, priority: str = "normal") -> Job:
    asked = jobs.submit("sample.add", {"a": 1}, priority=priority)
    Job.objects.filter(pk=asked.pk).update(not_before=timezone.now() - timedelta(seconds=seconds))
    return asked


def test_priority_counts_before_age_and_age_before_the_order_of_rows():
    asked = {(lane, age): waiting_for(age, lane) for age, lane in product((20, 40, 10, 30), ("normal", "low", "high"))}
    now = timezone.now()
    order = [claim(now)[0] for _ in asked]
    assert order == [asked[lane, age] for lane in LANES for age in (40, 30, 20, 10)]


def test_one_claim_of_many_takes_the_same_ones_as_many_claims_of_one():
    asked = {(lane, age): waiting_for(age, lane) for age, lane in product((20, 40, 30), ("low", "high"))}
    taken = claim(timezone.now(), 4)
    assert set(taken) == {asked["high", 40], asked["high", 30], asked["high", 20], asked["low", 40]}


def test_a_job_that_is_tried_again_waits_behind_those_that_waited_when_it_came_back():
    failing, other = waiting_for(20), waiting_for(10)
    now = timezone.now()
    endings.write([Ending(claim(now)[0], Job.State.RETRYING, error_code="hiccup", retry_at=now)])
    assert claim(now, 2) == [other, failing]


def test_a_job_of_high_priority_that_came_last_is_before_one_of_low_priority_that_waits_for_a_day():
    waiting_for(86_400, "low")
    last = waiting_for(0, "high")
    assert claim(timezone.now()) == [last]


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def reaper(woken) -> Reaper:
    return Reaper(lambda: woken.append("woken"))


def test_a_reaper_wakes_its_worker_where_jobs_wait_unheard(reaper, woken):
    waiting_for(1)
    reaper.round(timezone.now())
    assert woken


def test_a_reaper_wakes_nobody_where_nothing_may_be_claimed(reaper, woken):
    jobs.submit("sample.add", {"a": 1}, not_before=timezone.now() + timedelta(hours=1))
    reaper.round(timezone.now())
    assert not woken


@pytest.fixture
def lost_rings():
    """This process rings at a broker that nobody listens to."""
    app, url = current_app, current_app.conf.broker_url
    app.conf.broker_url = app.conf.broker_write_url = url.replace("virtual_host=1", "virtual_host=2")
    assert app.conf.broker_url != url
    app._after_fork()  # forgets its connections
    yield
    app.conf.broker_url = app.conf.broker_write_url = url
    app._after_fork()


@pytest.mark.django_db(transaction=True)
def test_jobs_whose_rings_are_all_lost_are_run_by_a_worker_that_looks(worker, lost_rings):
    jobs.wait(jobs.submit("sample.add", {"a": 1}).pk, 60)  # from here on its first look is over
    for round_number in range(3):
        asked = jobs.submit_many("sample.add", [{"a": number} for number in range(5)])
        assert doorbell.flush(10), f"the rings of round {round_number} did not go out"
        for job in asked:
            assert jobs.wait(job.pk, 60).state == "completed"
