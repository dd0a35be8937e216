"""Bars within sessions: stored as closed once their time is over, and told where somebody holds them, as are the
indicators on them.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from market import bars, coverage, intervals, sources
from market.bars import forming
from market.calendars import hours
from market.history import wanted
from market.intervals import ALL, MINUTE, STORED_WITHIN, Calendar
from market.prices import FORMING, SECOND, Bar, Quote
from realtime import kinds, messages
from realtime.feed.carrying import Carrying
from realtime.feed.insisting import AWAY, Insisting
from realtime.kinds import BARS
from realtime.messages import Message
from realtime.timekeeper import Home

logger = logging.getLogger(__name__)

LOOK_SECONDS = 30.0  # between two looks at what is on watchlists
SHOWN_AT_ONCE = 50  # streams that are opened: of each a bar may have to be read
MOST_UNHEARD = 20_000  # bars; what is held is looked at every second
_Key = tuple[str, str]  # a ticker and an interval


class _Moved(NamedTuple):
    """A bar that says something else now; is_gone: that nobody has it."""

    bar: Bar
    is_gone: bool

    @property
    def key(self) -> _Key:
        return self.bar.ticker, self.bar.interval

    @property
    def has_ended(self) -> bool:
        return self.is_gone or self.bar.state != FORMING


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
        self._held: frozenset[_Key] = frozenset()
        self._unheard: deque[_Moved] = deque(maxlen=MOST_UNHEARD)  # what ended of others since the last `open`
        self._unshown: dict[_Key, None] = {}  # is held, and its newest is still to be told
        self._shown: list[Message] = []
        self._carrying = Carrying()

    @property
    def names(self) -> set[str]:
        """The streams of which the newest was told."""
        return {BARS.of(*key) for key in self._held if key not in self._unshown} | self._carrying.names

    def open(self, names: Iterable[str], insist: Insisting) -> None:
        """Tell of these streams from now on, and of no others. Of a new one `over` gives first what ended since the
        last call, as somebody may hold it since then, and the newest, of many streams a few at a time.
        """
        of_bars = [name for name in names if kinds.is_within(name) and not kinds.is_carried(name)]
        held = frozenset((each.ticker, each.interval) for each in map(kinds.address, of_bars))
        new = held - self._held
        late = [each for each in self._unheard if each.key in new]
        self._keep(insist(lambda: self._messages(late)))
        self._held = held
        self._unheard.clear()
        self._unshown = {key: None for key in [*self._unshown, *sorted(new)] if key in held}
        for key in list(self._unshown)[:SHOWN_AT_ONCE]:
            told = insist(lambda key=key: self._newest_apart(*key))
            self._shown += [replace(message, keep=False, conflate=True) for _, message in told]
            del self._unshown[key]
        self._shown += [message for _, message in insist(lambda: self._carrying.open(names, self._newest))]

    def rename(self, old: str, new: str) -> None:
        self._forming.forget([old, new])
        self._carrying.forget([old, new])
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
        """The same of those whose time is over, and the newest of streams that were opened."""
        owed, self._shown = [each for some in self._closed.values() for each in some] + self._shown, []
        return owed + self._news(self._forming.over(now), insist, lost=self._forming.lost())

    def told(self, tickers: Iterable[str] | None = None) -> None:
        """What was given last was published: of these, or of all."""
        for ticker in list(self._closed) if tickers is None else tickers:
            self._closed.pop(ticker, None)

    def _news(self, found: Sequence[Bar], insist: Insisting, *, lost: Sequence[Bar] = ()) -> list[Message]:
        if not found and not lost:
            return []
        return self._keep(insist(lambda: self._told_apart(found, lost)))

    def _keep(self, told: Sequence[tuple[str, Message]]) -> list[Message]:
        """Once what must not be lost waits for `told`."""
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

    def _newest_apart(self, ticker: str, interval: str) -> list[tuple[str, Message]]:
        try:
            return self._messages([_Moved(bar, False) for bar in self._newest(ticker, interval)])
        except AWAY:
            raise
        except Exception:
            logger.exception("the newest %s bar of %s is left out", interval, ticker)
            return []

    def _newest(self, ticker: str, interval: str) -> list[Bar]:
        """What forms, else what readers see as the last."""
        forms = self._forming.now(ticker, interval)
        if forms and (interval != MINUTE.name or ticker in self._read_watched()):
            return [forms]
        return bars.history(ticker, interval=interval, limit=1)

    def _told(self, found: Sequence[Bar], lost: Sequence[Bar]) -> list[tuple[str, Message]]:
        """What somebody holds, each with its ticker; what was lost, refused or held back is taken back first."""
        watched = self._read_watched()
        lost, found = (
            [bar for bar in some if bar.interval != MINUTE.name or bar.ticker in watched] for some in (lost, found)
        )
        moved = [*(_Moved(bar, True) for bar in lost), *self._stored(found)]
        # Of the newest of each that waits in Redis; what is made of others on reading does not.
        forming.keep([bar for bar in (*lost, *found) if bar.interval in STORED_WITHIN])
        moved.sort(key=lambda each: not each.is_gone)
        told = self._messages([each for each in moved if each.key in self._held])
        gone = [each.bar for each in moved if each.is_gone]
        told += self._carrying.moved([each.bar for each in moved if not each.is_gone], gone)
        self._unheard += [each for each in moved if each.has_ended and each.key not in self._held]
        return told

    def _messages(self, moved: Sequence[_Moved]) -> list[tuple[str, Message]]:
        self._read_versions([each.bar for each in moved if each.key not in self._versions])
        return [(each.bar.ticker, self._message(each)) for each in moved]

    def _message(self, moved: _Moved) -> Message:
        bar, version = moved.bar, self._versions[moved.key]
        return messages.taken_back(bar, version) if moved.is_gone else messages.bar(bar, version, adjustment="split")

    def _read_watched(self) -> set[str]:
        """Minutes are of what is on a watchlist alone. Versions are read anew then: others write bars too."""
        if time.monotonic() >= self._look_at:
            self._watched, self._look_at = wanted.watched(), time.monotonic() + LOOK_SECONDS
            self._versions.clear()
        return self._watched

    def _stored(self, found: Sequence[Bar]) -> list[_Moved]:
        """Once they are; gone are those that closed and are refused or held back."""
        closed = [bar for bar in found if _is_to_be_stored(bar)]
        if not closed:
            return [_Moved(bar, False) for bar in found]
        result = bars.upsert(closed, by_calendar=sources.has_hours())
        self._versions |= {
            (ticker, each.name): after
            for (ticker, name), (_, after) in result.versions.items()
            for each in ALL.values()
            if each.stored_as == name
        }
        self._carrying.follow(result.versions)
        is_whole = not result.refused and not result.held_back
        return [_Moved(bar, not is_whole and _is_to_be_stored(bar) and not _is_stored(bar)) for bar in found]

    def _read_versions(self, found: Sequence[Bar]) -> None:
        for name in {bar.interval for bar in found}:
            tickers = [bar.ticker for bar in found if bar.interval == name]
            asked = intervals.named(name).stored_as
            read = coverage.latest(tickers, interval=asked)
            self._versions |= {(ticker, name): read.get(ticker, coverage.NONE) for ticker in tickers}


def _is_to_be_stored(bar: Bar) -> bool:
    return bar.state != FORMING and bar.interval in STORED_WITHIN


def _is_stored(bar: Bar) -> bool:
    found = bars.history(bar.ticker, interval=bar.interval, start=bar.opened_at, end=bar.opened_at, adjusted="raw")
    return any(row.state != FORMING for row in found)
