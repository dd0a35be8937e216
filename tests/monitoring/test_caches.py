"""A named cache: never wrong, computed once for all who ask, and never missed."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.core.cache.backends.redis import RedisCache

from monitoring import caches, metrics
from monitoring import redis as ours
from monitoring.caches import Cache, Made, named, shared
from monitoring.jobs.errors import Stopped

KEY = ("AAPL", "1d")
_process = multiprocessing.get_context("fork")


@pytest.fixture
def made() -> Cache:
    return Cache("sample", ttl_seconds=60)


@pytest.fixture
def no_redis(monkeypatch) -> None:
    """What processes share is at a port where nobody listens, and nobody has noticed yet."""
    away = RedisCache(["redis://127.0.0.1:1"], {"OPTIONS": {"serializer": shared.Bytes}})
    monkeypatch.setattr(shared, "backend", lambda: away)
    monkeypatch.setattr(shared, "_away_until", 0.0)
    yield
    shared._away_until = 0.0


def test_a_thousand_callers_in_four_processes_make_one_computation(made, redis):
    crowd = [_process.Process(target=_crowd, args=(made, 250)) for _ in range(4)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert redis.get("computed") == b"1"
    assert redis.get("told") == b"1000"


def _crowd(cache: Cache, callers: int) -> None:
    with ThreadPoolExecutor(callers) as pool:
        told = [each.result().body for each in [pool.submit(cache.answer, KEY, "v1", _slow) for _ in range(callers)]]
    ours.client().incrby("told", told.count(b"slow"))
    os._exit(0)


def _slow() -> Made:
    ours.client().incr("computed")
    time.sleep(0.5)  # in which all of them come
    return Made(b"slow", "v1")


def test_a_process_that_dies_while_it_computes_frees_the_others(made, redis, monkeypatch):
    monkeypatch.setattr(named, "LEASE_SECONDS", 1)
    dying = _process.Process(target=made.answer, args=(KEY, "v1", lambda: os._exit(1)))
    dying.start()
    dying.join()
    [lease] = redis.keys("*:lease")
    assert made.answer(KEY, "v1", lambda: Made(b"whole", "v1")).body == b"whole"
    assert redis.get(lease) is None


def test_an_answer_is_of_the_version_that_is_asked_for_on_every_node(made):
    other = Cache("sample", ttl_seconds=60)
    for version in ("v1", "v2", "v1"):  # a backup that was restored has an old one again
        told = [each.answer(KEY, version, lambda now=version: Made(now.encode(), now)) for each in (made, other)]
        assert [each.body for each in told] == [version.encode()] * 2
    assert other.look(KEY, "v2") is None


def test_what_has_another_version_than_was_asked_for_is_kept_as_what_it_is_of_and_what_has_none_by_nobody(made):
    other = Cache("sample", ttl_seconds=60)
    for moved in ("v2", None):
        assert made.answer(KEY, "v1", lambda now=moved: Made(b"moved", now)).version == moved
        for each in (made, other):
            assert each.look(KEY, "v1") is None
            found = each.look(KEY, "v2")
            assert found is not None
            assert found.body == b"moved"
    made.answer(("another",), "v1", lambda: Made(b"of none", None))
    assert [made.look(("another",), version) for version in ("v1", None)] == [None, None]


def test_what_another_process_has_computed_is_found_with_its_age(made, redis):
    first = made.answer(KEY, "v1", lambda: Made(b"\x00\xff{}", "v1"))
    found = Cache("sample", ttl_seconds=60).look(KEY, "v1")
    assert found == first
    [key] = [key for key in redis.keys("*sample:*") if b"spent" not in key]
    assert redis.get(key).endswith(b"\x00\xff{}")
    assert 0 < redis.ttl(key) <= 60


def test_a_time_is_the_ceiling(made, monkeypatch):
    made.answer(KEY, "v1", lambda: Made(b"old", "v1"))
    real = time.time
    ours.client().flushall()
    monkeypatch.setattr(time, "time", lambda: real() + 61)
    assert made.answer(KEY, "v1", lambda: Made(b"new", "v1")).body == b"new"


def test_a_dead_redis_is_an_ordinary_day(made, no_redis):
    before = metrics.CACHE_AWAY._value.get()
    assert made.answer(KEY, "v1", lambda: Made(b"computed", "v1")).body == b"computed"
    assert made.answer(KEY, "v1", lambda: pytest.fail("it is in the front")).body == b"computed"
    assert metrics.CACHE_AWAY._value.get() > before


def test_what_has_no_room_among_all_is_computed_by_each(made, redis, settings):
    settings.CACHES_SHARED_BYTES = 1000
    for number in range(100):
        made.answer((number,), "v1", lambda: Made(bytes(100), "v1"))
    held = [key for key in redis.keys("*sample:*") if b"spent" not in key]
    assert 0 < len(held) < 10
    assert made.look((99,), "v1") is not None


def test_the_front_is_bounded_and_the_least_lately_asked_goes(made, settings):
    settings.CACHES_BYTES, settings.CACHES_SHARED_BYTES = 1000, 0
    for number in range(3):
        made.answer((number,), "v1", lambda: Made(bytes(300), "v1"))
        made.look((0,), "v1")
    assert made.front.bytes <= 1000
    assert [made.look((number,), "v1") is not None for number in range(3)] == [True, False, True]


def test_what_a_computation_raises_is_raised_to_all_who_waited_and_kept_by_nobody(made):
    raised = _flown(made, LookupError("no such thing"), lambda: pytest.fail("one computes"))
    assert [type(each.exception()) for each in raised] == [LookupError] * 3
    assert made.answer(KEY, "v1", lambda: Made(b"anew", "v1")).body == b"anew"


def test_where_a_computing_thread_is_stopped_one_of_those_who_waited_goes_on(made):
    stopped, *others = _flown(made, Stopped("told to stop"), lambda: Made(b"anew", "v1"))
    assert isinstance(stopped.exception(), Stopped)
    assert [each.result().body for each in others] == [b"anew"] * 2


def _flown(cache: Cache, end: BaseException, otherwise: Callable[[], Made]) -> list[Future]:
    """One computes until two more wait for it, and then ends so; what became of all three."""
    begun, go_on = threading.Event(), threading.Event()

    def breaking() -> Made:
        begun.set()
        go_on.wait()
        raise end

    with ThreadPoolExecutor(3) as pool:
        flown = [pool.submit(cache.answer, KEY, "v1", breaking)]
        begun.wait()
        flown += [pool.submit(cache.answer, KEY, "v1", otherwise) for _ in range(2)]
        time.sleep(0.2)  # in which they come to wait
        go_on.set()
    return flown


def test_reads_are_counted_by_where_they_were_found_and_what_they_saved(made):
    computed, front = (metrics.CACHE_READS.labels("sample", how)._value for how in ("computed", "front"))
    counts, saved = (computed.get(), front.get()), metrics.CACHE_SAVED.labels("sample")._value
    before = saved.get()
    first = made.answer(KEY, "v1", lambda: Made(b"1", "v1"))
    made.answer(KEY, "v1", lambda: pytest.fail("it is kept"))
    assert (computed.get() - counts[0], front.get() - counts[1]) == (1, 1)
    assert saved.get() - before == pytest.approx(first.seconds)
    assert b'finstage_cache_bytes{cache="technical_analysis"}' in metrics.exposition()
    assert caches.technical_analysis.ttl_seconds == 600
