"""What is kept no longer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from market import bars, quotes, records
from market.intervals import MINUTE
from monitoring import jobs
from monitoring.jobs import Between, Schedule, job


@job(
    "market.retention",
    priority="low",
    timeout=3600,
    schedules=(Schedule("5 3 * * *"),),
    title=_("Clear old prices"),
    says=_("Deletes stored quotes, bars of a minute, and what bars were before they settled, when they are too old."),
)
def retain(
    snapshot_days: Annotated[int, Between(1, 3_650)] = settings.SNAPSHOT_DAYS,
    minute_days: Annotated[int, Between(30, 36_500)] = settings.MINUTE_DAYS,
    provisional_days: Annotated[int, Between(1, 3_650)] = settings.PROVISIONAL_DAYS,
) -> dict:
    """Delete quotes, bars of a minute and provisional bars of so many days ago, and records of passes before the last
    two; a table that fails does so alone.
    """
    now = datetime.now(UTC)
    tables: dict[str, Callable[..., int]] = {
        "snapshots": partial(quotes.forget_before, now - timedelta(days=snapshot_days)),
        "minutes": partial(bars.forget_before, MINUTE.name, now - timedelta(days=minute_days)),
        "provisional": partial(bars.forget_provisional, now - timedelta(days=provisional_days)),
        "records": records.forget_passes,
    }
    outcome = jobs.fan_out(tables, lambda name: tables[name](tell=_look), parallel=1)
    outcome.require_any()
    with jobs.current().commit() as end:
        end.result = {"deleted": outcome.done, "failed": outcome.failed}
    return end.result


def _look(_deleted: int) -> None:
    """A job that deletes row after row ends between two turns where it must."""
    jobs.current().checkpoint()
