"""Forming bars wait in Redis, where all processes see them."""

from collections.abc import Sequence

from redis.client import Pipeline

from market import intervals
from market.intervals import DAY, STORED_WITHIN
from market.prices import FORMING, Bar
from monitoring import formats, redis
from monitoring.fields import Field

_FORMAT = formats.Format(Bar)


def keep(bars: Sequence[Bar]) -> None:
    """Keep the newest state of forming bars where all processes see it; one that has closed ends its forming one.

    bars: in order, where there are several of a ticker.
    """
    if not bars:
        return
    newest = {_field(bar.ticker, bar.interval): bar for bar in bars}
    forming = {field: _FORMAT.pack(bar) for field, bar in newest.items() if bar.state == FORMING}
    with redis.client().pipeline(transaction=False) as pipe:
        if forming:
            pipe.hset(_FORMAT.key("forming"), mapping=forming)
        if len(forming) < len(newest):
            pipe.hdel(_FORMAT.key("forming"), *(newest.keys() - forming))
        pipe.execute()


def stand(bars: Sequence[Bar]) -> None:
    """Keep these as the newest, also those that have closed: until the next one begins. In order, as above."""
    if bars:
        newest = {_field(bar.ticker, bar.interval): _FORMAT.pack(bar) for bar in bars}
        redis.client().hset(_FORMAT.key("forming"), mapping=newest)


def latest(tickers: Sequence[str], *, interval: str = DAY.name) -> dict[str, Bar | None]:
    """The forming bar of each ticker, as traded."""
    if not tickers:
        return {}
    found = redis.client().hmget(_FORMAT.key("forming"), [_field(ticker, interval) for ticker in tickers])
    return {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}


def ask(pipe: Pipeline, tickers: Sequence[str], interval: str) -> None:
    """Have a pipeline ask for the forming bars of tickers, among others; `read` knows each of its answers."""
    pipe.hmget(_FORMAT.key("forming"), [_field(ticker, interval) for ticker in tickers])


def read(answer: bytes | None) -> Bar | None:
    """A forming bar of what a pipeline was answered."""
    return _FORMAT.unpack(answer)


def fields_of(ticker: str) -> list[Field]:
    """Where the forming bars of a ticker are kept."""
    return [Field(_FORMAT.key("forming"), _field(ticker, interval)) for interval in intervals.ALL]


def drop(ticker: str) -> None:
    """Delete those of a ticker."""
    key = _FORMAT.key("forming")
    redis.client().hdel(key, *(_field(ticker, interval) for interval in intervals.ALL))


def drop_within() -> None:
    """Delete those within sessions, of all: whoever formed them forms them no more."""
    key = _FORMAT.key("forming")
    fields = [field for field in redis.client().hkeys(key) if field.decode().partition(" ")[0] in STORED_WITHIN]
    if fields:
        redis.client().hdel(key, *fields)


def forget() -> None:
    """Delete all of them."""
    redis.client().delete(_FORMAT.key("forming"))


def _field(ticker: str, interval: str) -> str:
    return f"{interval} {ticker}"
