"""Holes are read again: those that a message showed at once, and those that silence hides by a look at the tops."""

import asyncio
import logging

import redis.exceptions

from monitoring import metrics
from monitoring.loops import Loop
from realtime import kinds, recovery, streams
from realtime.breath import Breath
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.hub.members import Members, newest_is_all
from realtime.hub.reading import Reader
from realtime.places import EVERY, LATEST, Held, Place
from realtime.recovery import RECOVERY_BYTES, Recovery
from realtime.streams import Reading

logger = logging.getLogger(__name__)

Unreachable = (redis.exceptions.RedisError, OSError)
CHECK_SECONDS = 5.0  # a hole with no message after it is found by comparing with the top of the streams
ON_ITS_WAY_SECONDS = 0.25  # what was published a moment ago may still come
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds before what could not be read is tried again


class Repair:
    """Reads for places that are behind, and gives their clients what they lack."""

    def __init__(self, members: Members, reader: Reader) -> None:
        self._members, self._reader = members, reader

    async def look_on(self) -> None:
        """Compare with the tops now and then."""
        with Loop("hub: the streams' tops", every_seconds=CHECK_SECONDS, away=Unreachable) as loop:
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                with loop.turn():
                    await self.look(ON_ITS_WAY_SECONDS)

    async def look(self, on_its_way_seconds: float = 0.0) -> None:
        """Compare every held stream with its top; who has not come to it after so long is behind."""
        there = [
            (stream, held, place, place.epoch) for stream, held in self._members.held.items() for place in held.places()
        ]
        found = await self._reader.read([(stream, None) for stream, *_ in there])
        if on_its_way_seconds:
            await asyncio.sleep(on_its_way_seconds)
        breath = Breath()
        for (stream, held, place, epoch), reading in zip(there, found, strict=True):
            is_there = self._members.held.get(stream) is held and place and not place.is_read
            if is_there and place.epoch == epoch and _is_short_of(place, reading):
                self._members.fall_behind(stream, held, place)
            await breath.taken()

    async def mend_on(self) -> None:
        """Read for whoever falls behind, as soon as they do."""
        pause = FIRST_PAUSE
        with Loop("hub: the streams' holes") as loop:
            while True:
                await self._members.is_behind.wait()
                with loop.turn():
                    try:
                        await self._mend_all(loop)
                        pause = FIRST_PAUSE
                        continue
                    except Unreachable as error:
                        logger.warning("holes in the streams can't be read yet: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _mend_all(self, loop: Loop) -> None:
        members = self._members
        behind, members.behind = [each for each in members.behind if self._waits(*each)], []
        members.is_behind.clear()
        try:
            found = await self._reader.read([(stream, place.position) for stream, place in behind])
        except BaseException:
            members.behind += behind
            members.is_behind.set()
            raise
        breath = Breath()
        for (stream, place), reading in zip(behind, found, strict=True):
            with loop.one(stream):
                if self._waits(stream, place):
                    self._mend(stream, members.held[stream], place, reading)
            await breath.taken()

    def _waits(self, stream: str, place: Place) -> bool:
        held = self._members.held.get(stream)
        return held is not None and place in held.read

    def _mend(self, stream: str, held: Held, place: Place, reading: Reading) -> None:
        if reading.to:
            held.end(place)
            self._members.move(stream, place, reading.to)
        elif place.epoch != reading.epoch:
            self._begin_epoch(stream, held, place, reading)
        elif (newer := held.newer(place, reading)) is None:
            self._read_again(stream, held, place)
        else:
            if place.seq < reading.seq:  # else the server has less than it had: who publishes begins an epoch
                self._give_back(place, reading)
                place.seq = reading.seq
            self._members.go_on(stream, place, newer)

    def _begin_epoch(self, stream: str, held: Held, place: Place, reading: Reading) -> None:
        """As it was announced; where that was lost, nobody knows the end of the one before, and this one is read."""
        if announced := held.announced(place, reading):
            self._members.go_on(stream, place, announced)
            return
        self._members.tell_lost_epoch(stream, place, reading.epoch)
        place.epoch, place.seq = reading.epoch, 0
        self._read_again(stream, held, place)

    def _read_again(self, stream: str, held: Held, place: Place) -> None:
        held.end(place)
        self._members.fall_behind(stream, held, place)

    def _give_back(self, place: Place, reading: Reading) -> None:
        """What the place lacks, to each of its clients as much as it has room for."""
        for mode, clients in ((LATEST, list(place.latest)), (EVERY, list(place.every))):
            missed = recovery.recover(reading, place.position, mode)
            told = missed.messages()
            for client in clients:
                with self._members.alone(client, reading.stream):
                    allowed = missed.within(_room(client, missed))
                    given = told if allowed is missed else allowed.messages()
                    if mode == EVERY or not newest_is_all(reading.stream):
                        metrics.STREAM_GAPS.inc(allowed.reason is not None)
                        self._members.queue_all(client, reading.stream, given)
                    if mode == LATEST and (newest_is_all(reading.stream) or allowed.reason):
                        self._show(client, place, reading)

    def _show(self, client: Client, place: Place, reading: Reading) -> None:
        """The newest, to who asked for no more or can't have more."""
        if reading.latest and kinds.of(reading.stream).is_cache and streams.seq_of(reading.latest) > place.seq:
            self._members.conflate(client, reading.stream, Encoded(reading.latest))


def _room(client: Client, missed: Recovery) -> int:
    """How much may be added to what waits for a client; one that reads takes first what does."""
    if missed.size > RECOVERY_BYTES - client.outbox.bytes:
        client.flush()
    return RECOVERY_BYTES - client.outbox.bytes


def _is_short_of(place: Place, reading: Reading) -> bool:
    return bool(reading.to) or place.epoch != reading.epoch or place.seq < reading.seq
