"""The recorded source: history up to a date, then session after session; after the last it rewinds to a new epoch.

Where it stands is kept in Redis before each step, with the moment of the step, so that one which a crash interrupted
comes again as the same quote. Without Redis the rows tell: the newest final bars are where it stood.
"""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from market import actions, bars, prices, quotes, records, symbols
from market.bars import stored
from market.coverage import loading
from market.models import DataSource, Record, Symbol
from market.prices import Action, Bar, Named, Quote
from market.sources.contract import Rewind, Source, Tick
from market.sources.replay import ABOUT, recording
from monitoring import formats, redis
from monitoring.jobs.running.fan_out import NothingDone

NAME = ABOUT.name


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the recording we stand: the step of a session that comes next.

    tickers: those that the session plays, in order. at: when the step was told, if it was. session None: at the end.
    """

    epoch: int
    session: date | None
    tickers: tuple[str, ...] = ()
    step: int = 0
    at: datetime | None = None

    @property
    def steps(self) -> int:
        return len(self.tickers) * recording.STEPS

    @property
    def is_over(self) -> bool:
        return self.step >= self.steps

    def quote(self) -> Quote:
        """The step's quote: one symbol after the other tells its open, then each its next price."""
        step, turn = divmod(self.step, len(self.tickers))
        return recording.quote(self.tickers[turn], self.session, step, self.at)


_FORMAT = formats.Format(Place)


class Replay(Source):
    """Plays the recording, `FINSTAGE_REPLAY_SESSION_SECONDS` a session."""

    about = ABOUT

    def __init__(self) -> None:
        self._start = _start()

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        """What lies before the sessions that are played: those are the feed's alone, and a rewind takes them back."""
        recorded = {today: ticker for ticker, today in _names().items()}.get(symbol.ticker, "")
        found = _bars(recorded, symbol.ticker, self._start)
        named = _splits(recorded, start, self._start - timedelta(days=1))
        return [bar for bar in found if bar.session_date >= start], named

    def now(self) -> datetime:
        """The session that is played, as the recording knows it: to the day."""
        place = _found()
        session = place.session if place else self._last_played()
        return prices.midnight(session or self._start)

    def prepare(self) -> None:
        """Have the symbols and all sessions before the one that is played, and a quote of each symbol."""
        super().prepare()
        place = self._agreed()
        session = (place.session if place else self._by_rows()[0]) or self._first_session()
        _load_history(session)
        _seed_quotes(session)

    def batches(self, stop: threading.Event) -> Iterator[Tick | Rewind]:
        place = self._agreed() or self._resumed()
        while not stop.is_set():
            if place.session is None:
                yield self._rewind(place)
                place = _begun(place.epoch + 1, self._first_session())
            elif place.is_over:
                if not place.tickers:
                    stop.wait(settings.REPLAY_SESSION_SECONDS)
                place = _begun(place.epoch, _following(place.session))
            else:
                place = place if place.at else _kept(replace(place, at=datetime.now(UTC)))
                yield Tick([_today(place.quote())])
                stop.wait(settings.REPLAY_SESSION_SECONDS / place.steps)
                place = _kept(replace(place, step=place.step + 1, at=None))

    def _agreed(self) -> Place | None:
        """Where we stand by what Redis says, if the rows agree with it."""
        place, epoch, last = _found(), DataSource.objects.epoch(), self._last_played()
        if place is None:
            return None
        if place.session is None:
            return place if place.epoch in (epoch, epoch - 1) else None
        sessions = (last, _following(last)) if last else (self._first_session(),)
        return place if place.epoch == epoch and place.session in sessions else None

    def _resumed(self) -> Place:
        """Where we stand by what the rows say."""
        session, missing = self._by_rows()
        return (
            _kept(Place(DataSource.objects.epoch(), session, missing))
            if missing
            else _begun(DataSource.objects.epoch(), session)
        )

    def _by_rows(self) -> tuple[date | None, tuple[str, ...]]:
        """The session to play, and where it was played in part, the symbols that it lacks."""
        last = self._last_played()
        if last is None:
            return self._first_session(), ()
        missing = _missing(last)
        return (last, missing) if missing else (_following(last), ())

    def _last_played(self) -> date | None:
        """The newest session with a final bar among those that are played."""
        return stored.last_played(_names().values(), NAME, self._start)

    def _first_session(self) -> date:
        return next(session for session in recording.sessions() if session >= self._start)

    def _rewind(self, place: Place) -> Rewind:
        """Take back all that was played. Safe to run again, where a crash came in between."""
        first = self._first_session()
        with transaction.atomic():
            bars.delete_played(first, NAME)
            actions.take_back(NAME, first)
            Record.objects.filter(source=NAME).delete()
            DataSource.objects.filter(pk=1).update(epoch=place.epoch + 1)
        quotes.forget(NAME)
        _seed_quotes(first)
        with suppress(NothingDone):  # before the first session of all lies nothing
            records.refresh(list(_names().values()))
        return Rewind(place.epoch + 1, first)


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


def _following(session: date) -> date | None:
    later = recording.sessions()[bisect_right(recording.sessions(), session) :]
    return later[0] if later else None


def _begun(epoch: int, session: date | None) -> Place:
    """The beginning of a session, with the splits that take effect in it; of None, the end of the recording."""
    if session is None:
        return _kept(Place(epoch, None))
    _know_splits(session, session)
    return _kept(Place(epoch, session, tuple(_playing(session))))


def _playing(session: date) -> list[str]:
    """The tracked symbols that have a bar on the session, by the ticker that they had then."""
    tracked = {symbol.ticker for symbol in symbols.tracked()}
    return [ticker for ticker, today in _names().items() if today in tracked and session in recording.days(ticker)]


def _names() -> dict[str, str]:
    """Today's ticker of each recorded one that there is a symbol of: who got a recorded ticker later is another."""
    return {ticker: symbol.ticker for ticker, symbol in symbols.begun(recording.TICKERS).items()}


def _today(quote: Quote) -> Quote:
    return replace(quote, ticker=_names().get(quote.ticker, quote.ticker))


def _bars(recorded: str, ticker: str, before: date) -> list[Bar]:
    """The recorded bars before a session, under the ticker of today."""
    return [replace(bar, ticker=ticker) for bar in recording.bars(recorded, before, datetime.now(UTC))]


def _missing(session: date) -> tuple[str, ...]:
    """The symbols whose bar of a session is not there yet."""
    names = _names()
    closed = stored.closed(names.values(), NAME, session)
    return tuple(ticker for ticker in _playing(session) if names[ticker] not in closed)


def _load_history(before: date) -> None:
    """Have every bar and split of the recording before a session: that is all it has, and what is told of it later
    is a correction.
    """
    names = _names()
    counts = stored.counted(names.values(), NAME, before)
    first = {}
    for recorded, ticker in names.items():
        found = _bars(recorded, ticker, before)
        if counts.get(ticker, 0) < len(found):
            bars.upsert(found)
        if found:
            first[ticker] = found[0].session_date
    _know_splits(date.min, before)
    for symbol in Symbol.objects.filter(ticker__in=loading.missing(first)):
        loading.complete(symbol, first[symbol.ticker], since=first[symbol.ticker], until=None)


def _know_splits(first: date, last: date) -> None:
    for ticker, symbol in symbols.begun(recording.SPLITS).items():
        if named := _splits(ticker, first, last):
            actions.keep(symbol, named, NAME)


def _splits(ticker: str, first: date, last: date) -> Named:
    """Those of the recording between two sessions, both counted."""
    told = recording.SPLITS.get(ticker, {}).items()
    found = [Action(ticker, "split", day, value, value, 1.0) for day, value in told if first <= day <= last]
    return Named(found, frozenset({"split"}), first, last)


def _seed_quotes(session: date) -> None:
    """Let every symbol have a quote before its first step: its last close before the session."""
    names, now = _names(), datetime.now(UTC)
    known = quotes.latest(list(names.values()))
    last = {ticker: recording.last_session(ticker, session) for ticker, today in names.items() if known[today] is None}
    closes = [recording.quote(ticker, day, recording.STEPS - 1, now) for ticker, day in last.items() if day]
    quotes.keep([replace(quote, ticker=names[quote.ticker]) for quote in closes])


def _kept(place: Place) -> Place:
    """The place, written down before anything is told."""
    redis.client().set(_FORMAT.key("replay", "place"), _FORMAT.pack(place))
    return place


def _found() -> Place | None:
    return _FORMAT.unpack(redis.client().get(_FORMAT.key("replay", "place")))
