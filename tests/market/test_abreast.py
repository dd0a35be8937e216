"""Several questions at once: as they come, bounded, and stopped with who listens."""

import threading
import time

import pytest

from market.sources.pace import abreast


@pytest.mark.parametrize(("rate", "threads"), [(0.5, 1), (2, 1), (3, 2), (10, 5), (50, 8)])
def test_a_fast_pace_has_more_threads(rate, threads):
    assert abreast.count(rate) == threads


@pytest.mark.parametrize("threads", [1, 4])
def test_each_has_its_answer_or_what_was_raised(threads):
    found = dict(abreast.each([1, 0, 2], lambda number: 6 // number, threads=threads))
    assert (found[1], found[2], type(found[0])) == (6, 3, ZeroDivisionError)


def test_no_more_than_so_many_are_on_their_way_and_the_quick_come_first():
    running, most, lock = 0, 0, threading.Lock()

    def work(seconds: float) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(seconds)
        with lock:
            running -= 1

    found = [item for item, _ in abreast.each([0.6, 0.01, 0.02, 0.03, 0.04], work, threads=3)]
    assert most == 3
    assert found[-1] == 0.6


def test_who_stops_listening_stops_them():
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.05)

    for _ in abreast.each(range(50), work, threads=2):
        break
    time.sleep(0.3)
    assert len(begun) <= 5
