"""The jobs' changes, appended to a bounded list that the feed reads and publishes."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from django.db import transaction
from django.utils import timezone

from monitoring import formats, redis
from monitoring.jobs.errands import Errands
from monitoring.models import Job

LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What every change says, whatever else is new."""

    task_id: str


FORMAT = formats.Format(Change)
KEY = FORMAT.key("changes", "jobs")


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


def _append(told: list[dict]) -> None:
    pipeline = redis.client().pipeline(transaction=False)
    pipeline.rpush(KEY, *map(orjson.dumps, told))
    pipeline.ltrim(KEY, -LIMIT, -1)
    pipeline.execute()


_errands = Errands(_append, limit=LIMIT)
