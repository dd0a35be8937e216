"""The same work for many, side by side, where one that fails does so alone."""

import contextvars
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import close_old_connections, connections

from monitoring.jobs.context import current
from monitoring.jobs.errors import Stopped
from monitoring.jobs.limiter import Limiter

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


@dataclass
class Outcome:
    """What came of each, and why the others did not come to anything."""

    done: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict:
        return {"done": list(self.done), "failed": self.failed}


def fan_out(
    items: Iterable[str], work: Callable[[str], Any], *, parallel: int = 8, limiter: Limiter | None = None
) -> Outcome:
    """Do `work` for each item on up to `parallel` threads, each after its turn with the limiter.

    An error is the item's own and told in `failed`. The job's progress counts the items; where the job must stop, no
    further item begins and the reason is raised.
    """
    asked = list(dict.fromkeys(items))
    outcome, waiting, stops = Outcome(), queue.SimpleQueue[str](), list[Stopped]()
    for item in asked:
        waiting.put(item)

    def run() -> None:
        try:
            while not stops:
                _one(waiting.get_nowait(), work, limiter, outcome)
                current().progress(len(outcome.done) + len(outcome.failed), len(asked))
        except queue.Empty:
            return
        except Stopped as stop:
            stops.append(stop)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
        for _ in range(min(parallel, len(asked)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if stops:
        raise stops[0]
    return outcome


def chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of up to `size`, such as for the jobs of a group."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _one(item: str, work: Callable[[str], Any], limiter: Limiter | None, outcome: Outcome) -> None:
    try:
        if limiter:
            limiter.wait()
        close_old_connections()
        outcome.done[item] = work(item)
    except Exception as error:
        code = getattr(error, "code", None)
        outcome.failed[item] = f"{code if isinstance(code, str) else type(error).__name__}: {error}"[:500]
        logger.warning("%s failed: %s", item, outcome.failed[item], exc_info=True)
