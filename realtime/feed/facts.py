"""What both lanes know of the rows: which symbols there are and where, their names, the closes that changes count from.

Read by whoever may wait for the database, and kept in memory for who may not.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from threading import Lock

from market import actions, symbols
from market.closes import Closes
from market.prices import Quote
from market.sources import Source
from realtime import renaming
from realtime.timekeeper import Home

EVERY_SECONDS = 3.0
Span = tuple[str, date, date]  # a ticker, a session, and a later one
_OLD = timedelta(days=2)  # spans that ended so long before are forgotten


class Facts:
    """Safe in several threads: what is read replaces what was known at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.closes = Closes(asks=True)
        self.names: Mapping[str, str] = {}  # today's ticker of each former one
        self.homes: Sequence[Home] = ()
        self.negative: frozenset[str] = frozenset()  # the tickers of what may cost less than nothing
        self.shares: Mapping[Span, float] = {}  # of each span that was asked for
        self._values: list[tuple] | None = None  # of the symbols that are known
        self._until = 0.0
        self._learning = Lock()

    def read(self) -> None:
        """Where it is due: the symbols, and the exchanges where they are at home."""
        if time.monotonic() < self._until:
            return
        self._until = time.monotonic() + EVERY_SECONDS
        try:
            if (values := symbols.tracked_values()) != self._values:
                self._track()
                self._values = values
            self.learn()
        except Exception:
            self.expire()
            raise

    def expire(self) -> None:
        """Have all read anew at the next occasion: there is a new symbol, or one has another ticker."""
        self._until = 0.0

    def learn(self, *left: str) -> None:
        """Which symbols have another ticker now. What Redis keeps by the former one goes along, also what was left
        there by these tickers since.
        """
        with self._learning:
            found = symbols.former()
            for old, new in found.items():
                if old in left or self.names.get(old) != new:
                    renaming.follow(old, new)
            self.negative |= {new for old, new in found.items() if old in self.negative}
            self.names = found

    def learn_shares(self, spans: Collection[Span]) -> None:
        """What a close is multiplied by in the shares of a later session: 1 where no split is known between."""
        oldest = max((until for *_, until in spans), default=date.min) - _OLD
        known = {span: shares for span, shares in self.shares.items() if span[2] >= oldest}
        self.shares = known | dict.fromkeys(spans, 1.0) | actions.between(spans)

    def named(self, quotes: Sequence[Quote]) -> list[Quote]:
        """The quotes by today's tickers."""
        names = self.names
        return [replace(quote, ticker=names[quote.ticker]) if quote.ticker in names else quote for quote in quotes]

    def _track(self) -> None:
        tracked = symbols.tracked()
        self.homes = symbols.homes(tracked)
        self.negative = symbols.negative(tracked)
        self._source.track(tracked)
