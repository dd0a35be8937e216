"""Symbols that people add: what the source knows of them, and that they are collected from now on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction

from market import symbols
from market.models import DataSource, Symbol
from market.sources import delisting, negatives, registry
from market.sources.errors import ProviderError, Unreadable
from monitoring import audit, jobs
from monitoring.models import AuditEntry, Job

ACT, JOB = "symbols.add", "market.add_symbol"
A_DAY = timedelta(days=1)


class TooManyAdded(Exception):
    """As many symbols as one person may add within a day; `seconds` until there is room for the next."""

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(f"{most} symbols within a day are the most that one person may add.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Addition:
    """A symbol that somebody wants, and the job that looks for it; without one it is collected already."""

    ticker: str
    job: UUID | None = None


def ask(text: str, user: Any, via: str = "") -> Addition:
    """Let a job add a symbol for somebody. Whoever asks while it is looked for has the same job, and counts once.

    via: see `audit.act_of`. Raises UnknownSymbol where no source can know it, or it said a moment ago that it does not,
    TooManyAdded, and redis' errors.
    """
    row = symbols.found([text]).get(text)
    if row is not None and row.is_active:
        return Addition(row.ticker)
    ticker = row.ticker if row else _askable(text)
    if (job := _under_way(ticker)) is not None and _is_for(job, user):
        return Addition(ticker, job.pk)
    _require_room(user)
    with transaction.atomic():
        # One at a time: else two would find that nobody looks for it, or one person room for the last of a day.
        DataSource.objects.select_for_update().filter(pk=1).first()
        job = _under_way(ticker)
        return Addition(ticker, job.pk) if job and _is_for(job, user) else _counted(ticker, user, via, job)


def add(text: str) -> Symbol:
    """Have a symbol collected. Safe to run again, and at once.

    Raises UnknownSymbol, which says what may have been meant, and ProviderError where the source can't be asked.
    """
    row = symbols.found([text]).get(text) or _made(text)
    if not row.is_active:
        delisting.revive([row.pk])
    return row


def _made(text: str) -> Symbol:
    """By the first of the tickers that a text may be which the source knows."""
    for ticker in symbols.spelled(text):
        try:
            seed = registry.source().identify(ticker)
            ZoneInfo(seed.time_zone)
            return symbols.ensure([seed])[0]
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Unreadable(f"{text[:40]}: its time zone is none: {error}") from error
        except ProviderError as error:
            if error.code != "unknown_symbol":
                raise
    raise symbols.UnknownSymbol(f"there is no symbol {text[:40]!r}{_meant(text)}")


def _meant(text: str) -> str:
    near = symbols.near(text)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _askable(text: str) -> str:
    """What is no symbol of ours as a ticker, where the source may know it."""
    about, tickers = registry.held(), symbols.spelled(text)
    if not tickers or about is None or about.is_recorded:
        raise symbols.UnknownSymbol(f"{text[:40]!r} is no symbol that could be asked for")
    unknown = negatives.unknown(about.name)
    if all(unknown.left(ticker) for ticker in tickers):
        raise symbols.UnknownSymbol(f"{about.title} does not know {text[:40]!r}")
    return tickers[0]


def _under_way(ticker: str) -> Job | None:
    """The job that looks for it now, whoever asked first."""
    return Job.objects.filter(name=JOB, about=ticker).exclude(state__in=Job.ENDED).order_by("id").first()


def _is_for(job: Job, user: Any) -> bool:
    """Whether somebody asked for it before, and was counted."""
    asked = AuditEntry.objects.filter(actor_id=user.pk, action=ACT, target=job.about).order_by("-id")[:1]
    return any((entry.outcome or {}).get("task_id") == str(job.pk) for entry in asked)


def _counted(ticker: str, user: Any, via: str, job: Job | None) -> Addition:
    """One of the day's, with the job that looks for it already, if any: that is nobody's own from now on, so that it
    ends neither with the rights of who asked first nor by their wish.
    """
    _require_room(user)
    with audit.act_of(user, via, ACT, ticker, symbol=ticker) as outcome:
        if job is None:
            job = jobs.submit(JOB, {"symbol": ticker}, owner=user, priority="high")  # somebody waits for it
        else:
            Job.objects.filter(pk=job.pk).update(owner=None)
        outcome["task_id"] = str(job.pk)
    return Addition(ticker, job.pk)


def _require_room(user: Any) -> None:
    """Who is of the staff has no bound."""
    if user.is_staff:
        return
    most, now = settings.SYMBOLS_A_DAY, datetime.now(UTC)
    added = list(
        AuditEntry.objects.filter(actor_id=user.pk, action=ACT, at__gt=now - A_DAY)
        .order_by("at")
        .values_list("at", flat=True)
    )
    if len(added) >= most:
        oldest = added[-most] if most else now
        raise TooManyAdded(most, max(1, int((oldest + A_DAY - now).total_seconds())))
