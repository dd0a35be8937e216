"""What a source is and what it can do. One that is to come says what it is, and defines what differs from here."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Protocol

from django.utils.functional import Promise

from market import symbols
from market.calendars import hours
from market.calendars.clock import Clock
from market.calendars.openings import Openings
from market.models import Symbol
from market.prices import Bar, Named, Quote
from market.sources.errors import ProviderError

Ability = Literal["history", "quotes", "live", "news", "files"]
_CANNOT = {
    "history": "has no history to ask for",
    "quotes": "can't be asked for a price: it tells what it has while a feed plays it",
    "live": "tells nothing by itself",
    "news": "has no news",
    "files": "takes no files",
}


@dataclass(frozen=True, slots=True)
class About:
    """What a source is, as everybody may know it without loading it.

    loaded_from: its class, a Source. seeds: the symbols it begins with. is_recorded: its prices are of the past and
    tell the market's time. has_hours: its exchanges are open by their calendars and the wall's clock.
    may_be_steered: people may pause it and move it in time.
    """

    name: str
    title: str | Promise
    loaded_from: str
    can: frozenset[Ability]
    seeds: Sequence[symbols.Seed] = ()
    is_recorded: bool = False
    has_hours: bool = True
    may_be_steered: bool = False

    def require(self, ability: Ability) -> None:
        """Raises ProviderError where it can't."""
        if ability not in self.can:
            raise ProviderError(f"{self.title} {_CANNOT[ability]}", code="no_data", temporary=False)


@dataclass(frozen=True, slots=True)
class Tick:
    """New quotes, in order of arrival."""

    quotes: list[Quote]


@dataclass(frozen=True, slots=True)
class Rewind:
    """The recording begins again: what was played is gone from the market's tables, and a new epoch has begun."""

    epoch: int
    start: date


class Source(Protocol):
    about: About

    @property
    def name(self) -> str:
        return self.about.name

    def prepare(self) -> None:
        """Have the symbols, and the history where it is at hand. Safe to run again."""
        symbols.ensure(self.about.seeds)

    def batches(self, stop: threading.Event) -> Iterator[Tick | Rewind]:
        """What is new, as it comes, until `stop` is set. A batch is done with when the next one is asked for."""
        stop.wait()
        yield from ()

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], Named]:
        """A symbol's daily bars as traded, of which the last may still form, and its actions, from a session on.

        Raises ProviderError.
        """
        self.about.require("history")
        raise NotImplementedError

    def quotes(self, wanted: Iterable[Symbol]) -> Iterable[Quote]:
        """The last price of each symbol, asked for now; one that has none is left out. Raises ProviderError."""
        self.about.require("quotes")
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
