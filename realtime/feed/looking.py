"""Reads the facts aside, from a thread of its own: no price waits for the database longer than a moment."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Condition, Thread

from django.db import connections

from market.prices import Quote
from monitoring.loops import Loop
from realtime.feed.facts import Facts, Span
from realtime.feed.insisting import AWAY

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 1.0  # who asks waits so long, and not at all once a look takes longer


class Looking:
    """Looks aside while its block lasts; outside of it whoever asks looks, however long that takes."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._changed = Condition()
        self._quotes: dict[str, tuple[Quote, Quote | None]] = {}  # asked about, with the one before
        self._tickers: set[str] = set()
        self._spans: set[Span] = set()
        self._begun = self._answered = 0  # looks
        self._since: float | None = None  # when the first look began that has no answer yet
        self._is_on = False

    def __enter__(self) -> None:
        self._is_on = True
        self._thread = Thread(target=self._go_on, name="feed-looking", daemon=True)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._is_on = False
            self._changed.notify_all()
        self._thread.join()

    def closes(self, told: Sequence[Quote], seen: Mapping[str, Quote]) -> None:
        """Have the closes looked up that these count from; wait a moment where nobody knows one."""
        if not self._is_on:
            self._facts.closes.look(told, seen)
            return
        asked = {quote.ticker: (quote, seen.get(quote.ticker)) for quote in told}
        self._ask(lambda: self._quotes.update(asked), waits=any(map(self._facts.closes.is_unknown, told)))

    def learn(self, ticker: str) -> bool:
        """Have it learned which ticker a symbol has instead of this one; False where that takes more than a moment."""
        if not self._is_on:
            self._facts.learn(ticker)
            return True
        return self._ask(lambda: self._tickers.add(ticker), waits=True)

    def shares(self, spans: Collection[Span]) -> None:
        """Have it looked up whether a split lies in these; wait a moment."""
        if self._is_on:
            self._ask(lambda: self._spans.update(spans), waits=True)
        else:
            self._facts.learn_shares(spans)

    def _ask(self, put: Callable[[], object], *, waits: bool) -> bool:
        with self._changed:
            put()
            mine = self._begun + 1
            self._changed.notify_all()
            is_stuck = self._since is not None and time.monotonic() - self._since >= PATIENCE_SECONDS
            if not waits or is_stuck:
                return False
            return self._changed.wait_for(lambda: self._answered >= mine, PATIENCE_SECONDS)

    def _go_on(self) -> None:
        try:
            with Loop("feed: looking", every_seconds=LOOK_SECONDS, away=AWAY) as loop:
                while self._is_on:
                    with loop.turn():
                        self._look()
                    with self._changed:
                        self._changed.wait_for(lambda: self._is_asked() or not self._is_on, LOOK_SECONDS)
        finally:
            connections.close_all()

    def _is_asked(self) -> bool:
        return bool(self._quotes or self._tickers or self._spans)

    def _look(self) -> None:
        with self._changed:
            quotes, self._quotes = self._quotes, {}
            tickers, self._tickers = self._tickers, set()
            spans, self._spans = self._spans, set()
            self._begun += 1
            self._since = self._since or time.monotonic()
        try:
            self._facts.read()
            if tickers:
                self._facts.learn(*tickers)
            if spans:
                self._facts.learn_shares(spans)
            self._facts.closes.look(
                [quote for quote, _ in quotes.values()],
                {ticker: before for ticker, (_, before) in quotes.items() if before},
            )
        except AWAY:
            connections.close_all()
            raise
        with self._changed:
            self._answered, self._since = self._begun, None
            self._changed.notify_all()
