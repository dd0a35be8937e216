"""Bounded lists in Redis by which low rooms tell high ones: these append what has changed, and the feed reads on.

In place of what was lost on the way stands how much: who reads on knows that the rows have to be read anew.
"""

from typing import Any

import orjson

from monitoring import redis, refusals
from monitoring.errands import Errands

_LOSS = b'{"lost":'


class BoundedList:
    """One list. What is put is appended from a thread aside, which waits for no Redis that is away.

    what: of what its lines tell, in a word; its lines are objects.
    """

    def __init__(self, key: str, *, limit: int, what: str) -> None:
        self.key, self.limit, self._what = key, limit, what
        self._errands = Errands(self._append, limit=limit, tell=self._tell_loss)
        _lists.append(self)

    def put(self, *told: Any) -> None:
        self._errands.put(*told)

    def flush(self, timeout_seconds: float = 2.0) -> bool:
        """Wait until all that was put stands there. False when it took longer."""
        return self._errands.flush(timeout_seconds)

    def _append(self, told: list[Any]) -> None:
        """One that can't be written is left out, alone."""
        lines, refused = [], 0
        for each in told:
            try:
                lines.append(orjson.dumps(each))
            except orjson.JSONEncodeError as error:
                refused += 1
                name = each.get("name", "") if isinstance(each, dict) else ""
                refusals.note(self._what, str(name).encode("ascii", "replace").decode(), str(error))
        self._push(*lines, *([_loss(refused)] if refused else []))

    def _tell_loss(self, count: int) -> None:
        self._push(_loss(count))

    def _push(self, *lines: bytes) -> None:
        pipeline = redis.client().pipeline(transaction=False)
        pipeline.rpush(self.key, *lines)
        pipeline.ltrim(self.key, -self.limit, -1)
        pipeline.execute()


_lists: list[BoundedList] = []


def flush(timeout_seconds: float = 2.0) -> bool:
    """Wait for all lists of this process, each so long."""
    return all([each.flush(timeout_seconds) for each in _lists])


def is_loss(line: bytes) -> bool:
    """Whether this stands in a list for what is not there."""
    return line.startswith(_LOSS)


def _loss(count: int) -> bytes:
    """A version that does not know this line takes it for one that can't be read: one is missing there too."""
    return _LOSS + b"%d}" % count
