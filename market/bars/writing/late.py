"""Tellings that are not the newest of their bars: what these were is put together anew, by all that was told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet

from market import prices
from market.bars.batch import CLOSED, FINAL, PRICES, UNKNOWN, microseconds, moment
from market.bars.writing import confirmations, order
from market.bars.writing.order import Stood, Told
from market.models import Bar, BarRevision, ProvisionalBar

Key = tuple[int, int]  # a symbol's key and an opening in seconds since 1970
Aside = dict[int, set[tuple[int, int]]]  # by opening the receipts of what confirmed it, and the volumes as told
_FORMER = {FINAL: (BarRevision, "revision"), CLOSED: (ProvisionalBar, "ordinal")}
_VALUES = (*PRICES, "volume", "source", "received_at", "confirmed_at")
_MOVED = [*_VALUES, "session_date", "is_final", "state", "revision"]


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of the tellings of one bar. corrections: how many more former values there are."""

    is_new: bool
    is_changed: bool
    corrections: int


def place(
    interval: str, told: Mapping[Key, list[Told]], sessions: Mapping[Key, int], slack: Mapping[Key, int], now: datetime
) -> dict[Key, Placed]:
    """Give tellings their places among those known. sessions: days since 1970; slack: as order.stood has it."""
    known = _known(interval, told, now)
    asides = {symbol: _aside(symbol, interval) for symbol in {key[0] for key in told}}
    found, changed = {}, {}
    for key, new in told.items():
        aside, was = asides[key[0]], known[key]
        tellings = _tellings(was, aside[key[1]], new[0].reason)
        stands, others = order.stood([*tellings, *new], slack.get(key, 0))
        aside[key[1]] = {(each.received, each.volume) for each in others}
        more = sum(map(_is_correction, stands[:-1])) - sum(map(_is_correction, was[:-1]))
        found[key] = Placed(not was, list(map(_said, was)) != list(map(_said, stands)), more)
        if was != stands:
            changed[key] = stands
    _store(interval, changed, sessions)
    for symbol, aside in asides.items():
        _store_aside(symbol, interval, aside)
    return found


def _said(each: Stood) -> tuple:
    return each.first.state, each.first.received, *each.first[2:6], each.volume


def _is_correction(each: Stood) -> bool:
    return each.first.state == FINAL


def _known(interval: str, keys: Iterable[Key], now: datetime) -> dict[Key, list[Stood]]:
    """What each bar was and is, oldest first."""
    latest, found = microseconds(now + prices.AHEAD), defaultdict(list)
    names = ("symbol_id", "opened_at", *_VALUES)
    for state, (model, number) in sorted(_FORMER.items()):
        reason = "reason" if state == FINAL else "source"
        for row in _of(model, interval, keys).order_by(number).values_list(*names, reason):
            found[row[0], _seconds(row[1])].append((state, row[2:-1], row[-1] if state == FINAL else ""))
    for row in _of(Bar, interval, keys).values_list(*names, "is_final"):
        found[row[0], _seconds(row[1])].append((FINAL if row[-1] else CLOSED, row[2:-1], ""))
    # The reason why a value went is that of what took its place.
    return defaultdict(list) | {
        key: [_stood(state, row, reason, latest) for (state, row, _), reason in zip(rows, _reasons(rows), strict=True)]
        for key, rows in found.items()
    }


def _reasons(rows: list[tuple]) -> list[str]:
    return ["", *(reason for _, _, reason in rows[:-1])]


def _stood(state: int, row: tuple, reason: str, latest: int) -> Stood:
    *values, volume, source, received_at, confirmed_at = row
    received, volume = microseconds(received_at), UNKNOWN if volume is None else volume
    received = 0 if received > latest else received  # by a clock that was wrong: older than all others
    confirmed = received if confirmed_at is None else microseconds(confirmed_at)
    first = Told(state, received, *values, volume, source, reason)
    return Stood(first, volume, received if confirmed > latest else confirmed)


def _tellings(was: list[Stood], aside: set[tuple[int, int]], reason: str) -> Iterator[Told]:
    """All that was told of a bar; reason: where none is known."""
    theirs = defaultdict(set)
    for received, volume in aside:
        theirs[_whose(was, received)].add((received, volume))
    for place, each in enumerate(was):
        first, mine = each.first._replace(reason=each.first.reason or reason), theirs[place]
        if (first.received, UNKNOWN) in mine:
            first = first._replace(volume=UNKNOWN)
        if each.confirmed > first.received and each.confirmed not in {received for received, _ in mine}:
            mine.add((each.confirmed, each.volume))
        yield first
        for received, volume in mine:
            yield first._replace(received=received, volume=volume)


def _whose(was: list[Stood], received: int) -> int | None:
    """The place of what stood when that was told: what it confirmed, or what began then."""
    for place, each in enumerate(was):
        if each.first.received <= received <= each.confirmed:
            return place
    return None


def _store(interval: str, changed: dict[Key, list[Stood]], sessions: Mapping[Key, int]) -> None:
    for model, _ in _FORMER.values():
        _of(model, interval, changed).delete()
    rows = defaultdict(list)
    for key, stands in sorted(changed.items()):
        numbers = {FINAL: 0, CLOSED: 0}
        for each, following in pairwise([*stands, None]):
            state = each.first.state
            facts = _facts(key, interval, each)
            if following is None:
                rows[Bar].append(_bar(facts, state, numbers[state], sessions[key]))
            else:
                facts |= {_FORMER[state][1]: numbers[state], "replaced_at": moment(following.first.received)}
                reason = {"reason": following.first.reason[:200]} if state == FINAL else {}
                rows[_FORMER[state][0]].append(_FORMER[state][0](**facts, **reason))
            numbers[state] += 1
    for model, _ in _FORMER.values():
        model.objects.bulk_create(rows[model])
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "interval", "opened_at"]
    Bar.objects.bulk_create(rows[Bar], update_conflicts=True, update_fields=_MOVED, unique_fields=unique)


def _facts(key: Key, interval: str, each: Stood) -> dict:
    first = each.first
    return {
        "symbol_id": key[0],
        "interval": interval,
        "opened_at": datetime.fromtimestamp(key[1], UTC),
        **{name: getattr(first, name) for name in PRICES},
        "volume": None if each.volume == UNKNOWN else each.volume,
        "source": first.source,
        "received_at": moment(first.received),
        "confirmed_at": moment(each.confirmed) if each.confirmed > first.received else None,
    }


def _bar(facts: dict, state: int, number: int, session: int) -> Bar:
    revision = number if state == FINAL else 0
    day = np.datetime64(session, "D").item()
    named = {"state": prices.BAR_STATES[state], "is_final": state == FINAL}
    return Bar(**facts, **named, revision=revision, session_date=day)


def _of(model: type, interval: str, keys: Iterable[Key]) -> QuerySet:
    """The rows of these bars."""
    together = defaultdict(list)
    for symbol, opened in keys:
        together[symbol].append(datetime.fromtimestamp(opened, UTC))
    wanted = Q(symbol_id__in=[])
    for symbol, openings in together.items():
        wanted |= Q(symbol_id=symbol, opened_at__in=openings)
    return model.objects.filter(wanted, interval=interval)


def _seconds(at: datetime) -> int:
    return microseconds(at) // 1_000_000


def _aside(symbol: int, interval: str) -> Aside:
    found: Aside = defaultdict(set)
    for received, pairs in confirmations.of(symbol, interval).items():
        for opened, volume in pairs.tolist():
            found[opened].add((received, volume))
    return found


def _store_aside(symbol: int, interval: str, aside: Aside) -> None:
    told = defaultdict(list)
    for opened, tellings in aside.items():
        for received, volume in tellings:
            told[received].append((opened, volume))
    now = {received: np.array(sorted(pairs), np.int64) for received, pairs in told.items()}
    held = confirmations.of(symbol, interval)
    changed = {at: pairs for at, pairs in now.items() if at not in held or not np.array_equal(pairs, held[at])}
    gone = {at: np.empty((0, 2), np.int64) for at in held if at not in now}
    confirmations.store(symbol, interval, changed | gone)
