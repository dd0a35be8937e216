"""The job that runs here: what its body may say and ask.

    with jobs.current().commit() as end:     # the rows, the result and the state commit together, or none of them
        end.result = bars.upsert(rows)

Inside it a body writes what it has computed before, and asks nobody: SQLite has one writer, and all others wait for it.
A body that was given up (its lease ran out, it was cancelled, its time is over) cannot commit: its rows roll back.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import models, transaction

from monitoring.jobs.arguments import DEPTH, is_too_deep
from monitoring.jobs.database import update_free
from monitoring.jobs.ending import attempts, parts
from monitoring.jobs.errors import (
    Cancelled,
    DeadlineExceeded,
    InvalidProgress,
    InvalidResult,
    Stopped,
    Superseded,
    printable,
)
from monitoring.jobs.telling import changes
from monitoring.models import Job

RESULT_BYTES = 1 << 20
MOST_PARTS = 2**31 - 1
STOPS: dict[str, type[Stopped]] = {each.code: each for each in (Cancelled, DeadlineExceeded, Superseded)}


@dataclass
class End:
    """What the body tells at its end: the result, and which rows it wrote."""

    result: Any = None
    wrote: list[dict] = field(default_factory=list)

    def note(self, model: type[models.Model], count: int, first: object = None, last: object = None) -> None:
        """Note rows that were written: how many, and the first and last key of their range. None are no note."""
        if count:
            self.wrote.append({"model": model._meta.label, "count": count, "first": first, "last": last})


class Current:
    """A running attempt of a job, as its body sees it. Without a row (`job` is None) it is a plain call."""

    def __init__(self, job: Job | None) -> None:
        self.job = job
        self.ended_as = ""  # the state, where the row was ended already
        self.is_over = self.is_abandoned = False
        self.is_isolated = False
        self.deadline = time.monotonic() + job.timeout_seconds if job else float("inf")
        self.parts: dict[str, str] = {}
        self._stop: type[Stopped] | None = None
        self._progress: dict | None = None
        self._unsaved = False
        self._lock = threading.Lock()

    @property
    def stop_code(self) -> str | None:
        return self._stop.code if self._stop else None

    def stop(self, code: str) -> None:
        """Ask the body to end at its next checkpoint. The first reason counts."""
        self._stop = self._stop or STOPS[code]

    @property
    def may_try_again(self) -> bool:
        """Whether this is not the last attempt of its job."""
        return self.job is not None and self.job.tried < self.job.max_attempts

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    @property
    def must_stop(self) -> bool:
        return self._stop is not None or self.is_late

    def checkpoint(self) -> None:
        """Raises Cancelled, DeadlineExceeded or Superseded where the body must end now."""
        if self._stop is None and self.is_late:
            self.stop(DeadlineExceeded.code)
        if self._stop:
            raise self._stop()

    def progress(self, done: int, total: int | None = None, word: str = "") -> None:
        """Say how far it is; written to the row aside, a few times a second. A checkpoint too."""
        told = _progress(done, total, word)
        with self._lock:
            self._progress, self._unsaved = told, True
        self.checkpoint()

    def save_progress(self) -> None:
        """Write to the row what was said since the last time; later, where somebody else has locked it."""
        with self._lock:
            progress, self._unsaved = self._progress if self._unsaved else None, False
        if progress is None:
            return
        if update_free(Job.objects.of_attempt(self.job), **progress):
            changes.after_commit([self.job], {"state": Job.State.RUNNING, **progress})
        else:
            self._unsaved = True

    @property
    def last_progress(self) -> dict | None:
        return self._progress

    def tell_parts(self, told: Mapping[str, str]) -> None:
        """Say what became of parts of the job, by name: why one failed, or an empty text. `fan_out` does for its items.

        A job that completes with a failed part is told as partial, with how many of its parts came.
        """
        self.parts = parts.joined(self.parts, told)

    @contextmanager
    def commit(self) -> Iterator[End]:
        """Write rows and end the job, in one transaction. At its end the job is completed."""
        end = End()
        self.checkpoint()
        with transaction.atomic():
            yield end
            if self.job:
                facts = {"wrote": checked(end.wrote) or None, "progress": self._progress, "parts": self.parts}
                attempts.complete(self.job, checked(end.result), **facts)
        self.ended_as = Job.State.COMPLETED

    def before(self) -> list[Job]:
        """The jobs that this one waited for, with their states, results and parts."""
        return list(Job.objects.filter(then=self.job).order_by("id")) if self.job else []


_here: ContextVar[Current | None] = ContextVar("job", default=None)


def current() -> Current:
    """The job that runs here; outside one, a stand-in that never stops and commits plainly."""
    return _here.get() or Current(None)


def current_id() -> uuid.UUID | None:
    here = _here.get()
    return here.job.pk if here and here.job else None


@contextmanager
def entered(attempt: Current) -> Iterator[Current]:
    token = _here.set(attempt)
    try:
        yield attempt
    finally:
        _here.reset(token)


def _progress(done: int, total: int | None, word: str) -> dict:
    for name, count in (("done", done), ("total", total)):
        if not (count is None and name == "total") and not (isinstance(count, int) and 0 <= count <= MOST_PARTS):
            raise InvalidProgress(f"{name} is {printable(repr(count), 60)}; it must be a whole number of parts.")
    return {"progress_done": done, "progress_total": total, "progress_word": printable(word, 100)}


def checked(result: Any) -> Any:
    """The result, if a row can hold it and an answer can tell it. Raises InvalidResult."""
    try:
        size = len(orjson.dumps(json.loads(json.dumps(result, allow_nan=False))))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidResult(f"The result is not JSON: {error}") from error
    if is_too_deep(result):
        raise InvalidResult(f"The result is nested deeper than {DEPTH} lists and objects.")
    if size > RESULT_BYTES:
        raise InvalidResult(f"The result has {size} bytes of JSON; {RESULT_BYTES} are allowed.")
    return result
