"""Bars made of stored ones that were read, restated before: a split within a week divides what was before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from market import prices
from market.actions.adjustments import Factors
from market.bars import batch
from market.bars.batch import PRICES, UNKNOWN, Batch
from market.bars.resampling.states import Known, settle
from market.bars.resampling.values import Made, made
from market.intervals import Interval
from market.prices import Bar, state_of


@dataclass(frozen=True, slots=True)
class Read:
    """Bars, and of each the source of its last part and how often one was corrected."""

    made: Made
    sources: list[str]
    revisions: np.ndarray


def of_rows(
    ticker: str, interval: Interval, found: Sequence[tuple], factors: Factors, known: Known, today: int | None
) -> Read:
    """The bars of stored rows, one or more of one symbol, oldest first."""
    _, _, *_, sources, _, revisions, _ = columns = list(zip(*found, strict=True))
    parts = _parts(ticker, interval.stored_as, columns, factors)
    return _read(parts, interval, known, today, sources, np.array(revisions, np.int64))


def of_bars(bars: Sequence[Bar], interval: Interval, known: Known, today: int | None) -> list[Bar]:
    """The bars of some, one or more of one symbol and adjustment, oldest first."""
    parts = batch.of_bars([replace(bar, volume=_countable(bar.volume)) for bar in bars])
    revisions = np.array([bar.revision for bar in bars], np.int64)
    read = _read(parts, interval, known, today, [bar.source for bar in bars], revisions)
    return [_bar(read, place, bars[0]) for place in range(len(read.sources))]


def _read(
    parts: Batch, interval: Interval, known: Known, today: int | None, sources: Sequence[str], revisions: np.ndarray
) -> Read:
    found = settle(made(parts, interval, known.hours), parts, interval, known, today)
    last = (found.ends - 1).tolist()
    return Read(found, [sources[place] for place in last], np.add.reduceat(revisions, found.begins))


def _parts(ticker: str, interval: str, columns: list[tuple], factors: Factors) -> Batch:
    """As rows.Row has its fields."""
    opened, sessions, *values, volumes, final, sources, received, _, states = columns
    days = np.array(sessions, "datetime64[D]")
    after = np.searchsorted(np.array(factors.ex_dates, "datetime64[D]"), days, side="right")
    restated = np.array(values) * np.array(factors.prices)[after]
    shares = np.array(factors.volumes)[after].tolist()
    told = [prices.BAR_STATES.index(state_of(bool(each), state)) for each, state in zip(final, states, strict=True)]
    counts = [_countable(volume, by) for volume, by in zip(volumes, shares, strict=True)]
    return Batch(
        interval,
        sources[-1],
        (ticker,),
        symbol=np.zeros(len(days), np.int64),
        opened=np.array(opened, "datetime64[us]").astype(np.int64) // 1_000_000,
        session=days.astype(np.int64),
        **dict(zip(PRICES, restated, strict=True)),
        volume=np.array([UNKNOWN if volume is None else volume for volume in counts], np.int64),
        state=np.array(told, np.int64),
        received=np.array(received, "datetime64[us]").astype(np.int64),
    )


def _countable(volume: int | None, shares: float = 1.0) -> int | None:
    """A volume in other shares; None where it is not known or no column holds it."""
    restated = volume if volume is None or shares == 1.0 else round(volume * shares)
    return restated if restated is None or restated <= prices.LARGEST_VOLUME else None


def _bar(read: Read, place: int, part: Bar) -> Bar:
    found = read.made.bars
    volume, state = int(found.volume[place]), prices.BAR_STATES[found.state[place]]
    return Bar(
        part.ticker,
        found.interval,
        batch.moment(int(found.opened[place]) * 1_000_000),
        *(float(getattr(found, name)[place]) for name in PRICES),
        None if volume == UNKNOWN else volume,
        state == prices.FINAL,
        read.sources[place],
        batch.moment(int(found.received[place])),
        int(read.revisions[place]),
        part.adjustment,
        np.datetime64(int(found.session[place]), "D").item(),
        state,
    )
