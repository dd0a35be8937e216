"""How bars are written: many rows in a statement, in either dialect.

On MariaDB and MySQL rows are numbers in the statement's text, what all of them share is written out once, and dates are
numbers too (20240131). On SQLite they are parameters, what all of them share is one for all, of some hundred rows at
once and never row by row: each step of SQLite lets another thread compute, and beside a busy one 3,000 steps held the
write lock for seconds instead of 7 ms.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

import numpy as np
import orjson
from django.db import connection

from market.bars.batch import FINAL, PRICES, UNKNOWN, moment
from market.bars.rows import KEY
from market.models import Bar, BarRevision
from market.prices import BAR_STATES

ROWS = {"mysql": 5_000, "sqlite": 500}  # of one statement: some hundred kilobytes; more parameters are slower
Statement = tuple[str, list | None]  # with its parameters, where it has any
_BARE = str.maketrans("", "", "- :")
_TIMES = 8192  # that are known as they are written: the days of thirty years
_OWN = ("symbol_id", "opened_at", "session_date", *PRICES, "volume", "revision")  # of each row; the others are shared


def inserts(columns: dict[str, np.ndarray], interval: str, source: str, *, replacing: bool) -> list[Statement]:
    """What writes bars, in the order of their keys; those that are there are replaced, or there are none.

    columns: as Batch has them, with `symbol` the symbols' keys, and `revision`.
    """
    found: list[Statement] = []
    received, state = columns["received"], columns["state"]
    for at, told in _kinds(received, state):
        is_one = (received == at) & (state == told)
        own = columns if is_one.all() else {name: column[is_one] for name, column in columns.items()}
        shared = {"interval": interval, "source": source, "received_at": moment(at), "confirmed_at": None,
                  "state": BAR_STATES[told], "is_final": told == FINAL}  # fmt: skip
        rows = ROWS[connection.vendor]
        for first in range(0, len(own["opened"]), rows):
            part = {name: column[first : first + rows] for name, column in own.items()}
            found.append(_insert(part, shared, _on_conflict([*_OWN, *shared]) if replacing else ""))
    return found


def run(statement: Statement) -> None:
    """Do what `inserts` gave."""
    asked, told = statement
    if told is None:
        with connection.cursor() as cursor:
            cursor.execute(asked)
        return
    # In SQLite's own words: of Django's each placeholder would be rewritten, which takes as long as to write the rows.
    with connection.wrap_database_errors:
        connection.connection.execute(asked, told)


def _kinds(received: np.ndarray, state: np.ndarray) -> list[tuple[int, int]]:
    """The receipts and states that there are, mostly one."""
    if (received == received[0]).all() and (state == state[0]).all():
        return [(int(received[0]), int(state[0]))]
    return sorted(set(zip(received.tolist(), state.tolist(), strict=True)))


def confirm(symbol: int, interval: str, span: Sequence[int], received: int) -> None:
    """Leave the time of an answer at all bars of a span, its first and last opening, both counted."""
    quoted = connection.ops.quote_name
    asked = f"""UPDATE {quoted(Bar._meta.db_table)} SET confirmed_at = %s
        WHERE symbol_id = %s AND {quoted("interval")} = %s AND opened_at BETWEEN %s AND %s"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [_plain(moment(received)), symbol, interval, *map(_opening, span)])


def keep_former(symbol: int, interval: str, span: Sequence[int], received: int, reason: str) -> None:
    """Copy the final bars of a span to the revisions, before what was received then takes their place."""
    quoted = connection.ops.quote_name
    kept = ", ".join(
        quoted(name) for name in (*KEY, *PRICES, "volume", "revision", "source", "received_at", "confirmed_at")
    )
    asked = f"""INSERT INTO {quoted(BarRevision._meta.db_table)} ({kept}, replaced_at, reason)
        SELECT {kept}, %s, %s FROM {quoted(Bar._meta.db_table)}
        WHERE symbol_id = %s AND {quoted("interval")} = %s AND opened_at BETWEEN %s AND %s"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [_plain(moment(received)), reason[:200], symbol, interval, *map(_opening, span)])


def _insert(own: dict[str, np.ndarray], shared: dict, on_conflict: str) -> Statement:
    if connection.vendor == "mysql":
        return _numbers(_head(tuple(shared)), own, shared, on_conflict), None
    told = [*map(_plain, shared.values()), *chain.from_iterable(zip(*_values(own, _text, _day_text), strict=True))]
    return _asked(len(own["opened"]), tuple(shared), on_conflict), told


def _head(shared: tuple[str, ...]) -> str:
    quoted = connection.ops.quote_name
    names = ", ".join(map(quoted, [*_OWN, *shared]))
    return f"INSERT INTO {quoted(Bar._meta.db_table)} ({names}) "


@lru_cache(maxsize=16)
def _asked(rows: int, shared: tuple[str, ...], on_conflict: str) -> str:
    one = f"({', '.join('?' * len(_OWN))})"
    columns = ", ".join([*(f"column{number}" for number in range(1, len(_OWN) + 1)), *"?" * len(shared)])
    # Without a condition ON CONFLICT would be read as one of a join.
    return f"{_head(shared)}SELECT {columns} FROM (VALUES {', '.join([one] * rows)}) WHERE true {on_conflict}"


def _values(own: dict[str, np.ndarray], instant: Callable[[int], object], day: Callable[[int], object]) -> list[list]:
    """The columns that are each row's own. instant, day: how seconds and days since 1970 are written."""
    volume = own["volume"].tolist()
    if UNKNOWN in volume:
        volume = [None if each == UNKNOWN else each for each in volume]
    return [
        own["symbol"].tolist(),
        list(map(instant, own["opened"].tolist())),
        list(map(day, own["session"].tolist())),
        *(own[name].tolist() for name in PRICES),
        volume,
        own["revision"].tolist(),
    ]


# Most symbols of an exchange have the same past.
@lru_cache(maxsize=_TIMES)
def _text(seconds: int) -> str:
    """2024-01-31 09:30:00."""
    return str(datetime.fromtimestamp(seconds, UTC))[:19]


@lru_cache(maxsize=_TIMES)
def _day_text(day: int) -> str:
    """2024-01-31."""
    return str(np.datetime64(day, "D"))


@lru_cache(maxsize=_TIMES)
def _digits(seconds: int) -> int:
    """20240131093000."""
    return int(_text.__wrapped__(seconds).translate(_BARE))


@lru_cache(maxsize=_TIMES)
def _day_digits(day: int) -> int:
    """20240131."""
    return int(_day_text.__wrapped__(day).translate(_BARE))


def _numbers(head: str, own: dict[str, np.ndarray], shared: dict, on_conflict: str) -> str:
    rows = list(zip(*_values(own, _digits, _day_digits), strict=True))
    tail = "".join(f",{_literal(value)}" for value in shared.values())
    # JSON's numbers and null are SQL's too, and there is nothing else in it.
    body = orjson.dumps(rows)[2:-2].decode().replace("],[", f"{tail}),(")
    return f"{head}VALUES ({body}{tail}) {on_conflict}"


def _literal(value: object) -> str:
    """Instants are numbers here too: of a text MariaDB makes one anew for each row."""
    return f"{value:%Y%m%d%H%M%S.%f}" if isinstance(value, datetime) else connection.connection.literal(value).decode()


def _plain(value: object) -> object:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _opening(seconds: int) -> str:
    return _plain(datetime.fromtimestamp(seconds, UTC))


def _on_conflict(names: Sequence[str]) -> str:
    quoted = connection.ops.quote_name
    moved = [quoted(name) for name in names if name not in KEY]
    if connection.vendor == "mysql":
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in moved)
    return f"ON CONFLICT ({', '.join(map(quoted, KEY))}) DO UPDATE SET " + ", ".join(
        f"{name} = excluded.{name}" for name in moved
    )
