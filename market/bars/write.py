"""Bars are written here alone, as traded."""

import logging
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from django.db import OperationalError, connection, transaction

from market import prices
from market.bars import checks, forming
from market.models import Bar as BarRow
from market.models import BarRevision, Symbol
from market.prices import Bar
from monitoring import refusals, turns

logger = logging.getLogger(__name__)

BATCH = 500
RETRIES = 3
_DEADLOCK, _LOCK_TIMEOUT = 1213, 1205
_NEVER = datetime.min.replace(tzinfo=UTC)

_KEY = ("symbol_id", "interval", "opened_at")
_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS = (*_KEY, *_VALUES, "is_final", "source", "received_at", "revision", "session_date")
Key = tuple[int, str, datetime]


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """How many rows each; `changed` are corrections and forming bars that moved, `refused` says why, a line each.

    first, last: the openings between which the inserted and changed ones lie; None where there are none.
    """

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None


def upsert(rows: Iterable[Bar], *, reason: str = "") -> UpsertResult:
    """Write bars as traded; safe to run twice, out of order and at once.

    A final bar beats a forming one, and of two alike the later received one, so that writers in any order end with
    the same values. Another value of a final bar is a new revision; the old one goes to BarRevision with the reason.
    A bar that can't be, or that the database does not take, is refused and counted; the others are written.
    """
    symbols, now = dict(Symbol.objects.values_list("ticker", "pk")), datetime.now(UTC)
    newest: dict[Key, Bar] = {}
    refused: list[str] = []
    for bar in rows:
        fault = checks.bar_fault(bar, now) if bar.ticker in symbols else "there is no such symbol"
        if fault:
            refused.append(_refused(bar, fault))
            continue
        key = (symbols[bar.ticker], bar.interval, bar.opened_at)
        if key not in newest or _rank(bar, now) >= _rank(newest[key], now):
            newest[key] = bar

    def refuse(item: tuple[Key, Bar], fault: str) -> None:
        refused.append(_refused(item[1], fault))

    ordered = sorted(newest.items())
    parts = [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]
    batches = [batch for part in parts for batch in refusals.apart(part, partial(_write_again, reason=reason), refuse)]
    inserted, unchanged = (sum(counts[part] for counts in batches) for part in (0, 1))
    written = [opened_at for *_, some in batches for opened_at in some]
    span = {"first": min(written, default=None), "last": max(written, default=None)}
    return UpsertResult(inserted, len(written) - inserted, unchanged, tuple(refused), **span)


def delete_played(start: date, source: str) -> int:
    """Delete a source's bars from a session on, with their revisions and all forming ones; returns how many bars."""
    since = {"opened_at__gte": prices.midnight(start), "source": source}
    forming.forget()
    with transaction.atomic():
        BarRevision.objects.filter(**since).delete()
        return BarRow.objects.filter(**since).delete()[0]


def forget_future(ticker: str) -> int:
    """Delete bars of sessions that are still to come, which a wrong clock once wrote; returns how many."""
    since = datetime.now(UTC) + prices.DAY_AHEAD
    gone = BarRow.objects.filter(symbol__ticker=ticker, opened_at__gt=since).delete()[0]
    if gone:
        refusals.note("bars", ticker, f"bars of sessions after {since:%Y-%m-%d}, which are still to come", times=gone)
    return gone


def _refused(bar: Bar, fault: str) -> str:
    """A sentence about a bar that is not written, which is also counted."""
    refusals.note("bars", bar.ticker, fault, repr(bar))
    return f"{bar.ticker} {bar.interval} {bar.opened_at:%Y-%m-%d %H:%M}: {fault}"


def _rank(bar: Bar, now: datetime) -> tuple[bool, datetime]:
    """Of two bars the higher counts. One that a wrong clock received in the future is older than all others."""
    return bar.is_final, _NEVER if prices.is_ahead(bar.received_at, now) else bar.received_at


def _values(bar: Bar) -> tuple:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def _write_again(batch: list[tuple[Key, Bar]], reason: str) -> tuple[int, int, list[datetime]]:
    """Write, and try again where the database chose us as a deadlock's victim."""
    for attempt in range(RETRIES + 1):
        try:
            return _write(batch, reason)
        except OperationalError as error:
            is_ours = error.args and error.args[0] in (_DEADLOCK, _LOCK_TIMEOUT)
            if not is_ours or attempt == RETRIES or connection.in_atomic_block:
                raise
            wait = random.uniform(0.01, 0.05) * 2**attempt
            logger.info("bars: %s; trying again in %.2f s", error, wait)
            time.sleep(wait)
    raise AssertionError("unreachable")


def _write(batch: list[tuple[Key, Bar]], reason: str) -> tuple[int, int, list[datetime]]:
    """Insert, correct or leave each bar of a batch in key order.

    Returns how many were inserted and left, and the openings of those that were written.
    """
    with turns.taken(), transaction.atomic():
        held, now = _held_for_update(batch), datetime.now(UTC)
        changes, replaced, inserted = [], [], 0
        for key, bar in batch:
            old = held.get(key)
            if old is None:
                inserted += 1
                changes.append((key, bar, 0))
            elif _rank(bar, now) >= _rank(old, now) and (_values(bar), bar.is_final) != (_values(old), old.is_final):
                changes.append((key, bar, old.revision + old.is_final))
                if old.is_final:
                    replaced.append(_revision(key, old, reason))
        BarRevision.objects.bulk_create(replaced)
        _insert_or_update(changes)
    return inserted, len(batch) - len(changes), [key[2] for key, *_ in changes]


def _held_for_update(batch: list[tuple[Key, Bar]]) -> dict[Key, Bar]:
    """The bars that are there. Nobody else writes bars of these symbols until we are done: their rows are locked.

    The bars themselves could not be locked, as some do not exist yet.
    """
    symbols, intervals, opened = ({key[part] for key, _ in batch} for part in range(3))
    tickers = dict(Symbol.objects.select_for_update().filter(pk__in=symbols).order_by("pk").values_list("pk", "ticker"))
    found = BarRow.objects.filter(
        symbol_id__in=symbols, interval__in=intervals, opened_at__range=(min(opened), max(opened))
    )
    return {row[:3]: Bar(tickers[row[0]], *row[1:-1], session_date=row[-1]) for row in found.values_list(*_COLUMNS)}


def _revision(key: Key, old: Bar, reason: str) -> BarRevision:
    kept = {name: getattr(old, name) for name in (*_VALUES, "source", "received_at", "revision")}
    now = datetime.now(UTC)
    return BarRevision(**dict(zip(_KEY, key, strict=True)), **kept, replaced_at=now, reason=reason[:200])


def _insert_or_update(changes: list[tuple[Key, Bar, int]]) -> None:
    """One statement for all rows."""
    if not changes:
        return
    stamp, day = connection.ops.adapt_datetimefield_value, connection.ops.adapt_datefield_value
    parameters = []
    for (symbol, interval, opened_at), bar, revision in changes:
        parameters += (symbol, interval, stamp(opened_at), *_values(bar))
        parameters += (bar.is_final, bar.source, stamp(bar.received_at), revision, day(bar.session_date))
    row = f"({', '.join(['%s'] * len(_COLUMNS))})"
    with connection.cursor() as cursor:
        cursor.execute(f"{_insert()} VALUES {', '.join([row] * len(changes))} {_on_conflict()}", parameters)


def _insert() -> str:
    quoted = connection.ops.quote_name
    return f"INSERT INTO {quoted(BarRow._meta.db_table)} ({', '.join(map(quoted, _COLUMNS))})"


def _on_conflict() -> str:
    quoted = connection.ops.quote_name
    moved = [quoted(name) for name in _COLUMNS if name not in _KEY]
    if connection.vendor == "mysql":
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in moved)
    key = ", ".join(map(quoted, _KEY))
    return f"ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in moved)
