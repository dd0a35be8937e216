"""History that is fetched from a source and stored, with the splits and dividends that came with it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from market import actions, bars, symbols
from market.bars import UpsertResult
from market.coverage import loading as coverage
from market.history import gaps
from market.intervals import DAY
from market.models import Bar as BarRow
from market.models import Symbol
from market.prices import FORMING, Bar, Named
from monitoring import jobs

logger = logging.getLogger(__name__)

START = date(2000, 1, 1)
PARALLEL = 2  # of one job; the source's pace bounds all of them together

Fetch = Callable[[Symbol, date], tuple[list[Bar], Named]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What one answer of a source changed.

    hole_after: the session after which one is missing still, though the source was asked for it; None where none is.
    """

    bars: UpsertResult
    actions: int
    hole_after: date | None = None

    def as_json(self) -> dict:
        return {"inserted": self.bars.inserted, "corrected": self.bars.changed, "unchanged": self.bars.unchanged,
                "actions": self.actions, "refused": list(self.bars.refused), "held_back": list(self.bars.held_back),
                "hole_after": self.hole_after and str(self.hole_after)}  # fmt: skip


def fill(symbol: Symbol, fetch: Fetch, source: str, *, by_calendar: bool = False) -> Filled:
    """Fetch and store what is missing of one symbol's daily bars that have closed. Safe to run again.

    by_calendar: days without a session of the exchange's calendar are held back.
    Raises what `fetch` does.
    """
    bars.forget_future(symbol.ticker)
    start = _start(symbol)
    found, named = fetch(symbol, start)
    if start > START and actions.corrects_split(symbol, named, source):
        start = START
        found, named = fetch(symbol, start)
    actions.keep(symbol, named, source)
    closed = [bar for bar in found if bar.state != FORMING]
    result = bars.upsert(closed, reason=f"correction by {source}", by_calendar=by_calendar)
    if result.inserted or result.changed:
        logger.info("%s: %d new bars, %d corrected", symbol.ticker, result.inserted, result.changed)
    gaps.count([symbol.ticker])
    coverage.complete(symbol, START, since=start, until=max((bar.session_date for bar in closed), default=None))
    return Filled(result, len(named), _hole_after(symbol, start))


def refresh(tickers: list[str], fetch: Fetch, source: str, *, by_calendar: bool = False) -> dict:
    """Fill some symbols; one that fails does so alone, and says why.

    Raises NothingDone where all of them failed.
    """

    def filled(ticker: str) -> Filled:
        return fill(symbols.resolve(ticker), fetch, source, by_calendar=by_calendar)

    outcome = jobs.fan_out(tickers, filled, parallel=PARALLEL)
    outcome.require_any()
    with jobs.current().commit() as end:
        end.result = {
            "source": source,
            "done": {ticker: filled.as_json() for ticker, filled in outcome.done.items()},
            "failed": outcome.failed,
        }
        for ticker, filled in outcome.done.items():
            note(end, ticker, filled.bars)
    return end.result


def note(end: jobs.End, ticker: str, written: UpsertResult) -> None:
    """Note the bars that were written to a symbol, if any."""
    if count := written.inserted + written.changed:
        first, last = ([ticker, DAY.name, f"{at:%Y-%m-%d}"] for at in (written.first, written.last))
        end.note(BarRow, count, first, last)


def _start(symbol: Symbol) -> date:
    """From which session on is asked: where what we hold breaks off, whatever the feed has told behind that.

    Bars of the last sessions may also have come from quotes before any history did.
    """
    row = coverage.row(symbol)
    if row is None or row.complete_since is None:
        return START
    if row.unbroken_until is None and row.asked_until is None:  # never counted, or taken away in part since
        gaps.count([symbol.ticker])
        row = coverage.row(symbol)
    return max(START, gaps.since(row, datetime.now(UTC)) or START)


def _hole_after(symbol: Symbol, start: date) -> date | None:
    row = coverage.row(symbol)
    hole = gaps.hole_after(row) if row else None
    if hole and start <= hole:
        logger.warning(
            "%s: a session after %s is still missing, though the source was asked; it is asked again in %d days",
            symbol.ticker, hole, gaps.AGAIN.days,
        )  # fmt: skip
    return hole
