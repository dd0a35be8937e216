"""Yahoo as the feed and the jobs see it."""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import date

from django.conf import settings

from market import symbols
from market.models import Symbol
from market.prices import Bar, Named, Quote
from market.sources.contract import Source, Tick
from market.sources.inbox import Inbox
from market.sources.loader import Loader
from market.sources.yahoo import ABOUT, asking, stream
from market.sources.yahoo.polling import SILENCE_SECONDS, Poll
from market.sources.yahoo.stream import Streamer

TAKE_SECONDS = 0.5
SYMBOLS_SECONDS = 30  # how often new and retired symbols are looked for


class Yahoo(Source):
    """The live source: the streamer first, polling where it is silent, history in the background."""

    about = ABOUT

    def __init__(self) -> None:
        self._inbox = Inbox(stream.quote)
        self._poll = Poll(asking.quotes, self._inbox)

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        return asking.history(symbol, start)

    def quotes(self, wanted: Iterable[Symbol]) -> Iterator[Quote]:
        return asking.quotes(wanted)

    def batches(self, stop: threading.Event) -> Iterator[Tick]:
        """What is new, at most twice a second, until `stop` is set. An outage is silence here and a line in the log."""
        done, inbox = threading.Event(), Inbox(stream.quote)
        poll = Poll(asking.quotes, inbox)
        self._inbox, self._poll = inbox, poll

        def hear(message: dict) -> None:
            inbox.hear(message["id"], message)

        streamer = Streamer(settings.YAHOO_STREAM, decode=asking.decode, hear=hear, tls=_tls())
        loader = Loader(asking.history, self.name)
        threads = [threading.Thread(target=run, args=[done], daemon=True) for run in (poll.run, loader.run)]
        for part in (streamer, *threads):
            part.start()
        look_at = 0.0
        try:
            while not stop.is_set():
                if time.monotonic() >= look_at:
                    inbox.track(symbols.tracked())
                    streamer.subscribe(symbol.ticker for symbol in inbox.symbols())
                    look_at = time.monotonic() + SYMBOLS_SECONDS
                if quotes_taken := inbox.take(TAKE_SECONDS):
                    yield Tick(quotes_taken)
        finally:
            done.set()
            streamer.stop()
            for thread in threads:
                thread.join(1)

    def trouble(self) -> str | None:
        """That it does not answer and why; a streamer that talks is an answer too."""
        reason = self._poll.trouble
        return f"Yahoo does not answer: {reason}" if reason and not self._inbox.is_streamed(SILENCE_SECONDS) else None

    def answers(self, seconds: float) -> bool:
        return asking.answers(seconds)


def _tls() -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=settings.YAHOO_CA) if settings.YAHOO_CA else None
