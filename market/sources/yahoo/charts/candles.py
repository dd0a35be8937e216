"""A chart's rows as Yahoo wrote them. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np

from market import prices
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


def rows(chart: dict) -> Iterator[Row]:
    """The complete candles: rows with a null or a price of zero say nothing and are left out, as are misshapen ones."""
    if _are_whole(chart):
        yield from _whole_rows(chart)
        return
    found = list(candles(chart))
    last, kind = max((each.at for each in found if each.at), default=None), chart["meta"].get("instrumentType")
    for at, values, volume, adjusted in found:
        if at and all(fields.is_price(value, kind) for value in values):
            count = fields.count(volume, kind)
            net = float(adjusted) if prices.is_price(adjusted) else None
            yield Row(at, *map(float, values), count, net, at == last)


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


def _whole_rows(chart: dict) -> Iterator[Row]:
    columns, kind, zone = _columns(chart), chart["meta"].get("instrumentType"), fields.zone(chart["meta"])
    moments = [datetime.fromtimestamp(stamp, zone) for stamp in _stamps(chart)]
    last, unknown = max(moments), [None] * len(moments)
    counts, net = columns["volume"] or unknown, columns["adjclose"] or unknown
    if not fields.are_counts(counts, kind):
        counts = [fields.count(each, kind) for each in counts]
    if not _are_prices(net):
        net = [float(each) if prices.is_price(each) else None for each in net]
    return map(Row, moments, *(columns[name] for name in PRICES), counts, net, [at == last for at in moments])


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
