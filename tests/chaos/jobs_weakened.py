"""Workers without one of their defences."""

from contextlib import contextmanager

from finstage.celery import app
from monitoring.jobs import declaration, doorbell
from monitoring.jobs.claiming.pulse import Pulse
from monitoring.jobs.ending import attempts
from monitoring.jobs.ending.finisher import Finisher
from monitoring.jobs.ending.reaper import Reaper
from monitoring.jobs.running import context, isolated
from monitoring.jobs.worker import Worker
from monitoring.models import Job, JobQuerySet
from tests.chaos.defences import put, take_away


def without_reaper() -> None:
    """Nor the look that a worker takes when it starts: rings alone."""
    put(Reaper, "round", lambda self, now: None)
    start = Worker.start

    def start_without_looking(self: Worker) -> None:
        self.wake = deaf = lambda: None
        start(self)
        del self.wake
        doorbell.listeners.discard(deaf)
        doorbell.listeners.add(self.wake)

    put(Worker, "start", start_without_looking)


def without_fencing() -> None:
    """Nor the look by which a worker that wakes learns that its job is somebody else's."""
    put(Pulse, "_look", lambda self, held: None)
    put(JobQuerySet, "of_attempt", lambda self, job: self.filter(pk=job.pk))


def without_one_transaction() -> None:
    """Rows commit as they are written, and the job's end after them."""

    @contextmanager
    def commit(self):
        end = context.End()
        yield end
        attempts.complete(self.job, end.result)
        self.ended_as = Job.State.COMPLETED

    put(context.Current, "commit", commit)


def without_isolation() -> None:
    put(isolated, "is_needed", lambda job: False)


def without_retry_after_refusals() -> None:
    """By the broker: it is full or read-only."""
    put(app.conf, "broker_channel_error_retry", False)


def without_fairness() -> None:
    """Jobs are taken also right after a time in which nobody could hold on to them."""
    put(Reaper, "_is_fair", lambda self: True)


def without_second_write() -> None:
    """Endings that cannot be written at once break the worker."""

    def again(self, each, error):
        raise SystemExit from error

    put(Finisher, "_again", again)


def without_another_attempt() -> None:
    """Of jobs that failed for now."""
    put(declaration, "is_temporary", lambda error, rules=None: False)


def without_epitaph() -> None:
    """Nor the reaper, which would notice later."""
    without_reaper()
    put(isolated, "_epitaph", lambda current, exit_code: None)


take_away(globals())
