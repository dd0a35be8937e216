"""Where prices come from: what every source can do, and which of them this database holds."""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from market.calendars.clock import Clock
from market.models import DataSource, Symbol
from market.prices import Action, Bar, Quote

logger = logging.getLogger(__name__)

# Loaded by name, so that yfinance is imported only by the processes that ask it.
SOURCES = {"yahoo": "market.providers.yahoo.Yahoo", "replay": "market.providers.replay.Replay"}
ANSWER_SECONDS = 3.0


class ProviderError(Exception):
    """A source did not give what was asked; `temporary` says whether trying again can help.

    code: rate_limited, upstream_down, or of one symbol alone no_data, misshapen, unknown_symbol or closed.
    """

    def __init__(self, message: str, *, code: str = "upstream_down", temporary: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.temporary = temporary


class WrongSource(Exception):
    """The database holds another source's prices than the one asked for; the text says how to change that."""


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


def source() -> Source:
    """The source that this database holds; raises WrongSource where the settings ask for the other."""
    return _load(choose(settings.SOURCE).name)


def choose(asked: str) -> DataSource:
    """The source of this database, chosen at the first start: `asked`, or for `auto` what can be reached."""
    chosen = DataSource.objects.filter(pk=1).first() or _first(asked)
    if asked not in ("auto", chosen.name):
        raise WrongSource(
            f"This database holds prices of {chosen.name} and FINSTAGE_SOURCE asks for {asked}. Set it to "
            f"{chosen.name}, or start prices afresh with: {settings.MANAGE} switch_source {asked}"
        )
    return chosen


def _first(asked: str) -> DataSource:
    name, reason = _found() if asked == "auto" else (asked, "asked for by FINSTAGE_SOURCE")
    facts = {"name": name, "reason": reason, "chosen_at": datetime.now(UTC)}
    # Two processes may start at once: the first one's choice stands.
    return DataSource.objects.get_or_create(pk=1, defaults=facts)[0]


def _found() -> tuple[str, str]:
    if _answers_in_time("yahoo"):
        return "yahoo", f"Yahoo answered within {ANSWER_SECONDS:g} s at the first start"
    return "replay", f"Yahoo did not answer within {ANSWER_SECONDS:g} s at the first start"


def _answers_in_time(name: str) -> bool:
    """Ask aside, because a name server that hangs keeps to nobody's timeout."""
    found = threading.Event()
    asking = threading.Thread(target=_ask, args=(name, found), daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return found.is_set()


def _ask(name: str, found: threading.Event) -> None:
    try:
        if _load(name).answers(ANSWER_SECONDS):
            found.set()
    except (ProviderError, OSError, ImportError) as error:
        logger.info("%s cannot be reached: %s", name, error)


def _load(name: str) -> Source:
    return import_string(SOURCES[name])()
