"""What Celery calls, the doorbell and the clock's tick, and the jobs that keep the ledger itself in order."""

from datetime import timedelta
from typing import Annotated

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring import audit
from monitoring.jobs import database, doorbell, schedules
from monitoring.jobs.arguments import Between
from monitoring.jobs.declaration import Schedule, job
from monitoring.jobs.ending import retention


@shared_task(name=doorbell.RING, acks_late=False)
def ring() -> None:
    """Somebody rang: look for work."""
    for listener in doorbell.listeners:
        listener()


@shared_task(name=schedules.TICK)
def tick(**_schedule: object) -> None:
    """Beat ticked, for one schedule or for all: submit what is due.

    By one clock, whichever machine ticks: of two clocks a day apart the one would free each slot that the other takes.
    """
    schedules.run_due(database.now())


@job(
    "monitoring.retention",
    priority="low",
    timeout=600,
    schedules=(Schedule("35 3 * * *"),),
    title=_("Clear old tasks"),
    says=_("Deletes tasks that ended so many days ago, and what belongs to them."),
)
def retain(days: Annotated[int, Between(1, 3_650)] = settings.JOB_DAYS) -> dict:
    """Delete jobs that ended so many days ago, and what belongs to them."""
    return retention.delete_before(timezone.now() - timedelta(days=days))


@job(
    "monitoring.audit",
    priority="low",
    timeout=600,
    schedules=(Schedule("50 3 * * *"),),
    title=_("Clear the audit log"),
    says=_("Deletes entries of the audit log that are older than it is kept."),
)
def retain_audit(days: Annotated[int, Between(1, 36_500)] = settings.AUDIT_DAYS) -> dict:
    """Delete what the audit log has of so many days ago."""
    return {"deleted": audit.forget_before(timezone.now() - timedelta(days=days))}
