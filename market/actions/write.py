"""What sources name is written here alone. What they no longer name so is superseded, not deleted."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count, product

from django.db import transaction

from market.actions import adjustments, checks, effects
from market.coverage import rows as coverage
from market.models import CorporateAction, SupersededAction, Symbol
from market.prices import Action, Named
from monitoring import refusals

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
    named = _sound(symbol, named)
    if _change(symbol, named, source) == Change():
        return False
    with transaction.atomic():
        covered = effects.hold(symbol.pk)
        change = _change(symbol, named, source)  # again: somebody may have written while we waited
        CorporateAction.objects.bulk_update(change.disputed, ["disputed"])
        _replace(symbol, change, source)
        if change.gone or change.new:
            effects.renew(covered, {symbol.pk: _last_days(change)})
    _tell(symbol, change)
    return True


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
    return any(row.kind in adjustments.RESTATING for row, _ in _change(symbol, named, source).gone)


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


def _change(symbol: Symbol, named: Named, source: str) -> Change:
    told, stands, change = defaultdict(list), defaultdict(list), Change()
    for action in named:
        told[action.kind, action.ex_date].append(action)
    for row in CorporateAction.objects.filter(symbol=symbol).order_by("kind", "ex_date", "ordinal"):
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


def _replace(symbol: Symbol, change: Change, source: str) -> None:
    now, keys = datetime.now(UTC), [row.pk for row, _ in change.gone]
    CorporateAction.objects.filter(pk__in=keys).delete()
    rows = {id(action): _row(symbol, action, ordinal, source, now) for action, ordinal in change.new}
    _decide_again(symbol, rows.values())
    CorporateAction.objects.bulk_create(rows.values())
    placed = _placed(symbol) if keys else {}  # MySQL tells no keys of many
    SupersededAction.objects.bulk_create(
        superseded(row, key, now, action and placed[_place(rows[id(action)])])
        for key, (row, action) in zip(keys, change.gone, strict=True)
    )


def superseded(row: CorporateAction, key: int, at: datetime, by: int | None) -> SupersededAction:
    """What an action with a key becomes that stands no more."""
    kept = {name: getattr(row, name) for name in KEPT}
    return SupersededAction(id=key, superseded_at=at, superseded_by=by, **kept)


def _decide_again(symbol: Symbol, rows: Collection[CorporateAction]) -> None:
    """What was said of an action holds also where the source left it out for a time."""
    days = {row.ex_date for row in rows}
    gone = SupersededAction.objects.filter(symbol=symbol, ex_date__in=days, decision__isnull=False) if days else ()
    for row, former in product(rows, sorted(gone, key=lambda former: former.superseded_at)):
        is_same = (row.kind, row.ex_date) == (former.kind, former.ex_date)
        if is_same and math.isclose(row.value, former.value, rel_tol=SAME):
            for name in _DECIDED:
                setattr(row, name, getattr(former, name))


def _place(row: CorporateAction) -> tuple[str, date, int]:
    return row.kind, row.ex_date, row.ordinal


def _placed(symbol: Symbol) -> dict[tuple[str, date, int], int]:
    """The keys of the actions that stand, by their places."""
    return {_place(row): row.pk for row in CorporateAction.objects.filter(symbol=symbol)}


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


def _row(symbol: Symbol, action: Action, ordinal: int, source: str, now: datetime) -> CorporateAction:
    told = {name: getattr(action, name) for name in _TOLD}
    kept = {"ordinal": ordinal, "source": source, "received_at": now, "disputed": action.disputed}
    return CorporateAction(symbol=symbol, **kept, **told)
