"""Bars of one interval and one source as columns, on their way in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import ArrayLike

from market import prices
from market.prices import Bar, microseconds

UNKNOWN = -1  # a volume that is not told
PRICES = ("open", "high", "low", "close")
_NO_NUMBER, _NO_TIME = -2, np.iinfo(np.int64).min  # what can't be a volume, or an instant
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_UNITS = {"opened": "s", "session": "D", "received": "us"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns of one length. symbol: int64, places in `tickers`. opened, session, received: int64, seconds, days and
    microseconds since 1970. open, high, low, close: float64, NaN where none is told. volume: int64, UNKNOWN where none
    is told. state: int64, places in prices.BAR_STATES.
    """

    interval: str
    source: str
    tickers: Sequence[str]
    symbol: np.ndarray
    opened: np.ndarray
    session: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    state: np.ndarray
    received: np.ndarray

    def __len__(self) -> int:
        return len(self.opened)

    def __iter__(self) -> Iterator[Bar]:
        return iter(self.bars())

    def __getitem__(self, place: int) -> Bar:
        return self.take(np.array([place])).bars()[0]

    def take(self, which: np.ndarray) -> "Batch":
        """Those rows of it, by a mask or by their places."""
        return Batch(self.interval, self.source, self.tickers, *(getattr(self, name)[which] for name in COLUMNS))

    def bars(self) -> list[Bar]:
        """The rows as values, of days and instants that there are."""
        return [self._bar(*row) for row in zip(*(getattr(self, name).tolist() for name in COLUMNS), strict=True)]

    def _bar(self, symbol: int, opened: int, session: int, *told: float) -> Bar:
        *values, volume, state, received = told
        return Bar(
            self.tickers[symbol],
            self.interval,
            moment(opened * 1_000_000),
            *values,
            None if volume == UNKNOWN else volume,
            state == FINAL,
            self.source,
            moment(received),
            session_date=date.fromordinal(session + _EPOCH_ORDINAL),
            state=prices.BAR_STATES[state],
        )

    def told(self, place: int) -> str:
        """Which bar a row is of, in words."""
        return f"{self.tickers[self.symbol[place]]} {self.interval} {self.opening(place)}"

    def opening(self, place: int) -> str:
        """When the bar of a row opened, in words, whatever it says."""
        return str(self.opened[place].astype("datetime64[s]")).replace("T", " ")[:16]


COLUMNS = tuple(field.name for field in fields(Batch))[3:]
FORMING, CLOSED, FINAL = range(3)


def answer(
    tickers: str | Sequence[str],
    interval: str,
    columns: Mapping[str, ArrayLike],
    *,
    source: str,
    received_at: datetime,
    state: str = prices.FINAL,
) -> Batch:
    """A batch of what a source answered once.

    tickers: one, or those that `columns["symbol"]` has the places of. columns: opened_at (datetime64, UTC), open, high,
    low, close, volume, and session_date (datetime64), which of whole sessions is the opening's; None and NaN where one
    says nothing. Raises KeyError, and ValueError of what is no column.
    """
    opened = np.asarray(columns["opened_at"], "datetime64[us]").astype(np.int64)
    length = len(opened)
    sessions = columns.get("session_date", columns["opened_at"])
    found = {
        "symbol": np.asarray(columns.get("symbol", np.zeros(length)), np.int64),
        "opened": np.where(opened % 1_000_000, _NO_TIME, opened // 1_000_000),
        "session": np.asarray(sessions, "datetime64[D]").astype(np.int64),
        **{name: np.asarray(columns[name], np.float64) for name in PRICES},
        "volume": _volumes(columns["volume"], length),
        "state": np.full(length, prices.BAR_STATES.index(state)),
        "received": np.full(length, microseconds(received_at)),
    }
    if any(column.shape != (length,) for column in found.values()):
        raise ValueError(f"columns of {sorted({column.shape for column in found.values()})}")
    return Batch(interval, source, (tickers,) if isinstance(tickers, str) else tuple(tickers), **found)


def joined(batches: Sequence[Batch]) -> Batch:
    """One of several, each of which is of another ticker, and all of one interval and one source."""
    tickers = tuple(ticker for each in batches for ticker in each.tickers)
    columns = {name: np.concatenate([getattr(each, name) for each in batches]) for name in COLUMNS[1:]}
    counts = [len(each.tickers) for each in batches]
    starts = [sum(counts[:place]) for place in range(len(counts))]
    symbol = np.concatenate([each.symbol + start for each, start in zip(batches, starts, strict=True)])
    return Batch(batches[0].interval, batches[0].source, tickers, symbol=symbol, **columns)


def of_bars(bars: Sequence[Bar]) -> Batch:
    """A batch of bars of one interval and one source, each of which `form_fault` finds nothing wrong with."""
    tickers = {ticker: place for place, ticker in enumerate(sorted({bar.ticker for bar in bars}))}
    days = np.array([bar.session_date for bar in bars], "datetime64[D]")
    return Batch(
        bars[0].interval,
        bars[0].source,
        tuple(tickers),
        symbol=np.array([tickers[bar.ticker] for bar in bars], np.int64),
        opened=np.array([seconds(bar.opened_at) for bar in bars], np.int64),
        session=days.astype(np.int64),
        **{name: np.array([getattr(bar, name) for bar in bars], np.float64) for name in PRICES},
        volume=np.array([UNKNOWN if bar.volume is None else bar.volume for bar in bars], np.int64),
        state=np.array([prices.BAR_STATES.index(bar.state) for bar in bars], np.int64),
        received=np.array([microseconds(bar.received_at) for bar in bars], np.int64),
    )


def day(date: date) -> int:
    """Since 1970."""
    return date.toordinal() - _EPOCH_ORDINAL


def moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)


def seconds(at: datetime) -> int:
    """Since 1970; of an instant within a second what can be no opening."""
    return _NO_TIME if at.microsecond else microseconds(at) // 1_000_000


def _volumes(told: ArrayLike, length: int) -> np.ndarray:
    """As int64: what is not told, and what is none, which the door refuses."""
    column = np.asarray(told, None if isinstance(told, np.ndarray) else object)
    if column.dtype.kind in "iu":
        fits = (column >= 0) & (column <= prices.LARGEST_VOLUME)
        return np.where(fits, column, _NO_NUMBER).astype(np.int64)
    if column.dtype.kind == "O":
        return np.array([_volume(each) for each in told], np.int64).reshape(-1)
    is_whole = (column >= 0) & (column < 2.0**63) & (np.floor(column) == column)
    known = np.where(is_whole, column, 0).astype(np.int64)
    return np.where(np.isnan(column), UNKNOWN, np.where(is_whole, known, _NO_NUMBER))


def _volume(value: object) -> int:
    if value is None or value != value:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int(value) if prices.is_volume(value) else _NO_NUMBER
