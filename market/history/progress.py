"""How far the first loading of history has come: what is held says it, and jobs why some did not come."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from market.coverage import loading as coverage
from market.history import claims
from market.models import Symbol
from monitoring import redis

KEPT = timedelta(days=1)  # why one did not come: by then it was asked for again


@contextmanager
def noted(symbol: Symbol) -> Iterator[None]:
    """Load a symbol in it: where it does not come, pages tell why until it does."""
    try:
        yield
    except Exception as error:
        with redis.client().pipeline() as pipe:
            pipe.hset(_key(), symbol.ticker, str(error)[:500])
            pipe.expire(_key(), KEPT)
            pipe.execute()
        raise
    redis.client().hdel(_key(), symbol.ticker)


def latest() -> dict | None:
    """`done` of `total` tracked symbols, a `symbol` that is loading now, `errors` by symbol; None when all is there."""
    missing = coverage.unloaded()
    if not missing:
        return None
    errors = {ticker.decode(): why.decode() for ticker, why in redis.client().hgetall(_key()).items()}
    total = Symbol.objects.tracked().count()
    return {
        "done": total - len(missing),
        "total": total,
        "symbol": next(iter(claims.taken_of(missing)), None),
        "errors": {ticker: errors[ticker] for ticker in missing.values() if ticker in errors},
    }


def _key() -> str:
    return redis.key("history", "failed")
