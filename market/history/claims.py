"""Of all who want a symbol's history one asks at a time: what is asked for twice costs the pace twice, which all share.

No lock: a claim runs out by itself, and whoever writes beside it writes the same rows. It only spares the source.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from market.intervals import DAY
from market.models import Symbol
from monitoring import jobs, redis

SECONDS = 120  # as two requests may take that wait for the pace as long as they may, and what they bring is written
LOOK_SECONDS = 0.2

# KEYS claim; ARGV who takes it, milliseconds.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@contextmanager
def taken(symbol: Symbol, interval: str) -> Iterator[Callable[[], object]]:
    """Have the history of a symbol to oneself, once whoever asks for it is done with it. A checkpoint of the job.

    What it gives is called between two requests: it takes the claim for as long again. An attempt of a job takes over
    what an earlier one of it was killed over.
    """
    key, me = _key(symbol.pk, interval), _me()

    def take() -> object:
        return redis.client().eval(_TAKE, 1, key, me, int(SECONDS * 1000))

    while not take():
        jobs.current().checkpoint()
        time.sleep(LOOK_SECONDS)
    try:
        yield take
    finally:
        redis.client().eval(_LEAVE, 1, key, me)


def taken_of(tickers: Mapping[int, str], interval: str = DAY.name) -> list[str]:
    """Those of these tickers, by their symbols' keys, whose history somebody asks for now."""
    if not tickers:
        return []
    held = redis.client().mget([_key(pk, interval) for pk in tickers])
    return [ticker for ticker, holder in zip(tickers.values(), held, strict=True) if holder]


def _key(symbol: int, interval: str) -> str:
    return redis.key("history", "asking", symbol, interval)


def _me() -> str:
    job = jobs.current().job
    return str(job.pk if job else uuid.uuid4())
