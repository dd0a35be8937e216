"""The feed when Redis or the database is away, when it is told to stop, and when there are two of it."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from market.models import Bar, DataSource
from market.sources import Tick
from market.sources.replay.source import Replay
from monitoring import heartbeats, redis
from realtime.feed import Feed, Stopped, run
from realtime.lease import Lease, LeaseLost
from tests import forks, valkey
from tests import recorded as recording
from tests.conftest import shared_database
from tests.forks import Forked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
SESSION = date(2012, 9, 4)
PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def recorded(db) -> None:
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))
    Replay().prepare()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def feed(stop) -> Feed:
    lease = Lease("feed", 60)
    lease.take()
    return Feed(Replay(), stop, lease)


def close_of_apple() -> Tick:
    return Tick([recording.quote("AAPL", SESSION, 3, datetime.now(UTC))])


def kept(stream: str) -> int:
    return redis.client().xlen(redis.key("stream", "history", stream))


@contextmanager
def after(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    timer = threading.Timer(seconds, action)
    timer.start()
    yield
    timer.join()


@contextmanager
def no_redis() -> Iterator[Callable[[], object]]:
    """Nobody answers at the server's address until the block calls what it gets, or ends."""
    socket = Path(urlsplit(settings.REDIS_URL).path)
    away = socket.rename(socket.with_suffix(".away"))
    redis.client().connection_pool.disconnect()
    try:
        yield lambda: away.rename(socket)
    finally:
        with suppress(FileNotFoundError):
            away.rename(socket)


@contextmanager
def broken_database() -> Iterator[None]:
    """MariaDB has ended our connection; SQLite belongs to another writer for a while."""
    if connection.vendor == "mysql":
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("KILL CONNECTION_ID()")
        yield
        return
    connection.cursor().execute("PRAGMA busy_timeout=0")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with after(0.5, other.close):
        yield


def test_a_batch_waits_until_redis_is_back(feed, caplog):
    with no_redis() as come_back, after(0.5, come_back):
        feed.take(close_of_apple())
    assert (kept("prices:AAPL"), kept("bars:AAPL"), kept("indicators:AAPL")) == (1, 1, 1)
    assert "Trying again" in caplog.text


def test_the_next_session_begins_once_the_database_is_back(feed, caplog, settings):
    settings.REPLAY_SESSION_SECONDS = 0
    source = Replay()
    events = source.batches(threading.Event())
    first = [next(events) for _ in range(1 + 20)]
    with broken_database():
        tick = next(events)
    assert (first[-1].quotes[0].session_date, tick.quotes[0].session_date) == (SESSION, date(2012, 9, 5))
    assert DataSource.objects.get().session == date(2012, 9, 5)
    # Who comes first to it says so: the step that writes where it plays, or the look at what is wanted of it.
    assert "waits for the database" in caplog.text or "can't be read" in caplog.text


def test_a_batch_waits_until_the_database_is_back(stop, caplog):
    Bar.objects.all().delete()
    DataSource.objects.update(session=None)
    lease = Lease("feed", 60)
    lease.take()
    feed = Feed(recording.live(SESSION), stop, lease)
    with broken_database():
        feed.take(close_of_apple())
    assert (kept("prices:AAPL"), kept("bars:AAPL")) == (1, 1)
    assert Bar.objects.filter(symbol__ticker="AAPL", opened_at__date=SESSION, is_final=True).count() == 1
    assert "Trying again" in caplog.text


@pytest.mark.parametrize("refuses", [valkey.cannot_save, valkey.is_full, valkey.is_read_only, valkey.runs_a_script])
def test_a_batch_waits_until_redis_takes_it(stop, tmp_path, settings, caplog, refuses):
    """It answers all the while, and what it says is no fault of a quote."""
    with valkey.standing_on(tmp_path, settings) as server:
        lease = Lease("feed", 60)
        lease.take()
        feed = Feed(Replay(), stop, lease)
        with refuses(server) as come_back, after(0.5, come_back):
            feed.take(close_of_apple())
        assert (kept("prices:AAPL"), kept("bars:AAPL"), kept("indicators:AAPL")) == (1, 1, 1)
    assert "Trying again" in caplog.text
    assert "one by one" not in caplog.text


def test_a_feed_that_waits_for_redis_can_be_stopped(feed, stop):
    with no_redis(), after(0.3, stop.set), pytest.raises(Stopped):
        feed.take(close_of_apple())


def test_a_feed_that_never_reached_redis_can_be_stopped(stop):
    with no_redis(), after(0.3, stop.set):
        run(Replay(), stop)
    assert heartbeat() == {}


def test_a_feed_that_slept_through_its_lease_publishes_no_more(stop):
    lease = Lease("feed", 0.05)
    lease.take()
    time.sleep(0.1)
    Lease("feed", 60).take()
    with pytest.raises(LeaseLost):
        Feed(Replay(), stop, lease).take(close_of_apple())
    assert kept("prices:AAPL") == 0


@contextmanager
def playing(log: Path) -> Iterator[Forked]:
    """A `manage.py feed` of its own on the tests' database and Valkey."""
    fast = {"FINSTAGE_REPLAY_SESSION_SECONDS": "2"}
    process = forks.start(["manage.py", "feed"], {**os.environ, **shared_database(), **fast}, log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(fact: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def heartbeat() -> dict:
    return heartbeats.last("feed") or {}


def test_a_running_feed_says_so_and_ends_when_it_is_told(tmp_path):
    with playing(tmp_path / "log") as process:
        wait_until(lambda: heartbeat().get("last_message_at"), "a heartbeat that tells of a message")
        beat = heartbeat()
        assert (beat["pid"], beat["source"]) == (process.pid, "replay")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert heartbeat() == {}
    assert kept("prices:AAPL") > 0


def test_a_second_feed_stands_by_and_takes_over_from_one_that_was_killed(tmp_path):
    log = tmp_path / "second"
    with playing(tmp_path / "first") as first:
        wait_until(lambda: heartbeat().get("pid") == first.pid, "the first feed's heartbeat")
        with playing(log) as second:
            wait_until(lambda: "stands by" in log.read_text(), "the second feed stands by")
            assert heartbeat()["pid"] == first.pid
            first.kill()
            wait_until(lambda: heartbeat().get("pid") == second.pid, "the second feed's heartbeat")
            before = kept("prices:AAPL")
            wait_until(lambda: kept("prices:AAPL") > before, "a price from the second feed")
