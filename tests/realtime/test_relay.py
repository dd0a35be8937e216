"""Changes of jobs on their way from `monitoring` to the stream of those who operate the system."""

import time

import orjson
import pytest

from monitoring import redis
from monitoring.jobs.telling import changes
from monitoring.loops import Loop
from realtime import relay
from realtime.relay import Relay

LOOP = Loop("relay")


def tell(*told: dict) -> None:
    redis.client().rpush(changes.LIST.key, *map(orjson.dumps, told))


def published() -> list[dict]:
    return [orjson.loads(entry[b"b"]) for _, entry in redis.client().xrange(redis.key("stream", "history:jobs"))]


def test_changes_are_published_with_the_newest_facts_of_each_job():
    tell({"task_id": "a", "status": "pending", "name": "x"}, {"task_id": "b", "status": "pending"})
    tell({"task_id": "a", "status": "running"})
    relay.pass_on(LOOP)
    assert published()[0]["jobs"] == [
        {"task_id": "b", "status": "pending"},
        {"task_id": "a", "status": "running", "name": "x"},
    ]


def test_what_is_published_leaves_the_list():
    tell({"task_id": "a"})
    assert [relay.pass_on(LOOP), relay.pass_on(LOOP)] == [1, 0]
    assert len(published()) == 1


def test_an_overflowing_list_is_told_as_not_whole(monkeypatch):
    monkeypatch.setattr(changes, "LIMIT", 2)
    tell({"task_id": "a"}, {"task_id": "b"})
    relay.pass_on(LOOP)
    assert published()[0]["is_whole"] is False


def test_changes_that_were_lost_on_the_way_are_told_as_not_whole_and_skip_nothing():
    tell({"task_id": "a"}, {"lost": 2})
    before = LOOP.skipped
    assert [relay.pass_on(LOOP), relay.pass_on(LOOP)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"], LOOP.skipped) == ([{"task_id": "a"}], False, before)


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"status": "running"}', b'{"task_id": []}', b"\xff", b""])
def test_what_is_no_change_is_left_out_and_holds_nothing_up(bad):
    tell({"task_id": "a", "status": "running"})
    redis.client().lpush(changes.LIST.key, bad)
    assert [relay.pass_on(LOOP), relay.pass_on(LOOP)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"]) == ([{"task_id": "a", "status": "running"}], False)


def test_what_can_be_read_and_not_told_holds_nothing_up():
    deep = b'{"task_id": "d", "n": ' + b"[" * 900 + b"]" * 900 + b"}"
    redis.client().rpush(changes.LIST.key, deep)
    tell({"task_id": "a"})
    assert [relay.pass_on(LOOP), relay.pass_on(LOOP)] == [2, 0]
    [told] = published()
    assert (told["jobs"], told["is_whole"]) == ([{"task_id": "a"}], False)


def test_the_thread_outlives_what_is_no_change():
    with Relay():
        redis.client().rpush(changes.LIST.key, b"no change")
        tell({"task_id": "a"})
        deadline = time.monotonic() + 10
        while not published():
            assert time.monotonic() < deadline
            time.sleep(0.01)
