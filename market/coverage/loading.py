"""How far the history of each symbol was loaded: the truth of it lies beside its bars, and is lost with them alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from market.coverage import rows
from market.intervals import DAY
from market.models import Coverage, Symbol

SILENCE = timedelta(days=1)  # two answers further apart are not one that went on: nobody asked in between
LONGEST = timedelta(hours=6)  # what is suspended for longer was written by a clock that was wrong


def row(symbol: Symbol, interval: str = DAY.name) -> Coverage | None:
    """That of a symbol's days, or of another interval; None before anything was asked for."""
    return next(iter(rows.read([symbol.pk], [interval])), None)


def wanted(row: Coverage | None) -> date | None:
    """From which session on a history was loaded whole; None where it never was."""
    return row.first_wanted if row and row.complete_since else None


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that the source has of a symbol from `since` on is stored, and what is before it was, from the first session
    wanted on. until: the last session that the answer told; None where it told none.
    """

    symbol: Symbol
    first_wanted: date
    since: date
    until: date | None


def complete(symbol: Symbol, first_wanted: date, *, since: date, until: date | None, interval: str = DAY.name) -> None:
    """Have the row of a symbol say so."""
    complete_all([Loaded(symbol, first_wanted, since, until)], interval=interval)


def complete_all(
    loaded: Collection[Loaded], *, interval: str = DAY.name, count: Callable[[Coverage], object] = lambda row: None
) -> dict[int, Coverage]:
    """The same of several, by their symbols' keys. count: has a row say what is unbroken."""
    now = datetime.now(UTC)
    with transaction.atomic():
        held = rows.hold([(each.symbol.pk, interval) for each in loaded])
        for each in loaded:
            row = held[each.symbol.pk, interval]
            row.symbol = each.symbol
            count(row)
            row.first_wanted = min(row.first_wanted or each.first_wanted, each.first_wanted)
            row.complete_since, row.suspended_until, row.unknown_since = row.complete_since or now, None, None
            if each.until:
                row.asked_until = max(row.asked_until or each.until, each.until)
            if row.unbroken_until is None or each.since <= row.unbroken_until:
                row.holes_asked_at = now
        rows.store(list(held.values()))
    return {symbol: row for (symbol, _), row in held.items()}


def note_asked(symbol: Symbol, interval: str, until: date) -> None:
    """Of a loading that goes on: all is stored that the source has up to a session."""
    with transaction.atomic():
        row = _held(symbol, interval)
        row.asked_until = max(row.asked_until or until, until)
        rows.store([row])


def suspend(symbol: Symbol, until: datetime) -> None:
    """Do not ask for a symbol's history before; `LONGEST` from now at most."""
    with transaction.atomic():
        row = _held(symbol)
        row.suspended_until = until
        rows.store([row])


def note_refused(symbol: Symbol, interval: str, count: int) -> None:
    """Count bars that came and can't even be read as such."""
    if count and symbol.pk:
        with transaction.atomic():
            rows.hold([(symbol.pk, interval)])  # a first answer may come before there is a row
            rows.note_refused({(symbol.pk, interval): count})


def note_unknown(symbol: Symbol) -> Coverage:
    """The source says that there is no such symbol, as it may have before."""
    now = datetime.now(UTC)
    with transaction.atomic():
        row = _held(symbol)
        goes_on = row.unknown_since and row.unknown_at and timedelta() <= now - row.unknown_at <= SILENCE
        row.unknown_since, row.unknown_at = row.unknown_since if goes_on else now, now
        rows.store([row])
    return row


def forget_unknown(symbols: Collection[int]) -> None:
    """What was said so of these, by their keys, counts no more."""
    Coverage.objects.filter(symbol_id__in=symbols).update(unknown_since=None)


def missing(tickers: Collection[str], *, since: date | None = None, now: datetime | None = None) -> set[str]:
    """Those whose whole history was never stored; with `since`, whose history from that session on was not; with a
    moment, only those that may be asked for then.
    """
    known = Coverage.objects.filter(symbol__ticker__in=tickers, interval=DAY.name)
    whole = known.exclude(complete_since=None)
    whole = whole if since is None else whole.filter(first_wanted__lte=since)
    left = set(tickers) - set(whole.values_list("symbol__ticker", flat=True))
    if now is None:
        return left
    suspended = known.filter(suspended_until__gt=now, suspended_until__lte=now + LONGEST)
    return left - set(suspended.values_list("symbol__ticker", flat=True))


def unloaded() -> dict[int, str]:
    """The tracked symbols whose whole history was never stored: their tickers, in order, by their keys."""
    whole = Coverage.objects.filter(symbol=OuterRef("pk"), interval=DAY.name).exclude(complete_since=None)
    return dict(Symbol.objects.tracked().filter(~Exists(whole)).values_list("pk", "ticker"))


def _held(symbol: Symbol, interval: str = DAY.name) -> Coverage:
    key = symbol.pk, interval
    return rows.hold([key])[key]
