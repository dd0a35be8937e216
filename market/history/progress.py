"""How far the loading of history has come: the feed tells it, and pages read it until it is complete."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from monitoring import formats, redis


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of all symbols are loaded, the one that is loading now, and by symbol why some did not come."""

    done: int
    total: int
    symbol: str | None = None
    errors: dict[str, str] = field(default_factory=dict)


_FORMAT = formats.Format(Progress)


def complete(ticker: str) -> None:
    """Remember that a symbol's whole history was stored once; from then on only what is new is missing."""
    redis.client().sadd(_complete(), ticker)


def is_complete(ticker: str) -> bool:
    return bool(redis.client().sismember(_complete(), ticker))


def missing(tickers: Collection[str]) -> set[str]:
    """Those whose whole history was never stored."""
    return set(tickers) - {ticker.decode() for ticker in redis.client().smembers(_complete())}


def tell(tracked: Collection[str], loading: str | None, errors: dict[str, str]) -> None:
    """tracked: all whose history is wanted. loading: the one that is asked for now. errors: why some did not come."""
    told = Progress(len(tracked) - len(missing(tracked)), len(tracked), loading, errors)
    redis.client().set(_FORMAT.key("backfill"), _FORMAT.pack(told))


def latest() -> dict | None:
    """`done` of `total` symbols, the `symbol` that is being loaded and `errors` by symbol; None when all is there."""
    told = _FORMAT.unpack(redis.client().get(_FORMAT.key("backfill")))
    return asdict(told) if told and (told.done < told.total or told.errors) else None


def _complete() -> str:
    return redis.key("backfill", "complete")
