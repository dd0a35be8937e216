"""What answers told as it was known already: by it a late answer finds its place between those before and after it."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
from django.db import connection

from market.bars.batch import microseconds, moment
from market.models import Confirmation

KEPT = timedelta(days=30)  # no answer comes later than that
Answer = tuple[int, int]  # a symbol's key, and when it was received in microseconds since 1970
Pairs = np.ndarray  # int64 (n, 2): an opening, in seconds since 1970, and the volume as it was told; each once, ordered


def add(interval: str, symbol: np.ndarray, received: np.ndarray, pairs: Pairs) -> None:
    """Keep tellings, by their symbols' keys and receipts. Those that are kept already stay as they are."""
    if not len(symbol):
        return
    told: dict[Answer, Pairs] = {}
    ends = np.flatnonzero((np.diff(symbol) != 0) | (np.diff(received) != 0)) + 1
    for part in np.split(np.arange(len(symbol)), ends):
        answer = int(symbol[part[0]]), int(received[part[0]])
        told[answer] = _united(told.get(answer), pairs[part])
    held = _of_answers(interval, told)
    grown = {answer: _united(held.get(answer), new) for answer, new in told.items()}
    _write(interval, {answer: rows for answer, rows in grown.items() if not np.array_equal(rows, held.get(answer))})
    symbols, newest = {key for key, _ in told}, max(at for _, at in told)
    old = Confirmation.objects.filter(symbol_id__in=symbols, interval=interval)
    old.filter(received_at__lt=moment(newest) - KEPT).delete()


def of(symbol: int, interval: str) -> dict[int, Pairs]:
    """All that are kept of a symbol, by their receipt."""
    rows = Confirmation.objects.filter(symbol_id=symbol, interval=interval)
    found = rows.values_list("received_at", "openings", "volumes")
    return {microseconds(at): _pairs(*packed) for at, *packed in found}


def store(symbol: int, interval: str, told: dict[int, Pairs]) -> None:
    """Have these answers of a symbol, as they are given; one without tellings is none."""
    gone = [moment(at) for at, pairs in told.items() if not len(pairs)]
    if gone:
        Confirmation.objects.filter(symbol_id=symbol, interval=interval, received_at__in=gone).delete()
    _write(interval, {(symbol, at): pairs for at, pairs in told.items() if len(pairs)})


def _write(interval: str, told: dict[Answer, Pairs]) -> None:
    rows = [
        Confirmation(
            symbol_id=symbol,
            interval=interval,
            received_at=moment(at),
            openings=np.ascontiguousarray(pairs[:, 0]).tobytes(),
            volumes=np.ascontiguousarray(pairs[:, 1]).tobytes(),
        )
        for (symbol, at), pairs in sorted(told.items(), key=lambda item: item[0])
    ]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "interval", "received_at"]
    Confirmation.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["openings", "volumes"], unique_fields=unique
    )


def _of_answers(interval: str, answers: Iterable[Answer]) -> dict[Answer, Pairs]:
    symbols, times = ({answer[part] for answer in answers} for part in range(2))
    rows = Confirmation.objects.filter(
        symbol_id__in=symbols, interval=interval, received_at__in=[moment(at) for at in times]
    )
    found = rows.values_list("symbol_id", "received_at", "openings", "volumes")
    return {(symbol, microseconds(at)): _pairs(*packed) for symbol, at, *packed in found}


def _pairs(openings: bytes, volumes: bytes) -> Pairs:
    return np.stack([np.frombuffer(openings, np.int64), np.frombuffer(volumes, np.int64)], axis=1)


def _united(held: Pairs | None, new: Pairs) -> Pairs:
    """Of each opening one: where an answer told several volumes, the largest, as `order` has it."""
    if held is None and (np.diff(new[:, 0]) > 0).all():
        return new
    ordered = np.unique(new if held is None else np.concatenate([held, new]), axis=0)
    return ordered[np.concatenate([np.diff(ordered[:, 0]) != 0, [True]])]
