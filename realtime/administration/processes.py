"""What each web process tells of itself, under a key that ends by itself: one that dies is left out soon after."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from monitoring import formats, place, redis

BEAT_SECONDS = 3.0
LIFE_SECONDS = 12  # of what was told last


@dataclass(frozen=True, slots=True)
class Report:
    """One process. connections, slow: clients now, and those of them that are behind with reading. by_type: clients by
    the type that they asked with. symbols: of which somebody holds a stream. All else is counted since `began_at`.
    """

    name: str
    pid: int = 0
    began_at: float = 0.0
    connections: int = 0
    messages_sent: int = 0
    messages_per_second: float = 0.0
    by_type: dict[str, int] = field(default_factory=dict)
    symbols: list[str] = field(default_factory=list)
    slow: int = 0
    slow_closed: int = 0
    gaps: int = 0


_FORMAT = formats.Format(Report)


@cache
def mine() -> str:
    """The name of this process; no other has it, also on another machine."""
    return f"{place.here()[:12]}-{os.getpid()}-{place.birth():.0f}"


def tell(report: Report) -> None:
    """Say how this process is now."""
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.set(_key(report.name), _FORMAT.pack(report), ex=LIFE_SECONDS)
        pipe.sadd(_names(), report.name)
        pipe.execute()


def forget() -> None:
    """Say that this process stops."""
    redis.client().delete(_key(mine()))
    redis.client().srem(_names(), mine())


def told() -> list[Report]:
    """Those that live, the oldest first. Raises redis' errors."""
    names = [name.decode() for name in redis.client().smembers(_names())]
    texts = redis.client().mget(map(_key, names)) if names else []
    if gone := [name for name, text in zip(names, texts, strict=True) if text is None]:
        redis.client().srem(_names(), *gone)  # who lives after all says so with its next report
    return sorted(_FORMAT.unpack_all(text for text in texts if text), key=lambda each: (each.began_at, each.name))


def total(reports: Sequence[Report]) -> Report:
    """All of them together, in one: a symbol that several have counts once."""
    by_type: Counter[str] = Counter()
    for each in reports:
        by_type.update(each.by_type)
    return Report(
        name="",
        began_at=min((each.began_at for each in reports), default=0.0),
        connections=sum(each.connections for each in reports),
        messages_sent=sum(each.messages_sent for each in reports),
        messages_per_second=sum(each.messages_per_second for each in reports),
        by_type=dict(by_type),
        symbols=sorted({symbol for each in reports for symbol in each.symbols}),
        slow=sum(each.slow for each in reports),
        slow_closed=sum(each.slow_closed for each in reports),
        gaps=sum(each.gaps for each in reports),
    )


def _names() -> str:
    return redis.key("web", "names")


def _key(name: str) -> str:
    return _FORMAT.key("web", "process", name)
