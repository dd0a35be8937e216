"""In which order one worker takes jobs, and what it takes ahead."""

import pytest

from monitoring import jobs
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

pytestmark = pytest.mark.db


def test_a_job_of_high_priority_overtakes_those_whose_rings_came_before(start_inside, tmp_path):
    order = tmp_path / "order"
    for word in ["low"] * 10 + ["normal"] * 2 + ["high"]:
        jobs.submit("sample.log", {"path": str(order), "word": word}, priority=word)
    start_inside(concurrency=1)
    until(lambda: order.exists() and len(order.read_text().split()) == 13)
    assert order.read_text().split()[:3] == ["high", "normal", "normal"]


def test_short_jobs_that_were_claimed_ahead_are_given_back_behind_a_long_one(start_inside):
    start_inside(concurrency=1)
    jobs.submit_many("sample.add", [{"a": 1}] * 50)
    until(lambda: not Job.objects.exclude(state="completed").exists())
    jobs.submit("sample.deaf", {"seconds": 3}, priority="high")
    waiting = jobs.submit_many("sample.add", [{"a": 1}] * 5)
    until(lambda: Job.objects.filter(pk__in=[job.pk for job in waiting], state="running").exists(), 2)
    until(lambda: not Job.objects.filter(pk__in=[job.pk for job in waiting], state="running").exists(), 2)
    until(lambda: not Job.objects.exclude(state="completed").exists())
