"""What is done in the background where all that is told must go along."""

from datetime import timedelta
from typing import Annotated

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from market.symbols import tickers
from monitoring.jobs import Schedule, job
from monitoring.jobs.arguments import Between
from realtime import alerts, events


@job(
    "market.rename",
    timeout=120,
    about="symbol",
    spelled=tickers,
    body="realtime.renaming.renamed",
    title=_("Rename a symbol"),
    says=_(
        "Gives a symbol another ticker: its history, rules and streams go on under it, and the old name leads to it."
    ),
)
def rename_symbol(symbol: str, to: str, name: str = "", local_name: str = "") -> dict:
    """Give a symbol another ticker: its history, rules and streams go on under it, and the old name leads to it."""


@job(
    "realtime.events",
    priority="low",
    timeout=600,
    schedules=(Schedule("20 * * * *"),),
    title=_("Keep what was told"),
    says=_("Writes what was told on the stream and has no row yet, and deletes what was told so many days ago."),
)
def keep_events(days: Annotated[int, Between(1, 3_650)] = settings.EVENT_DAYS) -> dict:
    """Write what was told and has no row, as its teller ended first; delete what was told so many days ago."""
    old = timezone.now() - timedelta(days=days)
    return {"mended": events.mend(), "deleted": events.forget_before(old) + events.forget_passes()}


@job(
    "realtime.alerts",
    priority="low",
    timeout=600,
    schedules=(Schedule("30 3 * * *"),),
    title=_("Clear old alerts"),
    says=_("Deletes alerts that rang longer ago than they are kept."),
)
def retain_alerts(days: Annotated[int, Between(1, 36_500)] = settings.ALERT_DAYS) -> dict:
    """Delete the alerts that rang so many days ago, or in a pass of a recording that is kept no longer."""
    return {"deleted": alerts.forget_before(timezone.now() - timedelta(days=days)) + alerts.forget_passes()}
