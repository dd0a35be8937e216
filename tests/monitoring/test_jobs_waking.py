"""While short jobs come one after another a worker stays awake, and nobody rings: no job waits unseen for that."""

import threading
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.conf import settings
from django.db import connections
from redis import Redis

from monitoring import redis as redis_connection
from monitoring.jobs import doorbell
from monitoring.jobs.claiming import waking
from monitoring.jobs.claiming.dispatcher import Dispatcher
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.waking import DENSE_SECONDS, LOOK_SECONDS, SAY_SECONDS, Waking
from tests.monitoring.conftest import until
from tests.monitoring.ledger import add

SHORT, LONG = {"is_short": True, "has_room": True}, {"is_short": False, "has_room": True}
FULL = {"is_short": True, "has_room": False}


@pytest.fixture(autouse=True)
def asks_again(monkeypatch, redis) -> None:
    """With no ring under way that a test before this one gave."""
    assert doorbell.flush(20)
    redis.flushall()
    monkeypatch.setattr(doorbell, "_asked_again_at", 0.0)


@pytest.fixture
def awake(clocks) -> Waking:
    """A worker that found two short jobs, one right after the other."""
    made = Waking()
    assert made.looked(1, **SHORT) is None
    clocks.go(DENSE_SECONDS / 2)
    assert made.looked(1, **SHORT) == LOOK_SECONDS
    return made


@pytest.fixture
def away(monkeypatch) -> None:
    """The server that would say who is awake does not listen."""
    redis_connection.quick_client.cache_clear()
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere.sock")
    yield
    redis_connection.quick_client.cache_clear()


def rings() -> int:
    """How many messages wait at the broker."""
    assert doorbell.flush(20)
    queue = current_app.conf.broker_transport_options["global_keyprefix"] + current_app.conf.task_default_queue
    with current_app.connection_for_read() as broker:
        return len(broker.default_channel.client.lrange(queue, 0, -1))


def test_who_is_awake_says_so_and_nobody_rings_for_one_job(redis, awake):
    assert 0 < redis.pttl(doorbell.AWAKE) <= 300
    doorbell.ring()
    assert rings() == 0


def test_many_jobs_ring_also_at_one_who_is_awake_as_they_are_more_than_its_own(awake):
    doorbell.ring(3)
    assert rings() == 3


def test_the_word_holds_while_jobs_come(redis, awake, clocks):
    redis.delete(doorbell.AWAKE)
    clocks.go(SAY_SECONDS - 0.001)
    awake._found_at = clocks.monotonic
    assert awake.looked(1, **SHORT) == LOOK_SECONDS
    assert not redis.exists(doorbell.AWAKE)
    clocks.go(0.002)
    assert awake.looked(0, **SHORT) == LOOK_SECONDS
    assert redis.exists(doorbell.AWAKE)


def test_when_none_came_for_a_while_a_last_look_follows_the_word_that_it_sleeps(redis, awake, clocks):
    clocks.go(DENSE_SECONDS - 0.001)
    assert awake.looked(0, **SHORT) == LOOK_SECONDS
    clocks.go(0.002)
    assert awake.looked(0, **SHORT) == 0.0
    assert (redis.exists(doorbell.AWAKE), rings()) == (0, 0)
    assert awake.looked(0, **SHORT) is None


def test_who_has_no_more_room_rings_for_others(redis, awake):
    awake.looked(1, **FULL)
    assert (redis.exists(doorbell.AWAKE), rings()) == (0, 1)
    assert awake.looked(0, **FULL) is None
    assert rings() == 1


@pytest.mark.parametrize(("pause", "found", "facts"), [(DENSE_SECONDS + 0.001, 1, SHORT), (0, 0, SHORT), (0, 1, LONG)])
def test_sparse_and_long_jobs_and_rings_for_none_keep_nobody_awake(redis, clocks, pause, found, facts):
    made = Waking()
    made.looked(1, **facts)
    clocks.go(pause)
    assert made.looked(found, **facts) is None
    assert not redis.exists(doorbell.AWAKE)


def test_without_the_server_that_would_say_it_all_ring_and_it_is_not_asked_for_a_while(redis, clocks, away, caplog):
    for _ in range(3):
        doorbell._send([1])
    assert (rings(), caplog.text.count("can't be said")) == (3, 1)
    clocks.go(4.9)
    doorbell._send([1])
    assert caplog.text.count("can't be said") == 1
    clocks.go(0.2)
    doorbell._send([1])
    assert caplog.text.count("can't be said") == 2


def test_who_can_not_say_that_it_sleeps_looks_when_its_word_is_over(awake, away, clocks):
    clocks.go(DENSE_SECONDS + 0.001)
    assert awake.looked(0, **SHORT) == doorbell.AWAKE_SECONDS
    assert awake.looked(0, **SHORT) is None


def test_who_can_not_say_again_that_it_is_awake_looks_all_the_same_until_none_come(awake, away, clocks):
    clocks.go(SAY_SECONDS + 0.001)
    awake._found_at = clocks.monotonic
    assert awake.looked(1, **SHORT) == LOOK_SECONDS
    clocks.go(DENSE_SECONDS + 0.001)
    assert awake.looked(0, **SHORT) == doorbell.AWAKE_SECONDS


def test_who_can_not_say_that_it_is_awake_is_rung_for(away, clocks):
    made = Waking()
    assert [made.looked(1, **SHORT) for _ in range(3)] == [None] * 3


class Dispatched:
    """A dispatcher on a thread of its own, which no ring reaches, with a holding of two threads and short jobs."""

    def __init__(self) -> None:
        self.holding = Holding(2)
        self.dispatcher = Dispatcher(self.holding)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def do(self, *, wake: bool) -> None:
        """Ask for a job and, once it is claimed, end it."""
        add()
        if wake:
            self.dispatcher.wake()
        self.end_next()

    def end_next(self) -> None:
        until(self.holding.everything)
        current = self.holding.next()
        self.holding.over(current, 0.001)
        self.holding.forget(current)

    def stop(self) -> None:
        self.dispatcher.stop()
        self._thread.join()

    def _run(self) -> None:
        self.dispatcher.run()
        connections.close_all()


@pytest.fixture
def dispatched(transactional_db) -> Iterator[Dispatched]:
    made = Dispatched()
    yield made
    made.stop()


@pytest.fixture
def dense(monkeypatch) -> None:
    """However slow the machine, jobs come one right after another."""
    monkeypatch.setattr(waking, "DENSE_SECONDS", 60.0)


def test_a_worker_that_is_awake_takes_a_job_for_which_nobody_rang(dense, dispatched, redis):
    for _ in range(3):
        dispatched.do(wake=True)
    assert redis.exists(doorbell.AWAKE)
    for _ in range(3):
        dispatched.do(wake=False)


def test_a_worker_that_stops_lets_others_ring_and_rings_for_what_came_meanwhile(dense, dispatched, redis):
    for _ in range(3):
        dispatched.do(wake=True)
    before = rings()
    dispatched.stop()
    assert (redis.exists(doorbell.AWAKE), rings()) == (0, before + 1)


class Server(Redis):
    """Something happens right before a key is deleted."""

    before_delete: Callable[[], object]

    def delete(self, *keys):
        self.before_delete()
        return super().delete(*keys)


def test_a_job_that_came_after_the_last_look_and_before_the_word_is_taken_back_is_seen(dispatched, monkeypatch, redis):
    server = Server.from_url(settings.REDIS_URL)
    server.before_delete = add
    monkeypatch.setattr(redis_connection, "quick_client", lambda: server)
    monkeypatch.setattr(waking, "DENSE_SECONDS", 60.0)
    for _ in range(3):
        dispatched.do(wake=True)
    monkeypatch.setattr(waking, "DENSE_SECONDS", 0.0)
    dispatched.end_next()
    server.before_delete = lambda: None
