"""Workers without one of their defences."""

import os
from contextlib import contextmanager

from django.db import transaction

from finstage.celery import app
from monitoring.jobs import context, doorbell, endings, isolated, ledger
from monitoring.jobs.declaration import Declaration
from monitoring.jobs.reaper import Reaper
from monitoring.jobs.worker import Worker
from monitoring.models import Job


def without_reaper() -> None:
    """Nor the look that a worker takes when it starts: rings alone."""
    Reaper.round = lambda self, now: None
    start = Worker.start

    def start_without_looking(self: Worker) -> None:
        self.wake = deaf = lambda: None
        start(self)
        del self.wake
        doorbell.listeners.discard(deaf)
        doorbell.listeners.add(self.wake)

    Worker.start = start_without_looking


def without_fencing() -> None:
    ledger.held = lambda job: Job.objects.filter(pk=job.pk)


def without_one_transaction() -> None:
    """A part's rows commit at once and its progress is written aside."""

    @contextmanager
    def part(self, done, total=None, word=""):
        with transaction.atomic():
            yield
        self.progress(done, total, word)

    context.Current.part = part


def without_isolation() -> None:
    isolated.is_needed = lambda job: False


def without_retry_after_refusals() -> None:
    """By the broker: it is full or read-only."""
    app.conf.broker_channel_error_retry = False


def without_fairness() -> None:
    """Jobs are taken also right after a time in which nobody could hold on to them."""
    Reaper._is_fair = lambda self: True


def without_second_write() -> None:
    """Endings that cannot be written at once break the worker."""

    def write(self: Worker, ended: list) -> bool:
        endings.write(ended)
        return True

    Worker._write = write


def without_another_attempt() -> None:
    """Of jobs that failed for now."""
    Declaration.is_temporary = lambda self, error: False


def without_epitaph() -> None:
    """Nor the reaper, which would notice later."""
    without_reaper()
    isolated._epitaph = lambda current, exit_code: None


globals().get(f"without_{os.environ.get('CHAOS_WITHOUT')}", lambda: None)()
