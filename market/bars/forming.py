"""Forming bars: the running session's, which move with every price and wait in Redis, where all processes see them."""

from collections.abc import Sequence

from redis.client import Pipeline

from market import intervals
from market.intervals import DAY
from market.prices import FORMING, Bar, Quote, midnight
from monitoring import formats, redis
from monitoring.fields import Field

_FORMAT = formats.Format(Bar)


def keep(bars: Sequence[Bar]) -> None:
    """Keep the newest state of forming bars where all processes see it; one that has closed ends its forming one."""
    if not bars:
        return
    with redis.client().pipeline(transaction=False) as pipe:
        for bar in bars:
            if bar.state != FORMING:
                pipe.hdel(_FORMAT.key("forming"), _field(bar.ticker, bar.interval))
            else:
                pipe.hset(_FORMAT.key("forming"), _field(bar.ticker, bar.interval), _FORMAT.pack(bar))
        pipe.execute()


def latest(tickers: Sequence[str], *, interval: str = DAY.name) -> dict[str, Bar | None]:
    """The forming bar of each ticker, as traded."""
    if not tickers:
        return {}
    found = redis.client().hmget(_FORMAT.key("forming"), [_field(ticker, interval) for ticker in tickers])
    return {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}


def ask(pipe: Pipeline, ticker: str, interval: str) -> None:
    """Have a pipeline ask for a ticker's forming bar, among others; `read` knows its answer."""
    pipe.hget(_FORMAT.key("forming"), _field(ticker, interval))


def read(answer: bytes | None) -> Bar | None:
    """The forming bar of what a pipeline was answered."""
    return _FORMAT.unpack(answer)


def fields_of(ticker: str) -> list[Field]:
    """Where the forming bars of a ticker are kept."""
    return [Field(_FORMAT.key("forming"), _field(ticker, interval)) for interval in intervals.ALL]


def drop(ticker: str) -> None:
    """Delete those of a ticker."""
    key = _FORMAT.key("forming")
    redis.client().hdel(key, *(_field(ticker, interval) for interval in intervals.ALL))


def forget() -> None:
    """Delete all of them."""
    redis.client().delete(_FORMAT.key("forming"))


def daily_bar(quote: Quote) -> Bar | None:
    """The session's bar as far as a quote knows it; None where the source does not say the open.

    The range of one that forms holds its price; of one that is over it is as it was told, for the door to judge.
    """
    if quote.open is None:
        return None
    seen = (quote.price, quote.open)
    high, low = (quote.high or max(seen), quote.low or min(seen))
    if not quote.has_closed:
        high, low = max(high, *seen), min(low, *seen)
    return Bar(
        ticker=quote.ticker,
        interval=DAY.name,
        opened_at=midnight(quote.session_date),
        session_date=quote.session_date,
        open=quote.open,
        high=high,
        low=low,
        close=quote.price,
        volume=quote.volume,
        is_final=quote.is_final,
        state=quote.state,
        source=quote.source,
        received_at=quote.received_at,
    )


def _field(ticker: str, interval: str) -> str:
    return f"{interval} {ticker}"
