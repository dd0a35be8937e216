"""A part of a batch in one transaction: what its bars were goes to the former values, and coverage is told."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from market import intervals, prices
from market.actions import adjustments, effects
from market.bars import suspicion
from market.bars.batch import COLUMNS, PRICES, UNKNOWN, Batch, microseconds
from market.bars.writing import aside, compare, confirmations, held, late, statements
from market.bars.writing.compare import Compared
from market.bars.writing.held import Held
from market.bars.writing.order import Told
from market.bars.writing.statements import Statement
from market.coverage import rows as coverage
from market.coverage import telling
from market.coverage.telling import Span
from market.models import CorporateAction, Coverage

Versions = dict[tuple[int, str], tuple[str, str]]
# Seconds before the first bar in which at least five others lie, over weekends and holidays.
_BESIDE = {each.name: max(14 * each.seconds, 5 * intervals.DAY.seconds) for each in intervals.ALL.values()}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a part: of each row its symbol's key, its opening, and whether it is new or has other values;
    by symbol and interval the versions before and after. held_back: of which symbol, and why.
    """

    keys: np.ndarray
    opened: np.ndarray
    inserted: np.ndarray
    changed: np.ndarray
    versions: Versions
    held_back: tuple[tuple[int, str], ...] = ()


class _Counts(NamedTuple):
    """Masks of the new rows, of those with other values, and of these of what has settled by them; by symbol how many
    more former values there are.
    """

    inserted: np.ndarray
    changed: np.ndarray
    settled: np.ndarray
    corrections: dict[int, int]


_NOTHING = _Counts(*[np.zeros(0, bool)] * 3, {})


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in the order of symbol and opening, with their symbols' keys.

    raw: the rows whose ranges were widened, as they were told, and their symbols' keys. doubts: why rows are held back
    whatever their neighbours say, by their places; None where none are held back at all.
    """

    batch: Batch
    keys: np.ndarray
    raw: Batch
    raw_keys: np.ndarray
    doubts: dict[int, str] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written of a part beside what is there.

    doubts: why rows are held back, by their places in the part. batch, keys: the others. has_asked: whether splits that
    we hold have told something of it.
    """

    found: Held
    doubts: dict[int, str]
    batch: Batch
    keys: np.ndarray
    compared: Compared
    slack: np.ndarray
    statements: list[Statement]
    inherits: np.ndarray
    has_asked: bool

    @property
    def replaced(self) -> np.ndarray:
        return self.compared.correcting | self.compared.settling | self.compared.moving


def plan(part: Part) -> Plan:
    """What would be written now. Thought over before anybody is kept waiting, and again where that changes."""
    return _plan(part, _held(part))


def write(part: Part, planned: Plan, reason: str) -> Written:
    """Give each telling its place, in a transaction of the caller's.

    The bars themselves could not be locked, as some do not exist yet: the rows of their coverage are.
    """
    symbols, interval = np.unique(part.keys).tolist(), part.batch.interval
    covered = coverage.hold([(symbol, interval) for symbol in symbols])
    before = {key: row.version for key, row in covered.items()}
    found = _held(part)
    if planned.has_asked or not planned.found.is_same(found):
        planned = _plan(part, found)
    batch, keys = planned.batch, planned.keys
    aside.mark(part.raw, part.raw_keys)
    more = aside.hold_back(part.batch, part.keys, planned.doubts)
    counts = _write(planned, reason, datetime.now(UTC)) if len(batch) else _NOTHING
    written = counts.inserted | counts.changed
    spans = _spans_of_held(covered, batch, keys, counts)
    _cover(covered, batch, keys, counts)
    _cover_held_back(covered, batch, keys, more)
    coverage.renew((covered[symbol, interval] for symbol in np.unique(keys[written]).tolist()), spans)
    return Written(
        keys,
        batch.opened,
        counts.inserted,
        counts.changed,
        {key: (before[key], row.version) for key, row in covered.items()},
        tuple((int(part.keys[place]), f"{part.batch.told(place)}: {why}") for place, why in planned.doubts.items()),
    )


def _held(part: Part) -> Held:
    """What is there of the part's bars, and beside them."""
    batch, symbols = part.batch, np.unique(part.keys).tolist()
    return held.of(symbols, batch.interval, batch.opened.min() - _BESIDE[batch.interval], batch.opened.max())


def _plan(part: Part, found: Held) -> Plan:
    factors, asked = _splits()
    doubts = {} if part.doubts is None else _doubts(part.batch, part.keys, found, part.doubts, factors)
    kept = np.ones(len(part.batch), bool)
    kept[list(doubts)] = False
    batch, keys = (part.batch.take(kept), part.keys[kept]) if doubts else (part.batch, part.keys)
    compared, slack = _compared(batch, keys, found, factors)
    replaced = compared.correcting | compared.settling | compared.moving
    columns, inherits = _columns(batch, keys, found, compared, replaced)
    inserts = []
    for which, replacing in ((compared.new, False), (replaced, True)):
        if which.any():
            rows = columns if which.all() else {name: column[which] for name, column in columns.items()}
            inserts += statements.inserts(rows, batch.interval, batch.source, replacing=replacing)
    return Plan(found, doubts, batch, keys, compared, slack, inserts, inherits, bool(asked))


def _doubts(
    batch: Batch, keys: np.ndarray, found: Held, others: dict[int, str], factors: suspicion.Factors
) -> dict[int, str]:
    """Why rows are hardly true, by their neighbours or as was found before, but for those held as they are told."""
    codes = compare.codes(keys, found, batch)
    at, there = compare.places(*codes)
    same = there.copy()
    for name in PRICES if len(found) else ():
        same &= getattr(batch, name) == getattr(found, name)[at]
    beside = np.ones(len(found), bool)
    beside[at[there]] = False
    columns = {
        "key": np.concatenate([keys, found.symbol[beside]]),
        "session": np.concatenate([batch.session, found.opened[beside] // 86_400]),
        "close": np.concatenate([batch.close, found.close[beside]]),
        "volume": np.concatenate([batch.volume, found.volume[beside]]),
        "row": np.concatenate([np.where(same, -1, np.arange(len(batch))), np.full(int(beside.sum()), -1)]),
    }
    order = np.argsort(np.concatenate([codes[0], codes[1][beside]]), kind="stable")
    series = suspicion.Series(**{name: column[order] for name, column in columns.items()})
    by_neighbours = suspicion.doubts(batch, series, factors)
    return by_neighbours | {place: why for place, why in others.items() if not same[place]}


def _splits() -> tuple[suspicion.Factors, dict[int, adjustments.Factors]]:
    """The factors of symbols' splits, each symbol's read where it is asked for; and those that were."""
    asked: dict[int, adjustments.Factors] = {}

    def of(symbol: int, session: int) -> tuple[float, float]:
        if symbol not in asked:
            kept = CorporateAction.objects.counted().filter(symbol_id=symbol, kind__in=adjustments.RESTATING)
            asked[symbol] = adjustments.factors(kept, "split")
        return asked[symbol].at(_day(session))

    return of, asked


def _cover_held_back(
    covered: dict[coverage.Key, Coverage], batch: Batch, keys: np.ndarray, more: dict[int, int]
) -> None:
    """Have the rows of coverage say how many bars are held back."""
    waiting = np.array([symbol for (symbol, _), row in covered.items() if row.quarantined or symbol in more], np.int64)
    counts = np.isin(keys, waiting)
    fewer = aside.settle(batch.take(counts), keys[counts]) if counts.any() else {}
    changed = [covered[symbol, batch.interval] for symbol in sorted({*more, *fewer})]
    for row in changed:
        row.quarantined += more.get(row.symbol_id, 0) - fewer.get(row.symbol_id, 0)
    coverage.store(changed)


def _compared(batch: Batch, keys: np.ndarray, found: Held, factors: suspicion.Factors) -> tuple[Compared, np.ndarray]:
    """What comes beside what is there, and by how many shares each volume may be off, where that is asked."""
    slack, latest = np.zeros(len(batch), np.int64), microseconds(datetime.now(UTC) + prices.AHEAD)
    compared = compare.compare(batch, keys, found, slack, latest)
    moved = compared.correcting | compared.moving
    for name in PRICES if moved.any() else ():
        moved &= getattr(batch, name) == getattr(found, name)[compared.at]
    asked = np.flatnonzero(moved | compared.late)
    if not len(asked):
        return compared, slack
    slack[asked] = [_slack(*factors(int(keys[place]), int(batch.session[place]))) for place in asked.tolist()]
    return compare.compare(batch, keys, found, slack, latest) if slack.any() else compared, slack


def _slack(_: float, shares: float) -> int:
    """By how much a volume is off that was told in whole shares of today, so many for one of then."""
    return 0 if shares == 1.0 else int(0.5 / shares + 1)


def _write(planned: Plan, reason: str, now: datetime) -> _Counts:
    batch, keys, found, compared = planned.batch, planned.keys, planned.found, planned.compared
    interval, corrections, replaced = batch.interval, defaultdict(int), planned.replaced
    for symbol, opening, received in _spans(compared.correcting, compared, found, batch):
        statements.keep_former(symbol, interval, opening, received, reason)
    for symbol in keys[compared.correcting].tolist():
        corrections[symbol] += 1
    aside.keep_provisional(compared.settling | compared.moving, batch, found, compared.at)
    for statement in planned.statements:
        statements.run(statement)
    for symbol, opening, received in _spans(compared.confirming, compared, found, batch):
        statements.confirm(symbol, interval, opening, received)
    again = compared.confirming | compared.retold | planned.inherits
    pairs = np.stack([batch.opened[again], batch.volume[again]], axis=1)
    confirmations.add(interval, keys[again], batch.received[again], pairs)
    inserted, changed = compared.new.copy(), replaced
    for place, placed in _place(batch, keys, compared.late, planned.slack, reason, now):
        inserted[place], changed[place] = placed.is_new, placed.is_changed and not placed.is_new
        corrections[int(keys[place])] += placed.corrections
    return _Counts(inserted, changed, compared.settling, corrections)


def _spans(which: np.ndarray, compared: Compared, found: Held, batch: Batch) -> Iterable[tuple[int, list[int], int]]:
    if not which.any():
        return ()
    columns = compare.spans(which, compared.at, found, batch.received)
    return zip(*(column.tolist() for column in columns), strict=True)


def _columns(
    batch: Batch, keys: np.ndarray, found: Held, compared: Compared, replaced: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What is to be written, and of which rows the volume is that which stood, as they tell none."""
    columns = {name: getattr(batch, name) for name in COLUMNS} | {"symbol": keys}
    columns["revision"] = np.zeros(len(batch), np.int64)
    if not replaced.any():
        return columns, replaced
    volume, revision = found.volume[compared.at], found.revision[compared.at]
    inherits = replaced & (batch.volume == UNKNOWN) & (volume != UNKNOWN)
    columns["volume"] = np.where(inherits, volume, batch.volume)
    columns["revision"] = np.where(compared.correcting, revision + 1, 0)
    return columns, inherits


def _place(
    batch: Batch, keys: np.ndarray, which: np.ndarray, slack: np.ndarray, reason: str, now: datetime
) -> Iterable[tuple[int, late.Placed]]:
    """Those whose place must be looked for: of each of their bars the first row, with what came of all of them."""
    told, rows = defaultdict(list), {}
    for place in np.flatnonzero(which).tolist():
        key = int(keys[place]), int(batch.opened[place])
        values = (float(getattr(batch, name)[place]) for name in PRICES)
        volume, state, received = (int(getattr(batch, name)[place]) for name in ("volume", "state", "received"))
        told[key].append(Told(state, received, *values, volume, batch.source, reason))
        rows.setdefault(key, place)
    if not told:
        return ()
    sessions = {key: int(batch.session[place]) for key, place in rows.items()}
    placed = late.place(batch.interval, told, sessions, {key: int(slack[place]) for key, place in rows.items()}, now)
    return ((rows[key], each) for key, each in placed.items())


def _spans_of_held(
    covered: dict[coverage.Key, Coverage], batch: Batch, keys: np.ndarray, counts: _Counts
) -> dict[coverage.Key, list[Span]]:
    """Of each symbol the sessions up to its newest bar that say something else now: whose bars have other values or are
    there now, and those that an action restates to which the series comes with the new ones.
    """
    spans, grown = defaultdict(list), {}
    for symbol in np.unique(keys[counts.inserted | counts.changed]).tolist():
        row = covered[symbol, batch.interval]
        if row.last_held is None or coverage.is_loading(row):
            continue
        mine, is_later = keys == symbol, batch.opened > row.last_held.timestamp()
        revised = (counts.changed & ~counts.settled) | (counts.inserted & ~is_later)
        for which, reason in ((revised, telling.REVISION), (counts.settled, telling.SETTLED)):
            if len(within := batch.session[mine & which]):
                spans[symbol, batch.interval].append(Span(_day(within.min()), _day(within.max()), reason))
        if len(behind := batch.session[mine & counts.inserted & is_later]):
            grown[symbol] = row.last_held.date(), _day(behind.max())
    for symbol, days in effects.between(grown).items():
        spans[symbol, batch.interval] += effects.restated(covered[symbol, batch.interval], days)
    return spans


def _day(number: int) -> date:
    return np.datetime64(int(number), "D").item()


def _cover(covered: dict[coverage.Key, Coverage], batch: Batch, keys: np.ndarray, counts: _Counts) -> None:
    """Have the rows of coverage say what was written."""
    for symbol in np.unique(keys[counts.inserted | counts.changed]).tolist():
        row = covered[symbol, batch.interval]
        openings = batch.opened[counts.inserted & (keys == symbol)]
        row.corrections += counts.corrections.get(symbol, 0)
        row.source = batch.source
        if not len(openings):
            continue
        first, last = (datetime.fromtimestamp(int(each), UTC) for each in (openings.min(), openings.max()))
        if row.first_held and first < row.first_held:
            row.unbroken_until = None
        row.held += len(openings)
        row.first_held = min(row.first_held or first, first)
        row.last_held = max(row.last_held or last, last)
