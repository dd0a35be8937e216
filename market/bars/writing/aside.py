"""What is kept beside bars: values before they were clipped or had settled, and bars that are held back."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from django.db.models import QuerySet

from market import prices
from market.bars.batch import PRICES, UNKNOWN, Batch, microseconds, moment
from market.bars.writing.held import NEVER, Held
from market.models import MarkedBar, ProvisionalBar, QuarantinedBar

_TOLD = ("symbol_id", "opened_at", *PRICES, "volume", "source")


def mark(raw: Batch, keys: np.ndarray) -> None:
    """Keep what was told of bars whose ranges were widened. Call it while their coverage is held."""
    if len(raw):
        rows = [(*_values(raw, keys, place), raw.received[place]) for place in range(len(raw))]
        _add(MarkedBar, raw.interval, {row[:-1]: _marked(raw, place) for place, row in enumerate(rows)}, rows)


def hold_back(batch: Batch, keys: np.ndarray, doubts: Mapping[int, str]) -> dict[int, int]:
    """Keep those rows of a batch for somebody to look at. Returns how many more there are, by symbol."""
    rows, facts = [], {}
    for place, reason in sorted(doubts.items()):
        told = _values(batch, keys, place)
        rows.append((*told, batch.received[place]))
        session = np.datetime64(int(batch.session[place]), "D").item()
        state = prices.BAR_STATES[batch.state[place]]
        facts[told] = {"session_date": session, "state": state, "reason": reason[:200]}
    return _add(QuarantinedBar, batch.interval, facts, rows)


def settle(batch: Batch, keys: np.ndarray) -> dict[int, int]:
    """What was held back is settled by a later telling that stands. Returns how many fewer there are, by symbol."""
    later = defaultdict(list)
    for place in range(len(batch)):
        later[int(keys[place]), int(batch.opened[place])].append(int(batch.received[place]))
    gone: dict[int, int] = defaultdict(int)
    for row in _beside(QuarantinedBar, batch, keys).filter(released_at=None):
        times = later[row.symbol_id, microseconds(row.opened_at) // 1_000_000]
        if after := [at for at in times if at > microseconds(row.received_at)]:
            row.released_at = moment(min(after))
            row.save(update_fields=["released_at"])
            gone[row.symbol_id] += 1
    return gone


def keep_provisional(which: np.ndarray, batch: Batch, found: Held, at: np.ndarray) -> None:
    """Keep what closed bars said before they said otherwise or settled."""
    if not which.any():
        return
    places = np.flatnonzero(which)
    ordinals = _ordinals(batch.interval, found, at[places])
    rows = []
    for place in places.tolist():
        bar = int(at[place])
        key = int(found.symbol[bar]), int(found.opened[bar])
        rows.append(
            ProvisionalBar(
                symbol_id=key[0],
                interval=batch.interval,
                opened_at=datetime.fromtimestamp(key[1], UTC),
                **{name: float(getattr(found, name)[bar]) for name in PRICES},
                volume=None if found.volume[bar] == UNKNOWN else int(found.volume[bar]),
                source=found.source[bar],
                received_at=moment(int(found.received[bar])),
                confirmed_at=None if found.confirmed[bar] == NEVER else moment(int(found.confirmed[bar])),
                replaced_at=moment(int(batch.received[place])),
                ordinal=ordinals[key],
            )
        )
    ProvisionalBar.objects.bulk_create(rows)


def _ordinals(interval: str, found: Held, places: np.ndarray) -> dict[tuple[int, int], int]:
    """Of each bar how many provisional values it has already."""
    ordinals: dict[tuple[int, int], int] = defaultdict(int)
    openings = found.opened[places]
    ends = (datetime.fromtimestamp(int(each), UTC) for each in (openings.min(), openings.max()))
    symbols = np.unique(found.symbol[places]).tolist()
    known = ProvisionalBar.objects.filter(symbol_id__in=symbols, interval=interval, opened_at__range=tuple(ends))
    for symbol, opened_at in known.order_by().values_list("symbol_id", "opened_at"):
        ordinals[symbol, microseconds(opened_at) // 1_000_000] += 1
    return ordinals


def _marked(raw: Batch, place: int) -> dict:
    open, high, low, close = (float(getattr(raw, name)[place]) for name in PRICES)
    return {"reason": f"from {low} to {high}, which does not hold an open of {open} and a close of {close}"}


def _values(batch: Batch, keys: np.ndarray, place: int) -> tuple:
    volume = int(batch.volume[place])
    return (
        int(keys[place]),
        datetime.fromtimestamp(int(batch.opened[place]), UTC),
        *(float(getattr(batch, name)[place]) for name in PRICES),
        None if volume == UNKNOWN else volume,
        batch.source,
    )


def _add(model: type, interval: str, facts: Mapping[tuple, dict], rows: list[tuple]) -> dict[int, int]:
    """Have a row for each telling, with the time when it came first."""
    first: dict[tuple, int] = {}
    for *told, received in rows:
        first[tuple(told)] = min(int(received), first.get(tuple(told), int(received)))
    symbols, openings = ({told[part] for told in first} for part in range(2))
    beside = model.objects.filter(symbol_id__in=symbols, interval=interval)
    known = {
        tuple(getattr(row, name) for name in _TOLD): row
        for row in beside.filter(opened_at__range=(min(openings), max(openings)))
    } if first else {}  # fmt: skip
    more: dict[int, int] = defaultdict(int)
    made = []
    for told, received in sorted(first.items(), key=repr):
        if told not in known:
            named = dict(zip(_TOLD, told, strict=True)) | facts[told]
            made.append(model(**named, interval=interval, received_at=moment(received)))
            more[told[0]] += 1
        elif received < microseconds(known[told].received_at):
            known[told].received_at = moment(received)
            known[told].save(update_fields=["received_at"])
    model.objects.bulk_create(made)
    return more


def _beside(model: type, batch: Batch, keys: np.ndarray) -> QuerySet:
    ends = (datetime.fromtimestamp(int(each), UTC) for each in (batch.opened.min(), batch.opened.max()))
    symbols = np.unique(keys).tolist()
    return model.objects.filter(symbol_id__in=symbols, interval=batch.interval, opened_at__range=tuple(ends))
