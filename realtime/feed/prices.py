"""The price lane: what a source tells is kept in Redis, numbered and published. It asks no database."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from market import quotes
from market.prices import Quote
from market.sources import Tick
from monitoring.loops import Loop
from realtime import messages, streams
from realtime.feed import insisting, left, publishing
from realtime.feed.beside import Beside
from realtime.feed.facts import Facts
from realtime.feed.insisting import Insisting
from realtime.feed.looking import Looking
from realtime.feed.waiting import Taken, Waiting

Session = tuple[str, date]  # of a ticker


@dataclass(frozen=True, slots=True)
class Kept:
    """A quote that is to be told, as it is told and as it gets its rows: with the close that its source names, where
    nobody can say yet what its change is counted from.
    """

    told: Quote
    quote: Quote
    is_counted: bool

    def __str__(self) -> str:
        return self.told.ticker


class PriceLane:
    """Tells prices, and hands them on to those that need rows. are_stored: as snapshots."""

    def __init__(
        self, insist: Insisting, facts: Facts, looking: Looking, waiting: Waiting, *, are_stored: bool
    ) -> None:
        self._are_stored = are_stored
        self._insist, self._facts, self._looking, self._waiting = insist, facts, looking, waiting
        self._last: dict[str, Quote] = {}
        self._number = 0
        self._beside = Beside(insist, facts, looking)

    def resume(self, seen: dict[str, Quote]) -> None:
        """Go on behind what was told before; what the feed before left without rows gets them.

        seen: the last quote of each ticker that has its rows.
        """
        self._last = dict(seen)
        self._beside.resume()
        taken = [self._taken(quote, is_counted=False) for quote in left.found(seen)]
        left.renumber(taken)
        self._waiting.put(taken)

    def begin(self) -> None:
        """Forget what was told: it has not happened yet."""
        self._last.clear()
        self._waiting.clear()
        left.renumber([])

    def take_apart(self, received: Sequence[Quote], loop: Loop) -> None:
        """Keep these and tell them, each alone where they break. What was kept is not kept again: of its symbol there
        may be newer.
        """
        kept: list[Kept] = []

        def keep(some: Sequence[Quote]) -> None:
            kept.extend(self._keep(some))

        insisting.each_apart(received, keep, lambda quote: keep([quote]), loop)
        insisting.each_apart(kept, self._tell, lambda each: self._tell([each]), loop)

    def tell_extended(self, tick: Tick, loop: Loop) -> None:
        """Tell the prices of before and after sessions beside their closes, and that some are over. None has rows."""
        told = self._beside.taken(tick.extended, tick.over, loop)
        insisting.each_apart(told, self._tell_beside, lambda quote: self._tell_beside([quote]), loop)

    def _tell_beside(self, told: Sequence[Quote]) -> None:
        batch = streams.new_batch()
        self._insist(lambda: self._publish(told, batch))

    def _keep(self, received: Sequence[Quote]) -> list[Kept]:
        """Those that are to be told."""
        named = self._facts.named(received)
        unknown = self._without_close(named)
        told = [
            replace(quote, previous_close=None) if _session(quote) in unknown else quote
            for quote in self._facts.closes.remembered(named)
        ]
        now = quotes.keep(told, negative=self._facts.negative, are_stored=self._are_stored, insist=self._insist)
        return [_kept(quote, unknown) for quote in now]

    def _tell(self, kept: Sequence[Kept]) -> None:
        """Tell these, and have them wait for their rows."""
        if any(each.told.ticker in self._facts.names for each in kept):  # learned just now
            kept = [own for each in kept for own in self._by_todays_ticker(each)]
        now = [each.told for each in kept]
        if any(quote.ticker not in self._last for quote in now):  # a new symbol, or one that has another ticker now
            self._facts.expire()
        batch = streams.new_batch()
        self._insist(lambda: self._publish(self._beside.with_what_stands(now), batch))
        self._last |= {each.told.ticker: each.told for each in kept if not self._waits_for_close(each)}
        self._hand_on([self._taken(each.quote, is_counted=each.is_counted) for each in kept])

    def _by_todays_ticker(self, kept: Kept) -> list[Kept]:
        return self._keep([kept.quote]) if kept.told.ticker in self._facts.names else [kept]

    def _without_close(self, named: Sequence[Quote]) -> dict[Session, float | None]:
        """By session what the source calls the close before, where nobody can say now what changes count from: so
        nothing is told of it, and the row lane looks again.
        """
        closes = self._facts.closes
        if due := [quote for quote in named if closes.is_due(quote)]:
            self._insist(lambda: self._looking.closes(due, self._last))
        return {_session(quote): quote.previous_close for quote in named if closes.is_unknown(quote)}

    def _waits_for_close(self, kept: Kept) -> bool:
        """Whether a look has still to know the last quote of the session before."""
        before = self._last.get(kept.told.ticker)
        return not kept.is_counted and before is not None and before.session_date < kept.told.session_date

    def _publish(self, now: Sequence[Quote], batch: str) -> None:
        told = [messages.price(quote) for quote in now]
        lease, facts = self._insist.lease, self._facts
        publishing.publish(told, batch=batch, lease=lease, facts=facts, learn=self._looking.learn)

    def _taken(self, quote: Quote, *, is_counted: bool) -> Taken:
        self._number += 1
        return Taken(self._number, quote, is_counted, time.monotonic())

    def _hand_on(self, taken: Sequence[Taken]) -> None:
        if taken:
            self._insist(lambda: left.keep(taken))
            self._waiting.put(taken)


def _kept(quote: Quote, unknown: Mapping[Session, float | None]) -> Kept:
    """unknown: by session what the source calls the close before, where nobody can say now what it is."""
    if _session(quote) not in unknown:
        return Kept(quote, quote, is_counted=True)
    return Kept(quote, replace(quote, previous_close=unknown[_session(quote)]), is_counted=False)


def _session(quote: Quote) -> Session:
    return quote.ticker, quote.session_date
