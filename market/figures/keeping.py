"""One row of key figures a symbol. What did not come leaves what came before, which says of when it is; what the source
says it has no more is emptied, with the day of that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import transaction

from market.figures.values import BESIDE, NAMES, NOT_COME, UNCLEAR, Figures
from market.models import DataSource, KeyFigures, Symbol
from market.prices import instant, is_ahead

COLUMNS = (*NAMES, *(column for some in BESIDE.values() for column in some))
PATIENCE = timedelta(days=7)  # for so long a source is not believed that names none of its figures any more


class NotBelieved(Exception):
    """An answer that is not taken; what is held stays. `temporary`: a later one may be."""

    def __init__(self, text: str, *, code: str = "no_data", temporary: bool = False) -> None:
        super().__init__(text)
        self.code, self.temporary = code, temporary


def keep(symbol: Symbol, told: Figures) -> list[str]:
    """Store what was told; returns the figures that were emptied. Safe to run again, and at once.

    Raises NotBelieved where it is of an older price than what is held, of another source than this database has, or
    names nothing of what it named a few days ago.
    """
    with transaction.atomic():
        # First, in the order of whoever switches to another source.
        if DataSource.objects.select_for_update().filter(pk=1).exclude(name=told.source).exists():
            raise NotBelieved("the database holds another source's prices now", code="rewound", temporary=True)
        row, now = _locked(symbol, told), datetime.now(UTC)
        if _is_older(told.received_at, row.received_at, now):  # somebody asked later and was quicker
            return []
        if _is_older(told.as_of, row.as_of, now):
            raise NotBelieved(f"{symbol}: the answer is of {instant(told.as_of)}, and what is held is newer")
        if told.is_bare and _has_any(row) and told.received_at - row.received_at < PATIENCE:
            raise NotBelieved(f"{symbol}: the source names no figure, and did on {row.received_at:%Y-%m-%d}")
        emptied = _take(row, told)
        row.save()
    return emptied


def _locked(symbol: Symbol, told: Figures) -> KeyFigures:
    """The row, made where there is none."""
    rows = KeyFigures.objects.select_for_update().filter(symbol=symbol)
    if row := rows.first():
        return row
    facts = {"currency": told.currency, "as_of": told.as_of, "received_at": told.received_at, "source": told.source}
    KeyFigures.objects.bulk_create([KeyFigures(symbol=symbol, **facts)], ignore_conflicts=True)
    return rows.get()


def _is_older(told_at: datetime, held_at: datetime, now: datetime) -> bool:
    """Whether an instant lies before one that is held; a clock was wrong where that is still to come."""
    return told_at < held_at and not is_ahead(held_at, now)


def _has_any(row: KeyFigures) -> bool:
    return any(getattr(row, name) is not None for name in NAMES)


def _take(row: KeyFigures, told: Figures) -> list[str]:
    """Write an answer into a row. Returns what it empties."""
    today, before = str(told.received_at.date()), {"as_of": instant(row.as_of), "received_at": instant(row.received_at)}
    emptied, missing, kept = [], {}, {}
    for name in NAMES:
        is_held, failure = getattr(row, name) is not None, _failure(told, name)
        if failure and is_held and row.currency == told.currency:
            kept[name] = before | row.kept.get(name, {}) | {"reason": failure}
            continue
        _write(row, name, told.values)
        if name in told.values:
            continue
        emptied += [name] if is_held else []
        if why := (failure and (UNCLEAR if failure == UNCLEAR else NOT_COME)) or told.missing.get(name):
            before_why = row.missing.get(name, {})
            missing[name] = before_why if before_why.get("reason") == why else {"reason": why, "since": today}
    row.missing, row.kept = missing, kept
    row.currency, row.reporting_currency = told.currency, told.reporting_currency
    row.as_of, row.received_at, row.source = told.as_of, told.received_at, told.source
    row.whole_at = row.whole_at if told.failed else told.received_at
    return emptied


def _failure(told: Figures, name: str) -> str | None:
    """The code of why nothing was heard of a figure that could be believed."""
    if name in told.failed:
        return told.failed[name].partition(":")[0]
    return UNCLEAR if told.missing.get(name) == UNCLEAR else None


def _write(row: KeyFigures, name: str, values: Mapping) -> None:
    for column in (name, *BESIDE.get(name, ())):
        setattr(row, column, values.get(column))
