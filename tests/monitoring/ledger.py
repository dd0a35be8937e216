"""What one does with the ledger without a process: one worker's claims, and the usual job from its submission on."""

import uuid

from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

WORKER = uuid.uuid4()


def claim(limit: int = 1) -> list[Job]:
    return claims.claim(WORKER, limit, timezone.now())


def add(**options) -> Job:
    return jobs.submit("sample.add", {"a": 1}, **options)


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def complete(job: Job) -> None:
    endings.write([Ending(job, Job.State.COMPLETED, 1)])
