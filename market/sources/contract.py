"""What every source can do."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from market.calendars.clock import Clock
from market.models import Symbol
from market.prices import Action, Bar, Quote


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
    name: str

    def prepare(self) -> None:
        """Have the symbols, and the history where it is at hand. Safe to run again."""

    def batches(self, stop: threading.Event) -> Iterator[Tick | Rewind]:
        """What is new, as it comes, until `stop` is set. A batch is done with when the next one is asked for."""

    def history(self, symbol: Symbol, start: date) -> tuple[list[Bar], list[Action]]:
        """A symbol's daily bars as traded, of which the last may still form, and its actions, from a session on.

        Raises ProviderError.
        """

    def quotes(self, wanted: Iterable[Symbol]) -> Iterable[Quote]:
        """The last price of each symbol, asked for now; one that has none is left out. Raises ProviderError."""

    def now(self) -> datetime:
        """The market's clock: the wall's, or that of the recorded session."""

    def clock(self, exchange: str, tickers: Sequence[str]) -> Clock | None:
        """The state of an exchange, where these tickers are at home; None before it is known. May take seconds."""

    def trouble(self) -> str | None:
        """Why no prices can come now, in a sentence for people; None while they can. Answers at once."""

    def answers(self, seconds: float) -> bool:
        """Whether the source can be reached within so many seconds."""
