"""Loops that turn on: over a bad element, a bad turn, and what they stand on being away."""

import asyncio
import contextlib
import time

import pytest

from monitoring import loops
from monitoring.loops import Loop


class Ended(Exception):
    """Somebody wants the loop to end."""


def test_a_bad_element_is_skipped_and_those_behind_it_come(caplog):
    seen = []
    with Loop("sample") as loop, loop.turn():
        for element in (1, "two", 3):
            with loop.one(element):
                seen.append(element + 1)
    assert seen == [2, 4]
    assert (loop.skipped, loop.failed) == (1, 0)
    assert "sample: skipped 'two'" in caplog.text


def test_what_is_away_ends_the_turn_and_not_the_element(caplog):
    seen = []
    with Loop("sample", away=(ConnectionError,)) as loop:
        with loop.turn():
            for element in (1, 2):
                with loop.one(element):
                    seen.append(element)
                    raise ConnectionError("no route")
        assert loop.fault() is None
    assert seen == [1]
    assert (loop.skipped, loop.failed) == (0, 0)
    assert "no route" in caplog.text


def test_a_turn_that_breaks_is_followed_by_the_next():
    turns = []
    with Loop("sample") as loop:
        for number in range(3):
            with loop.turn():
                turns.append(number)
                raise KeyError(number)
    assert turns == [0, 1, 2]
    assert loop.failed == 3


def test_a_loop_that_only_fails_is_at_fault_until_a_turn_succeeds():
    with Loop("sample") as loop:
        for _ in range(loops.TURNS_THAT_FAIL):
            assert loops.faults() == []
            with loop.turn():
                raise KeyError
        assert loops.faults() == ["sample: the last 3 turns failed"]
        with loop.turn():
            pass
        assert loops.faults() == []


def test_a_loop_that_fails_all_the_time_does_not_fill_the_log(caplog):
    with Loop("sample") as loop:
        for _ in range(1000):
            with loop.turn():
                raise KeyError
    assert 5 < len(caplog.records) < 20
    assert sum(record.exc_info is not None for record in caplog.records) == 1


def test_good_and_bad_in_turn_do_not_fill_the_log(caplog):
    with Loop("sample") as loop:
        for number in range(1000):
            with loop.one(number):
                if number % 2:
                    raise KeyError
    assert loop.skipped == 500
    assert 0 < len(caplog.records) <= loops.LINES + 1


def test_a_loop_that_does_not_turn_in_time_is_at_fault(monkeypatch):
    now = _clock(monkeypatch)
    with Loop("sample", every_seconds=1.0, patience_seconds=5.0):
        now[0] += 6.0
        assert loops.faults() == []
        now[0] += 0.1
        assert loops.faults() == ["sample: no sign of life for 6 s"]


def test_one_that_waits_for_something_to_come_may_wait_and_may_not_hang_in_a_turn(monkeypatch):
    now = _clock(monkeypatch)
    with Loop("sample", patience_seconds=5.0) as loop:
        now[0] += 3600.0
        assert loops.faults() == []
        with loop.turn():
            now[0] += 5.1
            assert loops.faults() == ["sample: no sign of life for 5 s"]
            with loop.one("an element"):
                assert loops.faults() == []


def test_a_loop_that_was_broken_out_of_stays_at_fault_and_one_that_ended_is_gone():
    with Loop("in order"):
        assert [loop.name for loop in loops.running()] == ["in order"]
    assert loops.running() == []
    with pytest.raises(KeyError), Loop("broken"):
        raise KeyError
    assert loops.faults() == ["broken: it ended: KeyError"]


@pytest.mark.parametrize("inner", [Loop.turn, lambda loop: loop.one("an element")])
def test_what_ends_a_loop_in_order_ends_it_from_wherever_it_comes(inner):
    with pytest.raises(Ended), Loop("sample", ends=(Ended,)) as loop, inner(loop):
        raise Ended
    assert (loop.failed, loop.skipped, loops.running()) == (0, 0, [])


def test_a_coroutine_that_is_cancelled_ends_in_order():
    async def turn_on() -> None:
        with Loop("sample") as loop:
            while True:
                with loop.turn():
                    await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(turn_on())
        await asyncio.sleep(0)
        assert [loop.name for loop in loops.running()] == ["sample"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())
    assert loops.running() == []


def test_a_coroutine_that_misses_its_cancellation_ends_all_the_same():
    async def miss_one() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async def scenario() -> None:
        tasks = [asyncio.create_task(each) for each in (miss_one(), asyncio.sleep(60), asyncio.sleep(0))]
        await asyncio.sleep(0.01)
        await loops.end(tasks)
        assert [task.cancelled() for task in tasks] == [True, True, False]

    asyncio.run(scenario())


@pytest.fixture(autouse=True)
def no_others(monkeypatch) -> None:
    """The loops of these tests alone."""
    monkeypatch.setattr(loops, "_running", {})


def _clock(monkeypatch) -> list[float]:
    now = [time.monotonic()]
    monkeypatch.setattr(loops.time, "monotonic", lambda: now[0])
    return now
