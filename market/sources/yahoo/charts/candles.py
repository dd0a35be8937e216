"""A chart's rows as Yahoo wrote them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from market import prices
from market.bars import batch
from market.sources.yahoo import fields
from market.sources.yahoo.fields import Misshapen, moment, part

PRICES = ("open", "high", "low", "close")
_LAST_MOMENT = 253_402_214_400  # whose date is a date in every zone


class Candle(NamedTuple):
    """An instant, which is None where it is none, and the numbers beside it, as they were written."""

    at: datetime | None
    prices: list
    volume: object
    adjusted: object  # the close after what was paid since


class Row(NamedTuple):
    """One candle, with all five numbers checked.

    is_last: nothing of a later time follows it. adjusted: the close without what was paid since; None: not told.
    """

    at: datetime  # in the exchange's zone
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    adjusted: float | None
    is_last: bool


@dataclass(frozen=True, slots=True)
class Rows(Sequence[Row]):
    """Such rows as columns of one length, as thousands of values would take longer to make than to read.

    dates: int64 (n,), the instants' own dates there in days since 1970; are_hours: bool (n,), whether they are whole
    hours there. seconds: float64 (n,), since 1970. prices: float64 (4, n), open, high, low and close. last: the latest
    instant, also of candles that are left out.
    """

    at: Sequence[datetime]
    dates: np.ndarray
    are_hours: np.ndarray
    seconds: np.ndarray
    prices: np.ndarray
    volume: Sequence[int | None]
    adjusted: Sequence[float | None]
    last: datetime | None
    is_whole: bool  # no candle was left out

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, place: int) -> Row:
        at = self.at[place]
        values = self.prices[:, place].tolist()
        return Row(at, *values, self.volume[place], self.adjusted[place], at == self.last)

    def take(self, places: Sequence[int]) -> "Rows":
        """Those rows of it."""
        columns = ([column[place] for place in places] for column in (self.at, self.volume, self.adjusted))
        at, volume, adjusted = columns
        told = (column[places] for column in (self.dates, self.are_hours, self.seconds, self.prices.T))
        dates, are_hours, seconds, values = told
        return Rows(at, dates, are_hours, seconds, values.T, volume, adjusted, self.last, self.is_whole)


@dataclass(frozen=True, slots=True)
class Dated(Sequence[tuple[date, Row]]):
    """Rows with their sessions, int64 (n,) in days since 1970, and whether the source has settled them, bool (n,)."""

    rows: Rows
    session: np.ndarray
    is_settled: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[date, Row]:
        return self.date(place), self.rows[place]

    def date(self, place: int) -> date:
        return np.datetime64(int(self.session[place]), "D").item()

    def since(self, day: date) -> int:
        """The place of the first row of a session or of a later one; rows are in the order of their sessions."""
        return int(np.searchsorted(self.session, batch.day(day)))


def rows(chart: dict) -> Rows:
    """The complete candles: rows with a null or a price of zero say nothing and are left out, as are misshapen ones."""
    if _are_whole(chart):
        return _whole_rows(chart)
    found = list(candles(chart))
    last, kind = max((each.at for each in found if each.at), default=None), chart["meta"].get("instrumentType")
    kept = [each for each in found if each.at and all(fields.is_price(value, kind) for value in each.prices)]
    at = [each.at for each in kept]
    return Rows(
        at,
        *dated(at),
        np.array([each.at.timestamp() for each in kept], np.float64),
        np.array([list(map(float, each.prices)) for each in kept], np.float64).reshape(-1, len(PRICES)).T,
        [fields.count(each.volume, kind) for each in kept],
        [float(each.adjusted) if prices.is_price(each.adjusted) else None for each in kept],
        last,
        is_whole=False,
    )


def dated(at: Sequence[datetime]) -> tuple[np.ndarray, np.ndarray]:
    """The dates of instants, and whether they are whole hours, as Rows has them."""
    dates = np.array([batch.day(each) for each in at], np.int64)
    return dates, np.array([not each.minute and not each.second for each in at], bool)


def candles(chart: dict) -> Iterator[Candle]:
    """Each candle as it was written.

    Columns that are not as long as the timestamps say nothing, as nobody can tell which entries they lack.
    """
    stamps, columns, zone = _stamps(chart), _columns(chart), fields.zone(chart["meta"])
    for index, stamp in enumerate(stamps):
        values = [columns[name][index] if columns[name] else None for name in (*PRICES, "volume", "adjclose")]
        yield Candle(moment(stamp, zone), values[:4], *values[4:])


def left_out(chart: dict) -> list[str]:
    """What of the candles is misshapen and so left out, a few words each; rows that say nothing are none of it."""
    if _are_whole(chart):
        return []
    kind = chart["meta"].get("instrumentType")
    found = [
        f"a candle of {each.prices!r}"[:200]
        for each in candles(chart)
        if each.at is None or any(value and not fields.is_price(value, kind) for value in each.prices)
    ]
    length, columns = len(_stamps(chart)), _columns(chart)
    unequal = [name for name in PRICES if length and columns[name] is None]
    return found + [f"{name}, which is not told for {length} candles" for name in unequal]


def _are_whole(chart: dict) -> bool:
    """Whether each candle has an instant and four prices, which most answers' have: then none is looked at alone."""
    stamps, columns = _stamps(chart), _columns(chart)
    if set(map(type, stamps)) != {int} or min(stamps) <= 0 or max(stamps) > _LAST_MOMENT:
        return False
    return all(columns[name] is not None and _are_prices(columns[name]) for name in PRICES)


def _are_prices(column: list) -> bool:
    """Whether each is one, of whatever kind of symbol."""
    if set(map(type, column)) != {float}:
        return False
    values = np.array(column)
    return bool(((values >= prices.SMALLEST_PRICE) & (values <= prices.LARGEST_PRICE)).all())


def _whole_rows(chart: dict) -> Rows:
    columns, kind, zone = _columns(chart), chart["meta"].get("instrumentType"), fields.zone(chart["meta"])
    seconds = np.array(_stamps(chart), np.int64)
    moments, *dated = _moments(seconds.tobytes(), zone)
    unknown = [None] * len(moments)
    counts, net = columns["volume"] or unknown, columns["adjclose"] or unknown
    if not fields.are_counts(counts, kind):
        counts = [fields.count(each, kind) for each in counts]
    if not _are_prices(net):
        net = [float(each) if prices.is_price(each) else None for each in net]
    told = np.array([columns[name] for name in PRICES], np.float64)
    return Rows(moments, *dated, seconds.astype(np.float64), told, counts, net, max(moments), is_whole=True)


@lru_cache(maxsize=8)
def _moments(seconds: bytes, zone: ZoneInfo) -> tuple[list[datetime], np.ndarray, np.ndarray]:
    """Instants since 1970, as int64, in a zone, as Rows has them: most symbols of an exchange have the same past."""
    found = [datetime.fromtimestamp(each, zone) for each in np.frombuffer(seconds, np.int64).tolist()]
    return found, *dated(found)


def _stamps(chart: dict) -> list:
    stamps = chart.get("timestamp")
    if not isinstance(stamps, list | None):
        raise Misshapen(f"its timestamps are {stamps!r}"[:80])
    return stamps or []


def _columns(chart: dict) -> dict[str, list | None]:
    """The candles' columns; None for one that is not as long as the timestamps."""
    told, length = _first(chart, "quote") | _first(chart, "adjclose"), len(_stamps(chart))
    columns = {name: told.get(name) for name in (*PRICES, "volume", "adjclose")}
    return {
        name: column if isinstance(column, list) and len(column) == length else None for name, column in columns.items()
    }


def _first(chart: dict, name: str) -> dict:
    listed = part(chart, "indicators").get(name)
    return part({"first": listed[0]}, "first") if isinstance(listed, list) and listed else {}
