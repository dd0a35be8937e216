"""The rows of a chart as columns of bars, as traded and in the symbol's currency. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from market import prices
from market.bars import batch
from market.bars.batch import PRICES, Batch
from market.intervals import Interval
from market.prices import SETTLING
from market.sources.yahoo.charts import precision
from market.sources.yahoo.charts.candles import Dated, Rows
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.events import Events
from market.sources.yahoo.charts.listed import Symbol

SOURCE = "yahoo"
_LONG_AGO = timedelta(days=10)  # whatever an answer tells of hours, a session has ended by then


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what must be known to read its rows."""

    symbol: Symbol
    days: Days
    rows: Dated
    events: Events
    unit: Fraction
    parts: int  # how many units of the prices are one of the currency


def bars(chart: Chart, interval: Interval, now: datetime) -> Batch:
    """One a session or instant, oldest first; without those whose shares nobody can count."""
    rows, days = chart.rows.rows, chart.rows.session
    divided, shares = _factors(chart.events, chart.rows)
    told = precision.traded(rows.prices, divided, chart.unit, chart.symbol.price_decimals)
    opened, state = _of_days(chart, now) if interval.is_whole else _within(rows, interval, now)
    made = Batch(
        interval.name,
        SOURCE,
        (chart.symbol.ticker,),
        symbol=np.zeros(len(days), np.int64),
        opened=opened,
        session=days,
        **dict(zip(PRICES, told, strict=True)),
        volume=_volumes(rows.volume, shares),
        state=state,
        received=np.full(len(days), prices.microseconds(now)),
    )
    # Yahoo repeats the running session's row with newer numbers: the later one counts.
    _, places = np.unique(opened[::-1], return_index=True)
    last = len(opened) - 1 - places
    return made.take(last[days[last] >= batch.day(chart.events.known_from)])


def _factors(events: Events, rows: Dated) -> tuple[np.ndarray, np.ndarray]:
    """By what the prices of sessions were divided, and what one share of them has become: float64 (n,) each."""
    places = np.searchsorted([batch.day(split.ex_date) for split in events.splits], rows.session, side="right")
    _, first, which = np.unique(places, return_index=True, return_inverse=True)
    sessions = [rows.date(place) for place in first.tolist()]
    known = [(events.later(session), events.shares(session)) for session in sessions]
    told = np.array(known, np.float64).reshape(-1, 2)[which]
    return told[:, 0], told[:, 1]


def _of_days(chart: Chart, now: datetime) -> tuple[np.ndarray, np.ndarray]:
    """The openings and the states of days: one that has settled so long ago is final."""
    rows, state = chart.rows, np.full(len(chart.rows), batch.FINAL)
    is_final = rows.is_settled & (rows.session < batch.day((now - _LONG_AGO).date()))
    for place in np.flatnonzero(~is_final).tolist():
        told = chart.days.state(rows.date(place), now, is_settled=bool(rows.is_settled[place]))
        state[place] = prices.BAR_STATES.index(told)
    return rows.session * 86_400, state


def _within(rows: Rows, interval: Interval, now: datetime) -> tuple[np.ndarray, np.ndarray]:
    """The same of bars within sessions."""
    over = batch.seconds((now - timedelta(seconds=interval.seconds) - SETTLING).replace(microsecond=0))
    opened = np.array([batch.seconds(at) for at in rows.at], np.int64)
    return opened, np.where(opened <= over, batch.FINAL, batch.FORMING)


def _volumes(told: Sequence[int | None], shares: np.ndarray) -> np.ndarray:
    """In the shares of then; batch.UNKNOWN where none is told, or what can be none."""
    known = [math.nan if each is None else each for each in told] if None in told else told
    counts = np.rint(np.array(known, np.float64) / shares)
    is_known = (counts >= 0) & (counts < 2.0**63)
    return np.where(is_known, np.where(is_known, counts, 0).astype(np.int64), batch.UNKNOWN)
