"""History that is fetched from a source and stored, with the splits and dividends that came with it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

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
OVERLAP = timedelta(days=7)  # asked for again each time, for corrections and late actions
PARALLEL = 2  # of one job; the source's pace bounds all of them together

Fetch = Callable[[Symbol, date], tuple[list[Bar], Named]]


@dataclass(frozen=True, slots=True)
class Filled:
    """What one answer of a source changed."""

    bars: UpsertResult
    actions: int

    def as_json(self) -> dict:
        return {"inserted": self.bars.inserted, "corrected": self.bars.changed, "unchanged": self.bars.unchanged,
                "actions": self.actions, "refused": list(self.bars.refused)}  # fmt: skip


def fill(symbol: Symbol, fetch: Fetch, source: str) -> Filled:
    """Fetch and store what is missing of one symbol's daily bars that have closed. Safe to run again.

    Raises what `fetch` does.
    """
    bars.forget_future(symbol.ticker)
    found, named = fetch(symbol, _start(symbol))
    actions.keep(symbol, named, source)
    result = bars.upsert([bar for bar in found if bar.state != FORMING], reason=f"correction by {source}")
    if result.inserted or result.changed:
        logger.info("%s: %d new bars, %d corrected", symbol.ticker, result.inserted, result.changed)
    coverage.complete(symbol, START)
    return Filled(result, len(named))


def refresh(tickers: list[str], fetch: Fetch, source: str) -> dict:
    """Fill some symbols; one that fails does so alone, and says why.

    Raises NothingDone where all of them failed.
    """
    outcome = jobs.fan_out(tickers, lambda ticker: fill(symbols.resolve(ticker), fetch, source), parallel=PARALLEL)
    outcome.require_any()
    gaps.count(outcome.done)
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
    """Bars of the last sessions may have come from quotes before any history did."""
    last = coverage.last_held(symbol)
    return START if last is None else last.date() - OVERLAP
