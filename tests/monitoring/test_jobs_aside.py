"""What is done aside: rings and changes go out in batches, from a thread of their own, and hold nobody up."""

import json
import os
import threading
import time
from datetime import datetime, timedelta

import orjson
import pytest
from celery import current_app
from django.utils import timezone

from monitoring import errands as errands_of_a_process
from monitoring import lists, loops, refusals
from monitoring.errands import Errands
from monitoring.jobs import doorbell
from monitoring.jobs.telling import changes
from tests.monitoring.conftest import until


@pytest.fixture
def errands() -> tuple[Errands, list, threading.Event]:
    """Errands that wait for the event, and what they did."""
    done, go = [], threading.Event()

    def do(items: list) -> None:
        go.wait(20)
        done.append(items)

    return Errands(do, limit=3), done, go


def test_what_gathers_is_done_at_once_and_of_too_much_the_newest(errands):
    made, done, go = errands
    made.put("first")
    while made._items:
        pass
    for number in range(5):
        made.put(number)
    go.set()
    assert made.flush(20)
    assert done == [["first"], [2, 3, 4]]


def test_what_is_dropped_or_can_not_be_done_is_counted_and_told_until_that_goes_well(monkeypatch):
    monkeypatch.setattr(errands_of_a_process, "TELL_SECONDS", 0.01)
    said, done = threading.Event(), threading.Event()
    go, told, tried = threading.Event(), [], []

    def do(items: list) -> None:
        said.set()
        go.wait(20)
        _ = [1 / each for each in items]

    def tell(lost: int) -> None:
        tried.append(lost)
        _ = 1 / (len(tried) - 1)
        told.append(lost)
        done.set()

    made = Errands(do, limit=3, tell=tell)
    made.put(0)
    assert said.wait(20)
    made.put(1, 2, 3, 4, 5)
    go.set()
    assert done.wait(20)
    assert (told, made._lost) == ([1 + 2], 0)


def test_one_change_that_no_json_can_say_is_left_out_alone_and_its_place_says_so(redis):
    changes.LIST.put({"number": 1}, {"name": "\ud800"}, {"number": 2})
    assert changes.LIST.flush(20)
    *kept, loss = redis.lrange(changes.LIST.key, 0, -1)
    assert [orjson.loads(each) for each in kept] == [{"number": 1}, {"number": 2}]
    assert (orjson.loads(loss), lists.is_loss(loss)) == ({"lost": 1}, True)
    assert refusals.counts() == {"job change": 1}


def test_changes_that_redis_did_not_take_are_told_as_lost_when_it_does(redis):
    redis.set(changes.LIST.key, "no list")
    changes.LIST.put({"number": 1}, {"number": 2})
    assert changes.LIST.flush(20)
    redis.delete(changes.LIST.key)
    changes.LIST.put({"number": 3})
    assert changes.LIST.flush(20)
    assert {*redis.lrange(changes.LIST.key, 0, -1)} == {b'{"number":3}', b'{"lost":2}'}


def test_who_waits_for_errands_is_told_whether_they_are_done(errands):
    made, done, go = errands
    assert made.flush(0.0)
    made.put(1, 2)
    assert not made.flush(0.01)
    go.set()
    assert made.flush(20)
    made.put(3)
    assert made.flush(20)
    assert [each for batch in done for each in batch] == [1, 2, 3]


def test_a_process_that_was_forked_does_its_own_errands(errands):
    made, done, go = errands
    go.set()
    made.put("before")
    assert made.flush(20)
    pid = os.fork()
    if not pid:
        made.put("in the child")
        os._exit(0 if made.flush(20) and done[1:] == [["in the child"]] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_who_has_no_errands_waits_and_turns_no_more(errands):
    made, _, go = errands
    go.set()
    before = set(loops._running)
    made.put(1)
    assert made.flush(20)
    (loop,) = (loops._running[each] for each in set(loops._running) - before)
    until(lambda: not loop._is_turning)
    sign = loop._sign_at
    time.sleep(10 * errands_of_a_process.PAUSE_SECONDS)
    assert loop._sign_at == sign


def rings() -> list[dict]:
    """The headers of the messages that wait at the broker."""
    conf = current_app.conf
    queue = conf.broker_transport_options["global_keyprefix"] + conf.task_default_queue
    with current_app.connection_for_read() as broker:
        waiting = broker.default_channel.client.lrange(queue, 0, -1)
    return [json.loads(each)["headers"] for each in waiting]


@pytest.mark.parametrize(("times", "most"), [(1, 1), (3, 3), (100, 8)])
def test_a_ring_for_so_many_jobs_is_as_many_messages_and_of_many_a_few(times, most):
    heard = []
    doorbell.listeners.add(lambda: heard.append(times))
    try:
        doorbell.ring(times)
    finally:
        doorbell.listeners.clear()
    assert doorbell.flush(20)
    assert (heard, len(rings())) == ([times], most)
    assert {each["task"] for each in rings()} == {doorbell.RING}
    soon = timezone.now() + timedelta(minutes=1)
    assert all(soon - timedelta(seconds=30) < datetime.fromisoformat(each["expires"]) <= soon for each in rings())


def test_ten_thousand_changes_are_kept_the_newest_of_them(redis):
    changes.LIST._append([{"number": number} for number in range(10_000)])
    changes.LIST._append([{"number": number} for number in (-2, -1)])
    kept = [orjson.loads(each)["number"] for each in redis.lrange(changes.LIST.key, 0, -1)]
    assert (len(kept), kept[0], kept[-2:]) == (10_000, 2, [-2, -1])
