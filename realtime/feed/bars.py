"""The bars of quotes, and the indicators that move by them: what forms in Redis, what has closed in the database."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.seen.live import Watch
from analysis.seen.rows import Seen
from analysis.summary import Summary
from market import bars, sources
from market.bars import forming, stored
from market.models import Bar as BarRow
from market.prices import CLOSED_BAR, FINAL, FORMING, Bar, Quote
from realtime import messages, moved
from realtime.feed.extras import Extras
from realtime.feed.insisting import Insisting
from realtime.messages import Message


class Bars:
    """What one feed remembers of them: the live indicators, and the closes that it has told.

    are_stored: as the bars of closes are; those of a recording are there, and the one that plays forms until the next.
    """

    def __init__(self, *, are_stored: bool = True) -> None:
        self._are_stored = are_stored
        self._summary = Summary()
        self.extras = Extras()
        self.watch = Watch()  # of what forms where no recording plays: that says nothing of its hours
        self.seen: list[Seen] = []  # what fired at closes and has no row yet
        self._told: dict[str, tuple] = {}
        self._closing: dict[str, tuple] = {}  # of what is not told yet

    def reset(self) -> None:
        """Forget all: prices begin anew."""
        self._summary.reset()
        self.extras.summary.reset()
        self.watch.reset()
        self.seen.clear()
        self._told.clear()

    def forget(self, ticker: str) -> None:
        """Open a symbol's indicators anew at its next quote."""
        self._forget([ticker])

    def rename(self, old: str, new: str) -> None:
        self._forget([old, new])
        if old in self._told:
            self._told[new] = self._told.pop(old)

    def moved(self, now: Sequence[Quote], insist: Insisting) -> list[Message]:
        """What is to be told of bars and indicators after these quotes, one of each ticker; say `told` once it was."""
        news = [quote for quote in now if self._is_news(quote)]
        news += insist(lambda: self._settled(now))
        self._closing = {quote.ticker: _close(quote) for quote in news if quote.has_closed}
        formed = insist(lambda: self._stored(news))
        counted = _counted(news, formed)
        gone = [messages.taken_back(bar, self._summary.version(bar.ticker)) for bar in _gone(news, formed)]
        values = insist(lambda: self._summary.tick(counted))
        extra = insist(lambda: self.extras.moved(counted))
        if self._are_stored:
            self.seen += self.watch.closed(counted)
            self.watch.hear(counted)
        return [*gone, *moved.told(formed, values, self._summary.version), *extra]

    def told(self) -> None:
        """What `moved` gave last was published."""
        self._told |= self._closing

    def _is_news(self, quote: Quote) -> bool:
        """Whether bars and indicators move by it: not by a close told again, nor by a price after the close."""
        told = self._told.get(quote.ticker)
        if told is None or quote.session_date != told[0]:
            return True
        return quote.has_closed and _close(quote) != told and not (told[1] == FINAL != quote.state)

    def _settled(self, now: Sequence[Quote]) -> list[Quote]:
        """The closes of the sessions that are told as closed, and whose bars others have stored as final since."""
        closed = {quote.ticker: quote for quote in now if self._told.get(quote.ticker, ())[:2] == _closed(quote)}
        found = stored.settled({quote.ticker: quote.session_date for quote in closed.values()}) if closed else {}
        return [_settled(closed[ticker], bar) for ticker, bar in found.items()]

    def _stored(self, news: Sequence[Quote]) -> list[Bar]:
        """The bars of the quotes, saved."""
        formed = [bar for quote in news if (bar := forming.daily_bar(quote)) is not None]
        if not self._are_stored:
            forming.stand(formed)
            return formed
        closes = [bar for bar in formed if bar.state != FORMING]
        result = _written(closes) if closes else None
        if result and (result.inserted < len(closes) or result.marked):  # not all stand as they were told
            self._forget([bar.ticker for bar in closes])
            formed = [row for bar in formed for row in (_as_stored(bar) if bar.state != FORMING else [bar])]
        elif result:
            self._summary.follow(closes, result.versions)
            self.extras.summary.follow(closes, result.versions)
            self.watch.follow(closes, result.versions)
        forming.keep([*closes, *formed])  # what is refused forms no more either
        return formed

    def _forget(self, tickers: Sequence[str]) -> None:
        self._summary.forget(tickers)
        self.extras.summary.forget(tickers)
        self.watch.forget(tickers)


def _gone(news: Sequence[Quote], formed: Sequence[Bar]) -> list[Bar]:
    """The closes whose bar was refused or held back."""
    kept = {(bar.ticker, bar.session_date) for bar in formed}
    closes = [bar for quote in news if quote.has_closed and (bar := forming.daily_bar(quote)) is not None]
    return [bar for bar in closes if (bar.ticker, bar.session_date) not in kept]


def _written(closes: Sequence[Bar]) -> bars.UpsertResult:
    """By the same rule as a history: a day without a session is held back."""
    return bars.upsert(closes, reason="the source told another close", by_calendar=sources.has_hours())


def _close(quote: Quote) -> tuple:
    """What a session's last quote says, which a source may say often."""
    return quote.session_date, quote.state, quote.price, quote.open, quote.high, quote.low, quote.volume


def _closed(quote: Quote) -> tuple:
    """How the close begins of a session that has not settled."""
    return quote.session_date, CLOSED_BAR


def _settled(quote: Quote, bar: BarRow) -> Quote:
    """The close as the bar that is stored of its session says it."""
    values = {name: getattr(bar, name) for name in ("open", "high", "low", "volume", "source", "received_at")}
    return replace(quote, price=bar.close, is_final=True, state=FINAL, **values)


def _as_stored(bar: Bar) -> list[Bar]:
    """The bar with its revision, or none where it was refused."""
    found = bars.history(bar.ticker, start=bar.opened_at, end=bar.opened_at, adjusted="raw")
    return [row for row in found if row.state != FORMING]


def _counted(news: Sequence[Quote], stored: Sequence[Bar]) -> list[Quote]:
    """Those by which indicators move: not by a close whose bar was refused or held back, as nobody reads it there."""
    kept = {(bar.ticker, bar.session_date) for bar in stored if bar.state != FORMING}
    return [quote for quote in news if not quote.has_closed or (quote.ticker, quote.session_date) in kept]
