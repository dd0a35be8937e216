"""What happens while a schedule's condition is worked out: nobody waits for it, so the slot may be gone after it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django_celery_beat.models import PeriodicTask

from monitoring.jobs import condition, schedules
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.plans import planned, taken

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
happens: list[Callable[[], object]] = []

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@condition("sample.meanwhile")
def meanwhile() -> bool:
    """True, after what happens meanwhile has happened."""
    while happens:
        happens.pop()()
    return True


@pytest.fixture
def slow(transactional_db, no_other_schedules) -> PeriodicTask:
    return planned("0 * * * *", "UTC", only_if={"name": "sample.meanwhile"})


def test_a_slot_that_another_beat_takes_meanwhile_is_its_own_and_no_error(slow, caplog):
    found = []
    happens.append(lambda: found.append(schedules.run_due(NOON)))
    assert (schedules.run_due(NOON), found) == (0, [1])
    assert taken(slow) == [NOON]
    assert Job.objects.count() == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_the_database_refuses_for_another_reason_is_told_and_leaves_no_job(slow, caplog):
    happens.append(slow.delete)
    assert schedules.run_due(NOON) == 0
    assert not Job.objects.exists()
    assert "IntegrityError" in caplog.text
