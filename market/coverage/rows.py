"""The rows of coverage: held by whoever writes, and given a new version where a value changed."""

from collections.abc import Collection, Iterable, Mapping

from django.db import connection
from django.db.models import F

from market import prices
from market.coverage import signs, tokens
from market.models import Coverage, Symbol

Key = tuple[int, str]  # a symbol's key and an interval
_COUNTED = (*signs.KEPT, "held")
_FACTS = [field.name for field in Coverage._meta.local_concrete_fields if field.name not in ("symbol", "interval")]


def hold(keys: Collection[Key]) -> dict[Key, Coverage]:
    """The rows of these, made where there are none, and locked in key order until the transaction ends.

    Nobody else writes their bars meanwhile. A row beside which a version before has written gets its new version now,
    so that what is read before our own write is not taken for what others knew.
    """
    _keep_out_those_before({symbol for symbol, _ in keys})
    found = _locked(keys)
    if missing := set(keys) - found.keys():
        made = [Coverage(symbol_id=symbol, interval=name, version=tokens.new()) for symbol, name in sorted(missing)]
        Coverage.objects.bulk_create(made, ignore_conflicts=True)
        found = _locked(keys)
    renew([found[key] for key in _strange(keys) if key in found and count(found[key])])
    return found


def hold_all(symbols: Collection[int]) -> list[Coverage]:
    """The same of every interval that symbols have."""
    known = Coverage.objects.filter(symbol_id__in=symbols).order_by().values_list("symbol_id", "interval")
    return list(hold(sorted(known)).values())


def renew(rows: Iterable[Coverage]) -> None:
    """Give held rows a new version, and store what they say."""
    changed = list(rows)
    for row in changed:
        row.version = tokens.new()
    store(changed)


def renew_counted(rows: Iterable[Coverage]) -> None:
    """The same of rows beside which something else than bars was written."""
    changed = list(rows)
    for row in changed:
        count(row)
    renew(changed)


def store(rows: list[Coverage]) -> None:
    """Store what held rows say, in one statement."""
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "interval"]
    Coverage.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)


def note_refused(counts: Mapping[Key, int]) -> None:
    """Count bars that could not be; that changes no value."""
    for (symbol, interval), many in sorted(counts.items()):
        Coverage.objects.filter(symbol_id=symbol, interval=interval).update(refused=F("refused") + many)


def count(row: Coverage) -> bool:
    """Have a held row say what the tables say now of its bars, corrections and actions; whether it said otherwise."""
    said, now = [getattr(row, name) for name in _COUNTED], list(signs.found(row))
    first_held = row.first_held
    for name, value in zip(_COUNTED, now, strict=True):
        setattr(row, name, value)
    is_shorter = row.last_held is None or (row.unbroken_until and prices.midnight(row.unbroken_until) > row.last_held)
    if is_shorter or row.first_held != first_held:
        row.unbroken_until = None
    if row.first_held is None and first_held is not None:  # all prices went, as where the source is switched
        row.complete_since = None
    return said != now


def _locked(keys: Collection[Key]) -> dict[Key, Coverage]:
    symbols, intervals = ({key[part] for key in keys} for part in range(2))
    rows = Coverage.objects.select_for_update().filter(symbol_id__in=symbols, interval__in=intervals)
    found = {(row.symbol_id, row.interval): row for row in rows.order_by("symbol_id", "interval")}
    return {key: row for key, row in found.items() if key in set(keys)}


def _strange(keys: Collection[Key]) -> list[Key]:
    """Those of held rows beside which a version before has written. Asked once they are held: who waited sees all."""
    if not keys:
        return []
    symbols, intervals = (sorted({key[part] for key in keys}) for part in range(2))
    asked = signs.of_rows(connection.vendor).format(symbols=signs.marks(symbols), intervals=signs.marks(intervals))
    with connection.cursor() as cursor:
        cursor.execute(asked, [*symbols, *intervals])
        return list(cursor.fetchall())


def _keep_out_those_before(symbols: Collection[int]) -> None:
    """The versions before lock the symbols' own rows: shared, these let everybody else in. One release on, nobody does.

    SQLite has one writer at a time.
    """
    if connection.vendor != "mysql" or not symbols:
        return
    table, marks = connection.ops.quote_name(Symbol._meta.db_table), ", ".join(["%s"] * len(symbols))
    with connection.cursor() as cursor:
        ours = f"SELECT id FROM {table} WHERE id IN ({marks}) ORDER BY id LOCK IN SHARE MODE"
        cursor.execute(ours, sorted(symbols))
