"""The recorded sessions: real daily bars of five shares, as traded, from `bokeh_sampledata` (public domain).

The package's prices are unadjusted and it does not list the splits, so those are here. Nothing else is added.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

from bokeh_sampledata import stocks

from market import prices
from market.bars import checks
from market.intervals import DAY
from market.player import finer
from market.prices import Bar, Quote
from market.sources.replay import ABOUT
from monitoring import refusals

NAME = ABOUT.name
TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
# New shares for one old, by the first session that trades so. AAPL's fall of 2000-09-29 is none: it is real.
SPLITS = {
    "AAPL": {date(2000, 6, 21): 2.0, date(2005, 2, 28): 2.0},
    "MSFT": {date(2003, 2, 18): 2.0},
}
STEPS = 4  # open, the nearer extreme, the other, close
_DECIMALS = 4


class Day(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: int

    @property
    def path(self) -> tuple[float, float, float, float]:
        """The prices in the order we tell them: a daily bar does not say when its high and low were."""
        return finer.way(self.open, self.high, self.low, self.close)


@cache
def days(ticker: str) -> dict[date, Day]:
    """A symbol's sessions, oldest first; none of a symbol that was not recorded. A row that can be no day is none."""
    if ticker not in TICKERS:
        return {}
    columns = getattr(stocks, ticker)
    rows = zip(*(columns[name] for name in ("date", *Day._fields)), strict=True)
    return {date.fromisoformat(day): Day(*values) for day, *values in rows if _is_whole(ticker, day, Day(*values))}


@cache
def sessions() -> list[date]:
    """Every session of the recording, oldest first; a young company lacks the older ones."""
    return sorted(set().union(*(days(ticker) for ticker in TICKERS)))


def bars(ticker: str, before: date, received_at: datetime) -> list[Bar]:
    """A symbol's bars of the sessions before a date."""
    return [
        Bar(ticker, DAY.name, prices.midnight(session), *day, is_final=True, source=NAME, received_at=received_at)
        for session, day in days(ticker).items()
        if session < before
    ]


def quote(ticker: str, session: date, step: int, received_at: datetime) -> Quote:
    """The step's recorded price and the session so far; the volume comes with the close."""
    day = days(ticker)[session]
    told = day.path[: step + 1]
    is_final = step == STEPS - 1
    return Quote(
        ticker=ticker,
        price=told[-1],
        previous_close=_previous_close(ticker, session),
        open=day.open,
        high=max(told),
        low=min(told),
        volume=day.volume if is_final else None,
        session_date=session,
        as_of=prices.midnight(session),
        as_of_precision=prices.DAY,
        received_at=received_at,
        source=NAME,
        market_state="closed" if is_final else "open",
        is_final=is_final,
    )


def last_session(ticker: str, before: date) -> date | None:
    """A symbol's newest session before a date."""
    dates = _dates(ticker)
    index = bisect_left(dates, before)
    return dates[index - 1] if index else None


def _previous_close(ticker: str, session: date) -> float | None:
    """The last session's close in the shares of this one."""
    last = last_session(ticker, session)
    if last is None:
        return None
    return round(days(ticker)[last].close / SPLITS.get(ticker, {}).get(session, 1.0), _DECIMALS)


def _is_whole(ticker: str, day: object, row: Day) -> bool:
    try:
        bar = Bar(ticker, DAY.name, prices.midnight(date.fromisoformat(day)), *row, True, NAME, datetime.now(UTC))
        fault = checks.bar_fault(bar, bar.received_at)
    except (TypeError, ValueError) as error:
        fault = str(error)
    if fault:
        refusals.note("recorded", ticker, f"{day}: {fault}", repr(row))
    return not fault


@cache
def _dates(ticker: str) -> list[date]:
    return list(days(ticker))
