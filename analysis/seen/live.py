"""Rules on the bars that form and close: each symbol's operands move with its quotes, and many symbols are judged
together.

To judge one rule takes as long for one symbol as for a hundred, and to move the operands of a symbol 125 microseconds:
so the closes of a round are judged at once, and what forms every second or less often, together, within a share of the
time. A symbol is opened on its whole history, which takes 45 ms: one at a look. What this misses, the history
says once the bar is stored.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from analysis.conditions.evaluating import State
from analysis.conditions.tree import Series
from analysis.conditions.truth import TRUE
from analysis.conditions.values import OWN, Live
from analysis.indicators import alone, carried
from analysis.seen import fired
from analysis.seen.rows import INTERVAL, Seen
from analysis.signals.catalogue import LANGUAGE, RULES
from analysis.summary import ADJUSTMENT
from market import bars, coverage
from market.prices import FORMING, Bar, Quote, midnight

EVERY_SECONDS = 1.0  # between two looks at what forms, at least
SHARE = 0.05  # of one core that they take, at most
AT_ONCE, OPENED_AT_ONCE = 200, 1  # symbols of one look, for which alerts wait
LOOK_SECONDS = 5.0  # between two looks at what others have written
_OPERANDS = tuple({series: None for rule in RULES.values() for series in rule.condition.series})
_AT = {series: place for place, series in enumerate(_OPERANDS)}
_EVERYBODY = "every symbol"


@dataclass(slots=True)
class _Open:
    """One symbol. place: of its state; session: of the last bar that closed; told: what fired on the one since."""

    moving: Live
    place: int
    session: date
    version: str
    told: set[str] = field(default_factory=set)


class Watch:
    """What one feed knows of them."""

    def __init__(self, spent: Callable[[], float] = time.thread_time) -> None:
        self._spent = spent
        self._open: dict[str, _Open] = {}
        self._states = _States()
        self._due: dict[str, Quote] = {}
        self._look_at = self._changes_at = 0.0

    @property
    def opened(self) -> int:
        return len(self._open)

    def closed(self, quotes: Sequence[Quote]) -> list[Seen]:
        """What fires on the bars that have closed now, of symbols that are open; their bars are stored."""
        some = [each for each in quotes if each.has_closed and self._is_next(each)]
        for quote in some:
            self._due.pop(quote.ticker, None)
        return self._judged(some, closes=True)

    def hear(self, quotes: Iterable[Quote]) -> None:
        """The newest of each symbol waits for the next look."""
        for quote in quotes:
            if not quote.has_closed and quote.open is not None:
                self._due.setdefault(quote.ticker, quote)
                self._due[quote.ticker] = quote

    def look(self) -> list[Seen]:
        """What fires on the bars that form, of those that were heard longest ago; nothing while it is not due."""
        if not self._due or time.monotonic() < self._look_at:
            return []
        began = self._spent()
        self._follow_others()
        left, some = OPENED_AT_ONCE, []
        for ticker in list(self._due)[:AT_ONCE]:
            if ticker not in self._open:
                if not left:
                    continue
                left -= 1
                self._begin(ticker)
            quote = self._due.pop(ticker)
            if self._is_next(quote):
                some.append(quote)
        found = self._judged(some, closes=False)
        self._look_at = time.monotonic() + max(EVERY_SECONDS, (self._spent() - began) / SHARE)
        return found

    def follow(self, closes: Iterable[Bar], versions: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        """Closes that were stored and that `closed` is about to be told: a symbol goes on where nobody else wrote."""
        for bar in closes:
            before, after = versions.get((bar.ticker, INTERVAL), ("", ""))
            known = self._open.get(bar.ticker)
            if known is not None and known.version == before and bar.session_date > known.session:
                known.version = after
            elif known is not None and not before == after == known.version:
                self.forget([bar.ticker])

    def forget(self, tickers: Iterable[str]) -> None:
        """Open these anew at their next look."""
        for ticker in tickers:
            self._due.pop(ticker, None)
            if (known := self._open.pop(ticker, None)) is not None:
                self._states.free(known.place)

    def reset(self) -> None:
        self.__init__(self._spent)

    def _is_next(self, quote: Quote) -> bool:
        known = self._open.get(quote.ticker)
        return known is not None and quote.session_date > known.session and quote.open is not None

    def _follow_others(self) -> None:
        if time.monotonic() < self._changes_at:
            return
        versions = coverage.latest(list(self._open), interval=INTERVAL)
        due = {ticker: quote for ticker, quote in self._due.items() if ticker in self._open}
        gone = [ticker for ticker, known in self._open.items() if versions.get(ticker) != known.version]
        self.forget(gone)
        self._due |= {ticker: due[ticker] for ticker in gone if ticker in due}
        self._changes_at = time.monotonic() + LOOK_SECONDS

    def _begin(self, ticker: str) -> None:
        """On the bars that are stored; what breaks leaves its symbol out until its next look."""
        series = bars.series(ticker, interval=INTERVAL, adjusted=ADJUSTMENT)
        if series.versions is None or not len(series.columns["session_date"]):
            return
        opened, _ = alone.attempt("signals", ticker, _opened, ticker, series.columns)
        if opened is not None:
            moving, states = opened
            last = series.columns["session_date"][-1].item()
            self._open[ticker] = _Open(moving, self._states.put(states), last, series.version)

    def _judged(self, quotes: Sequence[Quote], *, closes: bool) -> list[Seen]:
        moved, values = [], []
        for quote in quotes:
            known = self._open[quote.ticker]
            step = known.moving.update if closes else known.moving.peek
            told, _ = alone.attempt("signals", quote.ticker, step, carried.columns(quote))
            if told is None:
                self.forget([quote.ticker])
                continue
            moved.append(quote)
            values.append(list(told.values()))
        if not moved:
            return []
        table = dict(zip(_OPERANDS, np.array(values, np.float64).T, strict=True))
        places = np.array([self._open[quote.ticker].place for quote in moved])
        found = [
            self._seen(moved[at], rule, table, at)
            for rule in RULES
            for at in self._fires(rule, table, places, closes=closes)
            if rule not in self._open[moved[at].ticker].told
        ]
        for each in found:
            self._open[each.ticker].told.add(each.rule)
        if closes:
            for quote in moved:
                known = self._open[quote.ticker]
                known.session, known.told = quote.session_date, set()
        return found

    def _fires(self, rule: str, table: Mapping[Series, np.ndarray], places: np.ndarray, *, closes: bool) -> list[int]:
        """On which of these it fires; a rule that breaks is left out until all begins anew."""
        before = self._states.of(rule, places)
        if before is None:
            return []
        stepped, _ = alone.attempt(rule, _EVERYBODY, RULES[rule].condition.step, before, table)
        if stepped is None:
            self._states.drop(rule)
            return []
        _, fires, after = stepped
        if closes:
            self._states.keep(rule, places, after)
        return np.flatnonzero(fires == TRUE).tolist()

    def _seen(self, quote: Quote, rule: str, table: Mapping[Series, np.ndarray], at: int) -> Seen:
        return Seen(
            ticker=quote.ticker,
            rule=rule,
            opened_at=midnight(quote.session_date),
            session_date=quote.session_date,
            state=quote.state or FORMING,
            price=quote.price,
            values=fired.told({series: table[series][at].item() for series in RULES[rule].condition.series}),
            source=quote.source,
            received_at=quote.received_at,
            version=self._open[quote.ticker].version,
        )


class _States:
    """What each rule knows of each symbol, a column a symbol, so that many are judged in one step."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[np.ndarray]] = {}
        self._free: list[int] = []
        self._broken: set[str] = set()
        self._size = 0

    def put(self, states: Mapping[str, State]) -> int:
        """Returns its place."""
        if not self._free:
            self._grow(states)
        place = self._free.pop()
        for rule, state in states.items():
            if rule not in self._arrays:
                self._arrays[rule] = [np.zeros((*each.shape[:-1], self._size), each.dtype) for each in state]
            for column, each in zip(self._arrays[rule], state, strict=True):
                column[..., place] = each[..., 0]
        return place

    def free(self, place: int) -> None:
        self._free.append(place)

    def of(self, rule: str, places: np.ndarray) -> State | None:
        if rule in self._broken or rule not in self._arrays:
            return None
        return tuple(each[..., places] for each in self._arrays[rule])

    def keep(self, rule: str, places: np.ndarray, state: State) -> None:
        for column, each in zip(self._arrays[rule], state, strict=True):
            column[..., places] = each

    def drop(self, rule: str) -> None:
        self._broken.add(rule)

    def _grow(self, states: Mapping[str, State]) -> None:
        more = max(64, self._size)
        self._free += range(self._size + more - 1, self._size - 1, -1)
        self._size += more
        for columns in self._arrays.values():
            for at, each in enumerate(columns):
                columns[at] = np.concatenate([each, np.zeros((*each.shape[:-1], more), each.dtype)], axis=-1)


def _opened(ticker: str, columns: Mapping[str, np.ndarray]) -> tuple[Live, dict[str, State]]:
    found = fired.over(ticker, columns)
    return Live(_OPERANDS, {OWN: columns}, LANGUAGE), fired.states(found)
