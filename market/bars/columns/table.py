"""Bars as they are read: rows of numbers, without the ORM, which become columns."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from market import clock, intervals
from market.bars import stored
from market.bars.columns.kept import Columns
from market.models import Bar as BarRow
from market.prices import Bar

VALUES = ("open", "high", "low", "close", "volume")
_UNKNOWN = -1  # a volume that is not known, on its way
_DAY_SECONDS = 86_400
_BATCH = 2_000  # rows that are in memory as rows at once
# The seconds since 1970 of an opening or a date, as each database counts them fastest.
_SECONDS = {
    "sqlite": "(julianday({0}) - 2440587.5) * 86400",
    "mysql": "TIMESTAMPDIFF(SECOND, '1970-01-01', {0})",
}


def read(tickers: Sequence[str], interval: str) -> dict[str, tuple[Columns, Bar | None]]:
    """The stored bars of each ticker as traded, in one statement, and the newest with all its fields, in another."""
    if not tickers:
        return {}
    held = stored.newest_of(tickers, interval)
    keys, is_whole = sorted(key for key, _ in held.values()), intervals.named(interval).is_whole
    table = _table(keys, interval, is_whole=is_whole) if keys else np.empty((0, 7))
    found = {}
    for ticker in tickers:
        key, newest = held.get(ticker, (-1, None))
        first, last = np.searchsorted(table[:, 0], [key, key + 0.5])
        found[ticker] = _columns(table[first:last]), newest
    return found


def _table(keys: list[int], interval: str, *, is_whole: bool) -> np.ndarray:
    """Rows in the order of the primary key: of each its key, opening, prices, volume and, within a session, its date.

    All as numbers: a date or an instant costs more to make than all the prices.
    """
    quoted, seconds = connection.ops.quote_name, _SECONDS[connection.vendor]
    opened_at = quoted("opened_at")
    # Of whole sessions the opening is the date.
    sessions = "" if is_whole else f", {seconds.format(quoted('session_date'))}"
    prices = ", ".join(quoted(name) for name in VALUES[:4])
    volume = f"COALESCE({quoted('volume')}, {_UNKNOWN})"
    asked = f"""SELECT symbol_id, {seconds.format(opened_at)}, {prices}, {volume}{sessions}
        FROM {quoted(BarRow._meta.db_table)} WHERE symbol_id IN ({", ".join(["%s"] * len(keys))})
        AND {quoted("interval")} = %s{clock.cut(quoted("session_date"))} ORDER BY symbol_id, {opened_at}"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [*keys, interval])
        numbers = chain.from_iterable(chain.from_iterable(_batches(cursor)))
        return np.fromiter(numbers, np.float64).reshape(-1, 7 if is_whole else 8)


def _batches(cursor: CursorWrapper) -> Iterator[Sequence[tuple]]:
    while rows := cursor.fetchmany(_BATCH):
        yield rows


def _columns(table: np.ndarray) -> Columns:
    """Of rows as `_table` gives them."""
    seconds = np.rint(table[:, 1]).astype(np.int64)
    sessions = seconds if table.shape[1] == 7 else np.rint(table[:, 7]).astype(np.int64)
    volume = np.where(table[:, 6] == _UNKNOWN, np.nan, table[:, 6])
    return frozen(
        opened_at=seconds.astype("datetime64[s]").astype("datetime64[us]"),
        session_date=(sessions // _DAY_SECONDS).astype("datetime64[D]"),
        **{name: table[:, 2 + place].copy() for place, name in enumerate(VALUES[:4])},
        volume=volume,
    )


def of_bars(bars: Sequence[Bar]) -> Columns:
    """Of values, oldest first."""
    return frozen(
        opened_at=np.array([bar.opened_at.replace(tzinfo=None) for bar in bars], "datetime64[us]"),
        session_date=np.array([bar.session_date for bar in bars], "datetime64[D]"),
        **{name: np.array([getattr(bar, name) for bar in bars], np.float64) for name in VALUES},
    )


def frozen(**arrays: np.ndarray) -> Columns:
    """Kept for all who ask, so nobody writes into them."""
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
