"""Bars within sessions: told while they form, and stored as closed once their time is over."""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from market import bars, coverage, intervals, sources
from market.bars import forming
from market.calendars import hours
from market.history import wanted
from market.intervals import ALL, MINUTE, STORED_WITHIN, Calendar
from market.prices import FORMING, SECOND, Bar, Quote
from realtime import messages
from realtime.feed.insisting import AWAY, Insisting
from realtime.messages import Message
from realtime.timekeeper import Home

logger = logging.getLogger(__name__)

LOOK_SECONDS = 30.0  # between two looks at what is on watchlists


class BarsWithin:
    """What one feed remembers of them. Where no calendar tells when an exchange opens there are none."""

    def __init__(self) -> None:
        self._forming = forming.Within()
        self._homes: Sequence[Home] = ()
        self._exchanges: dict[str, str] = {}  # by ticker
        self._calendars: dict[str, Calendar | None] = {}
        self._versions: dict[tuple[str, str], str] = {}
        self._watched: set[str] = set()
        self._look_at = 0.0
        self._closed: dict[str, list[Message]] = {}  # by ticker, of what is not told yet

    def rename(self, old: str, new: str) -> None:
        self._forming.forget([old, new])
        for ticker in (old, new):
            self._closed.pop(ticker, None)

    def moved(self, now: Sequence[Quote], homes: Sequence[Home], insist: Insisting) -> list[Message]:
        """What is to be told of them after these quotes, in their order, and what closed before and was not; say `told`
        once it was: a round that breaks is taken again, and what it closed does not close twice.
        """
        if homes is not self._homes:
            self._exchanges = {ticker: exchange for exchange, tickers in homes for ticker in tickers}
            self._homes = homes
        owed = [each for ticker in {quote.ticker for quote in now} for each in self._closed.get(ticker, ())]
        found = [bar for quote in now for bar in self._taken(quote)]
        return owed + self._news(found, insist, lost=self._forming.lost())

    def over(self, now: datetime, insist: Insisting) -> list[Message]:
        """The same of those whose time is over."""
        owed = [each for some in self._closed.values() for each in some]
        return owed + self._news(self._forming.over(now), insist, lost=self._forming.lost())

    def told(self, tickers: Iterable[str] | None = None) -> None:
        """What was given last was published: of these, or of all."""
        for ticker in list(self._closed) if tickers is None else tickers:
            self._closed.pop(ticker, None)

    def _news(self, found: Sequence[Bar], insist: Insisting, *, lost: Sequence[Bar] = ()) -> list[Message]:
        told = insist(lambda: self._told_apart(found, lost)) if found or lost else []
        for ticker, message in told:
            if message.keep:
                self._closed.setdefault(ticker, []).append(message)
        return [message for _, message in told]

    def _taken(self, quote: Quote) -> list[Bar]:
        exchange = self._exchanges.get(quote.ticker)
        if exchange is None or quote.as_of_precision != SECOND:  # a recording does without calendars
            return []
        if exchange not in self._calendars:
            self._calendars[exchange] = hours.calendar(exchange)
        calendar = self._calendars[exchange]
        try:
            return self._forming.take(quote, calendar) if calendar else []
        except ValueError:  # of a day that the calendar does not tell
            return []

    def _told_apart(self, found: Sequence[Bar], lost: Sequence[Bar]) -> list[tuple[str, Message]]:
        """One that breaks costs nothing that everybody gets."""
        try:
            return self._told(found, lost)
        except AWAY:
            raise
        except Exception:
            logger.exception("%d bars within sessions are left out", len(found))
            self._forming.forget({bar.ticker for bar in found})
            return []

    def _told(self, found: Sequence[Bar], lost: Sequence[Bar]) -> list[tuple[str, Message]]:
        """Each with its ticker; those that were lost, refused or held back are taken back before the others."""
        watched = self._read_watched()
        lost, found = (
            [bar for bar in some if bar.interval != MINUTE.name or bar.ticker in watched] for some in (lost, found)
        )
        stored = self._stored(found)
        gone = [*lost, *(bar for bar in found if bar not in stored)]
        # Of the newest of each that waits in Redis; what is made of others on reading does not.
        forming.keep([bar for bar in (*lost, *found) if bar.interval in STORED_WITHIN])
        self._read_versions([bar for bar in (*gone, *stored) if (bar.ticker, bar.interval) not in self._versions])
        taken_back = [(bar.ticker, messages.taken_back(bar, self._version(bar))) for bar in gone]
        return taken_back + [(bar.ticker, messages.bar(bar, self._version(bar), adjustment="split")) for bar in stored]

    def _version(self, bar: Bar) -> str:
        return self._versions[bar.ticker, bar.interval]

    def _read_watched(self) -> set[str]:
        """Minutes are of what is on a watchlist alone. Versions are read anew then: others write bars too."""
        if time.monotonic() >= self._look_at:
            self._watched, self._look_at = wanted.watched(), time.monotonic() + LOOK_SECONDS
            self._versions.clear()
        return self._watched

    def _stored(self, found: Sequence[Bar]) -> list[Bar]:
        """All but those that closed and are refused or held back."""
        closed = [bar for bar in found if bar.state != FORMING and bar.interval in STORED_WITHIN]
        if not closed:
            return list(found)
        result = bars.upsert(closed, by_calendar=sources.has_hours())
        self._versions |= {
            (ticker, each.name): after
            for (ticker, name), (_, after) in result.versions.items()
            for each in ALL.values()
            if each.stored_as == name
        }
        if not result.refused and not result.held_back:
            return list(found)
        return [bar for bar in found if bar not in closed or _is_stored(bar)]

    def _read_versions(self, found: Sequence[Bar]) -> None:
        for name in {bar.interval for bar in found}:
            tickers = [bar.ticker for bar in found if bar.interval == name]
            asked = intervals.named(name).stored_as
            read = coverage.latest(tickers, interval=asked)
            self._versions |= {(ticker, name): read.get(ticker, coverage.NONE) for ticker in tickers}


def _is_stored(bar: Bar) -> bool:
    found = bars.history(bar.ticker, interval=bar.interval, start=bar.opened_at, end=bar.opened_at, adjusted="raw")
    return any(row.state != FORMING for row in found)
