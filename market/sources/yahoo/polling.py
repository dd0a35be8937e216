"""Asks for the prices of the symbols the streamer is silent about."""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable

from market.models import Symbol
from market.prices import OPEN, Quote
from market.sources.errors import ProviderError
from market.sources.inbox import Inbox
from market.sources.pace import NoSlot
from market.sources.yahoo.charts import SOURCE
from monitoring import metrics
from monitoring.loops import Loop

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1
# Seconds between two questions about a symbol, by the state of its market; the streamer tells of an opening sooner.
# With a look each second an open one was asked about ten seconds ago at most, as far as the pace allows.
EVERY_SECONDS = {"open": 9, "pre": 60, "post": 60, "closed": 300}
STREAMED_SECONDS = 300  # also what the streamer tells of is asked about: it seldom says the open or the day's range
UNANSWERED_SECONDS = 300
OUTAGE_SECONDS = 15
SILENCE_SECONDS = 60
FIRST_ANSWER_SECONDS = 4
LONGEST_REASON = 200
A_ROUND = 50


class Poll:
    """Runs in a thread of its own; `ask` gives the quotes of some symbols or raises ProviderError."""

    def __init__(self, ask: Callable[[Iterable[Symbol]], Iterable[Quote]], inbox: Inbox) -> None:
        self._ask, self._inbox = ask, inbox
        self._asked: dict[str, tuple[float, float]] = {}  # by ticker: when, and seconds to the next time
        self._failure: str | None = None
        self._began_at = math.inf  # the first question, until it is answered
        self._is_behind = False  # more are due than a round asks for, and Yahoo answers

    @property
    def trouble(self) -> str | None:
        """Why prices do not come: how the last round of questions failed, or that the first takes long."""
        is_late = time.monotonic() - self._began_at > FIRST_ANSWER_SECONDS
        return self._failure or ("it has not answered yet" if is_late else None)

    def run(self, stop: threading.Event) -> None:
        # A round asks for up to fifty symbols, one after the other.
        with Loop("yahoo: polling", every_seconds=LOOK_SECONDS, patience_seconds=300.0) as loop:
            while not stop.wait(0 if self._is_behind else LOOK_SECONDS):
                with loop.turn():
                    self.round()

    def round(self) -> None:
        """Ask about the symbols whose turn it is, longest waiting first."""
        self._is_behind = False
        due = sorted(filter(self._is_due, self._inbox.symbols()), key=lambda symbol: self._asked.get(symbol.ticker, ()))
        if not due:
            return
        due, are_more = due[:A_ROUND], len(due) > A_ROUND
        self._measure(due)
        # Before they are asked about: what breaks a round must not come first in every round after it.
        self._asked |= {symbol.ticker: (time.monotonic(), OUTAGE_SECONDS) for symbol in due}
        wait = self._put_answers(due)
        now = time.monotonic()
        for symbol in due:
            self._asked[symbol.ticker] = (now, wait.get(symbol.ticker, wait[None]))
        self._is_behind = are_more and self._failure is None

    def _put_answers(self, due: list[Symbol]) -> dict[str | None, float]:
        """Put the quotes into the inbox as they come; the seconds to wait by ticker, and for the others under None."""
        wait: dict[str | None, float] = {}
        self._began_at = min(self._began_at, time.monotonic())
        try:
            for quote in self._ask(due):
                self._inbox.put([quote])
                wait[quote.ticker] = EVERY_SECONDS[quote.market_state]
        except ProviderError as error:
            if self._failure is None:
                logger.warning("No prices of %d symbols: %s", len(due) - len(wait), error)
            self._failure = _reason(error) or self._failure if error.temporary else None
            return {**wait, None: _pause(error) if error.temporary else UNANSWERED_SECONDS}
        if self._failure:
            logger.info("Yahoo answers again")
        self._failure, self._began_at = None, math.inf
        return {**wait, None: UNANSWERED_SECONDS}

    def _measure(self, due: list[Symbol]) -> None:
        """How long ago those of an open market were asked about of which nothing was streamed since."""
        now = time.monotonic()
        for symbol in due:
            asked_at, newest = self._asked.get(symbol.ticker, (-math.inf,))[0], self._inbox.newest(symbol.ticker)
            if newest and newest.market_state == OPEN and self._inbox.heard_at(symbol.ticker) < asked_at:
                metrics.PRICE_ASKED_AGAIN.observe(now - asked_at, (SOURCE,))

    def _is_due(self, symbol: Symbol) -> bool:
        if symbol.ticker not in self._asked:
            return True
        now = time.monotonic()
        asked_at, wait = self._asked[symbol.ticker]
        newest = self._inbox.newest(symbol.ticker)
        if newest and newest.open is not None and now - self._inbox.heard_at(symbol.ticker) < SILENCE_SECONDS:
            wait = STREAMED_SECONDS
        return now - asked_at >= wait


def _pause(error: ProviderError) -> float:
    """How long to wait after a failure that may pass: no longer than until Yahoo may be asked again."""
    return min(OUTAGE_SECONDS, error.seconds) if isinstance(error, NoSlot) else OUTAGE_SECONDS


def _reason(error: ProviderError) -> str:
    """Yahoo's failure in short, without what curl says around it; "" where it is none of Yahoo's."""
    why = error.why if isinstance(error, NoSlot) else str(error)
    why = why.partition(" See https://")[0].removeprefix("Yahoo: ")
    return re.sub(r"^Failed to perform, curl: \(\d+\) ", "", why).rstrip(".")[:LONGEST_REASON]
