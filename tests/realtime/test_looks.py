"""Whoever is due is looked at, nobody else; and however many they are, the loop has room for other work."""

import asyncio
import time
from collections.abc import Callable

from monitoring.loops import Loop
from realtime.breath import SLICE_SECONDS
from realtime.transports.looks import Looks


class Seen:
    """It says when it is to be looked at again, and counts."""

    def __init__(self, answer: Callable[[float], float | None] = lambda now: None) -> None:
        self._answer = answer
        self.times = 0
        self.is_aborted = False

    def check(self, now: float) -> float | None:
        self.times += 1
        return self._answer(now)

    def abort(self) -> None:
        self.is_aborted = True


def look(looks: Looks) -> Loop:
    """One look of the watch."""
    loop = Loop("connections")
    asyncio.run(looks.take(loop))
    return loop


def planned(*seen: Seen, at: float = 0.0) -> Looks:
    looks = Looks()
    for each in seen:
        looks.plan(each, at)
    return looks


def test_who_is_not_due_is_not_looked_at():
    due, later = Seen(), Seen()
    looks = planned(due)
    looks.plan(later, time.monotonic() + 60)
    look(looks)
    assert (due.times, later.times) == (1, 0)


def test_who_is_looked_at_is_looked_at_again_when_it_says_and_not_before():
    at_once, later, never = Seen(lambda now: now - 2), Seen(lambda now: now + 60), Seen()
    looks = planned(at_once, later, never)
    for _ in range(3):
        look(looks)
    assert (at_once.times, later.times, never.times) == (3, 1, 1)


def test_the_earlier_of_two_plans_counts():
    sooner, later = Seen(), Seen()
    looks = planned(sooner, later, at=time.monotonic() + 60)
    looks.plan(sooner, 0)
    looks.plan(later, time.monotonic() + 90)
    look(looks)
    assert (sooner.times, later.times) == (1, 0)


def test_who_has_ended_is_not_looked_at_also_where_it_ends_while_others_are():
    looks, each_ends_the_other = Looks(), []
    for _ in range(2):
        each_ends_the_other.append(Seen(lambda now: [looks.forget(each) for each in each_ends_the_other] and None))
        looks.plan(each_ends_the_other[-1], 0)
    look(looks)
    assert sum(each.times for each in each_ends_the_other) == 1


def test_who_cannot_be_looked_at_ends_alone():
    broken, others = Seen(lambda now: 1 / 0), [Seen() for _ in range(20)]
    looks = planned(*others[:10], broken, *others[10:])
    assert look(looks).skipped == 1
    look(looks)
    assert broken.is_aborted
    assert broken.times == 1
    assert [each.times for each in others] == [1] * 20


def test_many_who_are_due_at_once_are_looked_at_in_slices():
    pieces, turns = 20, 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def look_beside() -> None:
        counting = asyncio.create_task(count())
        await planned(*(Seen(lambda now: time.sleep(SLICE_SECONDS / 2)) for _ in range(2 * pieces))).take(Loop("test"))
        counting.cancel()

    asyncio.run(look_beside())
    assert turns >= pieces
