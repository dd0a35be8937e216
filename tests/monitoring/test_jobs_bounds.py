"""How long, how often and how much at most: the numbers of the ledger that somebody outside it counts on."""

import asyncio
import threading
import uuid
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from monitoring import jobs, place
from monitoring.jobs import declaration, doorbell, worker
from monitoring.jobs.claiming import claims, dispatcher, pulse, waking
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.ending import reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.ending.finisher import Finisher, Unwritten
from monitoring.jobs.errors import Cancelled
from monitoring.jobs.running import body, context, isolated
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import overview, task
from monitoring.models import Job, Worker
from tests.monitoring.ledger import add, claim, complete
from tests.monitoring.locks import away

SUPERVISOR_SECONDS = 10.0  # so long Docker waits for what it stops, unless it is told otherwise
SHORT = {"name": "sample.add", "max_attempts": 1, "timeout_seconds": 60}


@pytest.mark.django_db
def test_who_waits_for_a_job_looks_for_its_end_every_few_hundredths_of_a_second(clocks, monkeypatch):
    asked, pauses = add(), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clocks.go(seconds)
        if len(pauses) == 3:
            complete(claim()[0])

    def monotonic() -> float:
        clocks.go(0.001)  # each look takes a moment: one that never pauses is over in time too
        return clocks.monotonic

    monkeypatch.setattr(jobs, "time", SimpleNamespace(sleep=sleep, monotonic=monotonic))
    assert jobs.wait(asked.pk, 1).state == "completed"
    assert sum(pauses) < 0.2
    with pytest.raises(TimeoutError, match="is pending after 0 s"):
        jobs.wait(add().pk, 0.0)
    assert len(pauses) == 3


@pytest.mark.django_db
def test_a_worker_that_stops_looks_whether_its_jobs_have_ended_every_few_hundredths_of_a_second(
    clocks, monkeypatch, settings
):
    settings.JOBS_DRAIN_SECONDS = 1.0
    for module in (pulse, worker):
        monkeypatch.setattr(module, "GOODBYE_SECONDS", 0.0)
    stopping, pauses, looks = worker.Worker(1), [], count()
    monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: next(looks) / 20))
    stopping._holding.add([add(timeout=60)])
    stopping._holding.next()
    stopping.stop()
    assert len(pauses) == 19
    assert all(0.02 <= pause <= 0.1 for pause in pauses)


class Rounds(threading.Event):
    """Nobody waits; how long they would have."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._count = count

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return len(self.waits) > self._count


@pytest.mark.django_db(transaction=True)
def test_workers_look_for_what_is_forgotten_every_one_and_a_half_seconds_and_not_all_at_once():
    made = reaper.Reaper(lambda: None)
    made._stopped = Rounds(40)
    made.run()
    waits = made._stopped.waits
    assert 1.2 <= min(waits) < 1.4 < 1.6 < max(waits) <= 1.8


@pytest.mark.django_db(transaction=True)
def test_a_pulse_beats_four_times_a_second():
    made = pulse.Pulse(Holding(1), abandon=lambda current: None)
    made._stopped = Rounds(1)
    made.run()
    assert set(made._stopped.waits) == {0.25}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_asked_for_work_once_a_second():
    made = dispatcher.Dispatcher(Holding(1))
    made._stopped = Rounds(1)
    add()
    with away():
        assert not made._claim()
    assert made._stopped.waits == [1.0]


def test_a_worker_that_is_awake_looks_six_times_between_two_jobs_and_says_so_before_its_word_is_over():
    assert round(waking.DENSE_SECONDS / waking.LOOK_SECONDS) == 6
    assert round(doorbell.AWAKE_SECONDS / waking.SAY_SECONDS) == 3


@pytest.mark.parametrize("tried", [1, 2, 3])
def test_what_fails_for_now_waits_for_two_seconds_at_most_and_then_twice_as_long_each_time(clocks, tried):
    job, error = Job(name="sample.add", attempt=tried, max_attempts=4), OperationalError(2006, "gone away")
    waits = [(body.failed(job, error).retry_at - clocks.wall).total_seconds() for _ in range(60)]
    assert 0.9 < max(waits) / 2**tried <= 1


def test_the_job_of_a_worker_that_died_elsewhere_begins_again_within_14_seconds():
    assert claims.LEASE.total_seconds() + 1.2 * reaper.EVERY_SECONDS <= 14


def test_a_cancel_reaches_what_runs_within_a_second_and_a_half():
    hears = pulse.LOOK_SECONDS + pulse.BEAT_SECONDS
    assert hears + max(isolated.LOOK_SECONDS, declaration.LOOK_SECONDS) <= 1.5


def test_a_worker_that_is_stopped_ends_before_it_is_killed():
    flushing = doorbell.flush.__defaults__[0]
    others = pulse.GOODBYE_SECONDS + worker.GOODBYE_SECONDS + flushing
    assert settings.JOBS_DRAIN_SECONDS + others <= SUPERVISOR_SECONDS


def test_an_async_body_that_goes_on_for_more_than_two_seconds_after_its_cancel_is_left():
    running, ended = Current(Job(timeout_seconds=60)), []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(2.5)
            ended.append("too late")

    running.stop("cancelled")
    with context.entered(running), pytest.raises(Cancelled):
        async_to_sync(declaration._until_stopped)(stubborn())
    assert not ended


def test_a_thousand_endings_wait_for_their_rows_and_of_more_the_one_with_the_least_time_is_given_up():
    holding = Holding(4)
    finisher = Finisher(holding, wake_at=lambda instant: None)
    holding.add(Job(id=uuid.uuid4(), name="sample.add", attempt=1, timeout_seconds=60) for _ in range(1_001))
    first, *others = holding.everything()
    for until, current in enumerate([*others, first], 1):
        each = Unwritten(0.0, current, Ending(current.job, "completed"), until=until if current is not first else 0)
        finisher._again(each, OperationalError(2006, "the server has gone away"))
        assert len(holding.everything()) == 1_001 - (until == 1_001)
    assert holding.everything() == others


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "is_brought_back"), [(119, False), (121, True)])
def test_a_retry_that_waits_for_more_than_two_hours_is_of_a_clock_that_was_ahead(minutes, is_brought_back):
    now = timezone.now()
    Job.objects.filter(pk=add().pk).update(state="retrying", not_before=now + timedelta(minutes=minutes))
    reaper.heal(now)
    assert (Job.objects.get().not_before == now) is is_brought_back


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "is_buried"), [(59, True), (61, False)])
def test_a_worker_of_this_machine_whose_process_is_gone_is_buried_for_an_hour(minutes, is_buried):
    now = timezone.now()
    facts = {"host": "h", "pid": 2**22 + 1, "place": place.here(), "birth": 1.0, "concurrency": 1}
    heard_at = now - timedelta(minutes=minutes)
    Worker.objects.create(id=uuid.uuid4(), started_at=heard_at, heartbeat_at=heard_at, **facts)
    reaper.bury(now)
    assert (Worker.objects.get().lost_at == now) is is_buried


@pytest.mark.django_db
def test_a_job_tells_of_a_hundred_that_it_asked_for_and_that_failed():
    parent = add()
    times = dict.fromkeys(["created_at", "not_before"], parent.created_at)
    of_it = {"parent": parent, "state": "failed", **times, **SHORT}
    Job.objects.bulk_create(Job(**of_it) for _ in range(101))
    Job.objects.filter(pk=parent.pk).update(state="completed", lane=None)
    assert len(task.Whole.tell(Job.objects.get(pk=parent.pk), timezone.now())["failed"]) == 100


@pytest.mark.django_db
def test_how_long_jobs_took_is_told_of_the_newest_five_thousand():
    now = timezone.now()
    times = dict.fromkeys(["created_at", "not_before", "started_at", "finished_at"], now)
    Job.objects.bulk_create(Job(state="completed", **times, **SHORT) for _ in range(5_001))
    assert len(overview.Queue(now).sample) == 5_000
