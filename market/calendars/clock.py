"""The market's clock: whether an exchange is open. A source says it, the feed tells it, and pages read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from redis.client import Pipeline

from market.prices import OPEN, Quote, instant
from monitoring import redis

_TOLD = ("exchange", "state", "session", "opens_at", "closes_at")
TOLD_SECONDS = 90  # what nobody tells again is no longer so


@dataclass(frozen=True, slots=True)
class Clock:
    """An exchange at a moment. session_date: that of the running session, else of the last one.

    opens_at, closes_at: when it does so next; None where that is not known, or never.
    """

    exchange: str
    state: str
    session_date: date
    opens_at: datetime | None = None
    closes_at: datetime | None = None


def by_quotes(exchange: str, quotes: Iterable[Quote | None]) -> Clock | None:
    """What an exchange's newest quotes say: in their newest session it is open while one of them still trades."""
    known = [quote for quote in quotes if quote is not None]
    session = max((quote.session_date for quote in known), default=None)
    if session is None:
        return None
    states = [quote.market_state for quote in known if quote.session_date == session]
    return Clock(exchange, OPEN if OPEN in states else states[-1], session)


def keep(told: Clock) -> None:
    """Let all processes read it, for as long as it is told again."""
    fields = {"exchange": told.exchange, "state": told.state, "session": told.session_date.isoformat()}
    ahead = {"opens_at": told.opens_at, "closes_at": told.closes_at}
    fields |= {name: instant(at) for name, at in ahead.items() if at is not None}
    key = redis.key("clock")
    with redis.client().pipeline() as pipe:
        pipe.delete(key).hset(key, mapping=fields).expire(key, TOLD_SECONDS).execute()


def ask(pipe: Pipeline) -> None:
    """Have a pipeline ask for the clock, among others; `read` knows its answer."""
    pipe.hmget(redis.key("clock"), _TOLD)


def latest() -> dict[str, str]:
    """`exchange`, `state` and `session`, and `opens_at` and `closes_at` where they are known; empty if nobody tells."""
    return read(redis.client().hmget(redis.key("clock"), _TOLD))


def read(answer: list[bytes | None]) -> dict[str, str]:
    """The same of what a pipeline was answered."""
    told = dict(zip(_TOLD, answer, strict=True))
    if None in (told["exchange"], told["state"], told["session"]):
        return {}
    return {name: value.decode() for name, value in told.items() if value is not None}
