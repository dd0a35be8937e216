"""What the half-hourly analysis found, told to the feed: a line a run in a bounded list, once the run has committed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from market.models import DataSource
from monitoring import formats
from monitoring.jobs import Job
from monitoring.lists import BoundedList

LIMIT = 20  # runs that wait for a feed
NAMED = 50  # symbols of each kind that a summary names; all are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """What one symbol's newest bar says, which may form. trend, momentum: None where their indicator has no value."""

    session_date: date
    close: float
    change_percent: float | None
    trend: str | None
    momentum: str | None
    new_high: bool
    new_low: bool


@dataclass(frozen=True, slots=True)
class Market:
    """What they say together. breadth: how many. named: of each kind the symbols, by what it is called."""

    symbols: int
    without_bar: int
    failed: int
    breadth: dict[str, int]
    named: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Run:
    """task_id: its job's, by which it is told once. pass_number: of the recording; None of a live source."""

    task_id: str
    at: datetime
    interval: str
    source: str
    market: Market
    symbols: dict[str, Finding]
    pass_number: int | None = None


FORMAT = formats.Format(Run)
LIST = BoundedList(FORMAT.key("analysis", "runs"), limit=LIMIT, what="run of the analysis")


def after_commit(job: Job | None, found: Mapping[str, Any], source: DataSource | None) -> None:
    """Append what a run of everything found, which nobody in particular asked for. found: as the job's result tells it.

    source: as it was before the bars were read.
    """
    if job is None or source is None or job.owner_id is not None or job.is_orphan:
        return
    number = None if source.session is None else source.pass_number
    run = Run(
        task_id=str(job.pk),
        at=timezone.now(),
        interval=found["interval"],
        source=source.name,
        market=_market(found),
        symbols={ticker: _finding(each) for ticker, each in found["symbols"].items()},
        pass_number=number,
    )
    transaction.on_commit(lambda: LIST.put(run))


def _market(found: Mapping[str, Any]) -> Market:
    kinds = ("overbought", "oversold", "new_high", "new_low")
    return Market(
        symbols=len(found["symbols"]),
        without_bar=len(found["without_bar"]),
        failed=len(found["failed"]),
        breadth={**found["breadth"], **{kind: len(found[kind]) for kind in kinds}},
        named={kind: found[kind][:NAMED] for kind in kinds},
    )


def _finding(each: Mapping[str, Any]) -> Finding:
    told = {name: each[name] for name in ("close", "change_percent", "trend", "momentum", "new_high", "new_low")}
    return Finding(session_date=date.fromisoformat(each["session_date"]), **told)
