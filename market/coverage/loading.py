"""How far the history of each symbol was loaded: the truth of it lies beside its bars, and is lost with them alone."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from market.coverage import rows
from market.intervals import DAY
from market.models import Coverage, Symbol

LONGEST = timedelta(hours=6)  # what is suspended for longer was written by a clock that was wrong


def row(symbol: Symbol) -> Coverage | None:
    """That of a symbol's days; None before anything was asked for."""
    return Coverage.objects.filter(symbol=symbol, interval=DAY.name).first()


def complete(symbol: Symbol, first_wanted: date, *, since: date, until: date | None) -> None:
    """All that the source has from `since` on is stored, and what is before it was, from the first session wanted on.

    until: the last session that the answer told; None where it told none.
    """
    now = datetime.now(UTC)
    with transaction.atomic():
        row = _held(symbol)
        row.first_wanted = min(row.first_wanted or first_wanted, first_wanted)
        row.complete_since, row.suspended_until, row.unknown_since = row.complete_since or now, None, None
        if until:
            row.asked_until = max(row.asked_until or until, until)
        if row.unbroken_until is None or since <= row.unbroken_until:
            row.holes_asked_at = now
        rows.store([row])


def suspend(symbol: Symbol, until: datetime) -> None:
    """Do not ask for a symbol's history before; `LONGEST` from now at most."""
    with transaction.atomic():
        row = _held(symbol)
        row.suspended_until = until
        rows.store([row])


def note_unknown(symbol: Symbol) -> Coverage:
    """The source says that there is no such symbol, as it may have before."""
    now = datetime.now(UTC)
    with transaction.atomic():
        row = _held(symbol)
        row.unknown_since = min(row.unknown_since or now, now)
        rows.store([row])
    return row


def forget_unknown(symbols: Collection[int]) -> None:
    """What was said so of these, by their keys, counts no more."""
    Coverage.objects.filter(symbol_id__in=symbols).update(unknown_since=None)


def missing(tickers: Collection[str], *, now: datetime | None = None) -> set[str]:
    """Those whose whole history was never stored; with a moment, only those that may be asked for then."""
    known = Coverage.objects.filter(symbol__ticker__in=tickers, interval=DAY.name)
    left = set(tickers) - set(known.exclude(complete_since=None).values_list("symbol__ticker", flat=True))
    if now is None:
        return left
    suspended = known.filter(suspended_until__gt=now, suspended_until__lte=now + LONGEST)
    return left - set(suspended.values_list("symbol__ticker", flat=True))


def _held(symbol: Symbol) -> Coverage:
    key = symbol.pk, DAY.name
    return rows.hold([key])[key]
