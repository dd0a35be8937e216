"""A page of bars as the bytes that go out: read as texts, restated at once, and kept while its version is true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from market import actions, coverage
from market.actions.adjustments import Factors
from market.bars import read, resampling, rows
from market.bars.read import Basis
from market.bars.rows import Row
from market.bars.wire import texts
from market.bars.wire.asked import Asked
from market.coverage import Versions
from market.prices import Bar
from monitoring.caches.store import Store

_OVERHEAD = 48  # bytes of one text beside its characters, and of its place in the list


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored bars of a page and the one before them, each as JSON; the forming one is not among them.

    newest: the newest of them, as traded. factors: those that they were restated by. parts: of bars that are made, what
    the newest of them is made of, as traded: it is not among the texts, as it may form and says so by the hour.
    """

    version: Versions
    texts: list[bytes]
    newest: Bar | None
    factors: Factors
    parts: Sequence[Bar] = ()

    @property
    def bytes(self) -> int:
        return sum(map(len, self.texts)) + _OVERHEAD * (len(self.texts) + len(self.parts))


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
    return pages([asked], {asked.ticker: basis})[asked.ticker]


def pages(asked: Sequence[Asked], bases: Mapping[str, Basis]) -> dict[str, Page]:
    """A page of each of several tickers, all of one interval and adjustment, and as known at one moment."""
    if not asked:
        return {}
    found = _steady({each.ticker: each for each in asked}, {ticker: basis.versions for ticker, basis in bases.items()})
    return {each.ticker: _page(each, bases[each.ticker], *found[each.ticker]) for each in asked}


def _page(asked: Asked, basis: Basis, stored: Stored, versions: Versions | None) -> Page:
    version = versions[0] if versions else coverage.NONE
    live = basis.live if basis.live and asked.stored.hold(basis.live) else None
    gone, told = read.replaced(stored.newest, live), stored.texts
    if asked.of.made_from:
        told = [*told, *_newest_made(asked, basis, stored, gone, live, version)]
    elif gone is not None:
        forming = read.restated(live, asked.adjusted, stored.factors)
        told = [*told[: len(told) - gone], texts.one(forming, asked, version)]
    return Page(told[-asked.limit :], len(told) > asked.limit, versions)


def _newest_made(
    asked: Asked, basis: Basis, stored: Stored, gone: int | None, live: Bar | None, version: str
) -> list[bytes]:
    """What is made of the newest parts, with the forming one where that counts; of a new period too."""
    parts = stored.parts if gone is None else [*stored.parts[: len(stored.parts) - gone], live]
    if not parts:
        return []
    restated = [read.restated(part, asked.adjusted, stored.factors) for part in parts]
    found = resampling.of_bars(restated, asked.of, asked.known, basis.today)
    return [texts.one(bar, asked, version) for bar in found if asked.bounds.hold(bar)]


def _steady(asked: Mapping[str, Asked], versions: Mapping[str, Versions]) -> dict[str, tuple[Stored, Versions | None]]:
    """What is kept of these versions, or is read now and then kept."""
    kept = {ticker: (store.get(each, versions[ticker]), versions[ticker]) for ticker, each in asked.items()}
    missing = {ticker: version for ticker, (found, version) in kept.items() if found is None}
    return {**kept, **_read({ticker: asked[ticker] for ticker in missing}, missing)} if missing else kept


def _read(asked: Mapping[str, Asked], versions: Mapping[str, Versions]) -> dict[str, tuple[Stored, Versions | None]]:
    one = next(iter(asked.values()))

    def ask(left: Mapping[str, Versions]) -> tuple[dict[str, tuple[Factors, list[tuple]]], Collection[str]]:
        factors = read.factors_of(list(left), one.adjusted, one.known_at)
        return {ticker: (factors[ticker], _rows(asked[ticker])) for ticker in left}, list(left)

    found = coverage.steady(ask, versions, actions.intervals_read(one.interval, one.adjusted))
    return {ticker: _stored(asked[ticker], *answer) for ticker, answer in found.items()}


def _rows(asked: Asked) -> list[tuple]:
    interval = asked.of.stored_as
    return rows.read(asked.ticker, asked.stored, interval=interval, limit=asked.most_stored, known_at=asked.known_at)


def _stored(
    asked: Asked, read_now: tuple[Factors, list[tuple]], proven: Versions | None
) -> tuple[Stored, Versions | None]:
    """What was read as it is told; kept, where its versions are known."""
    factors, found = read_now
    version = proven[0] if proven else coverage.NONE
    if asked.of.made_from and found:
        told, parts = _made(asked, factors, found, version)
    else:
        told, parts = texts.stored(asked, factors, found, version), []
    newest = _value(asked, found[-1]) if found else None
    stored = Stored(proven or (), told, newest, factors, parts)
    if proven and proven[0]:  # what has no bars has no version
        store.keep(asked, stored)
    return stored, proven


def _made(asked: Asked, factors: Factors, found: list[tuple], version: str) -> tuple[list[bytes], list[Bar]]:
    """The bars of rows without the newest, and what that is made of. The oldest may lack parts that were not read."""
    made = resampling.of_rows(asked.ticker, asked.of, found, factors, asked.known, None)
    which = resampling.within(made.made.bars, asked.bounds)
    which[-1] = False
    which[: max(len(which) - asked.limit - 2, 0)] = False
    parts = [_value(asked, row) for row in found[made.made.begins[-1] :]]
    return texts.made(asked, made, np.asarray(which), version), parts


def _value(asked: Asked, row: tuple) -> Bar:
    return read.value(asked.ticker, asked.of.stored_as, Row._make(row))
