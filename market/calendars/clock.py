"""Whether exchanges are open: a source says it, the feed tells it, and pages read it.

The market's clock is that of the exchange where most symbols are at home.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from redis.client import Pipeline

from market.prices import OPEN, Quote, instant
from monitoring import formats, redis

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


@dataclass(frozen=True, slots=True)
class Told:
    """A clock, and when it was told last."""

    clock: Clock
    at: datetime


_FORMAT = formats.Format(Told)


def keep(told: Clock, *, is_market: bool = True) -> None:
    """Let all processes read it, for as long as it is told again. is_market: it is the market's clock too."""
    key, clocks = redis.key("clock"), _FORMAT.key("clocks")
    with redis.client().pipeline() as pipe:
        pipe.hset(clocks, told.exchange, _FORMAT.pack(Told(told, datetime.now(UTC)))).expire(clocks, TOLD_SECONDS)
        if is_market:
            pipe.delete(key).hset(key, mapping=as_json(told)).expire(key, TOLD_SECONDS)
        pipe.execute()


def all_latest(now: datetime) -> list[Clock]:
    """The clock of each exchange that somebody tells, by name."""
    kept = _FORMAT.unpack_all(redis.client().hgetall(_FORMAT.key("clocks")).values())
    told = [each.clock for each in kept if now - each.at <= timedelta(seconds=TOLD_SECONDS)]
    return sorted(told, key=lambda clock: clock.exchange)


def as_json(told: Clock) -> dict[str, str]:
    """`exchange`, `state` and `session`, and `opens_at` and `closes_at` where they are known."""
    fields = {"exchange": told.exchange, "state": told.state, "session": told.session_date.isoformat()}
    ahead = {"opens_at": told.opens_at, "closes_at": told.closes_at}
    return fields | {name: instant(at) for name, at in ahead.items() if at is not None}


def ask(pipe: Pipeline) -> None:
    """Have a pipeline ask for the clock, among others; `read` knows its answer."""
    pipe.hmget(redis.key("clock"), _TOLD)


def latest() -> dict[str, str]:
    """The market's clock, as `as_json` has it; empty if nobody tells it."""
    return read(redis.client().hmget(redis.key("clock"), _TOLD))


def read(answer: list[bytes | None]) -> dict[str, str]:
    """The same of what a pipeline was answered."""
    told = dict(zip(_TOLD, answer, strict=True))
    if None in (told["exchange"], told["state"], told["session"]):
        return {}
    return {name: value.decode() for name, value in told.items() if value is not None}
