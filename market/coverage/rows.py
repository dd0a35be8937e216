"""The rows of coverage: held by whoever writes, and given a new version where a value changed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min

from market import prices
from market.coverage import telling, tokens
from market.coverage.telling import Change, Span
from market.intervals import DAY
from market.models import Bar, Coverage, QuarantinedBar
from monitoring import plain

Key = tuple[int, str]  # a symbol's key and an interval
_FACTS = [field.name for field in Coverage._meta.local_concrete_fields if field.name not in ("symbol", "interval")]


def hold(keys: Collection[Key]) -> dict[Key, Coverage]:
    """The rows of these, made where there are none, and locked in key order until the transaction ends.

    Nobody else writes their bars meanwhile.
    """
    found = _locked(keys)
    if missing := set(keys) - found.keys():
        made = [Coverage(symbol_id=symbol, interval=name, version=tokens.new()) for symbol, name in sorted(missing)]
        Coverage.objects.bulk_create(made, ignore_conflicts=True)
        has_one_writer = connection.vendor == "sqlite"  # nobody else made them since we looked
        found = found | {(row.symbol_id, row.interval): row for row in made} if has_one_writer else _locked(keys)
    return found


def read(symbols: Collection[int], intervals: Collection[str], *, is_locked: bool = False) -> list[Coverage]:
    """Those of some symbols, by their keys, and of some intervals, in key order."""
    interval = connection.ops.quote_name("interval")
    asked = f"{plain.among('symbol_id', len(symbols))} AND {plain.among(interval, len(intervals))}"
    lock = f" {connection.ops.for_update_sql()}" if is_locked and connection.features.has_select_for_update else ""
    return plain.read(Coverage, f"{asked} ORDER BY symbol_id, {interval}{lock}", [*symbols, *intervals])


def every() -> list[Coverage]:
    """All there are, not locked."""
    return list(Coverage.objects.all())


def older(interval: str, instant: datetime) -> list[Coverage]:
    """Those of an interval that hold bars which opened before, not locked."""
    return list(Coverage.objects.filter(interval=interval, first_held__lt=instant).order_by("symbol_id"))


def hold_all(symbols: Collection[int], *, at_least: str = "") -> list[Coverage]:
    """The same of every interval that symbols have. at_least: an interval, of those that have none."""
    known = set(Coverage.objects.filter(symbol_id__in=symbols).order_by().values_list("symbol_id", "interval"))
    if at_least:
        known |= {(symbol, at_least) for symbol in set(symbols) - {key[0] for key in known}}
    return list(hold(sorted(known)).values())


def renew(rows: Iterable[Coverage], spans: Mapping[Key, Collection[Span]] = MappingProxyType({})) -> None:
    """Give held rows a new version, store what they say, and tell of it once it is committed.

    spans: of what was held the sessions that say something else now. While a history is loaded first none are told.
    """
    changed, told = list(rows), []
    for row in changed:
        key, before = (row.symbol_id, row.interval), row.version
        row.version = tokens.new()
        found = () if is_loading(row) else spans.get(key, ())
        told += [Change(*key, before, row.version, span) for span in found or [None]]
    store(changed)
    telling.after_commit(told)


def renew_counted(rows: Iterable[Coverage], *, reason: str | None) -> None:
    """The same of rows whose bars are counted first, as after some were deleted.

    reason: why all of them say something else now; None where whoever keeps them is told to begin anew.
    """
    changed = list(rows)
    spans = {(row.symbol_id, row.interval): whole(row, reason) for row in changed if reason}
    for row in changed:
        _count(row)
    renew(changed, spans)


def whole(row: Coverage, reason: str) -> list[Span]:
    """All the sessions that a row says are held; none where it says that none is."""
    if row.first_held is None or row.last_held is None:
        return []
    return [Span(row.first_held.date(), row.last_held.date(), reason)]


def is_loading(row: Coverage) -> bool:
    """Whether the history was never stored whole: what comes so long are the bars themselves."""
    return row.interval == DAY.name and row.complete_since is None


def store(rows: list[Coverage]) -> None:
    """Store what held rows say, in one statement."""
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "interval"]
    Coverage.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)


def note_refused(counts: Mapping[Key, int]) -> None:
    """Count bars that could not be; that changes no value."""
    for (symbol, interval), many in sorted(counts.items()):
        Coverage.objects.filter(symbol_id=symbol, interval=interval).update(refused=F("refused") + many)


def _count(row: Coverage) -> None:
    first_held, bars = row.first_held, Bar.objects.filter(symbol=row.symbol_id, interval=row.interval)
    found = bars.aggregate(held=Count("opened_at"), first=Min("opened_at"), last=Max("opened_at"))
    row.held, row.first_held, row.last_held = found["held"], found["first"], found["last"]
    waiting = QuarantinedBar.objects.filter(symbol=row.symbol_id, interval=row.interval, released_at=None)
    row.quarantined = waiting.count()
    is_shorter = row.last_held is None or (row.unbroken_until and prices.midnight(row.unbroken_until) > row.last_held)
    if is_shorter or row.first_held != first_held:
        row.unbroken_until = None
    if row.last_held is None or (row.asked_until and prices.midnight(row.asked_until) > row.last_held):
        row.asked_until = None
    if row.first_held is None and first_held is not None:  # all prices went, as where the source is switched
        row.complete_since = None


def _locked(keys: Collection[Key]) -> dict[Key, Coverage]:
    symbols, intervals = ({key[part] for key in keys} for part in range(2))
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are locked within a transaction alone.")
    found = {(row.symbol_id, row.interval): row for row in read(symbols, intervals, is_locked=True)}
    return {key: row for key, row in found.items() if key in set(keys)}
