"""What was revised: the bars that a source has corrected, and the splits and dividends that it tells otherwise now.

Each with what it was, what stands in its place, and what was computed from it and is kept still.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value

from market import prices
from market.coverage import tokens
from market.history import derived
from market.history.derived import Derived
from market.models import Bar, BarRevision, CorporateAction, SupersededAction

BAR, ACTION = KINDS = "bar", "action"
# Why an action is told otherwise.
WITHDRAWN, MOVED, DECIDED, CORRECTED = "withdrawn", "moved", "decided", "corrected"
OF_BARS = ("open", "high", "low", "close", "volume")
OF_ACTIONS = ("kind", "ex_date", "value", "numerator", "denominator", "disputed", "decision")
_SOURCED = ("source", "received_at")
_BAR_FACTS = ("revision", *OF_BARS, *_SOURCED)
_ACTION_FACTS = (*OF_ACTIONS, *_SOURCED)
_AROUND = timedelta(days=2)  # further from its date's midnight, UTC, no bar of a session opens
_Place = tuple[int, str, datetime]  # of a bar: the symbol's key, the interval, the opening


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which restatements are asked for; None: all. start, end: of the sessions, both counted. since: when."""

    symbol: int | None = None
    what: str | None = None
    interval: str | None = None
    start: date | None = None
    end: date | None = None
    since: datetime | None = None


def tables(wanted: Wanted) -> list[QuerySet]:
    """The rows of each kind as plain values, with `revised_at`, by which they are told together."""
    found = []
    if wanted.what in (None, BAR):
        found.append(_bars(wanted))
    if wanted.what in (None, ACTION) and wanted.interval is None:
        found.append(_actions(wanted))
    return found


def told(rows: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of these tables as they are told: `before`, `after`, `changed` and `computed_from_it`, in their order."""
    of_bars, of_actions = ([row for row in rows if row["what"] == kind] for kind in KINDS)
    bars, actions = _bars_after(of_bars), _actions_after(of_actions)
    kept = defaultdict(list)
    for each in derived.of({row["symbol_id"] for row in rows}) if rows else ():
        kept[each.symbol].append(each)
    return [
        _bar(row, bars.get((*_place(row), row["revision"] + 1)), kept[row["symbol_id"]])
        if row["what"] == BAR
        else _action(row, actions.get(row["superseded_by"]), kept[row["symbol_id"]])
        for row in rows
    ]


def _bars(wanted: Wanted) -> QuerySet:
    same = {"symbol": OuterRef("symbol"), "interval": OuterRef("interval"), "opened_at": OuterRef("opened_at")}
    session = Subquery(Bar.objects.filter(**same).order_by().values("session_date")[:1])
    asked = Q()
    if wanted.interval is not None:
        asked &= Q(interval=wanted.interval)
    if wanted.start is not None:
        asked &= Q(session_date__gte=wanted.start, opened_at__gte=prices.midnight(wanted.start) - _AROUND)
    if wanted.end is not None:
        asked &= Q(session_date__lte=wanted.end, opened_at__lte=prices.midnight(wanted.end) + _AROUND)
    found = BarRevision.objects.order_by().annotate(session_date=session, revised_at=F("replaced_at"), what=_said(BAR))
    columns = ("id", "symbol_id", "symbol__ticker", "interval", "opened_at", "reason", *_BAR_FACTS)
    return _cut(found, wanted).filter(asked).values(*columns, "session_date", "revised_at", "what")


def _actions(wanted: Wanted) -> QuerySet:
    asked = Q()
    if wanted.start is not None:
        asked &= Q(ex_date__gte=wanted.start)
    if wanted.end is not None:
        asked &= Q(ex_date__lte=wanted.end)
    found = SupersededAction.objects.order_by().annotate(revised_at=F("superseded_at"), what=_said(ACTION))
    columns = ("id", "symbol_id", "symbol__ticker", "superseded_by", *_ACTION_FACTS)
    return _cut(found, wanted).filter(asked).values(*columns, "revised_at", "what")


def _cut(found: QuerySet, wanted: Wanted) -> QuerySet:
    if wanted.symbol is not None:
        found = found.filter(symbol_id=wanted.symbol)
    return found if wanted.since is None else found.filter(revised_at__gte=wanted.since)


def _said(kind: str) -> Value:
    return Value(kind, CharField())


def _place(row: Mapping[str, Any]) -> _Place:
    return row["symbol_id"], row["interval"], row["opened_at"]


def _bars_after(rows: Collection[Mapping[str, Any]]) -> dict[tuple, dict[str, Any]]:
    """What bars were and are, by their places and revisions."""
    openings = defaultdict(set)
    for row in rows:
        openings[row["symbol_id"], row["interval"]].add(row["opened_at"])
    wanted = Q(symbol_id__in=[])
    for (symbol, interval), opened in openings.items():
        wanted |= Q(symbol_id=symbol, interval=interval, opened_at__in=opened)
    columns = ("symbol_id", "interval", "opened_at", *_BAR_FACTS)
    found = [
        each
        for model in (BarRevision, Bar)
        for each in (model.objects.filter(wanted).order_by().values(*columns) if rows else ())
    ]
    return {(*_place(each), each["revision"]): each for each in found}


def _actions_after(rows: Collection[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """What stands or stood in the place of actions, by keys."""
    keys = {row["superseded_by"] for row in rows} - {None}
    found = [
        each
        for model in (SupersededAction, CorporateAction)
        for each in (model.objects.filter(pk__in=keys).order_by().values("id", *_ACTION_FACTS) if keys else ())
    ]
    return {each["id"]: each for each in found}


def _bar(row: Mapping[str, Any], after: Mapping[str, Any] | None, kept: list[Derived]) -> dict[str, Any]:
    interval, session = row["interval"], row["session_date"]
    facts = {"interval": interval, "opened_at": row["opened_at"], "session_date": session, "reason": row["reason"]}
    counted = [each for each in kept if each.counts_bar(interval, session)]
    return _restatement(row, facts) | _compared(row, after, OF_BARS, _BAR_FACTS) | _computed(row, counted)


def _action(row: Mapping[str, Any], after: Mapping[str, Any] | None, kept: list[Derived]) -> dict[str, Any]:
    facts = {"interval": None, "opened_at": None, "session_date": row["ex_date"], "reason": _why(row, after)}
    counted = [each for each in kept if each.counts_action(row["kind"], row["ex_date"])]
    return _restatement(row, facts) | _compared(row, after, OF_ACTIONS, _ACTION_FACTS) | _computed(row, counted)


def _restatement(row: Mapping[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    return {"what": row["what"], "symbol": row["symbol__ticker"], "revised_at": row["revised_at"], **facts}


def _compared(
    row: Mapping[str, Any], after: Mapping[str, Any] | None, compared: Collection[str], shown: Collection[str]
) -> dict[str, Any]:
    return {
        "changed": [name for name in compared if after is not None and after[name] != row[name]],
        "before": {name: row[name] for name in shown},
        "after": None if after is None else {name: after[name] for name in shown},
    }


def _computed(row: Mapping[str, Any], counted: list[Derived]) -> dict[str, Any]:
    """What stands upon bars as they were while the former value stood."""
    start, end = tokens.floor(row["received_at"]), tokens.floor(row["revised_at"])
    old = [each for each in counted if start <= tokens.floor(each.stands_at) < end]
    names = ("kind", "name", "version", "computed_at")
    return {"computed_from_it": [{name: getattr(each, name) for name in names} for each in old]}


def _why(row: Mapping[str, Any], after: Mapping[str, Any] | None) -> str:
    if after is None:
        return WITHDRAWN
    if after["ex_date"] != row["ex_date"]:
        return MOVED
    return DECIDED if after["value"] == row["value"] and after["decision"] != row["decision"] else CORRECTED
