"""When a worker looks of itself: a retry is due, a database was away, a look was not enough; and not all the time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import dispatcher as dispatching
from monitoring.jobs.claiming.dispatcher import Dispatcher
from monitoring.jobs.claiming.holding import Holding
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until
from tests.monitoring.locks import read_only

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def holding() -> Holding:
    return Holding(2)


@pytest.fixture
def dispatcher(holding) -> Dispatcher:
    """It looks where the test lets it."""
    return Dispatcher(holding)


def test_it_looks_again_at_once_while_each_look_fills_its_threads(dispatcher, holding):
    jobs.submit_many("sample.add", [{"a": 1}] * 3)
    assert dispatcher._claim()
    assert len(holding.everything()) == 2
    for current in holding.everything():
        holding.over(current, 10.0)
    assert not dispatcher._claim()
    assert len(holding.everything()) == 3


def test_a_worker_without_a_free_thread_asks_nothing(dispatcher, holding, django_assert_num_queries):
    jobs.submit_many("sample.add", [{"a": 1}] * 3)
    dispatcher._claim()
    with django_assert_num_queries(0):
        assert not dispatcher._claim()


def test_a_database_that_does_not_answer_is_asked_again(dispatcher, holding, monkeypatch, caplog):
    monkeypatch.setattr(dispatching, "RETRY_SECONDS", 0.0)
    jobs.submit("sample.add", {"a": 1})
    with read_only():
        assert not dispatcher._claim()
    assert holding.room.is_set()
    assert "trying again" in caplog.text
    assert not dispatcher._claim()
    assert Job.objects.get().state == "running"


def test_retries_wake_it_when_they_are_due_the_earliest_first(clocks, dispatcher, holding):
    assert dispatcher._until_due() is None
    for seconds in (9, 5, 7):
        dispatcher.wake_at(timezone.now() + timedelta(seconds=seconds))
    assert holding.room.is_set()
    waits = []
    for _ in range(3):
        waits.append(dispatcher._until_due())
        assert not dispatcher._is_due()
        clocks.go(waits[-1])
        assert dispatcher._until_due() == 0.0
        assert dispatcher._is_due()
    assert waits == [5, 2, 2]
    assert dispatcher._until_due() is None


def test_a_worker_that_has_nothing_to_do_waits(start_inside):
    worker = start_inside(concurrency=1)
    jobs.wait(jobs.submit("sample.add", {"a": 1}).pk, 20)
    until(lambda: not worker._holding.room.is_set())
