"""Bars within a session, as its prices form them: of a minute, of an hour and between. They wait for nobody's clock.

One that was not heard of from its opening on is left out, and so is one in which nothing was heard for a while: nobody
knows its open, its high and its low. What is told of one after it is over is left to the source's own bar, as which it
settles.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from market import prices
from market.intervals import ALL, Calendar, Interval
from market.prices import CLOSED_BAR, FORMING, OPEN, Bar, Quote

UNHEARD = timedelta(minutes=2)  # of an open market: it is asked for every few seconds, so something was missed
LATE = timedelta(seconds=10)  # so often a price is asked for: the last one of a bar may come so late
INTERVALS = tuple(interval for interval in ALL.values() if not interval.is_whole)
_Key = tuple[str, str]  # a ticker and an interval


@dataclass(frozen=True, slots=True)
class _Moving:
    """volume: the session's when the bar opened; None where nobody told it."""

    bar: Bar
    ends_at: datetime
    volume: int | None


class Within:
    """What forms of each symbol.

    unheard: after so long without a price something was missed; None of who is told all there is.
    """

    def __init__(self, intervals: Sequence[Interval] = INTERVALS, unheard: timedelta | None = UNHEARD) -> None:
        self._intervals, self._unheard = intervals, timedelta.max if unheard is None else unheard
        self._moving: dict[_Key, _Moving] = {}
        self._ended: dict[_Key, datetime] = {}  # when the last one opened that is over
        self._heard: dict[str, tuple[datetime, Quote | None]] = {}  # by ticker: since when, and what was told last
        self._lost: list[Bar] = []

    def begin(self, ticker: str, since: datetime) -> None:
        """It is heard from a moment on, though nothing was told yet."""
        self._heard[ticker] = since, None

    def forget(self, tickers: Iterable[str]) -> None:
        for ticker in tickers:
            self._heard.pop(ticker, None)
            for interval in self._intervals:
                self._moving.pop((ticker, interval.name), None)
                self._ended.pop((ticker, interval.name), None)

    def take(self, quote: Quote, calendar: Calendar) -> list[Bar]:
        """The bars that a price moves, each behind the one that it ends. Raises what the calendar does."""
        since, last = self._heard.get(quote.ticker, (quote.received_at, None))
        if last and quote.received_at - last.received_at > self._unheard and self._was_missed(quote, last, calendar):
            self._lose(quote.ticker)
            since = quote.received_at
        self._heard[quote.ticker] = since, quote
        if quote.as_of_precision != prices.SECOND or quote.market_state != OPEN or quote.has_closed:
            return []
        is_of_session = last is not None and last.session_date == quote.session_date
        volume = last.volume if is_of_session else None
        return [bar for interval in self._intervals for bar in self._moved(quote, interval, calendar, since, volume)]

    def now(self, ticker: str, interval: str) -> Bar | None:
        """The one that forms."""
        moving = self._moving.get((ticker, interval))
        return moving.bar if moving else None

    def next_over(self) -> datetime | None:
        """When the first of those that form is over; None where none forms."""
        return min((moving.ends_at + LATE for moving in self._moving.values()), default=None)

    def lost(self) -> list[Bar]:
        """Those of which too much was missed since the last call: as they stood, and they move no more."""
        lost, self._lost = self._lost, []
        return lost

    def over(self, now: datetime) -> list[Bar]:
        """Those whose time is over, closed."""
        over = [key for key, moving in self._moving.items() if moving.ends_at + LATE <= now]
        whole = [key for key in over if self._moving[key].ends_at - self._heard[key[0]][1].received_at <= self._unheard]
        self._lost += [self._end(key) for key in over if key not in whole]
        return [self._end(key) for key in whole]

    def _moved(
        self, quote: Quote, interval: Interval, calendar: Calendar, since: datetime, volume: int | None
    ) -> list[Bar]:
        key, opened_at = (quote.ticker, interval.name), interval.opening(quote.as_of, calendar)
        moving = self._moving.get(key)
        if moving and opened_at <= moving.bar.opened_at:
            return self._go_on(key, moving, quote) if opened_at == moving.bar.opened_at else []
        ended = [self._end(key)] if moving else []
        ends_at, last = interval.close(opened_at, calendar), self._ended.get(key)
        # What waited while its bar ended is no bar of its own: it would take the place of the whole one.
        if since > opened_at or ends_at + LATE <= quote.received_at or (last is not None and opened_at <= last):
            return ended
        if volume is None and opened_at == calendar.spans(quote.session_date)[0][0]:
            volume = 0  # all that its session has
        self._moving[key] = _Moving(_first(quote, interval, opened_at, volume), ends_at, volume)
        return [*ended, self._moving[key].bar]

    def _go_on(self, key: _Key, moving: _Moving, quote: Quote) -> list[Bar]:
        before, volume = moving.bar, _since(quote.volume, moving.volume)
        high, low = max(before.high, quote.price), min(before.low, quote.price)
        if (high, low, quote.price, volume) == (before.high, before.low, before.close, before.volume):
            return []
        bar = replace(before, high=high, low=low, close=quote.price, volume=volume, received_at=quote.received_at)
        self._moving[key] = replace(moving, bar=bar)
        return [bar]

    def _lose(self, ticker: str) -> None:
        keys = [(ticker, interval.name) for interval in self._intervals if (ticker, interval.name) in self._moving]
        self._lost += [self._end(key) for key in keys]

    def _end(self, key: _Key) -> Bar:
        bar = self._moving.pop(key).bar
        self._ended[key] = bar.opened_at
        return replace(bar, state=CLOSED_BAR)

    def _was_missed(self, quote: Quote, last: Quote, calendar: Calendar) -> bool:
        """Whether its exchange was open for a while of the time between two prices. Raises what the calendar does."""
        opens = [start for start, _ in calendar.spans(calendar.session(quote.as_of)) if start <= quote.received_at]
        return bool(opens) and quote.received_at - max(last.received_at, opens[-1]) > self._unheard


def _first(quote: Quote, interval: Interval, opened_at: datetime, volume: int | None) -> Bar:
    return Bar(
        quote.ticker,
        interval.name,
        opened_at,
        *[quote.price] * 4,
        _since(quote.volume, volume),
        is_final=False,
        source=quote.source,
        received_at=quote.received_at,
        session_date=quote.session_date,
        state=FORMING,
    )


def _since(told: int | None, before: int | None) -> int | None:
    """What was traded since; None where nobody knows it, as where a source corrects itself downwards."""
    return None if told is None or before is None or told < before else told - before
