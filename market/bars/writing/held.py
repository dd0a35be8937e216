"""The bars that are there, as columns, for whoever compares them with what comes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import connection

from market.bars.batch import CLOSED, FINAL, PRICES, UNKNOWN, microseconds
from market.models import Bar

NEVER = np.iinfo(np.int64).min
_FETCHED = 2_000  # rows that are in memory as rows at once


@dataclass(frozen=True, slots=True)
class Held:
    """Columns of one length, by symbol and opening. symbol: int64, the symbols' keys; opened: seconds since 1970;
    received, confirmed: microseconds, NEVER where none is; state: CLOSED or FINAL.
    """

    symbol: np.ndarray
    opened: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    state: np.ndarray
    revision: np.ndarray
    received: np.ndarray
    confirmed: np.ndarray
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.opened)

    def take(self, which: np.ndarray) -> "Held":
        return Held(*(getattr(self, name)[which] for name in self.__slots__))


def of(symbols: Sequence[int], interval: str, first: int, last: int) -> Held:
    """Those of these symbols between two openings, in seconds since 1970, both counted."""
    with connection.cursor() as cursor:
        cursor.execute(_asked(len(symbols)), [*symbols, interval, _text(first), _text(last)])
        rows = [row for batch in _batches(cursor) for row in batch]
    return _columns(rows)


def _asked(many: int) -> str:
    quoted, vendor = connection.ops.quote_name, connection.vendor
    if vendor == "mysql":
        times = ["TIMESTAMPDIFF(SECOND, '1970-01-01', opened_at)"]
        times += [f"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {name})" for name in ("received_at", "confirmed_at")]
    else:  # as text, which nobody makes an instant of: most rows have the same
        times = [f"{name} || ''" for name in ("opened_at", "received_at", "confirmed_at")]
    columns = ["symbol_id", times[0], *map(quoted, PRICES), "volume", "state", "is_final", "revision", *times[1:]]
    return f"""SELECT {", ".join(columns)}, source FROM {quoted(Bar._meta.db_table)}
        WHERE symbol_id IN ({", ".join(["%s"] * many)}) AND {quoted("interval")} = %s
        AND opened_at BETWEEN %s AND %s ORDER BY symbol_id, opened_at"""


def _batches(cursor) -> Iterator[Sequence[tuple]]:
    while rows := cursor.fetchmany(_FETCHED):
        yield rows


def _columns(rows: list[tuple]) -> Held:
    symbol, opened, *values, volume, state, is_final, revision, received, confirmed, source = (
        zip(*rows, strict=True) if rows else ((),) * 13
    )
    return Held(
        np.array(symbol, np.int64),
        _instants(opened, 1_000_000) if connection.vendor != "mysql" else np.array(opened, np.int64),
        *(np.array(each, np.float64) for each in values),
        volume=_numbers(volume, UNKNOWN),
        state=_states(state, is_final),
        revision=np.array(revision, np.int64),
        received=_instants(received, 1) if connection.vendor != "mysql" else _numbers(received, NEVER),
        confirmed=_instants(confirmed, 1) if connection.vendor != "mysql" else _numbers(confirmed, NEVER),
        source=np.array(source, object),
    )


def _numbers(values: tuple, absent: int) -> np.ndarray:
    if None in values:
        values = [absent if each is None else each for each in values]
    return np.array(values, np.int64)


def _states(states: tuple, is_final: tuple) -> np.ndarray:
    known = {(state, final): FINAL if final else CLOSED for state, final in set(zip(states, is_final, strict=True))}
    return np.array([known[each] for each in zip(states, is_final, strict=True)], np.int64)


def _instants(texts: tuple, unit: int) -> np.ndarray:
    """SQLite's texts in so many microseconds since 1970."""
    known = {text: _instant(text) // unit if text else NEVER for text in set(texts)}
    return np.array([known[text] for text in texts], np.int64)


def _instant(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _text(seconds: int) -> str:
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(int(seconds), UTC))
