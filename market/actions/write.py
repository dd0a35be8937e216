"""What sources name is written here alone. What they no longer name so is superseded, not deleted."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count, product

from django.db import transaction

from market.actions import adjustments, checks, effects
from market.coverage import rows as coverage
from market.models import CorporateAction, SupersededAction, Symbol
from market.prices import Action, Named
from monitoring import plain, refusals

# A dividend that Yahoo restates by each later split comes back with the error of its rounding.
SAME = 5e-5
MOVED = timedelta(days=62)  # a split whose date a source corrects

_TOLD = ("kind", "ex_date", "value", "numerator", "denominator")
_DECIDED = ("decision", "decided_at", "decided_by")
KEPT = ("symbol_id", "ordinal", "source", "received_at", "disputed", *_TOLD, *_DECIDED)


@dataclass(slots=True)
class Change:
    """What an answer changes: rows that stand no more, what is in the place of one or in none, and what is disputed."""

    gone: list[tuple[CorporateAction, Action | None]] = field(default_factory=list)
    new: list[tuple[Action, int]] = field(default_factory=list)  # with their ordinals
    disputed: list[CorporateAction] = field(default_factory=list)


def keep(symbol: Symbol, named: Named, source: str) -> bool:
    """Have what a source names of a symbol; returns whether that changed anything. Safe to run again.

    What it names of one kind and day is that day's whole set; an action that is named again keeps its row. Within the
    range of which it names all, its own former actions that it does not name are superseded by none.
    """
    return bool(keep_all([(symbol, named)], source))


def keep_all(told: Iterable[tuple[Symbol, Named]], source: str) -> set[int]:
    """The same of several symbols in one transaction. Returns the keys of those of which that changed anything."""
    named = {symbol.pk: (symbol, _sound(symbol, each)) for symbol, each in told}
    changed = _changes(named, source)
    if not changed:
        return set()
    with transaction.atomic():
        covered = effects.hold(changed)
        changed = _changes({key: named[key] for key in changed}, source)  # somebody may have written while we waited
        CorporateAction.objects.bulk_update([row for each in changed.values() for row in each.disputed], ["disputed"])
        _replace(changed, source)
        days = {key: _last_days(each) for key, each in changed.items() if each.gone or each.new}
        effects.renew([row for row in covered if row.symbol_id in days], days)
    for key, change in changed.items():
        _tell(named[key][0], change)
    return set(changed)


def _sound(symbol: Symbol, named: Named) -> Named:
    """Without those that can't be, which are counted."""
    faults = [(action, checks.action_fault(action)) for action in named]
    for action, fault in faults:
        if fault:
            refusals.note("actions", symbol.ticker, f"on {action.ex_date}: {fault}", repr(action))
    return replace(named, actions=[action for action, fault in faults if fault is None])


def corrects_split(symbol: Symbol, named: Named, source: str) -> bool:
    """Whether what a source names takes a split that we hold away, or puts another in its place: what was traded before
    it was counted by that.
    """
    changed = _changes({symbol.pk: (symbol, named)}, source)
    return any(row.kind in adjustments.RESTATING for each in changed.values() for row, _ in each.gone)


def begin(sessions: Mapping[str, date]) -> None:
    """Of each ticker the first price of a session has come: what takes effect with it restates what came before."""
    named = CorporateAction.objects.counted().filter(symbol__ticker__in=sessions, ex_date__in=set(sessions.values()))
    begun = defaultdict(dict)
    for symbol, ticker, kind, ex_date in named.values_list("symbol_id", "symbol__ticker", "kind", "ex_date"):
        if ex_date == sessions[ticker]:
            begun[symbol][kind] = ex_date
    if begun:
        with transaction.atomic():
            effects.renew(coverage.hold_all(begun), begun)


def _changes(named: Mapping[int, tuple[Symbol, Named]], source: str) -> dict[int, Change]:
    """By the keys of their symbols those that are any."""
    rows = defaultdict(list)
    asked = f"{plain.among('symbol_id', len(named))} ORDER BY symbol_id, kind, ex_date, ordinal"
    for row in plain.read(CorporateAction, asked, list(named)):
        rows[row.symbol_id].append(row)
    found = {key: _change(rows[key], each, source) for key, (_, each) in named.items()}
    return {key: change for key, change in found.items() if change != Change()}


def _change(rows: Iterable[CorporateAction], named: Named, source: str) -> Change:
    told, stands, change = defaultdict(list), defaultdict(list), Change()
    for action in named:
        told[action.kind, action.ex_date].append(action)
    for row in rows:
        stands[row.kind, row.ex_date].append(row)
    for day, actions in told.items():
        _compare(stands[day], actions, change)
    for (kind, ex_date), rows in stands.items():
        if kind in named.whole and named.start <= ex_date <= named.end and (kind, ex_date) not in told:
            change.gone += [(row, _moved(row, change)) for row in rows if row.source == source]
    return change


def _moved(row: CorporateAction, change: Change) -> Action | None:
    """The same split on another day, which the source has corrected; None where it names none."""
    if row.kind not in adjustments.RESTATING:
        return None
    near = [
        action
        for action, _ in change.new
        if action.kind == row.kind and action.value == row.value and abs(action.ex_date - row.ex_date) <= MOVED
    ]
    return near[0] if near else None


def _compare(rows: list[CorporateAction], actions: list[Action], change: Change) -> None:
    """Pair what is named of a day with what stands. What has no pair takes the place of what has none either."""
    left, new = list(rows), []
    for action in actions:
        same = next((row for row in left if math.isclose(row.value, action.value, rel_tol=SAME)), None)
        if same is None:
            new.append(action)
            continue
        left.remove(same)
        if same.disputed != action.disputed:
            same.disputed = action.disputed
            change.disputed.append(same)
    change.gone += [(row, new[min(place, len(new) - 1)] if new else None) for place, row in enumerate(left)]
    free = chain((row.ordinal for row in left), count(1 + max((row.ordinal for row in rows), default=-1)))
    change.new += [(action, next(free)) for action in new]


def _replace(changed: Mapping[int, Change], source: str) -> None:
    now = datetime.now(UTC)
    gone = [pair for each in changed.values() for pair in each.gone]
    keys = [row.pk for row, _ in gone]
    if keys:
        CorporateAction.objects.filter(pk__in=keys).delete()
    rows = {
        id(action): _row(key, action, ordinal, source, now)
        for key, each in changed.items()
        for action, ordinal in each.new
    }
    _decide_again(rows.values())
    plain.add(list(rows.values()))
    placed = _placed(changed) if keys else {}  # MySQL tells no keys of many
    SupersededAction.objects.bulk_create(
        superseded(row, key, now, action and placed[_place(rows[id(action)])])
        for key, (row, action) in zip(keys, gone, strict=True)
    )


def superseded(row: CorporateAction, key: int, at: datetime, by: int | None) -> SupersededAction:
    """What an action with a key becomes that stands no more."""
    kept = {name: getattr(row, name) for name in KEPT}
    return SupersededAction(id=key, superseded_at=at, superseded_by=by, **kept)


def _decide_again(rows: Collection[CorporateAction]) -> None:
    """What was said of an action holds also where the source left it out for a time."""
    symbols = {row.symbol_id for row in rows}
    asked = f"{plain.among('symbol_id', len(symbols))} AND decision IS NOT NULL ORDER BY superseded_at"
    gone = plain.read(SupersededAction, asked, list(symbols)) if rows else ()
    for row, former in product(rows, gone):
        is_same = _place(row)[:3] == _place(former)[:3]
        if is_same and math.isclose(row.value, former.value, rel_tol=SAME):
            for name in _DECIDED:
                setattr(row, name, getattr(former, name))


def _place(row: CorporateAction | SupersededAction) -> tuple[int, str, date, int]:
    return row.symbol_id, row.kind, row.ex_date, row.ordinal


def _placed(symbols: Iterable[int]) -> dict[tuple[int, str, date, int], int]:
    """The keys of the actions that stand, by their places."""
    return {_place(row): row.pk for row in CorporateAction.objects.filter(symbol_id__in=symbols)}


def _last_days(change: Change) -> dict[str, date]:
    """Of each kind the last ex date of what was named otherwise."""
    newest: dict[str, date] = {}
    for each in (*(gone for gone, _ in change.gone), *(action for action, _ in change.new)):
        newest[each.kind] = max(newest.get(each.kind, each.ex_date), each.ex_date)
    return newest


def _tell(symbol: Symbol, change: Change) -> None:
    """Tell of what is newly disputed."""
    for each in (*(action for action, _ in change.new), *change.disputed):
        if each.disputed:
            refusals.note(
                "disputed", symbol.ticker, f"{each.kind} of {each.value:g} on {each.ex_date}: {each.disputed}"
            )


def _row(symbol: int, action: Action, ordinal: int, source: str, now: datetime) -> CorporateAction:
    told = {name: getattr(action, name) for name in _TOLD}
    kept = {"ordinal": ordinal, "source": source, "received_at": now, "disputed": action.disputed}
    return CorporateAction(symbol_id=symbol, **kept, **told)
