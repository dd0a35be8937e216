"""What a client changes about the newest prices that it gets: their pace, and which of their fields.

Nothing of this costs a client that changes nothing: who does has another outbox.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

import orjson

from realtime import messages
from realtime.breath import Breath
from realtime.frames import Encoded
from realtime.kinds import PRICES
from realtime.outbox import Outbox

logger = logging.getLogger(__name__)

TURN_SECONDS = 0.05  # how exactly a pace is kept
MOST_CUT = 20_000  # prices without some of their fields that are kept, so that they are encoded once for all
_STREAMS = PRICES.of("")


class Wheel:
    """When what waits by a pace goes on: one timer, however many clients."""

    def __init__(self, go_on: Callable[[Any], None]) -> None:
        self._go_on = go_on
        self._turns: dict[int, list[Shaped]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._turning: asyncio.Task | None = None

    def put(self, outbox: "Shaped", at: float) -> None:
        """Have it go on at a time of the loop's, or a little later; at once where that is past."""
        turn = math.floor(_now() / TURN_SECONDS) if at <= _now() else math.ceil(at / TURN_SECONDS)
        self._turns.setdefault(turn, []).append(outbox)
        self._set()

    def _set(self) -> None:
        """Wake for the turn that comes first."""
        if not self._turns or (self._turning is not None and not self._turning.done()):
            return
        at = min(self._turns) * TURN_SECONDS
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._turning = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        breath = Breath()
        try:
            for turn in sorted(turn for turn in self._turns if turn * TURN_SECONDS <= _now()):
                for outbox in self._turns.pop(turn):
                    try:
                        if outbox.release():
                            self._go_on(outbox.owner)
                    except Exception:  # the last line of defence: one client must not stop the others
                        logger.exception("client %s could not be given its prices", outbox.owner.client_id)
                    await breath.taken()
        finally:
            self._turning = None
            self._set()


class Shaped(Outbox):
    """An outbox whose newest prices wait for their time, and go out with the wanted fields alone.

    fields: None is all of them; pace_seconds: 0 is none. late: the newest of each stream that waits, which is bounded
    by the streams that a client may hold.
    """

    def __init__(self, owner: Any, wheel: Wheel, pace_seconds: float, fields: frozenset[str] | None) -> None:
        Outbox.__init__(self)
        self.owner, self.pace_seconds, self.fields = owner, pace_seconds, fields
        self.late: dict[str, Encoded] = {}
        self._wheel = wheel
        self._next_at = 0.0
        self._is_set = False

    def conflate(self, stream: str, message: Encoded) -> None:
        if not stream.startswith(_STREAMS):
            Outbox.conflate(self, stream, message)
        elif not self.pace_seconds:
            Outbox.conflate(self, stream, cut(stream, message, self.fields))
        else:
            self.late.pop(stream, None)
            self.late[stream] = message
            self._wait()

    def add(self, message: Encoded, stream: str = "") -> None:
        if stream in self.late:  # what follows must not overtake it
            self._let_go(stream)
        Outbox.add(self, message, stream)

    def drop(self, stream: str) -> None:
        self.late.pop(stream, None)
        Outbox.drop(self, stream)

    def hand_over(self, other: Outbox) -> None:
        for stream in list(self.late):
            self._let_go(stream)
        Outbox.hand_over(self, other)

    def release(self) -> bool:
        """Let what is late go out, and the next wait for a pace. False: nothing is, or nobody is there for it."""
        self._is_set = False
        if not self.late or self.owner.outbox is not self:
            return False
        self._next_at = _now() + self.pace_seconds
        for stream in list(self.late):
            self._let_go(stream)
        return True

    def _let_go(self, stream: str) -> None:
        Outbox.conflate(self, stream, cut(stream, self.late.pop(stream), self.fields))

    def _wait(self) -> None:
        if not self._is_set:
            self._is_set = True
            self._wheel.put(self, self._next_at)


_cut: dict[tuple[frozenset[str], str], tuple[Encoded, Encoded]] = {}


def cut(stream: str, message: Encoded, fields: frozenset[str] | None) -> Encoded:
    """A price with these fields alone: made once for all clients that want the same."""
    if fields is None:
        return message
    made = _cut.pop((fields, stream), None)
    if made is None or made[0] is not message:
        made = message, Encoded(_with(fields, message.body))
    _cut[fields, stream] = made
    if len(_cut) > MOST_CUT:
        del _cut[next(iter(_cut))]
    return made[1]


def _with(fields: frozenset[str], body: bytes) -> bytes:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body  # as everybody gets it
    return messages.encode({name: value for name, value in told.items() if name in fields or name in messages.ALWAYS})


def _now() -> float:
    return asyncio.get_running_loop().time()
