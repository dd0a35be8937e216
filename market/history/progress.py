"""How far the loading of history has come: the feed tells it, and pages read it until it is complete."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from market.coverage import loading as coverage
from monitoring import formats, redis


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of all symbols are loaded, the one that is loading now, and by symbol why some did not come."""

    done: int
    total: int
    symbol: str | None = None
    errors: dict[str, str] = field(default_factory=dict)


_FORMAT = formats.Format(Progress)


def tell(tracked: Collection[str], loading: str | None, errors: dict[str, str]) -> None:
    """tracked: all whose history is wanted. loading: the one that is asked for now. errors: why some did not come."""
    told = Progress(len(tracked) - len(coverage.missing(tracked)), len(tracked), loading, errors)
    redis.client().set(_FORMAT.key("backfill"), _FORMAT.pack(told))


def latest() -> dict | None:
    """`done` of `total` symbols, the `symbol` that is being loaded and `errors` by symbol; None when all is there."""
    told = _FORMAT.unpack(redis.client().get(_FORMAT.key("backfill")))
    return asdict(told) if told and (told.done < told.total or told.errors) else None


def errors() -> dict[str, str]:
    """Why some did not come, by symbol, as it was told last."""
    told = _FORMAT.unpack(redis.client().get(_FORMAT.key("backfill")))
    return told.errors if told else {}
