"""Several questions at once, on a few threads of our own: one after the other would wait for each answer."""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TypeVar

Item, Answer = TypeVar("Item"), TypeVar("Answer")

MOST = 8  # threads; at a second an answer they keep up with eight requests a second, at 150 ms with fifty
LEAST, SECONDS = 25, 5  # symbols: few enough to be done again; of the pace: enough to be worth a process


def count(rate: float) -> int:
    """How many threads are worth having at so many requests a second: each has two answers a second at the least."""
    return max(1, min(MOST, ceil(rate / 2)))


def portion(rate: float) -> int:
    """How many symbols one job asks about, at so many requests a second."""
    return max(LEAST, round(SECONDS * rate))


def each(items: Sequence[Item], work: Callable[[Item], Answer], *, threads: int) -> Iterator[tuple[Item, Answer]]:
    """Each item with what `work` answers, as they come, and what it raises in its place. Who stops listening stops
    them: no further item begins.
    """
    if min(threads, len(items)) < 2:
        yield from ((item, _tried(work, item)) for item in items)
        return
    waiting, found, is_over = queue.SimpleQueue[Item](), queue.SimpleQueue[tuple[Item, Answer]](), threading.Event()
    for item in items:
        waiting.put(item)

    def run() -> None:
        try:
            while not is_over.is_set():
                item = waiting.get_nowait()
                found.put((item, _tried(work, item)))
        except queue.Empty:
            return

    for _ in range(min(threads, len(items))):
        # Of the job that asks, which may be stopped.
        threading.Thread(target=contextvars.copy_context().run, args=[run], name="asking", daemon=True).start()
    try:
        for _ in items:
            yield found.get()
    finally:
        is_over.set()


def _tried(work: Callable[[Item], Answer], item: Item) -> Answer | BaseException:
    try:
        return work(item)
    except BaseException as error:  # noqa: BLE001 - it is raised where somebody listens
        return error
