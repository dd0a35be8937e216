"""The recording, told a price at a time: what the player says of it, said again for the tests that need one of them."""

from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, date, datetime

from market import bars as bars_
from market import prices, symbols
from market.player import finer
from market.prices import Bar, Quote
from market.sources.replay import recording
from market.sources.replay.recording import NAME, SPLITS, TICKERS, Day, days, sessions
from market.sources.replay.source import Replay

__all__ = ["NAME", "SPLITS", "STEPS", "TICKERS", "bars", "days", "last_session", "live", "path", "quote", "sessions"]
STEPS = 4  # open, the nearer extreme, the other, close


def path(day: Day) -> tuple[float, float, float, float]:
    return finer.way(*day[:4])


def bars(ticker: str, before: date, received_at: datetime) -> list[Bar]:
    """A symbol's bars of the sessions before a date."""
    return [bar for bar in recording.bars(ticker, received_at) if bar.session_date < before]


def quote(ticker: str, session: date, step: int, received_at: datetime) -> Quote:
    """The step's recorded price and the session so far; the volume comes with the close."""
    day = days(ticker)[session]
    told, is_final = path(day)[: step + 1], step == STEPS - 1
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


class _Live(Replay):
    about = replace(Replay.about, is_recorded=False)


def live(start: date) -> Replay:
    """A live source of the same symbols, with the recorded days before one as its history."""
    symbols.ensure(Replay.about.seeds)
    for ticker in TICKERS:
        bars_.upsert(bars(ticker, start, datetime.now(UTC)))
    return _Live()


def last_session(ticker: str, before: date) -> date | None:
    """A symbol's newest session before a date."""
    dates = list(days(ticker))
    index = bisect_left(dates, before)
    return dates[index - 1] if index else None


def _previous_close(ticker: str, session: date) -> float | None:
    """The last session's close in the shares of this one."""
    last = last_session(ticker, session)
    return None if last is None else round(days(ticker)[last].close / SPLITS.get(ticker, {}).get(session, 1.0), 4)
