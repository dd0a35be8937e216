"""History of bars within sessions: asked for window by window, oldest first, each stored before the next is asked for.

Whatever ends a loading, the next one goes on behind what is stored. A source tells minutes of some weeks alone: what is
older than it reaches is not asked for, and made of shorter ones where those are held.
"""

import logging
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from market import bars, symbols
from market.bars import UpsertResult
from market.coverage import loading as coverage
from market.history import claims, gaps, load
from market.history.load import PARALLEL, START, Filled
from market.history.within import made
from market.models import Coverage, Symbol
from market.prices import FINAL, Bar, midnight
from monitoring import jobs

logger = logging.getLogger(__name__)

Fetch = Callable[[Symbol, str, datetime, datetime], list[Bar]]
Window = tuple[datetime, datetime]
_A_DAY = timedelta(days=1)  # a session may begin on the day before in UTC


class Reach(Protocol):
    """How far back a source tells the bars of an interval, and in which requests."""

    def since(self, now: datetime) -> datetime | None: ...

    def requests(self, start: datetime, end: datetime, now: datetime) -> list[Window]: ...


class DaysFirst(jobs.JobError):
    """Days name the splits that tell which shares the minutes before them are of."""

    code = "no_bars"


class NotWhole(jobs.JobError):
    """Some windows did not come; those that did are stored."""

    code = "not_all_done"

    def __init__(self, told: str, failures: list[Exception]) -> None:
        super().__init__(f"{told}: {failures[0]}")
        self.temporary = any(map(jobs.is_temporary, failures))


def fill(
    symbol: Symbol,
    interval: str,
    fetch: Fetch,
    reach: Reach,
    source: str,
    *,
    by_calendar: bool = False,
    fill_holes: bool = False,
) -> Filled | None:
    """Fetch and store what is missing of one symbol's settled bars of an interval, as far as the source reaches; None
    where somebody loaded them first while we waited. Safe to run again, and at once.

    by_calendar, fill_holes: as `load.fill` has them. Raises what `fetch` does where nothing came, else NotWhole.
    """
    if coverage.wanted(coverage.row(symbol)) is None:
        raise DaysFirst(f"The days of {symbol.ticker} are not loaded yet, which name its splits.")
    was_whole = _is_whole(coverage.row(symbol, interval))
    with claims.taken(symbol, interval) as take_again:
        bars.forget_future(symbol.ticker)
        row, now = coverage.row(symbol, interval), datetime.now(UTC)
        if _is_whole(row) and not was_whole:
            return None
        first = first_session(reach, now)
        start = _start(row, first, now, fill_holes=fill_holes)
        windows = reach.requests(midnight(start) - _A_DAY, now, now)

        def ask(window: Window) -> list[Bar]:
            take_again()
            jobs.current().checkpoint()
            return [bar for bar in fetch(symbol, interval, *window) if _is_kept(bar, start)]

        how = {"reason": f"correction by {source}", "by_calendar": by_calendar}
        written, told = _store(symbol, interval, windows, ask, **how)
        written = bars.summed([written, made.fill(symbol, interval, first)])
        # From the first one on no hole is left to ask for, however much older one is.
        since = date.min if start == first else start
        coverage.complete(symbol, first, since=since, until=told, interval=interval)
    return Filled(written, 0)


def refresh(
    tickers: list[str], interval: str, fetch: Fetch, reach: Reach, source: str, *, parallel: int = PARALLEL, **how: bool
) -> dict:
    """Fill some symbols, as `fill` does; one that fails does so alone, and says why. An attempt goes on where the one
    before it ended.

    Raises NotAllDone where another attempt can help one of them, NothingDone where all of them failed.
    """

    def filled(ticker: str) -> Filled | None:
        return fill(symbols.resolve(ticker), interval, fetch, reach, source, **how)

    # In no order: jobs of the same symbols would wait for each other at each of them.
    outcome = jobs.fan_out(random.sample(tickers, len(tickers)), filled, parallel=parallel)
    outcome.require_any()
    outcome.require_another_attempt()
    return load.end(outcome, source, interval)


def first_session(reach: Reach, now: datetime) -> date:
    """The oldest session that a source tells whole."""
    since = reach.since(now)
    return START if since is None else since.date() + 2 * _A_DAY


def _start(row: Coverage | None, first: date, now: datetime, *, fill_holes: bool) -> date:
    """The session to ask from: where a loading goes on, or what is held breaks off."""
    if row is None or row.asked_until is None:
        return first
    if _is_whole(row):
        return max(first, gaps.since(row, now, fill_holes=fill_holes) or first)
    return max(first, row.asked_until - gaps.OVERLAP_WITHIN)


def _is_whole(row: Coverage | None) -> bool:
    return row is not None and row.complete_since is not None


def _is_kept(bar: Bar, start: date) -> bool:
    """One that still moves is not; nor are those of a session that the first window cuts."""
    return bar.state == FINAL and bar.session_date >= start


def _store(
    symbol: Symbol, interval: str, windows: list[Window], ask: Callable[[Window], list[Bar]], **how: object
) -> tuple[UpsertResult, date | None]:
    """Store window after window; returns what was written, and the last session that came. One that fails does so
    alone, two in a row end it. Up to the first of them is known that all was asked for. One of which the source says
    that it has nothing has not failed: it lies before the first trade, or trading is suspended.
    """
    written: list[UpsertResult] = []
    failures: list[Exception] = []
    nothing: list[Exception] = []
    told, has_failed = None, False
    for number, window in enumerate(windows, 1):
        try:
            found = ask(window)
        except Exception as error:  # noqa: BLE001 - a window's own, whatever it is
            if getattr(error, "code", None) == "no_data" and not jobs.is_temporary(error):
                nothing.append(error)
                has_failed = False
                continue
            failures.append(error)
            logger.warning("%s %s from %s: %s", symbol.ticker, interval, f"{window[0]:%Y-%m-%d}", error)
            if has_failed or number == len(windows):
                break
            has_failed = True
            continue
        has_failed = False
        written.append(bars.upsert(found, **how))
        told = max((bar.session_date for bar in found), default=told)
        if told and not failures:
            coverage.note_asked(symbol, interval, told)
    gaps.count([symbol.ticker], interval=interval)
    _require(symbol, interval, len(windows) - len(nothing), written, failures or nothing)
    return bars.summed(written), told


def _require(
    symbol: Symbol, interval: str, wanted: int, written: list[UpsertResult], failures: list[Exception]
) -> None:
    """Raises the failure where nothing came, NotWhole where not all did. wanted: how many windows have something."""
    if failures and not written:
        raise failures[0]
    if len(written) < wanted:
        told = f"{symbol.ticker} {interval}: {wanted - len(written)} of {wanted} windows did not come"
        stored = sum(each.inserted for each in written)
        raise NotWhole(f"{told}, {stored} new bars of the others are stored", failures)
