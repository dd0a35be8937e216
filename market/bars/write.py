"""Bars are written here alone, as traded."""

import logging
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from django.db import OperationalError, connection, transaction

from market import prices, symbols
from market.bars import checks, statement
from market.bars.statement import COLUMNS, KEY, VALUES, Key
from market.coverage import rows as coverage
from market.models import Bar as BarRow
from market.models import BarRevision, Coverage
from market.prices import Bar
from monitoring import refusals, turns

logger = logging.getLogger(__name__)

BATCH = 500
RETRIES = 3
_DEADLOCK, _LOCK_TIMEOUT = 1213, 1205
_NEVER = datetime.min.replace(tzinfo=UTC)

Versions = dict[tuple[str, str], tuple[str, str]]


class _Batch(NamedTuple):
    """What was written of a batch: how many are new and how many were left, and the openings of what was written."""

    inserted: int
    unchanged: int
    written: list[datetime]
    versions: Versions


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """How many rows each; `changed` are corrections and forming bars that moved, `refused` says why, a line each.

    first, last: the openings between which the inserted and changed ones lie; None where there are none.
    versions: by ticker and interval that of the bars before and after; equal where no value changed. Whoever knows the
    bars of the version before and what was written knows those of the version after: nobody else wrote between.
    """

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    versions: Versions = field(default_factory=dict)


def upsert(rows: Iterable[Bar], *, reason: str = "") -> UpsertResult:
    """Write bars as traded; safe to run twice, out of order and at once.

    A final bar beats a forming one, and of two alike the later received one, so that writers in any order end with
    the same values. Another value of a final bar is a new revision; the old one goes to BarRevision with the reason.
    A bar that can't be, or that the database does not take, is refused and counted; the others are written.
    """
    rows, now = list(rows), datetime.now(UTC)
    keys = symbols.keys({bar.ticker for bar in rows})
    newest: dict[Key, Bar] = {}
    refused: list[tuple[Bar, str]] = []
    for bar in rows:
        fault = checks.bar_fault(bar, now) if bar.ticker in keys else "there is no such symbol"
        if fault:
            refused.append((bar, fault))
            continue
        key = (keys[bar.ticker], bar.interval, bar.opened_at)
        if key not in newest or _rank(bar, now) >= _rank(newest[key], now):
            newest[key] = bar

    ordered = sorted(newest.items())
    parts = [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]
    write = partial(_write_again, reason=reason)

    def refuse(item: tuple[Key, Bar], fault: str) -> None:
        refused.append((item[1], fault))

    batches = [batch for part in parts for batch in refusals.apart(part, write, refuse)]
    coverage.note_refused(Counter((keys.get(bar.ticker, 0), bar.interval) for bar, _ in refused))
    inserted, written = sum(each.inserted for each in batches), [at for each in batches for at in each.written]
    return UpsertResult(
        inserted,
        changed=len(written) - inserted,
        unchanged=sum(each.unchanged for each in batches),
        refused=tuple(_refused(*each) for each in refused),
        first=min(written, default=None),
        last=max(written, default=None),
        versions=_followed(each.versions for each in batches),
    )


def _followed(parts: Iterable[Versions]) -> Versions:
    """The versions before and after all batches; where others wrote between two, only what follows them counts."""
    told: Versions = {}
    for part in parts:
        for key, (before, after) in part.items():
            first, last = told.get(key, (before, before))
            told[key] = (first if last == before else before, after)
    return told


def _refused(bar: Bar, fault: str) -> str:
    """A sentence about a bar that is not written, which is also counted."""
    refusals.note("bars", bar.ticker, fault, repr(bar))
    return f"{bar.ticker} {bar.interval} {bar.opened_at:%Y-%m-%d %H:%M}: {fault}"


def _rank(bar: Bar, now: datetime) -> tuple[bool, datetime]:
    """Of two bars the higher counts. One that a wrong clock received in the future is older than all others."""
    return bar.is_final, _NEVER if prices.is_ahead(bar.received_at, now) else bar.received_at


def _values(bar: Bar) -> tuple:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def _write_again(batch: list[tuple[Key, Bar]], reason: str) -> _Batch:
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


def _write(batch: list[tuple[Key, Bar]], reason: str) -> _Batch:
    """Insert, correct or leave each bar of a batch in key order, and give what changed a new version.

    The bars themselves could not be locked, as some do not exist yet: the rows of their coverage are.
    """
    with turns.taken(), transaction.atomic():
        covered = coverage.hold({key[:2] for key, _ in batch})
        before = {key: row.version for key, row in covered.items()}
        held, now = _held(batch), datetime.now(UTC)
        changes, replaced = [], []
        for key, bar in batch:
            old = held.get(key)
            if old is None:
                changes.append((key, bar, 0))
            elif _rank(bar, now) >= _rank(old, now) and (_values(bar), bar.state) != (_values(old), old.state):
                changes.append((key, bar, old.revision + old.is_final))
                if old.is_final:
                    replaced.append(_revision(key, old, reason))
        BarRevision.objects.bulk_create(replaced)
        statement.insert_or_update(changes)
        _cover(covered, changes, held, replaced)
    tickers = {key[0]: bar.ticker for key, bar in batch}
    return _Batch(
        inserted=sum(key not in held for key, *_ in changes),
        unchanged=len(batch) - len(changes),
        written=[key[2] for key, *_ in changes],
        versions={(tickers[key[0]], key[1]): (before[key], row.version) for key, row in covered.items()},
    )


def _held(batch: list[tuple[Key, Bar]]) -> dict[Key, Bar]:
    """The bars that are there."""
    symbols, intervals, opened = ({key[part] for key, _ in batch} for part in range(3))
    tickers = {key[0]: bar.ticker for key, bar in batch}
    found = BarRow.objects.filter(
        symbol_id__in=symbols, interval__in=intervals, opened_at__range=(min(opened), max(opened))
    )
    return {
        row[:3]: Bar(tickers[row[0]], *row[1:-2], session_date=row[-2], state=prices.state_of(row[8], row[-1]))
        for row in found.values_list(*COLUMNS)
    }


def _cover(
    covered: dict[coverage.Key, Coverage],
    changes: list[tuple[Key, Bar, int]],
    held: dict[Key, Bar],
    replaced: list[BarRevision],
) -> None:
    """Have the rows of coverage say what was written."""
    for key, bar, _ in changes:
        row, opened_at = covered[key[:2]], key[2]
        row.held, row.source = row.held + (key not in held), bar.source
        if row.first_held and opened_at < row.first_held:
            row.unbroken_until = None
        row.first_held = min(row.first_held or opened_at, opened_at)
        row.last_held = max(row.last_held or opened_at, opened_at)
    for old in replaced:
        covered[old.symbol_id, old.interval].corrections += 1
    coverage.renew(covered[key] for key in sorted({key[:2] for key, *_ in changes}))


def _revision(key: Key, old: Bar, reason: str) -> BarRevision:
    kept = {name: getattr(old, name) for name in (*VALUES, "source", "received_at", "revision")}
    now = datetime.now(UTC)
    return BarRevision(**dict(zip(KEY, key, strict=True)), **kept, replaced_at=now, reason=reason[:200])
