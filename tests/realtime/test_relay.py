"""Changes of jobs on their way from `monitoring` to the stream of those who operate the system."""

import time

import orjson
import pytest

from monitoring import redis
from monitoring.jobs.telling import changes
from monitoring.loops import Loop
from realtime import relay
from realtime.lease import Lease
from realtime.relay import Relay

LOOP = Loop("relay", away=relay.AWAY)


@pytest.fixture
def lease() -> Lease:
    held = Lease("feed", 60)
    held.take()
    return held


def tell(*told: dict) -> None:
    redis.client().rpush(changes.LIST.key, *map(orjson.dumps, told))


def published() -> list[dict]:
    return [orjson.loads(entry[b"b"]) for _, entry in redis.client().xrange(redis.key("stream", "history:jobs"))]


def test_changes_are_published_with_the_newest_facts_of_each_job(lease):
    tell({"task_id": "a", "status": "pending", "name": "x"}, {"task_id": "b", "status": "pending"})
    tell({"task_id": "a", "status": "running"})
    relay.pass_on(LOOP, lease)
    assert published()[0]["jobs"] == [
        {"task_id": "b", "status": "pending"},
        {"task_id": "a", "status": "running", "name": "x"},
    ]


def test_what_is_published_leaves_the_list(lease):
    tell({"task_id": "a"})
    assert [relay.pass_on(LOOP, lease), relay.pass_on(LOOP, lease)] == [1, 0]
    assert len(published()) == 1


def test_an_overflowing_list_is_told_as_not_whole(monkeypatch, lease):
    monkeypatch.setattr(changes, "LIMIT", 2)
    tell({"task_id": "a"}, {"task_id": "b"})
    relay.pass_on(LOOP, lease)
    assert published()[0]["is_whole"] is False


def test_changes_that_were_lost_on_the_way_are_told_as_not_whole_and_skip_nothing(lease):
    tell({"task_id": "a"}, {"lost": 2})
    before = LOOP.skipped
    assert [relay.pass_on(LOOP, lease), relay.pass_on(LOOP, lease)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"], LOOP.skipped) == ([{"task_id": "a"}], False, before)


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"status": "running"}', b'{"task_id": []}', b"\xff", b""])
def test_what_is_no_change_is_left_out_and_holds_nothing_up(bad, lease):
    tell({"task_id": "a", "status": "running"})
    redis.client().lpush(changes.LIST.key, bad)
    assert [relay.pass_on(LOOP, lease), relay.pass_on(LOOP, lease)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"]) == ([{"task_id": "a", "status": "running"}], False)


def test_what_can_be_read_and_not_told_holds_nothing_up(lease):
    deep = b'{"task_id": "d", "n": ' + b"[" * 900 + b"]" * 900 + b"}"
    redis.client().rpush(changes.LIST.key, deep)
    tell({"task_id": "a"})
    assert [relay.pass_on(LOOP, lease), relay.pass_on(LOOP, lease)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"]) == ([{"task_id": "a"}], False)


def test_the_thread_outlives_what_is_no_change(lease):
    with Relay(lease):
        redis.client().rpush(changes.LIST.key, b"no change")
        tell({"task_id": "a"})
        until(published)


def test_who_lost_the_lease_takes_nothing_off_the_list(lease):
    """Another one's relay tells it, and ours does not end by it."""
    tell({"task_id": "a"})
    lease.release()
    other = Lease("feed", 60)
    other.take()
    with Relay(lease):
        time.sleep(3 * relay.PAUSE_SECONDS)
    assert published() == []
    assert relay.pass_on(LOOP, other) == 1
    assert published()[0]["jobs"] == [{"task_id": "a"}]


@pytest.fixture
def closed_stream(lease):
    """What the stream of jobs keeps takes no more until it is away: somebody else's value stands in its place."""
    tell({"task_id": "first"})
    relay.pass_on(LOOP, lease)
    history = redis.key("stream", "history:jobs")
    redis.client().set(history, "no stream")
    return history


def test_what_the_stream_does_not_take_is_counted_and_holds_nothing_up(lease, closed_stream, caplog):
    before = LOOP.skipped
    for name in "ab":
        tell({"task_id": name})
        assert relay.pass_on(LOOP, lease) == 1
    assert LOOP.skipped == before + 2
    assert "relay: skipped '1 changes'" in caplog.text
    redis.client().delete(closed_stream)
    tell({"task_id": "c"})
    relay.pass_on(LOOP, lease)
    assert [change["task_id"] for change in published()[-1]["jobs"]] == ["c"]


def test_the_thread_outlives_a_stream_that_takes_nothing(lease, closed_stream):
    with Relay(lease):
        tell({"task_id": "a"})
        until(lambda: not redis.client().exists(changes.LIST.key))
        redis.client().delete(closed_stream)
        tell({"task_id": "b"})
        until(published)
    assert [change["task_id"] for change in published()[0]["jobs"]] == ["b"]


def until(fact) -> None:
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)
