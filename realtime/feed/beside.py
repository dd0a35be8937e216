"""Prices of before and after sessions: told beside a close, in the price lane alone.

None has rows, so none makes a bar, sets a record or rings a rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from market import quotes
from market.prices import Extended, Quote
from market.quotes import extended
from monitoring import refusals
from monitoring.loops import Loop
from realtime.feed.facts import Facts
from realtime.feed.insisting import Insisting
from realtime.feed.looking import Looking


class Beside:
    """What stands beside the closes of one feed's symbols."""

    def __init__(self, insist: Insisting, facts: Facts, looking: Looking) -> None:
        self._insist, self._facts, self._looking = insist, facts, looking
        self._held: dict[str, Extended] = {}
        self._doubted: dict[str, Extended] = {}

    def resume(self) -> None:
        """Go on with what was kept before."""
        self._held = extended.held()

    def with_what_stands(self, told: Sequence[Quote]) -> list[Quote]:
        """The quotes with what stands beside them now."""
        now = datetime.now(UTC)
        return [_with(quote, self._held.get(quote.ticker), now) for quote in told]

    def taken(self, told: Sequence[Extended], over: Iterable[str], loop: Loop) -> list[Quote]:
        """The quotes that are to be told: with these beside them, or with nothing any more."""
        names = self._facts.names
        named = self._in_their_shares([replace(each, ticker=names.get(each.ticker, each.ticker)) for each in told])
        newest = self._insist(lambda: quotes.latest([each.ticker for each in named]))
        believed = []
        for each in named:
            with loop.one(each.ticker):
                believed += [each] if self._is_believed(each, newest[each.ticker]) else []
        kept = {each.ticker: each for each in self._insist(lambda: extended.keep(believed))}
        self._held |= kept
        gone = self._over(names.get(ticker, ticker) for ticker in over)
        found = self._insist(lambda: quotes.latest([*kept, *gone]))
        return [quote for quote in found.values() if quote is not None]

    def _over(self, tickers: Iterable[str]) -> list[str]:
        now, gone = datetime.now(UTC), []
        for ticker in tickers:
            held = self._held.get(ticker)
            if held is None or held.is_over(now):
                self._held.pop(ticker, None)
                self._doubted.pop(ticker, None)
                gone.append(ticker)
        self._insist(lambda: extended.drop(gone))
        return gone

    def _is_believed(self, told: Extended, quote: Quote | None) -> bool:
        """Whether it stands near its close, or is the second far from it."""
        doubted = self._doubted.pop(told.ticker, None)
        if not extended.is_far(told, quote) or extended.confirms(told, doubted):
            return True
        if doubted is None or told.as_of > doubted.as_of:
            why = f"a price of {told.price} before or after hours waits for a second that confirms it"
            refusals.note("unconfirmed", told.ticker, why, repr(told))
        self._doubted[told.ticker] = told
        return False

    def _in_their_shares(self, told: Sequence[Extended]) -> list[Extended]:
        """With what their closes are multiplied by; None stays where the database can't say it in a moment."""
        spans = [(each.ticker, each.beside, each.session_date) for each in told]
        if unknown := {span for span in spans if span[1] < span[2]} - self._facts.shares.keys():
            self._insist(lambda: self._looking.shares(unknown))
        known = self._facts.shares
        return [
            replace(each, shares=known.get(span) if span[1] < span[2] else 1.0)
            for each, span in zip(told, spans, strict=True)
        ]


def _with(quote: Quote, held: Extended | None, now: datetime) -> Quote:
    return replace(quote, extended=held) if held and held.stands(quote, now) else quote
