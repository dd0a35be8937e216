"""The same work for many, side by side, where one that fails does so alone."""

import contextvars
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import close_old_connections, connections

from monitoring.jobs.declaration import is_temporary
from monitoring.jobs.errors import JobError, Stopped
from monitoring.jobs.running.context import current

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


class NothingDone(JobError):
    """Each item failed; worth another attempt where that can help one of them."""

    code = "nothing_done"

    def __init__(self, outcome: "Outcome") -> None:
        item, reason = next(iter(outcome.failed.items()))
        super().__init__(f"None of {len(outcome.failed)} came to anything; {item}: {reason}")
        self.temporary = outcome.is_temporary


class NotAllDone(JobError):
    """Some items failed of which another attempt can help one; those that are done need not be done again."""

    code = "not_all_done"
    temporary = True

    def __init__(self, outcome: "Outcome") -> None:
        item, reason = next(iter(outcome.failed.items()))
        of = len(outcome.failed) + len(outcome.done)
        super().__init__(f"{len(outcome.failed)} of {of} did not come yet; {item}: {reason}")


@dataclass
class Outcome:
    """What came of each, and why the others did not come to anything."""

    done: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    is_temporary: bool = False  # whether trying again can help one that failed

    def as_json(self) -> dict:
        return {"done": list(self.done), "failed": self.failed}

    def require_any(self) -> None:
        """Raise NothingDone where all of them failed."""
        if self.failed and not self.done:
            raise NothingDone(self)

    def require_another_attempt(self) -> None:
        """Raise NotAllDone where another attempt can help one that failed, and is left: for a job whose attempts go on
        where the one before ended.
        """
        if self.is_temporary and current().may_try_again:
            raise NotAllDone(self)


def fan_out(items: Iterable[str], work: Callable[[str], Any], *, parallel: int = 8) -> Outcome:
    """Do `work` for each item on up to `parallel` threads; one at a time here, in the caller's own thread.

    An error is the item's own and told in `failed`; a job that completes all the same is told as partial. The job's
    progress counts the items; where the job must stop, no further item begins and the reason is raised. What bounds all
    processes together, such as the pace of a source, is waited for inside `work`.
    """
    asked = list(dict.fromkeys(items))
    outcome, waiting, stops = Outcome(), queue.SimpleQueue[str](), list[Stopped]()
    for item in asked:
        waiting.put(item)

    def run(before_each: Callable[[], None] = lambda: None) -> None:
        try:
            while not stops:
                item = waiting.get_nowait()
                before_each()
                _one(item, work, outcome)
                done = len(outcome.done) + len(outcome.failed)
                current().progress(done, len(asked), item if done < len(asked) else "")
        except queue.Empty:
            return
        except Stopped as stop:
            stops.append(stop)

    if parallel == 1:
        run()
    else:
        _side_by_side(run, min(parallel, len(asked)))
    if stops:
        raise stops[0]
    current().tell_parts(dict.fromkeys(outcome.done, "") | outcome.failed)
    return outcome


def chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of up to `size`, such as for the jobs of a group."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _side_by_side(run: Callable[[Callable[[], None]], None], count: int) -> None:
    def aside() -> None:
        try:
            run(close_old_connections)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(aside,), daemon=True) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one(item: str, work: Callable[[str], Any], outcome: Outcome) -> None:
    try:
        outcome.done[item] = work(item)
    except Stopped:
        raise
    except BaseException as error:  # also what a library ends a process by: it is this item's alone
        code = getattr(error, "code", None)
        may_pass = is_temporary(error)
        outcome.is_temporary |= may_pass
        outcome.failed[item] = f"{code if isinstance(code, str) else type(error).__name__}: {error}"[:500]
        # What passes by itself is an ordinary day, and its own sentence says it whole.
        logger.warning("%s failed: %s", item, outcome.failed[item], exc_info=not may_pass)
