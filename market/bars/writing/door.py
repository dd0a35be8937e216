"""The one door of bars: what can't be is refused and counted, and what can is written, part by part."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np

from market import symbols
from market.bars import batch as columns
from market.bars import checks, sessions
from market.bars.batch import Batch
from market.bars.writing import store
from market.bars.writing.store import Written
from market.coverage import rows as coverage
from market.models import Symbol
from market.prices import Bar
from monitoring import refusals, turns

AT_ONCE = 10_000  # rows of one transaction: a few hundredths of a second

Versions = dict[tuple[str, str], tuple[str, str]]
Refused = tuple[str, str, str, str, str]  # ticker, interval, opening, why, and what it was


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """How many rows each; `changed` are those with other values, now or then, `refused` and `held_back` say why, a line
    each; `marked` were clipped.

    first, last: the openings between which the inserted and changed ones lie; None where there are none.
    versions: by ticker and interval that of the bars before and after; equal where no value changed. Whoever knows the
    bars of the version before and what was written knows those of the version after: nobody else wrote between.
    """

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    versions: Versions = field(default_factory=dict)
    marked: int = 0


def upsert(
    bars: Iterable[Bar], *, reason: str = "", by_calendar: bool = False, is_released: bool = False
) -> UpsertResult:
    """`write` of bars as values, of any intervals and sources."""
    together, misshapen = defaultdict(list), []
    for bar in bars:
        if fault := checks.form_fault(bar):
            misshapen.append((bar, fault))
        else:
            together[bar.interval, bar.source].append(bar)
    known = symbols.found(
        {bar.ticker for each in together.values() for bar in each} | {bar.ticker for bar, _ in misshapen}
    )
    how = {"reason": reason, "by_calendar": by_calendar, "is_released": is_released}
    results = [
        found
        for _, each in sorted(together.items())
        for found in _ready(columns.of_bars(each), known, **how)().values()
    ]
    refused = [
        (bar.ticker, bar.interval, f"{bar.opened_at:%Y-%m-%d %H:%M}", fault, repr(bar)) for bar, fault in misshapen
    ]
    return summed([*results, UpsertResult(refused=_refuse(refused, known))])


def write(batch: Batch, *, reason: str = "", by_calendar: bool = False) -> UpsertResult:
    """Write bars as traded; safe to run twice, out of order and at once.

    Of all that was told of a bar, in any order, the same comes (`order`): the latest telling counts, and what stood
    before goes to BarRevision with the reason, or to ProvisionalBar where it had not settled.
    A bar that can't be, or that the database does not take, is refused and counted; one that is hardly true is held
    back until somebody looks at it (`suspicion`, and by the calendar where the source keeps to it); the others are
    written.
    """
    return summed(list(ready(batch, reason=reason, by_calendar=by_calendar)().values()))


def ready(batch: Batch, *, reason: str = "", by_calendar: bool = False) -> Callable[[], dict[str, UpsertResult]]:
    """What does that and tells what came of each ticker, with the thinking done: for who writes more in the same
    transaction, and keeps others waiting.
    """
    return _ready(batch, symbols.found(batch.tickers), reason=reason, by_calendar=by_calendar, is_released=False)


def _ready(
    batch: Batch, known: Mapping[str, Symbol], *, reason: str, by_calendar: bool, is_released: bool
) -> Callable[[], dict[str, UpsertResult]]:
    symbol = [known.get(ticker) for ticker in batch.tickers]
    negative = np.array([each is not None and each.may_be_negative for each in symbol], bool)
    faults = checks.faults(batch, negative[batch.symbol], datetime.now(UTC))
    if None in symbol:
        unknown = np.array([each is None for each in symbol], bool)[batch.symbol]
        faults |= dict.fromkeys(np.flatnonzero(unknown).tolist(), "there is no such symbol")
    refused = [_told(batch, place, fault) for place, fault in sorted(faults.items())]
    keys = np.array([0 if each is None else each.pk for each in symbol], np.int64)
    raw = _ordered(batch.take(_others(len(batch), faults)) if faults else batch, keys)
    batch, is_marked = checks.clipped(raw)
    doubts = sessions.outside(batch, symbol) if by_calendar and len(batch) else {}

    def thought(places: list[int]) -> tuple[store.Part, store.Plan]:
        part, marked = batch.take(places), raw.take([place for place in places if is_marked[place]])
        doubted = {there: doubts[place] for there, place in enumerate(places) if place in doubts}
        told = part, keys[part.symbol], marked, keys[marked.symbol]
        found = store.Part(*told, None if is_released else doubted)
        return found, store.plan(found)

    parts = [list(range(first, min(first + AT_ONCE, len(batch)))) for first in range(0, len(batch), AT_ONCE)]
    ahead = [thought(part) for part in parts[:1]]

    def write(places: list[int]) -> Written:
        part, planned = ahead[0] if places is parts[0] else thought(places)
        return turns.again(partial(store.write, part, planned, reason))

    def finish() -> dict[str, UpsertResult]:
        fallen = list(refused)
        written = [
            each
            for part in parts
            for each in refusals.apart(part, write, lambda place, fault: fallen.append(_told(batch, place, fault)))
        ]
        marked = Counter(batch.symbol[is_marked].tolist())
        told = {
            ticker: summed(
                [
                    *(_result(each, symbol[place], ticker) for each in written if symbol[place]),
                    UpsertResult(
                        refused=_refuse([row for row in fallen if row[0] == ticker], known), marked=marked[place]
                    ),
                ]
            )
            for place, ticker in enumerate(batch.tickers)
        }
        return told

    return finish


def _ordered(batch: Batch, keys: np.ndarray) -> Batch:
    """By symbol and opening, and those of one bar as `order` has them; what is told twice is told once."""
    key, opened = keys[batch.symbol], batch.opened
    if len(batch) < 2 or ((np.diff(key) > 0) | ((np.diff(key) == 0) & (np.diff(opened) > 0))).all():
        return batch
    told = [getattr(batch, name) for name in ("state", "received", *columns.PRICES, "volume")]
    ordered = batch.take(np.lexsort([*told[::-1], opened, key]))
    names = ("opened", "state", "received", *columns.PRICES, "volume")
    moved = [np.diff(keys[ordered.symbol]) != 0, *(np.diff(getattr(ordered, name)) != 0 for name in names)]
    return ordered.take(np.concatenate([[True], np.logical_or.reduce(moved)]))


def _others(length: int, places: Iterable[int]) -> np.ndarray:
    kept = np.ones(length, bool)
    kept[list(places)] = False
    return kept


def _result(written: Written, symbol: Symbol, ticker: str) -> UpsertResult:
    """What came of one symbol."""
    own = written.keys == symbol.pk
    inserted, changed = written.inserted & own, written.changed & own
    held_back = tuple(line for key, line in written.held_back if key == symbol.pk)
    for line in held_back:
        refusals.note("held_back", line.split()[0], line)
    openings = written.opened[inserted | changed].tolist()
    counts = int(inserted.sum()), int(changed.sum())
    ends = [datetime.fromtimestamp(each, UTC) for each in (min(openings), max(openings))] if openings else [None, None]
    versions = {(ticker, name): each for (key, name), each in written.versions.items() if key == symbol.pk}
    return UpsertResult(*counts, int(own.sum()) - sum(counts), (), held_back, *ends, versions)


def summed(results: list[UpsertResult]) -> UpsertResult:
    return UpsertResult(
        *(sum(getattr(each, name) for each in results) for name in ("inserted", "changed", "unchanged")),
        refused=tuple(line for each in results for line in each.refused),
        held_back=tuple(line for each in results for line in each.held_back),
        first=min((each.first for each in results if each.first), default=None),
        last=max((each.last for each in results if each.last), default=None),
        versions=_followed(each.versions for each in results),
        marked=sum(each.marked for each in results),
    )


def _followed(parts: Iterable[Versions]) -> Versions:
    """The versions before and after all parts; where others wrote between two, only what follows them counts."""
    told: Versions = {}
    for part in parts:
        for key, (before, after) in part.items():
            first, last = told.get(key, (before, before))
            told[key] = (first if last == before else before, after)
    return told


def _told(batch: Batch, place: int, fault: str) -> Refused:
    """A row that is refused, in words, whatever stands in it."""
    row = {name: getattr(batch, name)[place].item() for name in columns.COLUMNS[3:]}
    return batch.tickers[batch.symbol[place]], batch.interval, batch.opening(place), fault, f"{row} of {batch.source}"


def _refuse(refused: list[Refused], known: Mapping[str, Symbol]) -> tuple[str, ...]:
    """A sentence about each bar that is not written, which is also counted."""
    for ticker, _, _, fault, content in refused:
        refusals.note("bars", ticker, fault, content)
    counts = Counter((known[ticker].pk, interval) for ticker, interval, *_ in refused if ticker in known)
    coverage.note_refused(counts)
    return tuple(f"{ticker} {interval} {opening}: {fault}" for ticker, interval, opening, fault, _ in refused)
