"""What Celery calls, the doorbell and the clock's tick, and the jobs that keep the ledger itself in order."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from monitoring.jobs import doorbell, retention, schedules
from monitoring.jobs.declaration import Schedule, job
from monitoring.jobs.errors import InvalidArguments

LONGEST_DAYS = 3_650


@shared_task(name=doorbell.RING, acks_late=False)
def ring() -> None:
    """Somebody rang: look for work."""
    for listener in doorbell.listeners:
        listener()


@shared_task(name=schedules.TICK)
def tick(**_schedule: object) -> None:
    """Beat ticked, for one schedule or for all: submit what is due."""
    schedules.run_due(timezone.now())


@job("monitoring.retention", priority="low", timeout=600, schedules=(Schedule("35 3 * * *"),))
def retain(days: int = 30) -> dict:
    """Delete jobs that ended long ago, and what belongs to them."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidArguments(f"Nothing was deleted: days must be from 1 to {LONGEST_DAYS}.")
    return retention.delete_before(timezone.now() - timedelta(days=days))
