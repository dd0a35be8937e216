"""The recorded sessions: real daily bars of five shares, as traded, from `bokeh_sampledata` (public domain).

The package's prices are unadjusted and it does not list the splits, so those are here. Nothing else is added.
"""

from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

from bokeh_sampledata import stocks

from market import prices
from market.bars import checks
from market.intervals import DAY
from market.prices import Bar
from market.sources.replay import ABOUT
from monitoring import refusals

NAME = ABOUT.name
TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
# New shares for one old, by the first session that trades so. AAPL's fall of 2000-09-29 is none: it is real.
SPLITS = {
    "AAPL": {date(2000, 6, 21): 2.0, date(2005, 2, 28): 2.0},
    "MSFT": {date(2003, 2, 18): 2.0},
}


class Day(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: int


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


def bars(ticker: str, received_at: datetime) -> list[Bar]:
    """A symbol's bars."""
    return [
        Bar(ticker, DAY.name, prices.midnight(session), *day, is_final=True, source=NAME, received_at=received_at)
        for session, day in days(ticker).items()
    ]


def _is_whole(ticker: str, day: object, row: Day) -> bool:
    try:
        bar = Bar(ticker, DAY.name, prices.midnight(date.fromisoformat(day)), *row, True, NAME, datetime.now(UTC))
        fault = checks.bar_fault(bar, bar.received_at)
    except (TypeError, ValueError) as error:
        fault = str(error)
    if fault:
        refusals.note("recorded", ticker, f"{day}: {fault}", repr(row))
    return not fault
