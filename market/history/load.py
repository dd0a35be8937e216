"""History that is fetched from a source and stored, with the splits and dividends that came with it."""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from market import actions, bars, symbols
from market.bars import UpsertResult, batch
from market.bars.batch import Batch
from market.coverage import loading as coverage
from market.history import claims, gaps, progress
from market.history.together import Together
from market.intervals import DAY
from market.models import Bar as BarRow
from market.models import Coverage, Symbol
from market.prices import FORMING, Bar, Named
from monitoring import jobs, memory, turns

logger = logging.getLogger(__name__)

START = date(2000, 1, 1)
EVER = date(1900, 1, 1)  # before all that any source has
PARALLEL = 2  # symbols of one job, where its source does not say how many
TOGETHER = 6_000  # bars that are stored at once, of several symbols: ten years of two, as more take more memory

Told = Sequence[Bar] | Batch  # of one symbol, oldest first
Fetch = Callable[[Symbol, date], tuple[Told, Named]]


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


def fill(
    symbol: Symbol,
    fetch: Fetch,
    source: str,
    *,
    by_calendar: bool = False,
    is_whole: bool = False,
    fill_holes: bool = False,
) -> Filled:
    """Fetch and store what is missing of one symbol's daily bars that have closed. Safe to run again, and at once.

    by_calendar: days without a session of the exchange's calendar are held back. is_whole: nothing that is held spares
    asking. fill_holes: nor that it was asked lately for older holes. Raises what `fetch` does.
    """
    with claims.taken(symbol, DAY.name):
        row = _sound(symbol)
        wanted = coverage.wanted(row) or START
        start = wanted if is_whole else _start(row, wanted, fill_holes=fill_holes)
        return _fill(symbol, fetch, source, wanted, start, by_calendar=by_calendar)


def ensure(
    symbol: Symbol, fetch: Fetch, source: str, *, since: date = START, by_calendar: bool = False
) -> Filled | None:
    """Fetch and store the whole history from a session on; None where somebody has done so before. As `fill` else."""
    with claims.taken(symbol, DAY.name):
        row = _sound(symbol)
        if (first := coverage.wanted(row)) and first <= since:
            return None
        return _fill(symbol, fetch, source, since, since, by_calendar=by_calendar)


def refresh(tickers: list[str], fetch: Fetch, source: str, *, parallel: int = PARALLEL, **how: bool) -> dict:
    """Fill some symbols, as `fill` does; one that fails does so alone, and says why.

    parallel: how many at a time. how: as `fill` takes it. Raises NothingDone where all of them failed.
    """

    def filled(ticker: str) -> Filled:
        return fill(symbols.resolve(ticker), fetch, source, **how)

    outcome = jobs.fan_out(tickers, filled, parallel=parallel)
    outcome.require_any()
    return end(outcome, source, DAY.name)


def backfill(
    tickers: list[str],
    fetch: Fetch,
    source: str,
    *,
    since: date = START,
    by_calendar: bool = False,
    parallel: int = PARALLEL,
) -> dict:
    """Load some symbols, as `ensure` does: an attempt goes on where the one before it ended, whatever ended that.

    Raises NotAllDone where another attempt can help one of them, NothingDone where all of them failed.
    """

    def loaded(ticker: str) -> Filled | None:
        symbol = symbols.resolve(ticker)
        with progress.noted(symbol), _left_where_there_is_none(symbol):
            return ensure(symbol, fetch, source, since=since, by_calendar=by_calendar)

    # In no order: jobs of the same symbols would wait for each other at each of them.
    outcome = jobs.fan_out(random.sample(tickers, len(tickers)), loaded, parallel=parallel)
    outcome.require_any()
    outcome.require_another_attempt()
    return end(outcome, source, DAY.name)


def end(outcome: jobs.Outcome, source: str, interval: str) -> dict:
    """End the job with what came of each symbol."""
    done = {ticker: filled for ticker, filled in outcome.done.items() if filled}
    with jobs.current().commit() as ended:
        ended.result = {
            "source": source,
            "done": {ticker: filled.as_json() for ticker, filled in done.items()},
            "held_before": sorted(outcome.done.keys() - done.keys()),
            "failed": outcome.failed,
        }
        for ticker, filled in done.items():
            note(ended, ticker, filled.bars, interval)
    return ended.result


def note(end: jobs.End, ticker: str, written: UpsertResult, interval: str = DAY.name) -> None:
    """Note the bars that were written to a symbol, if any."""
    if count := written.inserted + written.changed:
        first, last = ([ticker, interval, f"{at:%Y-%m-%d}"] for at in (written.first, written.last))
        end.note(BarRow, count, first, last)


@contextmanager
def _left_where_there_is_none(symbol: Symbol) -> Iterator[None]:
    """What another attempt does not bring is not asked for again at once, but by whoever names it."""
    try:
        yield
    except Exception as error:
        if not jobs.is_temporary(error):
            coverage.suspend(symbol, datetime.now(UTC) + coverage.LONGEST)
        raise


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a source told of a symbol, asked from `start` on. wanted: the first session that is, from which on all are
    held then.
    """

    symbol: Symbol
    bars: Told
    named: Named
    source: str
    wanted: date
    start: date
    by_calendar: bool

    @property
    def last(self) -> date | None:
        """The last session that is told."""
        if isinstance(self.bars, Batch):
            return self.bars[-1].session_date if self.bars else None
        return max((bar.session_date for bar in self.bars), default=None)

    @property
    def kind(self) -> object:
        """Equal where bars can be joined: as columns of one source."""
        return self.bars.source if isinstance(self.bars, Batch) else self


def _fill(symbol: Symbol, fetch: Fetch, source: str, wanted: date, start: date, *, by_calendar: bool) -> Filled:
    """Ask from `start` on, and store what comes."""
    found, named = fetch(symbol, start)
    if start > wanted and actions.corrects_split(symbol, named, source):
        start = wanted
        found, named = fetch(symbol, start)
    filled = _store(_Answer(symbol, _closed(found), named, source, wanted, start, by_calendar))
    if filled.bars.inserted or filled.bars.changed:
        logger.info("%s: %d new bars, %d corrected", symbol.ticker, filled.bars.inserted, filled.bars.changed)
    return filled


def _closed(found: Told) -> Told:
    """Those that form no more."""
    if isinstance(found, Batch):
        return found.take(found.state != batch.FORMING)
    return [bar for bar in found if bar.state != FORMING]


def _ready(answers: Sequence[_Answer]) -> Callable[[], dict[str, UpsertResult]]:
    """What writes the bars of answers, which are more than one where they are columns."""
    first = answers[0]
    how = {"reason": f"correction by {first.source}", "by_calendar": first.by_calendar}
    if isinstance(first.bars, Batch):
        return bars.ready(batch.joined([each.bars for each in answers]), **how)
    return lambda: {first.symbol.ticker: bars.upsert(first.bars, **how)}


def _write(answers: Sequence[_Answer]) -> list[Filled]:
    write, many = _ready(answers), sum(len(each.bars) for each in answers)

    def store() -> dict[str, UpsertResult]:
        actions.keep_all([(each.symbol, each.named) for each in answers], answers[0].source)
        return write()

    # Both at once, unless that would keep other writers waiting.
    written = turns.again(store) if many <= bars.AT_ONCE else store()
    loaded = [coverage.Loaded(each.symbol, each.wanted, each.start, each.last) for each in answers]
    new = {each.symbol: _new(each, written[each.symbol.ticker]) for each in answers}
    rows = coverage.complete_all(loaded, count=gaps.counted(new))
    memory.give_back()  # of thousands of rows: what the next ones take would come on top of it
    return [
        Filled(written[each.symbol.ticker], len(each.named), _hole_after(rows[each.symbol.pk], each.start))
        for each in answers
    ]


def _new(answer: _Answer, written: UpsertResult) -> np.ndarray:
    """The sessions of an answer whose bars were all new, oldest first, int64 in days since 1970; none of any other."""
    if not isinstance(answer.bars, Batch) or written.inserted != len(answer.bars):
        return np.empty(0, np.int64)
    return np.unique(answer.bars.session)


_store = Together(
    _write,
    size=lambda answer: len(answer.bars),
    most=TOGETHER,
    alike=lambda answer: (answer.source, answer.by_calendar, answer.kind),
)


def _sound(symbol: Symbol) -> Coverage | None:
    """The row of a symbol's days, once nothing lies ahead that a wrong clock wrote."""
    row = coverage.row(symbol)
    if row and row.last_held and bars.forget_future(symbol.ticker, row.last_held):
        return coverage.row(symbol)
    return row


def _start(row: Coverage | None, wanted: date, *, fill_holes: bool) -> date:
    """From which session on is asked: where what we hold breaks off, whatever the feed has told behind that.

    Bars of the last sessions may also have come from quotes before any history did.
    """
    if row is None or row.complete_since is None:
        return wanted
    if row.unbroken_until is None and row.asked_until is None:  # never counted, or taken away in part since
        gaps.say(row)
    return max(wanted, gaps.since(row, datetime.now(UTC), fill_holes=fill_holes) or wanted)


def _hole_after(row: Coverage, start: date) -> date | None:
    hole = gaps.hole_after(row)
    if hole and start <= hole:
        logger.warning(
            "%s: a session after %s is still missing, though the source was asked; it is asked again in %d days",
            row.symbol.ticker, hole, gaps.AGAIN.days,
        )  # fmt: skip
    return hole
