"""The rows of a chart as columns of bars, as traded and in the symbol's currency. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import numpy as np

from market import prices
from market.bars import batch
from market.bars.batch import PRICES, Batch
from market.intervals import Interval
from market.prices import FINAL, FORMING, SETTLING
from market.sources.yahoo.charts import precision
from market.sources.yahoo.charts.candles import Row
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.events import Events
from market.sources.yahoo.charts.listed import Symbol

SOURCE = "yahoo"
_LONG_AGO = timedelta(days=10)  # whatever an answer tells of hours, a session has ended by then


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what must be known to read its rows: each with its session, and whether it has settled."""

    symbol: Symbol
    days: Days
    rows: list[tuple[Row, date, bool]]
    events: Events
    unit: Fraction
    parts: int  # how many units of the prices are one of the currency


def bars(chart: Chart, interval: Interval, now: datetime) -> Batch:
    """One a session or instant, oldest first; without those whose shares nobody can count."""
    found = [each for each in chart.rows if each[1] >= chart.events.known_from]
    rows, sessions, _ = zip(*found, strict=True) if found else ((), (), ())
    _, *values, volumes, _, _ = zip(*rows, strict=True) if rows else ((),) * len(Row._fields)
    divided, shares = _factors(chart.events, sessions)
    told = precision.traded(np.array(values, np.float64), divided, chart.unit, chart.symbol.price_decimals)
    days = np.array(sessions, "datetime64[D]").astype(np.int64)
    opened, state = _of_days(chart, found, days, now) if interval.is_whole else _within(rows, interval, now)
    made = Batch(
        interval.name,
        SOURCE,
        (chart.symbol.ticker,),
        symbol=np.zeros(len(days), np.int64),
        opened=opened,
        session=days,
        **dict(zip(PRICES, told, strict=True)),
        volume=_volumes(volumes, shares),
        state=state,
        received=np.full(len(days), prices.microseconds(now)),
    )
    # Yahoo repeats the running session's row with newer numbers: the later one counts.
    _, places = np.unique(opened[::-1], return_index=True)
    return made.take(len(opened) - 1 - places)


def _factors(events: Events, sessions: Sequence[date]) -> tuple[np.ndarray, np.ndarray]:
    """By what the prices of sessions were divided, and what one share of them has become: float64 (n,) each."""
    dates = [split.ex_date for split in events.splits]
    places = [bisect_right(dates, session) for session in sessions]
    known = {place: (events.later(session), events.shares(session)) for place, session in _firsts(places, sessions)}
    told = np.array([known[place] for place in places], np.float64).reshape(-1, 2)
    return told[:, 0], told[:, 1]


def _firsts(places: Sequence[int], sessions: Sequence[date]) -> list[tuple[int, date]]:
    """Each place once, with one of its sessions."""
    return list(dict(zip(places, sessions, strict=True)).items())


def _of_days(
    chart: Chart, found: Sequence[tuple[Row, date, bool]], days: np.ndarray, now: datetime
) -> tuple[np.ndarray, np.ndarray]:
    """The openings and the states of days: one that has settled so long ago is final."""
    long_ago = (now - _LONG_AGO).date()
    names = [
        FINAL if is_settled and session < long_ago else chart.days.state(session, now, is_settled=is_settled)
        for _, session, is_settled in found
    ]
    return days * 86_400, _states(names)


def _within(rows: Sequence[Row], interval: Interval, now: datetime) -> tuple[np.ndarray, np.ndarray]:
    """The same of bars within sessions."""
    over = now - timedelta(seconds=interval.seconds) - SETTLING
    openings = [row.at.astimezone(UTC) for row in rows]
    names = [FINAL if at <= over else FORMING for at in openings]
    return np.array([batch.seconds(at) for at in openings], np.int64), _states(names)


def _states(names: Sequence[str]) -> np.ndarray:
    return np.array([prices.BAR_STATES.index(name) for name in names], np.int64)


def _volumes(told: Sequence[int | None], shares: np.ndarray) -> np.ndarray:
    """In the shares of then; batch.UNKNOWN where none is told, or what can be none."""
    counts = np.rint(np.array([math.nan if each is None else each for each in told], np.float64) / shares)
    is_known = (counts >= 0) & (counts < 2.0**63)
    return np.where(is_known, np.where(is_known, counts, 0).astype(np.int64), batch.UNKNOWN)
