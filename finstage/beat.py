"""Beat's scheduler, which shows with every turn of its loop that it turns, and only ticks.

Which planned times are due is worked out where the tick is heard (`monitoring.jobs.schedules`), also those that beat
itself would switch off, such as an instant or a schedule for once.
"""

from django.db.models import QuerySet
from django_celery_beat.schedulers import DatabaseScheduler
from redis.exceptions import RedisError

from monitoring import heartbeats
from monitoring.loops import Loop

EVERY_SECONDS = 5.0  # at most


class Scheduler(DatabaseScheduler):
    """django-celery-beat's own; it sleeps for at most five seconds between two turns."""

    def __init__(self, *args: object, **options: object) -> None:
        # It may be asked to begin at once, and it turns for as long as its process.
        self._loop = Loop("beat", every_seconds=EVERY_SECONDS, patience_seconds=60.0, away=(RedisError,)).__enter__()
        super().__init__(*args, **options)

    def tick(self, *args: object, **options: object) -> float:
        """Seconds to the next turn; whatever broke in this one, that comes."""
        wait = EVERY_SECONDS
        with self._loop.turn():
            wait = super().tick(*args, **options)
            heartbeats.beat("beat")
        return wait

    def enabled_models_qs(self) -> QuerySet:
        """The rows whose times beat itself understands: a tick each, in time."""
        return super().enabled_models_qs().filter(solar=None, clocked=None, one_off=False, expires=None)
