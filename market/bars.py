"""Bars: written in one place, as traded; read as traded or restated. The forming ones wait in Redis."""

import logging
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

import numpy as np
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Max, Min

from market import actions, checks, prices
from market.actions import adjustments
from market.models import Bar as BarRow
from market.models import BarRevision, Symbol
from market.prices import Bar
from monitoring import formats, redis, refusals, turns

logger = logging.getLogger(__name__)

BATCH = 500
RETRIES = 3
_DEADLOCK, _LOCK_TIMEOUT = 1213, 1205
_NEVER = datetime.min.replace(tzinfo=UTC)

_KEY = ("symbol_id", "interval", "opened_at")
_FORMAT = formats.Format(Bar)
_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS = (*_KEY, *_VALUES, "is_final", "source", "received_at", "revision")
Key = tuple[int, str, datetime]
Row = tuple


class NoBars(ValueError):
    """What is asked for needs bars that are not there."""

    code = "no_bars"


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


def history(
    ticker: str,
    *,
    interval: str = "1d",
    start: datetime | None = None,
    end: datetime | None = None,
    adjusted: str = "split",
    limit: int | None = None,
) -> list[Bar]:
    """The bars from `start` to `end`, both counted, oldest first; with a limit the newest of them.

    The last one may be forming. Prices are restated as adjustments.py says; raises adjustments.UnknownAdjustment.
    """
    found = rows(ticker, interval=interval, start=start, end=end, adjusted=adjusted, limit=limit)
    return [Bar(*row) for row in found]


def rows(
    ticker: str,
    *,
    interval: str = "1d",
    start: datetime | None = None,
    end: datetime | None = None,
    adjusted: str = "split",
    limit: int | None = None,
) -> list[Row]:
    """`history` as tuples of Bar's fields, which cost less where many only pass through."""
    factors = actions.factors(ticker, adjusted)
    wanted = BarRow.objects.filter(symbol__ticker=ticker, interval=interval)
    if start is not None:
        wanted = wanted.filter(opened_at__gte=start)
    if end is not None:
        wanted = wanted.filter(opened_at__lte=end)
    found = list(wanted.order_by("-opened_at").values_list(*_COLUMNS[2:])[:limit])[::-1]
    live = forming([ticker], interval=interval)[ticker]
    if live and (start is None or live.opened_at >= start) and (end is None or live.opened_at <= end):
        found = _with_forming(found, live)[-limit if limit else 0 :]
    return [
        (ticker, interval, at, *adjustments.restated(factors, at.date(), *rest[:5]), *rest[5:], adjusted)
        for at, *rest in found
    ]


def columns(
    ticker: str, *, interval: str = "1d", adjusted: str = "split", limit: int | None = None
) -> dict[str, np.ndarray]:
    """The final bars as arrays of one length, oldest first; with a limit the newest of them.

    opened_at: datetime64[us], UTC; open, high, low, close, volume: float64, NaN where a volume is not known.
    """
    factors = actions.factors(ticker, adjusted)
    found = BarRow.objects.filter(symbol__ticker=ticker, interval=interval, is_final=True).order_by("-opened_at")
    rows = list(found.values_list("opened_at", *_VALUES)[:limit])[::-1]
    opened_at = np.array([row[0].replace(tzinfo=None) for row in rows], dtype="datetime64[us]")
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), len(_VALUES))
    after = np.searchsorted(np.array(factors.ex_dates, dtype="datetime64[us]"), opened_at, side="right")
    values[:, :4] *= np.array(factors.prices)[after][:, None]
    values[:, 4] = np.round(values[:, 4] * np.array(factors.volumes)[after])
    return {"opened_at": opened_at, **dict(zip(_VALUES, np.ascontiguousarray(values.T), strict=True))}


def keep_forming(bars: Sequence[Bar]) -> None:
    """Keep the newest state of forming bars where all processes see it; a final bar ends its forming one."""
    if not bars:
        return
    with redis.client().pipeline(transaction=False) as pipe:
        for bar in bars:
            if bar.is_final:
                pipe.hdel(_FORMAT.key("forming"), _field(bar.ticker, bar.interval))
            else:
                pipe.hset(_FORMAT.key("forming"), _field(bar.ticker, bar.interval), _FORMAT.pack(bar))
        pipe.execute()


def forming(tickers: Sequence[str], *, interval: str = "1d") -> dict[str, Bar | None]:
    """The forming bar of each ticker, as traded."""
    if not tickers:
        return {}
    found = redis.client().hmget(_FORMAT.key("forming"), [_field(ticker, interval) for ticker in tickers])
    return {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}


def coverage(tickers: Iterable[str]) -> dict[str, dict[str, dict]]:
    """By ticker and interval: `first` and `last` opening and the `count` of bars."""
    found = BarRow.objects.filter(symbol__ticker__in=list(tickers)).order_by().values_list("symbol__ticker", "interval")
    held: dict[str, dict[str, dict]] = {}
    for ticker, interval, first, last, count in found.annotate(Min("opened_at"), Max("opened_at"), Count("opened_at")):
        held.setdefault(ticker, {})[interval] = {"first": first, "last": last, "count": count}
    return held


def delete_played(start: date, source: str) -> int:
    """Delete a source's bars from a session on, with their revisions and all forming ones; returns how many bars."""
    since = {"opened_at__gte": prices.midnight(start), "source": source}
    redis.client().delete(_FORMAT.key("forming"))
    with transaction.atomic():
        BarRevision.objects.filter(**since).delete()
        return BarRow.objects.filter(**since).delete()[0]


def forget_future(ticker: str) -> int:
    """Delete bars of sessions that are still to come, which a wrong clock once wrote; returns how many."""
    since = datetime.now(UTC) + checks.DAY_AHEAD
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
    return bar.is_final, _NEVER if checks.is_ahead(bar.received_at, now) else bar.received_at


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
    return {row[:3]: Bar(tickers[row[0]], *row[1:]) for row in found.values_list(*_COLUMNS)}


def _revision(key: Key, old: Bar, reason: str) -> BarRevision:
    kept = {name: getattr(old, name) for name in (*_VALUES, "source", "received_at", "revision")}
    now = datetime.now(UTC)
    return BarRevision(**dict(zip(_KEY, key, strict=True)), **kept, replaced_at=now, reason=reason[:200])


def _insert_or_update(changes: list[tuple[Key, Bar, int]]) -> None:
    """One statement for all rows."""
    if not changes:
        return
    stamp = connection.ops.adapt_datetimefield_value
    parameters = []
    for (symbol, interval, opened_at), bar, revision in changes:
        parameters += (symbol, interval, stamp(opened_at), *_values(bar))
        parameters += (bar.is_final, bar.source, stamp(bar.received_at), revision)
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


def _with_forming(found: list[Row], live: Bar) -> list[Row]:
    """The stored rows and the forming bar's, which never stands for a final bar nor before one."""
    row = (live.opened_at, *_values(live), live.is_final, live.source, live.received_at, live.revision)
    if not found or found[-1][0] < live.opened_at:
        return [*found, row]
    _, *_, is_final, _, received_at, _ = found[-1]
    if found[-1][0] == live.opened_at and (live.is_final, live.received_at) > (is_final, received_at):
        return [*found[:-1], row]
    return found


def _field(ticker: str, interval: str) -> str:
    return f"{interval} {ticker}"
