"""What was taken and has its rows to come: handed from the price lane to the row lane, in order per symbol.

Bounded, however long the database is away: where many prices of a symbol wait, only those stay that must be seen. What
nobody waits for may wait for a few seconds: then it has its rows together.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from market.prices import Quote
from monitoring import refusals
from realtime.feed import conflation

BATCH = 500  # quotes that the row lane takes at once
MOST = 500  # of one symbol; what must be seen of a wild day is less
MOST_TOGETHER = 2000  # quotes that nobody waits for are taken once they are more
TOGETHER_SECONDS = 3.0  # and after so long
LATE_SECONDS = 3.0  # rows are usually there within milliseconds


@dataclass(frozen=True, slots=True)
class Taken:
    """A quote whose price was told.

    number: its place among all that were taken. is_counted: its change is counted from the close that we know; where
    it is not, nobody could say then, and the close is the one that the source names.
    """

    number: int
    quote: Quote
    is_counted: bool
    at: float  # by the monotonic clock

    def __str__(self) -> str:
        return self.quote.ticker


class Waiting:
    """Safe in several threads: one puts, one takes.

    is_awaited: whether somebody waits for the rows of a quote, by the one of its symbol that it follows.
    """

    def __init__(self, is_awaited: Callable[[Quote | None, Taken], bool] = lambda before, taken: True) -> None:
        self._is_awaited = is_awaited
        self.newest = 0  # the highest number that came
        self._changed = threading.Condition()
        self._taken: dict[str, list[Taken]] = {}
        self._awaited: dict[str, None] = {}  # of these the tickers that somebody waits for, in order
        self._others = 0  # quotes of the others that came
        self._last: dict[str, Quote] = {}
        self._is_woken = False
        self._at_work: Sequence[Taken] = ()
        self._due_at_work: float | None = None

    def put(self, taken: Sequence[Taken]) -> None:
        with self._changed:
            for each in taken:
                self._put(each)
            if self._awaited:
                self._changed.notify_all()

    def hasten(self, tickers: Iterable[str]) -> None:
        """Somebody waits for these now."""
        with self._changed:
            self._awaited |= {ticker: None for ticker in tickers if ticker in self._taken}
            self._changed.notify_all()

    def wake(self) -> None:
        """Whoever waits for what somebody waits for has something else to do."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def take(self) -> Sequence[Taken]:
        """The next that wait, whole symbols; they are at work until `done` is said."""
        with self._changed:
            return self._begin(self._taken)

    def take_awaited(self, timeout_seconds: float) -> Sequence[Taken]:
        """As `take`, of those that somebody waits for; all else with them where it is much."""
        with self._changed:
            self._changed.wait_for(lambda: self._awaited or self._is_woken, timeout_seconds)
            self._is_woken = False
            return self._begin(self._awaited)

    def done(self) -> None:
        """What was taken last has its rows."""
        with self._changed:
            self._at_work, self._due_at_work = (), None
            self._changed.notify_all()

    def first_number(self) -> int | None:
        """The lowest number of those that have no rows yet."""
        with self._changed:
            # Of those that wait the first has waited longest.
            firsts = [*self._at_work, *(waiting[0] for waiting in (next(iter(self._taken.values()), None),) if waiting)]
        return min((each.number for each in firsts), default=None)

    def late(self) -> str | None:
        """That rows are late, in a sentence for people; None while they are in time."""
        with self._changed:
            due = [self._due(ticker) for ticker in self._taken] + [self._due_at_work]
        since = min((at for at in due if at is not None), default=None)
        is_late = since is not None and time.monotonic() - since >= LATE_SECONDS
        return "Bars, indicators and alerts wait for the database" if is_late else None

    def clear(self) -> None:
        """Forget what waits, once what is at work has its rows."""
        with self._changed:
            for each in (self._taken, self._awaited, self._last):
                each.clear()
            self._others = 0
            self._changed.wait_for(lambda: not self._at_work)

    def _begin(self, tickers: Iterable[str]) -> Sequence[Taken]:
        found: list[Taken] = []
        due: list[float] = []
        while (ticker := next(iter(tickers), None)) is not None and len(found) < BATCH:
            due.append(self._due(ticker))
            found += self._taken.pop(ticker)
            self._awaited.pop(ticker, None)
        if not self._taken:
            self._others = 0
        self._at_work, self._due_at_work = found, min(due, default=None)
        return found

    def _due(self, ticker: str) -> float:
        """When the rows of what waits of a symbol were to be had."""
        return self._taken[ticker][0].at + (0.0 if ticker in self._awaited else TOGETHER_SECONDS)

    def _put(self, taken: Taken) -> None:
        ticker, self.newest = taken.quote.ticker, taken.number
        self._keep(taken, self._taken.setdefault(ticker, []))
        before, self._last[ticker] = self._last.get(ticker), taken.quote
        is_much = self._others > MOST_TOGETHER
        if is_much or self._is_awaited(before, taken):
            self._awaited[ticker] = None
        elif ticker not in self._awaited:
            self._others += 1
            is_much = self._others > MOST_TOGETHER
        if (before is None or is_much) and len(self._awaited) < len(self._taken):
            self._awaited |= dict.fromkeys(self._taken)

    def _keep(self, taken: Taken, waiting: list[Taken]) -> None:
        if len(waiting) > 1 and not conflation.is_needed([each.quote for each in waiting], taken.quote):
            waiting.pop()
        waiting.append(taken)
        if len(waiting) > MOST and (least := conflation.least([each.quote for each in waiting])) is not None:
            del waiting[least]
            why = f"more than {MOST} prices that rules must see wait for the database"
            refusals.note("unseen prices", taken.quote.ticker, why, repr(taken.quote))
