"""Whether two replays said the same."""

from hashlib import sha256
from typing import Any

import orjson

# What depends on who is told, when and by which database.
LEFT_OUT = frozenset({"id", "seq", "epoch", "version", "received_at"})


class Digest:
    """Over all that was told, in order."""

    def __init__(self) -> None:
        self._hash, self.count = sha256(), 0

    def add(self, body: bytes) -> None:
        said: dict[str, Any] = orjson.loads(body)
        self._hash.update(orjson.dumps({name: value for name, value in said.items() if name not in LEFT_OUT}) + b"\n")
        self.count += 1

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()
