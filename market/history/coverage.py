"""Which bars of each symbol we hold. To count them all takes tens of milliseconds, so a count serves for seconds."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from django.db.models import Count, Max, Min

from market.models import Bar
from monitoring import formats, redis

SECONDS = 10


class Held(TypedDict):
    """The bars of one interval."""

    first: str
    last: str
    count: int


Coverage = dict[str, Held]  # by interval
_FORMAT = formats.Format(Coverage)


def latest(tickers: Sequence[str]) -> dict[str, Coverage]:
    """By ticker and interval `first` and `last`, instants as text, and `count`; up to 10 s old, for all processes."""
    if not tickers:
        return {}
    found = redis.client().mget([_key(ticker) for ticker in tickers])
    held = {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}
    return held | _counted([ticker for ticker in tickers if held[ticker] is None])


def counted(tickers: Iterable[str]) -> dict[str, dict[str, dict]]:
    """By ticker and interval: `first` and `last` opening and the `count` of bars."""
    found = Bar.objects.filter(symbol__ticker__in=list(tickers)).order_by().values_list("symbol__ticker", "interval")
    held: dict[str, dict[str, dict]] = {}
    for ticker, interval, first, last, count in found.annotate(Min("opened_at"), Max("opened_at"), Count("opened_at")):
        held.setdefault(ticker, {})[interval] = {"first": first, "last": last, "count": count}
    return held


def _counted(tickers: list[str]) -> dict[str, Coverage]:
    if not tickers:
        return {}
    counts = counted(tickers)
    texts = {ticker: _FORMAT.pack(counts.get(ticker, {})) for ticker in tickers}
    with redis.client().pipeline(transaction=False) as pipe:
        for ticker, text in texts.items():
            pipe.set(_key(ticker), text, ex=SECONDS)
        pipe.execute()
    return {ticker: _FORMAT.unpack(text) for ticker, text in texts.items()}


def _key(ticker: str) -> str:
    return _FORMAT.key("coverage", ticker)
