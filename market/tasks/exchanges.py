"""When exchanges trade: conditions of jobs, and the calendars."""

from django.utils.translation import gettext_lazy as _

from market import sources
from market.calendars import exchanges, hours
from monitoring import jobs
from monitoring.jobs import Schedule, condition, job


@condition("market.is_open", check=exchanges.unknown_if_named)
def is_open(exchange: str = "") -> bool:
    """The exchange trades now; without a name, any does where a tracked symbol is at home."""
    return hours.is_open(exchange, has_hours=sources.has_hours())


@condition("market.had_session", check=exchanges.unknown)
def had_session(exchange: str) -> bool:
    """Today is a trading day of the exchange, by its own calendar and date."""
    return hours.had_session(exchange, has_hours=sources.has_hours())


@job(
    "market.calendars",
    timeout=300,
    isolated=True,
    schedules=(Schedule("11 * * * *"),),
    title=_("Calendars of exchanges"),
    says=_("Writes when exchanges trade, once a day; a new symbol's exchange within the hour."),
)
def keep_calendars(exchanges: list[str] | None = None) -> dict:
    """Keep the sessions of exchanges as rows, which pages and the interface read."""
    outcome = jobs.fan_out(hours.keep_due(exchanges), hours.keep, parallel=1)
    with jobs.current().commit() as end:
        end.result = {"sessions": outcome.done, "failed": outcome.failed}
    return end.result
