"""How a pace stands now, as Redis has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

BREAKER = CLOSED, HALF_OPEN, OPEN = "closed", "half_open", "open"
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class State:
    """allowed: requests a second at most, by the settings; rate: at most now; asked: within the last minute, about.

    requests, waited_seconds: all that left, and how long they waited for it together; refused_full, refused_open: those
    that did not, as no slot was free in time, or as nobody asks. They begin anew after a day without any.
    breaker: open, nobody asks before `opened_until`; half open, one probe goes next or is on its way. code and why: of
    the failure it opened for. failed_*: the last failure at all. Instants are None where there was none for a day.
    """

    allowed: float
    rate: float
    asked: float
    requests: int
    waited_seconds: float
    refused_full: int
    refused_open: int
    breaker: str
    opened_until: datetime | None
    code: str | None
    why: str | None
    failures: int  # in a row
    is_paused: bool  # by people, which is no failure
    limited_at: datetime | None  # the last 429
    slow_at: datetime | None
    answered_at: datetime | None
    failed_at: datetime | None
    failed_by: str | None
    failed_why: str | None

    @classmethod
    def read(
        cls, allowed: float, breaker: Mapping[bytes, bytes], health: Mapping[bytes, bytes], *, now: int, furthest: int
    ) -> "State":
        """Of the two hashes, at an instant in milliseconds. What is further ahead than `furthest` was set by a clock
        that was wrong, and is over.
        """
        until = int(breaker.get(b"opened_until", 0))
        state = OPEN if now < until <= now + furthest else HALF_OPEN if until else CLOSED
        opened = breaker if until else {}
        return cls(
            allowed=allowed,
            rate=allowed * float(health.get(b"share", 1)),
            asked=_asked(health, now),
            waited_seconds=int(health.get(b"waited", 0)) / 1000,
            **{name: int(health.get(name.encode(), 0)) for name in ("requests", "refused_full", "refused_open")},
            breaker=state,
            opened_until=_instant(breaker, b"opened_until") if state == OPEN else None,
            code=_text(opened, b"code"),
            why=_text(opened, b"why"),
            failures=int(breaker.get(b"failures", 0)),
            is_paused=state == OPEN and b"paused" in breaker,
            **{name: _instant(health, name.encode()) for name in ("limited_at", "slow_at", "answered_at", "failed_at")},
            **{name: _text(health, name.encode()) for name in ("failed_by", "failed_why")},
        )


def _asked(health: Mapping[bytes, bytes], now: int) -> float:
    """Within the last minute: what was in this one, and of the one before the part that is not over a minute ago."""
    minute, passed = divmod(now, _MINUTE)
    here, before = (int(health.get(name, 0)) for name in (b"asked", b"asked_before"))
    counted = int(health.get(b"minute", 0))
    if counted == minute - 1:
        here, before = 0, here
    elif counted != minute:
        return 0
    return here + before * (1 - passed / _MINUTE)


def _instant(told: Mapping[bytes, bytes], name: bytes) -> datetime | None:
    return datetime.fromtimestamp(int(told[name]) / 1000, UTC) if told.get(name) else None


def _text(told: Mapping[bytes, bytes], name: bytes) -> str | None:
    return told[name].decode() or None if name in told else None
