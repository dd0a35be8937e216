"""Reading streams from Redis: all who want to read in one turn of the loop are answered by the same few calls."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from redis.asyncio import Redis

from realtime import streams
from realtime.recovery import RECOVERY_LIMIT
from realtime.streams import Position, Reading

STREAMS_A_CALL = 1000
BYTES_A_CALL = 4 << 20
ANSWERS_BEFORE_A_BREATH = 25


class Wish(NamedTuple):
    """A stream as of now, and what it told after a position; an empty epoch asks for nothing that was."""

    stream: str
    epoch: str


class Reader:
    """Joins what is asked while it reads into its next reading. One connection, one call at a time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wishes: dict[Wish, int] = {}
        self._waiting: list[asyncio.Future] = []
        self._reading: asyncio.Task | None = None

    async def read(self, places: Iterable[tuple[str, Position | None]]) -> list[Reading]:
        """Each stream as it is after this was asked, with what it told since the position, and maybe since an earlier
        one. Raises redis' errors.
        """
        wishes = [(Wish(stream, position.epoch if position else ""), position) for stream, position in places]
        for wish, position in wishes:
            seq = position.seq if position else 0
            self._wishes[wish] = min(seq, self._wishes.get(wish, seq))
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append(answered)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_on())
        found = await answered
        return [found[wish] for wish, _ in wishes]

    def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def _read_on(self) -> None:
        """Answer until nobody waits any more."""
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                wishes, self._wishes = self._wishes, {}
                try:
                    found = await self._read_all(wishes)
                except Exception as error:  # noqa: BLE001 - whoever asked is told
                    await _each(waiting, lambda future, error=error: future.set_exception(error))
                else:
                    await _each(waiting, lambda future, found=found: future.set_result(found))
        finally:
            self._reading = None
            for future in self._waiting:
                future.cancel()

    async def _read_all(self, wishes: dict[Wish, int]) -> dict[Wish, Reading]:
        found: dict[Wish, Reading] = {}
        left = list(wishes)
        while left:
            some = left[:STREAMS_A_CALL]
            asked = [(wish.stream, Position(wish.epoch, wishes[wish]) if wish.epoch else None) for wish in some]
            script, arguments = streams.reading_script(asked, RECOVERY_LIMIT, BYTES_A_CALL)
            answer = await self._redis.eval(script, 0, *arguments)
            told = streams.readings([wish.stream for wish in some], answer)
            found.update((wish, reading) for wish, reading in zip(some, told, strict=True) if reading)
            left = [wish for wish in some if wish not in found] + left[STREAMS_A_CALL:]
        return found


async def _each(futures: list[asyncio.Future], tell) -> None:
    """Wake some at a time: each has an answer to build, and what else the loop has to do comes in between."""
    for number, future in enumerate(futures, 1):
        if not future.done():
            tell(future)
        if number % ANSWERS_BEFORE_A_BREATH == 0:
            await asyncio.sleep(0)
