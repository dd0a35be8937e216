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

    def is_same(self, other: "Held") -> bool:
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__slots__)

    def take(self, which: np.ndarray) -> "Held":
        return Held(*(getattr(self, name)[which] for name in self.__slots__))


def of(symbols: Sequence[int], interval: str, first: int, last: int) -> Held:
    """Those of these symbols between two openings, in seconds since 1970, both counted."""
    with connection.cursor() as cursor:
        cursor.execute(_asked(len(symbols)), [*symbols, interval, _text(first), _text(last)])
        parts = [_columns(rows) for rows in _batches(cursor)] or [_columns([])]
    return Held(*(np.concatenate([getattr(part, name) for part in parts]) for name in Held.__slots__))


def _asked(many: int) -> str:
    quoted, vendor = connection.ops.quote_name, connection.vendor
    # SQLite's instants as text, which nobody makes one of, as most rows have the same; so are the facts of a row.
    opened = "TIMESTAMPDIFF(SECOND, '1970-01-01', opened_at)" if vendor == "mysql" else "opened_at || ''"
    facts = ["received_at", "COALESCE(confirmed_at, '')", "is_final", "revision", "source"]
    packed = f"CONCAT_WS('|', {', '.join(facts)})" if vendor == "mysql" else " || '|' || ".join(facts)
    columns = ["symbol_id", opened, *map(quoted, PRICES), "volume", packed]
    return f"""SELECT {", ".join(columns)} FROM {quoted(Bar._meta.db_table)}
        WHERE symbol_id IN ({", ".join(["%s"] * many)}) AND {quoted("interval")} = %s
        AND opened_at BETWEEN %s AND %s ORDER BY symbol_id, opened_at"""


def _batches(cursor) -> Iterator[Sequence[tuple]]:
    while rows := cursor.fetchmany(_FETCHED):
        yield rows


def _columns(rows: list[tuple]) -> Held:
    symbol, opened, *values, volume, packed = zip(*rows, strict=True) if rows else ((),) * 8
    kinds = {text: place for place, text in enumerate(dict.fromkeys(packed))}
    which = np.array([kinds[text] for text in packed], np.int64)
    received, confirmed, is_final, revision, source = zip(*map(_facts, kinds), strict=True) if kinds else ((),) * 5
    return Held(
        np.array(symbol, np.int64),
        np.array(opened, np.int64) if connection.vendor == "mysql" else _seconds(opened),
        *(np.array(each, np.float64) for each in values),
        volume=_volumes(volume),
        state=np.where(np.array(is_final, bool), FINAL, CLOSED)[which],
        revision=np.array(revision, np.int64)[which],
        received=np.array(received, np.int64)[which],
        confirmed=np.array(confirmed, np.int64)[which],
        source=np.array(source, object)[which],
    )


def _facts(packed: str) -> tuple[int, int, bool, int, str]:
    received, confirmed, is_final, revision, source = packed.split("|", 4)
    return _instant(received), _instant(confirmed) if confirmed else NEVER, is_final == "1", int(revision), source


def _volumes(told: tuple) -> np.ndarray:
    return np.array([UNKNOWN if each is None else each for each in told] if None in told else told, np.int64)


def _seconds(texts: tuple) -> np.ndarray:
    """SQLite's texts in seconds since 1970."""
    different = list(dict.fromkeys(texts))
    known = dict(zip(different, np.array(different, "datetime64[s]").astype(np.int64).tolist(), strict=True))
    return np.array([known[text] for text in texts], np.int64)


def _instant(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _text(seconds: int) -> str:
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(int(seconds), UTC))
