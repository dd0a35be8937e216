"""When a worker looks for work: where somebody rang, and where more may wait than it had room for."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections

from monitoring import jobs
from monitoring.jobs.claiming.dispatcher import Dispatcher
from monitoring.jobs.claiming.holding import Holding
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

pytestmark = pytest.mark.django_db(transaction=True)
LONG_SECONDS = 10.0  # of which none is claimed ahead


@pytest.fixture
def holding(db) -> Iterator[Holding]:
    """A worker of one thread, which nobody rings and no reaper wakes."""
    made = Holding(1)
    dispatcher = Dispatcher(made)

    def dispatch() -> None:
        dispatcher.run()
        connections.close_all()

    thread = threading.Thread(target=dispatch)
    jobs.submit_many("sample.add", [{"a": number} for number in range(3)])
    thread.start()
    dispatcher.wake()
    yield made
    dispatcher.stop()
    thread.join()


def test_a_freed_thread_takes_what_waits_without_a_ring(holding):
    for claimed in range(1, 4):
        until(lambda claimed=claimed: len(holding.everything()) == claimed)
        holding.over(holding.next(), LONG_SECONDS)
    assert jobs.Job.objects.running().count() == 3
