"""A page of bars as the bytes that go out: read as texts, restated at once, and kept while its version is true."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from market import actions, coverage, intervals, prices
from market.actions.adjustments import Factors
from market.bars import read, rows
from market.bars.columns.kept import Store
from market.bars.read import Basis
from market.bars.rows import Bounds, Row
from market.bars.wire import rounding
from market.bars.wire.fields import bar_fields, fields
from market.coverage import Versions
from market.prices import Bar

_PLACE = "\0"  # which no text that we tell is
_VARYING = (
    "opened_at", "session_date", "open", "high", "low", "close", "volume", "state", "is_final", "revision", "source",
    "received_at",
)  # fmt: skip
_OVERHEAD = 48  # bytes of one text beside its characters, and of its place in the list


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: the newest `limit` bars within bounds. decimals: the symbol's."""

    ticker: str
    interval: str
    adjusted: str
    bounds: Bounds
    limit: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored bars of a page and the one before them, each as JSON; the forming one is not among them.

    newest: the newest of them, as traded. factors: those that they were restated by.
    """

    version: Versions
    texts: list[bytes]
    newest: Bar | None
    factors: Factors

    @property
    def bytes(self) -> int:
        return sum(map(len, self.texts)) + _OVERHEAD * len(self.texts)


store = Store[Stored]("ANSWERS_BYTES")


@dataclass(frozen=True)
class Page:
    """Bars, oldest first, each as JSON. are_more: whether there are older ones.

    versions: those that they have; None where others wrote each time they were read.
    """

    texts: list[bytes]
    are_more: bool
    versions: Versions | None

    @property
    def version(self) -> str:
        """That of its interval's bars; coverage.NONE where there are none, or it is not known."""
        return self.versions[0] if self.versions else coverage.NONE

    @property
    def json(self) -> orjson.Fragment:
        """All of them as a list, which orjson writes as it is."""
        return orjson.Fragment(b"[" + b",".join(self.texts) + b"]")

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """All of them as the values that the JSON tells."""
        return list(map(orjson.loads, self.texts))

    @property
    def begins(self) -> str:
        """The opening of the first one."""
        return orjson.loads(self.texts[0])["opened_at"]


def page(asked: Asked, basis: Basis) -> Page:
    """A page of bars on a basis that was read. Raises UnknownAdjustment."""
    stored, versions = _steady(asked, basis.versions)
    version = versions[0] if versions else coverage.NONE
    live = basis.live if basis.live and asked.bounds.hold(basis.live) else None
    gone, texts = read.replaced(stored.newest, live), stored.texts
    if gone is not None:
        texts = [*texts[: len(texts) - gone], _encoded(live, asked, stored.factors, version)]
    return Page(texts[-asked.limit :], len(texts) > asked.limit, versions)


def _steady(asked: Asked, versions: Versions) -> tuple[Stored, Versions | None]:
    """What is kept of these versions, or is read now and then kept."""
    if kept := store.get(asked, versions):
        return kept, versions

    def ask(_: Mapping[str, Versions]) -> tuple[dict[str, tuple[Factors, list[tuple]]], Collection[str]]:
        factors = actions.factors(asked.ticker, asked.adjusted)
        # One more than is told, as there may be older ones.
        found = rows.read(asked.ticker, asked.bounds, interval=asked.interval, limit=asked.limit + 1)
        return {asked.ticker: (factors, found)}, [asked.ticker]

    read_of = actions.intervals_read(asked.interval, asked.adjusted)
    (factors, found), proven = coverage.steady(ask, {asked.ticker: versions}, read_of)[asked.ticker]
    newest = read.value(asked.ticker, asked.interval, Row._make(found[-1])) if found else None
    texts = _texts(asked, factors, found, proven[0] if proven else coverage.NONE)
    stored = Stored(proven or (), texts, newest, factors)
    if proven and proven[0]:  # what has no bars has no version
        store.keep(asked, stored)
    return stored, proven


def _texts(asked: Asked, factors: Factors, found: list[tuple], version: str) -> list[bytes]:
    """Each as orjson writes its fields, a column at a time: that takes half of the time of a bar at a time."""
    if not found:
        return []
    opened, sessions, *values, volumes, final, sources, received, revisions, states = zip(*found, strict=True)
    ex_dates = [each.isoformat() for each in factors.ex_dates]
    after = [bisect_right(ex_dates, session) for session in sessions]
    restated = np.array(values) * np.array(factors.prices)[after]
    shares = [factors.volumes[each] for each in after]
    finals, instants = list(map(bool, final)), _column(list(map(rows.instant, opened)))
    columns = (
        instants,
        _column(sessions),
        *(_column(each) for each in rounding.many_told(restated, asked.decimals).tolist()),
        _column(list(map(_volume, volumes, shares))),
        _column(list(map(prices.state_of, finals, states))),
        _column(finals),
        _column(revisions),
        _alike(sources),
        instants,  # as_of
        _alike(received, rows.instant),
    )
    return list(map(_template(asked, version).__mod__, zip(*columns, strict=True)))


def _template(asked: Asked, version: str) -> bytes:
    """A bar with a place for each value that may be another in the next."""
    told = fields(
        ticker=asked.ticker,
        interval=asked.interval,
        adjustment=asked.adjusted,
        precision=intervals.named(asked.interval).precision,
        version=version,
        **dict.fromkeys(_VARYING, _PLACE),
    )
    return orjson.dumps(told).replace(b"%", b"%%").replace(orjson.dumps(_PLACE), b"%b")


def _column(values: Sequence) -> list[bytes]:
    """Values without commas as JSON."""
    return orjson.dumps(values)[1:-1].split(b",")


def _alike(values: Sequence[str], told: Callable[[str], str] = str) -> list[bytes]:
    """The same of texts of which many are the same one, each as it is told."""
    written = {value: orjson.dumps(told(value)) for value in set(values)}
    return [written[value] for value in values]


def _volume(volume: int | None, shares: float) -> int | None:
    return volume if volume is None or shares == 1.0 else round(volume * shares)


def _encoded(live: Bar, asked: Asked, factors: Factors, version: str) -> bytes:
    """The forming bar, restated as the others."""
    bar = read.restated(live, asked.adjusted, factors)
    told = {name: rounding.told(getattr(bar, name), asked.decimals) for name in ("open", "high", "low", "close")}
    return orjson.dumps(bar_fields(replace(bar, **told), version))
