"""What others learn of the loops of a process: health, doctor and metrics."""

import asyncio
import os
import subprocess
import sys
import time

import orjson
import pytest
from django.conf import settings

from finstage import diagnosis, health, processes
from finstage.beat import Scheduler
from finstage.celery import app
from finstage.health import Readiness
from finstage.watch import Watch
from monitoring import heartbeats, loops, metrics, place, redis
from monitoring.loops import Loop


@pytest.fixture(autouse=True)
def no_others(monkeypatch) -> None:
    """The loops of these tests alone."""
    monkeypatch.setattr(loops, "_running", {})


def broken(name: str) -> Loop:
    loop = Loop(name)
    for _ in range(loops.TURNS_THAT_FAIL):
        with loop.turn():
            raise KeyError("secret")
    return loop


def test_a_loop_of_another_process_that_does_not_turn_is_told_by_health_and_doctor():
    assert health.turning() == {"ok": True}
    with broken("relay"):
        heartbeats.beat("feed")
    told = f"feed (process {os.getpid()}): relay: the last 3 turns failed"
    assert health.turning() == {"ok": False, "detail": told}
    with pytest.raises(diagnosis.Broken, match="the last 3 turns failed"):
        diagnosis.turning()
    heartbeats.beat("feed")
    assert health.turning() == {"ok": True}
    assert diagnosis.turning() == "all turn"


def test_a_loop_of_this_process_is_told_also_where_redis_is_away(monkeypatch):
    with broken("watch"):
        assert health.turning() == {"ok": False, "detail": "watch: the last 3 turns failed"}


def test_a_process_that_says_nothing_is_told_and_one_that_ended_or_was_killed_is_forgotten():
    killed = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    silent = {"name": "web", "place": place.here(), "pid": os.getpid(), "birth": place.birth(), "faults": []}
    gone = silent | {"name": "worker", "pid": killed.pid, "birth": place.began(killed.pid), "at": time.time() - 40}
    killed.wait()
    old, other = silent | {"at": time.time() - 40}, silent | {"place": "elsewhere", "at": time.time() - 3600}
    signs = {"silent": old, "gone": gone, "other": other, "strange": ["no sign"]}
    redis.client().hset(redis.key("processes"), mapping={name: orjson.dumps(sign) for name, sign in signs.items()})
    assert heartbeats.troubles() == [f"web (process {os.getpid()}): no sign of life for 40 s"]
    assert redis.client().hkeys(redis.key("processes")) == [b"silent"]
    heartbeats.beat("worker")
    heartbeats.end("worker")
    assert redis.client().hkeys(redis.key("processes")) == [b"silent"]


def test_a_supervisor_that_stands_still_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "VAR", tmp_path)
    register = processes.Register(tmp_path / processes.REGISTER)
    register.remember([os.getpid()])
    assert health.turning() == {"ok": True}
    os.utime(tmp_path / processes.REGISTER, times=(time.time() - 60, time.time() - 60))
    assert "of who starts again what ends" in health.turning()["detail"]


def test_a_check_that_answers_nonsense_leaves_the_others_told():
    async def report() -> tuple[int, dict]:
        return await Readiness({"database": lambda: None, "redis": lambda: {"ok": True}}).report()

    status, body = asyncio.run(report())
    assert (status, body["dependencies"]["redis"]) == (503, {"ok": True})
    assert body["dependencies"]["database"]["detail"] == "its check answers nonsense"


def test_a_metric_that_cannot_be_read_leaves_the_others_told(monkeypatch):
    monkeypatch.setattr(metrics.MEMORY, "collect", lambda: 1 / 0)
    text = metrics.exposition().decode()
    assert "finstage_process_memory_bytes" not in text
    assert "finstage_system_cpu_percent" in text
    assert (
        "finstage_metrics_broken_total 1.0" in metrics.exposition().decode() or "finstage_metrics_broken_total" in text
    )


def test_what_loops_leave_out_is_counted():
    with Loop("sample") as loop:
        with loop.one("an element"):
            raise KeyError
        text = metrics.exposition().decode()
    assert 'finstage_loop_skipped_elements_total{loop="sample"} 1.0' in text
    assert 'finstage_loop_failed_turns_total{loop="sample"} 0.0' in text


@pytest.mark.parametrize("error", [StopIteration, KeyError, RuntimeError])
def test_a_question_that_breaks_does_not_end_the_watch(error):
    asked = []

    def ask() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise error

    async def watch() -> bool:
        watch = Watch(ask, every_seconds=0.01, patience_seconds=1)
        watch.silence  # noqa: B018 - it begins with the first look
        async with asyncio.timeout(10):
            while len(asked) < 4:
                await asyncio.sleep(0.01)
        return watch.silence.done()

    assert asyncio.run(watch()) is False


@pytest.mark.django_db(transaction=True)
def test_a_tick_of_beat_that_breaks_is_followed_by_the_next(monkeypatch):
    scheduler = Scheduler(app=app)
    monkeypatch.setattr(scheduler, "populate_heap", lambda *_: 1 / 0)
    scheduler.old_schedulers = None
    assert scheduler.tick() == 5.0
    assert heartbeats.last("beat") is None
    monkeypatch.undo()
    assert scheduler.tick() <= 5.0
    assert heartbeats.last("beat") is not None
