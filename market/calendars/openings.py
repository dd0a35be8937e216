"""When each exchange opened last and opens next: the feed tells it, and pages read it, also while no feed runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from monitoring import formats, redis


@dataclass(frozen=True, slots=True)
class Opening:
    """An exchange begins to trade, also after a lunch break. session_date: of the session that it begins or goes on."""

    session_date: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Openings:
    """The last opening and the next; None of what never closes, and of what the calendar does not reach."""

    last: Opening | None = None
    next: Opening | None = None


_FORMAT = formats.Format(Openings)


def keep(exchange: str, told: Openings) -> None:
    """Let all processes read it; it stays true until somebody knows better, as it says the next one too."""
    redis.client().hset(_FORMAT.key("openings"), exchange, _FORMAT.pack(told))


def latest(exchanges: Collection[str], now: datetime) -> dict[str, Openings]:
    """The last opening of each exchange up to a moment, and the next after it; None of what is not known."""
    wanted = list(exchanges)
    if not wanted:
        return {}
    found = redis.client().hmget(_FORMAT.key("openings"), wanted)
    told = {name: _FORMAT.unpack(text) or Openings() for name, text in zip(wanted, found, strict=True)}
    return {name: Openings(each.next) if each.next and each.next.at <= now else each for name, each in told.items()}
