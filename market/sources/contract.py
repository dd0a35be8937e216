"""What a source is and what it can do. One that is to come says what it is, and defines what differs from here."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol, get_args

from django.utils.functional import Promise

from market import symbols
from market.calendars import hours
from market.calendars.clock import Clock
from market.calendars.openings import Openings
from market.figures.values import Figures
from market.models import Symbol
from market.prices import Bar, Extended, Named, Quote
from market.sources.errors import ProviderError
from market.sources.pace import Pace, abreast

Ability = Literal["history", "quotes", "live", "figures", "news", "files"]
ABILITIES: tuple[Ability, ...] = get_args(Ability)
_UNDER_WAY = timedelta(minutes=10)  # so long after it was made a request may come to the source
_CANNOT = {
    "history": "has no history to ask for",
    "quotes": "can't be asked for a price: it tells what it has while a feed plays it",
    "live": "tells nothing by itself",
    "figures": "tells no key figures",
    "news": "has no news",
    "files": "takes no files",
}


class BeyondReach(ValueError):
    """A span of which the source tells no bars any more; the text says from when on it does."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a source tells of an interval: bars up to so far back, in requests that span no more than the longest; None
    where neither ends.
    """

    back: timedelta | None = None
    longest: timedelta | None = None

    def since(self, now: datetime) -> datetime | None:
        """From when on it tells them; None: from the first."""
        return None if self.back is None else now - self.back + _UNDER_WAY

    def requests(self, start: datetime, end: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
        """The spans to ask for, oldest first, without what lies beyond its reach. Raises BeyondReach where all does."""
        since = self.since(now)
        first = start if since is None else max(start, since)
        if first >= end:
            raise BeyondReach(
                f"it goes back to {since:%Y-%m-%d} and no further" if since else f"{start} is after {end}"
            )
        longest = self.longest or end - first
        count = -((first - end) // longest)
        return [(first + number * longest, min(first + (number + 1) * longest, end)) for number in range(count)]


@dataclass(frozen=True, slots=True)
class About:
    """What a source is, as everybody may know it without loading it.

    loaded_from: its class, a Source. seeds: the symbols it begins with. is_recorded: its prices are of the past and
    tell the market's time. has_hours: its exchanges are open by their calendars and the wall's clock.
    may_be_steered: people may pause it and move it in time. reach: of each interval whose history can be asked for.
    pace: that of all who ask it; None: it is asked at will.
    """

    name: str
    title: str | Promise
    loaded_from: str
    can: frozenset[Ability]
    seeds: Sequence[symbols.Seed] = ()
    is_recorded: bool = False
    has_hours: bool = True
    may_be_steered: bool = False
    reach: Mapping[str, Reach] = field(default_factory=dict)
    pace: Callable[[], Pace] | None = None

    @property
    def portion(self) -> int:
        """How many symbols one job of several asks about."""
        return abreast.portion(self._rate)

    @property
    def at_once(self) -> int:
        """How many questions such a job has on their way; the pace bounds all jobs together."""
        return max(2, abreast.count(self._rate))

    @property
    def _rate(self) -> float:
        return self.pace().rate if self.pace else 0.0

    def require(self, ability: Ability) -> None:
        """Raises ProviderError where it can't."""
        if ability not in self.can:
            raise ProviderError(f"{self.title} {_CANNOT[ability]}", code="no_data", temporary=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """New quotes, in order of arrival; new prices of before or after a session, one of a ticker, and the tickers of
    those that are over.
    """

    quotes: list[Quote]
    extended: list[Extended] = field(default_factory=list)
    over: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Jump:
    """Played time goes on with a session: where a feed begins, after the last one, or where somebody wants it to.

    Where the epoch is new, what was told before is of another time; text: says so, to people. closes: the last close of
    each symbol before the session, with which its first price is compared.
    """

    epoch: int
    pass_number: int
    session: date
    text: str
    closes: list[Quote]


class Source(Protocol):
    about: About

    @property
    def name(self) -> str:
        return self.about.name

    def prepare(self) -> None:
        """Have the symbols, and the history where it is at hand. Safe to run again."""
        symbols.ensure(self.about.seeds)

    def track(self, tracked: Sequence[Symbol]) -> None:
        """Hear which symbols are collected now: before the first batch, and whenever they change from then on."""

    def batches(self, stop: threading.Event) -> Iterator[Tick | Jump]:
        """What is new, as it comes, until `stop` is set; who gives live prices asks no database for them.

        A batch is done with when the next one is asked for: what is recorded, once its rows are written. What plays a
        recording begins with a jump.
        """
        stop.wait()
        yield from ()

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        """A symbol's daily bars as traded, of which the last may still form, and its actions, from a session on.

        Raises ProviderError.
        """
        self.about.require("history")
        raise NotImplementedError

    def identify(self, ticker: str) -> symbols.Seed:
        """What it knows of a symbol that we do not have, asked for now. Raises ProviderError."""
        told = f"{ticker}: {self.about.title} has no symbols beside those that it begins with"
        raise ProviderError(told, code="unknown_symbol", temporary=False, was_asked=False)

    def believed(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        """The same as it is, also what `history` keeps out because of what is held; for who has looked at it."""
        return self.history(symbol, start)

    def within(self, symbol: Symbol, interval: str, start: datetime, end: datetime) -> list[Bar]:
        """A symbol's bars within sessions as traded, those that opened from `start` on and before `end`, of which the
        last may still form. No longer a span, nor an older one, than `about.reach` has. Raises ProviderError.
        """
        self.about.require("history")
        raise NotImplementedError

    def quotes(self, wanted: Iterable[Symbol]) -> Iterable[Quote]:
        """The last price of each symbol, asked for now; one that has none is left out. Raises ProviderError."""
        self.about.require("quotes")
        raise NotImplementedError

    def figures(self, wanted: Iterable[Symbol]) -> Iterable[tuple[Symbol, Figures | ProviderError]]:
        """Each symbol with its key figures, asked for now, or with why there are none, as they come; also where the
        source itself fails, and is asked no further. Raises ProviderError where it has none of any symbol.
        """
        self.about.require("figures")
        raise NotImplementedError

    def now(self) -> datetime:
        """The market's clock: the wall's, or that of the recorded session."""
        return datetime.now(UTC)

    def clock(self, exchange: str, tickers: Sequence[str]) -> Clock | None:
        """The state of an exchange, where these tickers are at home; None before it is known. May take seconds."""
        return hours.of(exchange, tickers, self.now(), has_hours=self.about.has_hours)

    def openings(self, exchange: str) -> Openings | None:
        """When an exchange opened last and opens next; None where no calendar tells it. May take seconds."""
        return hours.openings(exchange, self.now()) if self.about.has_hours else None

    def trouble(self) -> str | None:
        """Why no prices can come now, in a sentence for people; None while they can. Answers at once."""
        return None

    def answers(self, seconds: float) -> bool:
        """Whether the source can be reached within so many seconds."""
        return True
