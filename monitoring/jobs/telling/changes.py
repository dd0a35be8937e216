"""The jobs' changes, appended to a bounded list that the feed reads and publishes."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from monitoring import formats
from monitoring.lists import BoundedList
from monitoring.models import Job

LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What every change says, whatever else is new."""

    task_id: str


FORMAT = formats.Format(Change)
LIST = BoundedList(FORMAT.key("changes", "jobs"), limit=LIMIT, what="job change")


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
    transaction.on_commit(lambda: LIST.put(*told))
