"""The recorded source: history, and a player that goes on from session to session; after the last one it begins again.

Where it stands is a row, written when a session begins: whoever plays next goes on at that session's open. It writes no
bars: all are there from the start, and whoever reads them does so up to the market's clock.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection

from market import actions, bars, clock, player, prices, quotes, records, symbols
from market.bars import NoBars, forming, stored
from market.clock import passes
from market.clock.passes import Place
from market.coverage import held, loading
from market.models import DataSource, Symbol
from market.player import Sessions
from market.prices import Action, Bar, Named, Quote
from market.sources.contract import Jump, Source, Tick
from market.sources.replay import ABOUT, recording
from market.sources.replay.pacing import Pacing
from monitoring.jobs.running.fan_out import NothingDone

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

NAME = ABOUT.name
LOOK_SECONDS = 1.0  # at whether there is anything to play, and whether the database is back
PATIENCE_SECONDS = 3.0  # until it is told that the player waits
AWAY = (OperationalError, InterfaceError)


class Replay(Source):
    """Plays the recording, `FINSTAGE_REPLAY_SESSION_SECONDS` a session unless somebody wants another speed."""

    about = ABOUT

    def __init__(self) -> None:
        self._start = _start()
        self._held: Sessions | None = None
        self._is_read = False
        self._waits_since: float | None = None

    def trouble(self) -> str | None:
        since = self._waits_since
        is_told = since is not None and time.monotonic() - since >= PATIENCE_SECONDS
        return "The recording waits for the database" if is_told else None

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        recorded = {today: ticker for ticker, today in _names().items()}.get(symbol.ticker, "")
        found = _bars(recorded, symbol.ticker)
        return [bar for bar in found if bar.session_date >= start], _splits(recorded, start, date.max)

    def now(self) -> datetime:
        """The session that is played, as the recording knows it: to the day."""
        here = passes.found()
        return prices.midnight((here and here.session) or self._start)

    def track(self, tracked: Sequence[Symbol]) -> None:
        self._is_read = False

    def prepare(self) -> None:
        """Have the symbols and all that is recorded of them, a session to begin with, and a quote of each symbol."""
        super().prepare()
        here = passes.found()
        if here and here.session is None:
            # Before what is to come is there for everybody to read.
            passes.begin(here, stored.last_played(_names().values(), NAME, self._start) or self._first_session())
        _load_history()
        if here := passes.found():
            self._seeded(here.session)

    def batches(self, stop: threading.Event) -> Iterator[Tick | Jump]:
        pacing, here = Pacing(stop), self._here()
        if not _is_held():
            stop.set()
            return
        yield self._jump(here, "")
        is_played = False
        while not stop.is_set():
            sessions = self._insisted(self._sessions, stop)
            if sessions is None:
                stop.wait(LOOK_SECONDS)
                continue
            number = sessions.first(here.session + timedelta(days=is_played))
            is_at_the_end = number == len(sessions)
            if is_at_the_end:
                is_over = pacing.is_due(0.0)
            else:
                here, is_played = yield from self._play(sessions, number, here, pacing)
            if pacing.wanted is not None or (is_at_the_end and is_over):
                here, text = self._moved(sessions, here, pacing.wanted)
                is_played = False
                pacing.begin()
                yield self._jump(here, text)

    def _play(
        self, sessions: Sessions, number: int, here: Place, pacing: Pacing
    ) -> Generator[Tick, None, tuple[Place, bool]]:
        """A session; gives where it stands, and whether it was played to its end: something else may be wanted."""
        session = sessions.date(number)
        for step in sessions.steps(number, datetime.now(UTC)):
            if not pacing.is_due(step.after):
                return here, False
            if here.session != session:
                here = self._insisted(partial(passes.begin, here, session), pacing.stop)
            yield Tick([replace(step.quote, received_at=datetime.now(UTC))])
        return here, True

    def _insisted(self, step: Callable[[], Answer], stop: threading.Event) -> Answer:
        """What a step gives, however long the database is away."""
        self._waits_since = time.monotonic()
        try:
            while True:
                try:
                    return step()
                except AWAY as error:
                    logger.warning("The player waits for the database: %s", error)
                    connection.close()
                    if stop.wait(LOOK_SECONDS):
                        raise
        finally:
            self._waits_since = None

    def _moved(self, sessions: Sessions, here: Place, wanted: date | None) -> tuple[Place, str]:
        """Go on from the session that somebody wants, or after the last one from the first; and what is said of it.

        What Redis knows of the present goes before: until all is told anew nobody reads of a session to come.
        """
        first = sessions.first(self._start if wanted is None else wanted)
        session = sessions.date(min(first, len(sessions) - 1))
        quotes.drop()
        forming.forget()
        is_back = session <= here.session
        here = passes.jump(here, session, is_new_pass=is_back, wanted=wanted)
        with suppress(NothingDone):  # before the first session of all lies nothing
            records.refresh(list(_names().values()))
        return here, f"The recorded sessions {'start again' if wanted is None else 'go on'} on {session:%Y-%m-%d}."

    def _jump(self, here: Place, text: str) -> Jump:
        return Jump(here.epoch, here.pass_number, here.session, text, self._seeded(here.session))

    def _seeded(self, session: date) -> list[Quote]:
        """The last close of each symbol before a session, which is its quote until there is another."""
        sessions = self._sessions()
        closes = sessions.closes(session, datetime.now(UTC)) if sessions else []
        quotes.keep(closes, are_stored=False)
        return closes

    def _sessions(self) -> Sessions | None:
        """All that is recorded of what is collected; None where that is nothing."""
        if not self._is_read:
            self._held, self._is_read = _read(), True
        return self._held

    def _here(self) -> Place:
        """Where the row says, of a source that was prepared."""
        here = passes.found() or Place(1, 1, None)
        return here if here.session else replace(here, session=self._first_session())

    def _first_session(self) -> date:
        return next(session for session in recording.sessions() if session >= self._start)


def _start() -> date:
    sessions = recording.sessions()
    try:
        start = date.fromisoformat(settings.REPLAY_START)
    except ValueError:
        start = None
    if start is None or not sessions[0] < start <= sessions[-1]:
        raise ImproperlyConfigured(
            f"FINSTAGE_REPLAY_START is {settings.REPLAY_START!r}; it must be a date such as 2012-09-04, "
            f"after {sessions[0]} and up to {sessions[-1]}."
        )
    return start


def _names() -> dict[str, str]:
    """Today's ticker of each recorded one that there is a symbol of: who got a recorded ticker later is another."""
    return {ticker: symbol.ticker for ticker, symbol in symbols.begun(recording.TICKERS).items()}


def _is_held() -> bool:
    """Whether this database holds the recording still, and no other source by now."""
    return DataSource.objects.filter(pk=1).values_list("name", flat=True).first() in (None, NAME)


def _read() -> Sessions | None:
    """The sessions of what is collected and recorded, also those to come."""
    first, last = held.ends()
    tickers = {symbol.ticker for symbol in symbols.tracked()} & set(_names().values())
    if first is None or last is None or not tickers:
        return None
    try:
        with clock.lifted():
            return player.read(tickers, first, last, has_hours=ABOUT.has_hours).sessions
    except NoBars:
        return None


def _load_history() -> None:
    """Have every bar and split of the recording: that is all it has, and what is told of it later is a correction."""
    names = _names()
    with clock.lifted():
        counts = stored.counted(names.values(), NAME)
    for recorded, ticker in names.items():
        found = _bars(recorded, ticker)
        if counts.get(ticker, 0) < len(found):
            bars.upsert(found)
    for ticker, symbol in symbols.begun(recording.SPLITS).items():
        actions.keep(symbol, _splits(ticker, date.min, date.max), NAME)
    first = {ticker: min(recording.days(recorded)) for recorded, ticker in names.items()}
    for symbol in Symbol.objects.filter(ticker__in=loading.missing(first)):
        loading.complete(symbol, first[symbol.ticker], since=first[symbol.ticker], until=None)


def _bars(recorded: str, ticker: str) -> list[Bar]:
    """The recorded bars, under the ticker of today."""
    return [replace(bar, ticker=ticker) for bar in recording.bars(recorded, datetime.now(UTC))]


def _splits(ticker: str, first: date, last: date) -> Named:
    """Those of the recording between two sessions, both counted."""
    told = recording.SPLITS.get(ticker, {}).items()
    found = [Action(ticker, "split", day, value, value, 1.0) for day, value in told if first <= day <= last]
    return Named(found, frozenset({"split"}), first, last)
