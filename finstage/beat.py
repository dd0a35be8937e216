"""Beat's scheduler, which shows with every turn of its loop that it turns, and only ticks.

Which planned times are due is worked out where the tick is heard (`monitoring.jobs.schedules`), also those that beat
itself would switch off, such as an instant or a schedule for once.
"""

import logging

from django.db.models import QuerySet
from django_celery_beat.schedulers import DatabaseScheduler
from redis.exceptions import RedisError

from monitoring import heartbeats

logger = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """django-celery-beat's own; it sleeps for at most five seconds between two turns."""

    def tick(self, *args: object, **options: object) -> float:
        try:
            heartbeats.beat("beat")
        except RedisError as error:
            logger.warning("No heartbeat: %s", error)
        return super().tick(*args, **options)

    def enabled_models_qs(self) -> QuerySet:
        """The rows whose times beat itself understands: a tick each, in time."""
        return super().enabled_models_qs().filter(solar=None, clocked=None, one_off=False, expires=None)
