"""The jobs' changes, appended to a bounded list that the feed reads and publishes.

In place of those that were lost on the way stands how many: who reads on knows that the rows have to be read anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from django.db import transaction
from django.utils import timezone

from monitoring import formats, redis, refusals
from monitoring.jobs.errands import Errands
from monitoring.models import Job

LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What every change says, whatever else is new."""

    task_id: str


FORMAT = formats.Format(Change)
KEY = FORMAT.key("changes", "jobs")
_LOSS = b'{"lost":'


def describe(job: Job, news: dict) -> dict:
    """A change of a job: what names it, and what is new."""
    at = timezone.now().isoformat().replace("+00:00", "Z")
    told = {
        "task_id": str(job.pk),
        "name": job.name,
        "about": job.about,
        "priority": job.priority_word,
    }
    return told | {"attempt": job.tried, "at": at} | news


def after_commit(jobs: Iterable[Job], news: dict) -> None:
    """Append a change of each job once it is committed."""
    told = [describe(job, news) for job in jobs]
    transaction.on_commit(lambda: append(told))


def append(told: list[dict]) -> None:
    """Append changes, from a thread aside."""
    _errands.put(*told)


def flush(timeout_seconds: float = 2.0) -> bool:
    return _errands.flush(timeout_seconds)


def is_loss(line: bytes) -> bool:
    """Whether this stands in the list for changes that are not there."""
    return line.startswith(_LOSS)


def _append(told: list[dict]) -> None:
    """One that can't be written is left out, alone."""
    lines, refused = [], 0
    for each in told:
        try:
            lines.append(orjson.dumps(each))
        except orjson.JSONEncodeError as error:
            refused += 1
            refusals.note("job change", str(each.get("name", "")).encode("ascii", "replace").decode(), str(error))
    _push(*lines, *([_loss(refused)] if refused else []))


def _tell_loss(count: int) -> None:
    _push(_loss(count))


def _loss(count: int) -> bytes:
    """A version that does not know this line takes it for a change that can't be read: one is missing there too."""
    return _LOSS + b"%d}" % count


def _push(*lines: bytes) -> None:
    pipeline = redis.client().pipeline(transaction=False)
    pipeline.rpush(KEY, *lines)
    pipeline.ltrim(KEY, -LIMIT, -1)
    pipeline.execute()


_errands = Errands(_append, limit=LIMIT, tell=_tell_loss)
