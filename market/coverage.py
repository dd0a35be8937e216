"""Which bars of each symbol we hold. To count them all takes tens of milliseconds, so a count serves for seconds."""

from collections.abc import Sequence

import orjson

from market import bars
from monitoring import redis

SECONDS = 10


def latest(tickers: Sequence[str]) -> dict[str, dict[str, dict]]:
    """By ticker and interval `first` and `last`, instants as text, and `count`; up to 10 s old, for all processes."""
    if not tickers:
        return {}
    found = redis.client().mget([_key(ticker) for ticker in tickers])
    held = {ticker: orjson.loads(text) for ticker, text in zip(tickers, found, strict=True) if text is not None}
    return held | _counted([ticker for ticker in tickers if ticker not in held])


def _counted(tickers: list[str]) -> dict[str, dict[str, dict]]:
    if not tickers:
        return {}
    counts = bars.coverage(tickers)
    texts = {ticker: orjson.dumps(counts.get(ticker, {}), option=orjson.OPT_UTC_Z) for ticker in tickers}
    with redis.client().pipeline(transaction=False) as pipe:
        for ticker, text in texts.items():
            pipe.set(_key(ticker), text, ex=SECONDS)
        pipe.execute()
    return {ticker: orjson.loads(text) for ticker, text in texts.items()}


def _key(ticker: str) -> str:
    return redis.key("coverage", ticker)
