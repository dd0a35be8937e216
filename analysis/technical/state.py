"""The technical state of one symbol at its last daily bar that is over: kept for all, and computed by a job.

Of what forms it says nothing, so that it is the same until the bars are others.
"""

import math
import statistics
from datetime import UTC, datetime
from typing import Any

import orjson

from analysis import periods
from analysis.indicators import catalogue, frames
from analysis.reports import remarks
from analysis.reports.statistics import change_percent
from analysis.summary import ADJUSTMENT
from market import actions, bars, coverage, prices
from market.bars import Basis, NoBars
from market.calendars import hours
from market.coverage import Versions
from market.intervals import DAY
from market.models import Symbol
from market.symbols import resolve
from monitoring import caches, jobs
from monitoring.caches import Kept, Made
from monitoring.jobs import Job, JobError

FORMAT = 2  # raise it where the same state is told in another way
JOB = "analysis.symbol"
MEASURED = 20  # of the last runs, of which the usual time is told
_SAME = (
    "symbol", "interval", "as_of", "session_date", "as_of_precision", "adjustment", "is_final", "source", "received_at",
    "version", "reasons",
)  # fmt: skip

Told = dict[str, Any]


def versions(ticker: str) -> Versions:
    """Of the bars that a state stands upon. Raises NoBars where there are none."""
    found = coverage.of([ticker], actions.intervals_read(DAY.name, ADJUSTMENT))[ticker]
    if found[0] == coverage.NONE:
        raise NoBars(f"There are no daily bars of {ticker} yet.")
    return found


def look(ticker: str, versions: Versions) -> Told | None:
    """What is kept of bars of these versions, with its age; nothing is computed."""
    found = caches.technical_analysis.look(_key(ticker), versions)
    return found and _told(found)


def ask(ticker: str, versions: Versions) -> Job:
    """The job of this symbol and bar: there is one, however many ask for it."""
    return jobs.submit(JOB, {"symbol": ticker}, key=key(ticker, versions))


def asked(ticker: str, versions: Versions) -> Job | None:
    """The same, if somebody has asked for it."""
    return Job.objects.filter(key=key(ticker, versions)).first()


def again(job: Job) -> Job:
    """The same job once more, of one that came to nothing; who comes second finds it asked for."""
    try:
        return jobs.retry(job.pk)
    except JobError:
        return Job.objects.get(pk=job.pk)


def key(ticker: str, versions: Versions) -> str:
    return f"{JOB}:{ticker}:{FORMAT}.{catalogue.CONVENTION}:{'.'.join(versions)}"


def came_to(job: Job) -> Told:
    """What a completed job found, with its age: the truth where no cache keeps it any more."""
    age = (datetime.now(UTC) - datetime.fromisoformat(job.result["computed_at"])).total_seconds()
    return {**job.result, "age_seconds": round(max(0.0, age), 3)}


def usual_seconds() -> float | None:
    """How long it takes from the question to the answer, the middle of the last runs; None before the first."""
    ran = Job.objects.filter(name=JOB, state=Job.State.COMPLETED, finished_at__isnull=False).order_by("-id")
    took = [(end - start).total_seconds() for start, end in ran.values_list("created_at", "finished_at")[:MEASURED]]
    return statistics.median(took) if took else None


def estimated(seconds: float | None) -> str | None:
    """In words, rounded up."""
    if seconds is None:
        return None
    whole = max(1, math.ceil(seconds))
    return "1 second" if whole == 1 else f"{whole} seconds"


def compute(symbol: str) -> Told:
    """The state now, which is kept; the body of the job. Raises UnknownSymbol, NoBars."""
    row = resolve(symbol)
    now = versions(row.ticker)
    return _told(caches.technical_analysis.answer(_key(row.ticker), now, lambda: _made(row, now)))


def _key(ticker: str) -> tuple:
    return "state", FORMAT, catalogue.CONVENTION, ticker


def _told(found: Kept) -> Told:
    made_at = datetime.fromtimestamp(found.made_at, UTC)
    return {
        **orjson.loads(found.body),
        "computed_at": prices.instant(made_at),
        "age_seconds": round(found.age_seconds, 3),
    }


def _made(row: Symbol, now: Versions) -> Made:
    series = bars.series(row.ticker, adjusted=ADJUSTMENT, basis=Basis(now, None))
    newest = series.newest
    if newest is None:
        raise NoBars(f"There are no daily bars of {row.ticker} yet.")
    told, close = frames.over(series, periods.NEWEST), series.columns["close"]
    before = _before(row, series)
    change = None if before is None else change_percent(before, float(close[-1]))
    newest_values = {name: each["latest"] for name, each in told["indicators"].items()}
    state = {
        **{name: told[name] for name in _SAME},
        "state": newest.state,
        "close": round(float(close[-1]), row.price_decimals),
        "change_percent": None if change is None else round(change, 4),
        "indicators": newest_values,
        "summary": [each.as_json() for each in remarks.of(float(close[-1]), newest_values)],
    }
    return Made(orjson.dumps(state, option=orjson.OPT_UTC_Z), series.versions)


def _before(row: Symbol, series: bars.Series) -> float | None:
    """The close of the session before, if that is the one that we hold."""
    sessions = series.columns["session_date"][-2:].tolist()
    if len(sessions) < 2 or hours.before(row.exchange, sessions[1]) not in (None, sessions[0]):
        return None
    return float(series.columns["close"][-2])
