"""How a value is written into Redis and read there again, also by a process of another version.

While a deploy or a rollback goes on, old and new code run on one Redis, and whoever starts finds what others left:
- A reader takes the fields that it knows; those that are missing get their defaults.
- What can't be read is as if it were absent: counted, and logged once. It ends no request and no loop.
- A field that comes or goes therefore only needs a default. Both versions share the key, and so the same prices.
- What an older reader would misread (another unit, a field that has no default) gets the format's next number, which
  stands in the key: neither version meets what it does not understand, and finds nothing instead. Because half of a
  deploy would then stand still, that takes two releases, as with a column: one that writes both numbers and reads the
  newest that is there, and one that knows the new one alone. The number 1 is not written: so the keys were called
  before there were numbers.
"""

import logging
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec
import orjson

from monitoring import metrics, redis

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


class Format(Generic[Value]):
    """JSON of one kind of value: a frozen dataclass, or what else annotations can say."""

    def __init__(self, kind: type[Value], *, number: int = 1) -> None:
        self._name, self._number = getattr(kind, "__name__", str(kind)), number
        self._decoder = msgspec.json.Decoder(kind)

    def key(self, *parts: object) -> str:
        """The key under which values of this format lie."""
        return redis.key(*parts) if self._number == 1 else redis.key(*parts, self._number)

    def pack(self, value: Value) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)

    def unpack(self, text: bytes | None) -> Value | None:
        """The value, or None where there is none that this version can read."""
        if text is None:
            return None
        try:
            return self._decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused(self._name, str(error))
            return None

    def unpack_all(self, texts: Iterable[bytes]) -> list[Value]:
        """Those that this version can read, in order."""
        return [value for value in map(self.unpack, texts) if value is not None]


def refused(name: str, why: str) -> None:
    """Count something that this version can't read, and log it once for each reason."""
    metrics.UNREADABLE.labels(name).inc()
    _tell(name, why)


@lru_cache(maxsize=256)
def _tell(name: str, why: str) -> None:
    """Once: what can't be read may be read again every second."""
    logger.warning("A %s in Redis can't be read and counts as absent; did another version write it? %s", name, why)
