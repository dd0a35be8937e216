"""Bars as the bytes that go out, a column at a time: that takes half of the time of a bar at a time."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from market import prices
from market.actions.adjustments import Factors
from market.bars import batch, rows
from market.bars.batch import PRICES, UNKNOWN
from market.bars.resampling import Read
from market.bars.wire import rounding
from market.bars.wire.asked import Asked
from market.bars.wire.fields import bar_fields, fields
from market.prices import Bar

_PLACE = "\0"  # which no text that we tell is
_VARYING = (
    "opened_at", "session_date", "open", "high", "low", "close", "volume", "state", "is_final", "revision", "source",
    "received_at",
)  # fmt: skip


def stored(asked: Asked, factors: Factors, found: list[tuple], version: str) -> list[bytes]:
    """Each row as orjson writes its fields, restated."""
    if not found:
        return []
    opened, sessions, *values, volumes, final, sources, received, revisions, states = zip(*found, strict=True)
    ex_dates = [each.isoformat() for each in factors.ex_dates]
    after = [bisect_right(ex_dates, session) for session in sessions]
    shares = [factors.volumes[each] for each in after]
    finals = list(map(bool, final))
    varying = {
        "opened_at": list(map(rows.instant, opened)),
        "session_date": sessions,
        **_prices(np.array(values) * np.array(factors.prices)[after], asked.decimals),
        "volume": list(map(_volume, volumes, shares)),
        "state": list(map(prices.state_of, finals, states)),
        "is_final": finals,
        "revision": revisions,
        "source": sources,
    }
    return _filled(asked, version, varying, _alike(received, rows.instant))


def made(asked: Asked, read: Read, which: np.ndarray, version: str) -> list[bytes]:
    """The same of bars that were made, those of them."""
    found, places = read.made.bars.take(which), np.flatnonzero(which).tolist()
    if not places:
        return []
    varying = {
        "opened_at": [f"{each}Z" for each in found.opened.astype("datetime64[s]").astype(str).tolist()],
        "session_date": found.session.astype("datetime64[D]").astype(str).tolist(),
        **_prices(np.stack([getattr(found, name) for name in PRICES]), asked.decimals),
        "volume": [None if volume == UNKNOWN else volume for volume in found.volume.tolist()],
        "state": [prices.BAR_STATES[state] for state in found.state.tolist()],
        "is_final": (found.state == batch.FINAL).tolist(),
        "revision": read.revisions[which].tolist(),
        "source": [read.sources[place] for place in places],
    }
    return _filled(
        asked, version, varying, _alike(found.received.tolist(), lambda at: prices.instant(batch.moment(at)))
    )


def one(bar: Bar, asked: Asked, version: str) -> bytes:
    """A bar, as it is restated."""
    told = {name: rounding.told(getattr(bar, name), asked.decimals) for name in PRICES}
    return orjson.dumps(bar_fields(replace(bar, **told), version))


def _prices(table: np.ndarray, decimals: int) -> dict[str, list[float]]:
    return dict(zip(PRICES, rounding.many_told(table, decimals).tolist(), strict=True))


def _filled(asked: Asked, version: str, varying: Mapping[str, Sequence], received: list[bytes]) -> list[bytes]:
    """varying: what may be another in the next bar, in the order of the fields. received: as JSON."""
    columns = [_alike(column) if name == "source" else _column(column) for name, column in varying.items()]
    as_of = columns[0]
    return list(map(_template(asked, version).__mod__, zip(*columns, as_of, received, strict=True)))


def _template(asked: Asked, version: str) -> bytes:
    """A bar with a place for each value that may be another in the next."""
    told = fields(
        ticker=asked.ticker,
        interval=asked.interval,
        adjustment=asked.adjusted,
        precision=asked.of.precision,
        version=version,
        **dict.fromkeys(_VARYING, _PLACE),
    )
    return orjson.dumps(told).replace(b"%", b"%%").replace(orjson.dumps(_PLACE), b"%b")


def _column(values: Sequence) -> list[bytes]:
    """Values without commas as JSON."""
    return orjson.dumps(values)[1:-1].split(b",")


def _alike(values: Sequence, told: Callable[[Any], str] = str) -> list[bytes]:
    """The same of values of which many are the same one, each as it is told."""
    written = {value: orjson.dumps(told(value)) for value in set(values)}
    return [written[value] for value in values]


def _volume(volume: int | None, shares: float) -> int | None:
    return volume if volume is None or shares == 1.0 else round(volume * shares)
