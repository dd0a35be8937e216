"""Yahoo as the feed and the jobs see it."""

import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from django.conf import settings

from market.bars.batch import Batch
from market.figures.values import Figures
from market.history import wanted
from market.models import Symbol
from market.prices import Bar, Named, Quote
from market.quotes import extended
from market.sources.contract import Source, Tick
from market.sources.errors import ProviderError
from market.sources.inbox import Inbox
from market.sources.yahoo import ABOUT, asking, stream
from market.sources.yahoo.figures import asked
from market.sources.yahoo.polling import SILENCE_SECONDS, Poll
from market.sources.yahoo.stream import Streamer
from market.symbols import Seed

TAKE_SECONDS = 0.5


class Yahoo(Source):
    """The live source: the streamer first, polling where it is silent; history by jobs."""

    about = ABOUT

    def __init__(self) -> None:
        self._inbox = Inbox(stream.told)
        self._poll = Poll(asking.quotes, self._inbox)
        self._tracked: Sequence[Symbol] = ()

    def track(self, tracked: Sequence[Symbol]) -> None:
        self._tracked = tracked
        wanted.begin()  # nobody else hears of what is tracked now

    def history(self, symbol: Symbol, start: date) -> tuple[Batch, Named]:
        return asking.history(symbol, start)

    def identify(self, ticker: str) -> Seed:
        return asking.identify(ticker)

    def believed(self, symbol: Symbol, start: date) -> tuple[Batch, Named]:
        return asking.history(symbol, start, is_believed=True)

    def within(self, symbol: Symbol, interval: str, start: datetime, end: datetime) -> list[Bar]:
        return asking.within(symbol, interval, start, end)

    def quotes(self, wanted: Iterable[Symbol]) -> Iterator[Quote]:
        return asking.quotes(wanted)

    def figures(self, wanted: Iterable[Symbol]) -> Iterator[tuple[Symbol, Figures | ProviderError]]:
        return asked.each(wanted)

    def batches(self, stop: threading.Event) -> Iterator[Tick]:
        """What is new, at most twice a second, until `stop` is set. An outage is silence here and a line in the log."""
        done, inbox = threading.Event(), Inbox(stream.told, extended.held())
        poll = Poll(asking.quotes, inbox)
        self._inbox, self._poll = inbox, poll

        def hear(message: dict) -> None:
            inbox.hear(message["id"], message)

        streamer = Streamer(settings.YAHOO_STREAM, decode=asking.decode, hear=hear, tls=_tls())
        polling = threading.Thread(target=poll.run, args=[done], daemon=True)
        for part in (streamer, polling):
            part.start()
        tracked: Sequence[Symbol] = ()
        try:
            while not stop.is_set():
                if tracked is not self._tracked:
                    tracked = self._tracked
                    inbox.track(tracked)
                    streamer.subscribe(symbol.ticker for symbol in tracked)
                taken = inbox.take(TAKE_SECONDS)
                beside, over = inbox.take_extended(datetime.now(UTC))
                if taken or beside or over:
                    yield Tick(taken, beside, over)
        finally:
            done.set()
            streamer.stop()
            polling.join(1)

    def trouble(self) -> str | None:
        """That it does not answer and why; a streamer that talks is an answer too."""
        reason = self._poll.trouble
        return f"Yahoo does not answer: {reason}" if reason and not self._inbox.is_streamed(SILENCE_SECONDS) else None

    def answers(self, seconds: float) -> bool:
        return asking.answers(seconds)


def _tls() -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=settings.YAHOO_CA) if settings.YAHOO_CA else None
