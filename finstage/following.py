"""A job that a command asks for, followed to its end: how far it is, what came of it, and the command's exit status.

A worker does it. Where none runs, this process is one until the job has ended.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from market.intervals import DAY, STORED
from monitoring import jobs, redis
from monitoring.jobs import doorbell
from monitoring.jobs.worker import Worker as JobsWorker
from monitoring.models import Job, Worker

# Exit statuses; 2 is the command line's, which argparse refuses.
WHOLE, FAILED, IN_PART, LEFT = 0, 1, 3, 4
STATUSES = (
    "Exit status: 0 all of it came; 1 none of it, or it could not be asked for; 2 the command line is wrong; 3 a part "
    "did not come, and which is said; 4 nobody waited for the end: the job goes on."
)
LOOK_SECONDS = 0.2
SILENT = timedelta(seconds=15)  # a worker that has not been heard of for longer is none
THREADS = 4
WIDTH = 30
PLAIN_SECONDS = 10.0  # between two lines of progress where no terminal shows them


@dataclass(frozen=True, slots=True)
class Progress:
    """How many parts of all have ended, well or not, and which came last."""

    done: int
    total: int
    word: str = ""


@dataclass
class Outcome:
    """What came of a job and of those that it asked for. failed: why, by part or by the job that did not complete."""

    job: Job
    done: int = 0
    asked: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        if not self.failed:
            return "whole"
        return "partial" if self.done else "failed"

    @property
    def status(self) -> int:
        return {"whole": WHOLE, "partial": IN_PART, "failed": FAILED}[self.word]


class Screen:
    """Where a command tells: lines for people, or with `--json` an object a line; progress aside, on stderr."""

    def __init__(self, out: OutputWrapper, aside: OutputWrapper, *, is_json: bool) -> None:
        self._out, self._aside, self._is_json = out, aside, is_json
        self._told: Progress | None = None
        self._told_at = -PLAIN_SECONDS

    def say(self, event: str, sentence: str, **facts: Any) -> None:
        """A fact, as a sentence or as JSON."""
        self.clear()
        if line := json.dumps({"event": event, **facts}, ensure_ascii=False) if self._is_json else sentence:
            self._out.write(line)
            self._out.flush()

    def note(self, sentence: str) -> None:
        """What is no answer: to people alone."""
        self.clear()
        self._write_aside(f"{sentence}\n")

    def progress(self, progress: Progress) -> None:
        if progress == self._told:
            return
        if self._is_json:
            self.say("progress", "", done=progress.done, total=progress.total, word=progress.word)
        elif self._aside.isatty():
            self._write_aside(f"\r\x1b[K{bar(progress)}")
        elif time.monotonic() - self._told_at < PLAIN_SECONDS and progress.done < progress.total:
            return
        else:
            self._write_aside(f"{progress.done} of {progress.total}\n")
        self._told, self._told_at = progress, time.monotonic()

    def clear(self) -> None:
        """Take a bar away that stands on the line."""
        if self._told and not self._is_json and self._aside.isatty():
            self._write_aside("\r\x1b[K")
        self._told = None

    def _write_aside(self, text: str) -> None:
        self._aside.write(text, style_func=str, ending="")  # Django's is red: nothing is wrong
        self._aside.flush()


def bar(progress: Progress) -> str:
    full = round(WIDTH * progress.done / progress.total) if progress.total else WIDTH
    return f"[{'#' * full}{'.' * (WIDTH - full)}] {progress.done} of {progress.total}  {progress.word}".rstrip()


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="an object a line: submitted, progress and end")
    parser.add_argument("--no-wait", action="store_true", help="ask for it, and leave it to the workers")


def add_interval(parser: CommandParser) -> None:
    stored = [each.name for each in STORED]
    parser.add_argument("--interval", choices=stored, default=DAY.name, help="of these bars; without it, of days")


def run(screen: Screen, name: str, arguments: dict, *, is_waited_for: bool) -> None:
    """Ask for a job, follow it, and say what came of it. Raises CommandError with the exit status where not all did."""
    try:
        redis.client().ping()
        asked = jobs.submit(name, arguments)
        doorbell.flush()
        screen.say("submitted", f"Asked for {name}: /tasks/{asked.pk}", job=str(asked.pk), task=name)
        if not is_waited_for:
            return
        with _worked(screen):
            outcome = _followed(screen, asked)
    except KeyboardInterrupt:
        screen.clear()
        raise CommandError("Nobody waits for it any more: it goes on with the workers.", returncode=LEFT) from None
    except jobs.JobError as error:
        raise CommandError(f"It was not asked for: {error.detail}") from error
    except (RedisError, DatabaseError) as error:
        raise CommandError(f"It can't be followed: {error}. `{settings.MANAGE} doctor` says more.") from error
    _end(screen, outcome)


@contextmanager
def _worked(screen: Screen) -> Iterator[None]:
    """Have a worker: one that runs, or else this process."""
    if Worker.objects.filter(stopped_at=None, lost_at=None, heartbeat_at__gt=timezone.now() - SILENT).exists():
        yield
        return
    screen.note("No worker runs: this process is one until the job has ended.")
    worker = JobsWorker(THREADS)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def _followed(screen: Screen, asked: Job) -> Outcome:
    while True:
        rows = _family(asked)
        screen.progress(_progress(rows))
        if all(row.is_ended for row in rows):
            return _outcome(rows)
        time.sleep(LOOK_SECONDS)


def _family(asked: Job) -> list[Job]:
    """The job, and those that it asked for."""
    return [Job.objects.get(pk=asked.pk), *Job.objects.filter(parent=asked.pk).order_by("pk")]


def _parts(row: Job) -> int:
    named = row.arguments.get("symbols")
    return row.parts_asked or row.progress_total or (len(named) if isinstance(named, list) else 0)


def _chunks(rows: list[Job]) -> list[Job]:
    """Those that do the work: what follows them counts for itself."""
    first, *others = rows
    return [row for row in others if row.then_id] or others or [first]


def _progress(rows: list[Job]) -> Progress:
    chunks = _chunks(rows)
    done = sum(_parts(row) if row.is_ended else row.progress_done for row in chunks)
    return Progress(done, sum(map(_parts, chunks)), next(filter(None, map(_word, chunks)), ""))


def _word(row: Job) -> str:
    if row.state == Job.State.RETRYING:
        return f"{row.error_code}, asked again at {row.not_before:%H:%M:%S} UTC"
    return row.progress_word if row.state == Job.State.RUNNING else ""


def _outcome(rows: list[Job]) -> Outcome:
    """Of a job that was cancelled or broke, all that it was to do is missing."""
    outcome = Outcome(rows[0])
    for row in rows:
        if row.state != Job.State.COMPLETED:
            outcome.failed[f"{row.name} {row.pk}"] = f"{row.state}: {row.error or row.error_code}"
        outcome.failed |= row.parts_failed or {}
    for row in _chunks(rows):
        outcome.asked += _parts(row)
        outcome.done += row.parts_done or 0
    return outcome


def _end(screen: Screen, outcome: Outcome) -> None:
    job, word = outcome.job, outcome.word
    for name, why in sorted(outcome.failed.items()):
        screen.say("failed", f"{name}: {why}", part=name, why=why)
    told = {"done": outcome.done, "asked": outcome.asked, "failed": len(outcome.failed)}
    why = job.result.get("why") if isinstance(job.result, dict) else None  # there was nothing to do
    sentence = f"{outcome.done} of {outcome.asked}: {word}."
    told |= {"why": why} if why else {}
    screen.say("end", f"{sentence} {why}" if why else sentence, job=str(job.pk), outcome=word, **told)
    if outcome.status:
        raise CommandError(f"{len(outcome.failed)} did not come.", returncode=outcome.status)
