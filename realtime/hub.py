"""The fan-out: one hub a web process, with one subscription to the live channel, for all sockets of the process.

A price goes to a stream's subscribers at the next flush: at once after a quiet time, else 100 ms after the last one,
the newest of each stream only. What must not be lost is queued for each client in order. The hub knows the last `seq`
of every stream that somebody holds: a hole, a lost connection to Redis or another epoch is read again from the history,
and what the history no longer has is told as a `gap`. Everything runs on the event loop's thread.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import redis.exceptions

from monitoring import heartbeats
from monitoring import redis as connection
from monitoring.loops import Loop
from realtime import messages, pulse, recovery, streams, visitors
from realtime.clients import Client
from realtime.flusher import Flusher
from realtime.outbox import Encoded
from realtime.recovery import (
    EVERY,
    LATEST,
    RECOVERY_LIMIT,
    Recovery,
    is_cache,
    is_price,
    public,
)
from realtime.streams import Line, Position, Reading

logger = logging.getLogger(__name__)

CHECK_SECONDS = 5.0  # a hole with no message after it is found by comparing with the top of the streams
WATCH_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds before the live channel is tried again
SETTLED_SECONDS = 1.0  # a connection that lived this long was one: the next pause is the first again
STEPS, STEP_SECONDS = 20, 0.02
STATUS_SECONDS = 2.0  # a store that says nothing for so long is out of reach

Unreachable = (redis.exceptions.RedisError, OSError)


@dataclass(slots=True)
class Held:
    """A stream that somebody here holds: where it is, and who holds it in which way."""

    epoch: str
    seq: int
    latest: set[Client] = field(default_factory=set)
    every: set[Client] = field(default_factory=set)

    def clients(self) -> list[Client]:
        return [*self.latest, *self.every]


class Hub:
    """All clients of this process and the streams they hold."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.held: dict[str, Held] = {}
        self.status: messages.Service | None = None  # None until it is known
        self._flusher = Flusher(self._who_wants_the_newest, self.detach)
        self._tasks: list[asyncio.Task] = []
        self._redis = None
        self._repair = asyncio.Lock()
        self._repairing = Loop("hub: the streams' holes")
        self._waiting: list[Line] | None = None  # lines that came while holes are read again

    # A client comes, asks and goes.

    def attach(self, client: Client) -> None:
        """Count a client in; the first one opens the subscription."""
        self.clients.add(client)
        if not self._tasks:
            self._redis = connection.async_client()
            self._tasks = [asyncio.create_task(work()) for work in (self._listen, self._check, self._watch)]

    def detach(self, client: Client) -> None:
        self.clients.discard(client)
        self._flusher.forget(client)
        for stream in [*client.held, *client.joining]:
            self._release(client, stream)

    async def subscribe(
        self, client: Client, asked: dict[str, str], since: dict[str, Position], *, id: str | int | None = None
    ) -> None:
        """Let a client hold streams (name -> mode) from the given positions, and answer it. All or nothing.

        What comes while the history is read waits and follows it; a stream that is taken from the client meanwhile is
        not given back. Raises redis' errors; the client then holds what it held before.
        """
        for stream in asked:
            client.joining[stream] = []
            self._hold(client, stream, asked[stream])
        try:
            found = await self._read_in_step({stream: since.get(stream) for stream in asked})
        except BaseException:
            self._undo(client, asked)
            raise
        if moved := {stream: found[stream].to for stream in asked if found[stream].to}:
            self._undo(client, moved)
            for stream in moved.keys() & since.keys():
                client.say(messages.renamed(stream, moved[stream]))
            asked, since = ({moved.get(name, name): of for name, of in those.items()} for those in (asked, since))
            await self.subscribe(client, asked, since, id=id)
            return
        asked = {stream: mode for stream, mode in asked.items() if stream in client.joining}
        found = {stream: found[stream] for stream in asked}
        client.held.update(asked)
        returned = [recovery.recover(found[name], since[name], asked[name]) for name in asked if name in since]
        returned = recovery.within_limits(returned)
        client.outbox.add(_answer(client, found, returned, id))
        for each in returned:
            for message in each.messages():
                client.outbox.add(message, each.stream)
        for stream in asked:
            self._catch_up(client, found[stream], client.joining.pop(stream, []))
        self.answer(client)

    def unsubscribe(self, client: Client, names: list[str], reason: str, *, id: str | int | None = None) -> None:
        """Take streams from a client, with what waits of them, and tell it so."""
        if client not in self.clients:
            return
        for stream in names:
            self._release(client, stream)
        client.outbox.forget(set(names))
        ended, left = sorted(map(public, names)), sorted(map(public, client.held))
        client.say(messages.unsubscribed(ended, left, reason) | ({} if id is None else {"id": id}))
        self.answer(client)

    def tell_status(self, client: Client) -> None:
        """Say what can come to this client; as soon as it is known, where it isn't yet."""
        if self.status is not None:
            client.say(messages.service_status(self.status, datetime.now(UTC)))
            self.answer(client)

    def answer(self, client: Client) -> None:
        """Something was said to this client: send it now, or as soon as it reads."""
        if not client.flush():
            self._flusher.touch(client)

    async def shutdown(self, *, retry_after: float = 1.0) -> None:
        """Tell every client that the server stops, close it with a code that says so, and stop."""
        for number, client in enumerate(list(self.clients)):
            try:
                client.say(messages.server_shutdown(round(retry_after * (1 + number / max(len(self.clients), 1)), 2)))
                client.flush()
                await client.close(messages.CLOSE["server_shutdown"])
            except Exception:  # the last line of defence: the others are told too
                logger.exception("client %s could not be told of the end", client.client_id)
        for task in self._tasks:
            task.cancel()
        if self._redis is not None:
            await self._redis.aclose()

    def _hold(self, client: Client, stream: str, mode: str) -> None:
        held = self.held.get(stream)
        if held is None:
            held = self.held[stream] = Held(epoch="", seq=0)
        held.latest.discard(client)
        held.every.discard(client)
        (held.latest if mode == LATEST else held.every).add(client)

    def _undo(self, client: Client, asked: Iterable[str]) -> None:
        for stream in asked:
            client.joining.pop(stream, None)
            if stream in client.held:
                self._hold(client, stream, client.held[stream])
            else:
                self._release(client, stream)
                client.outbox.drop(stream)

    def _release(self, client: Client, stream: str) -> None:
        client.held.pop(stream, None)
        client.joining.pop(stream, None)
        client.floors.pop(stream, None)
        held = self.held.get(stream)
        if held is None:
            return
        held.latest.discard(client)
        held.every.discard(client)
        if not held.latest and not held.every:
            del self.held[stream]
            self._flusher.drop(stream)

    def _catch_up(self, client: Client, reading: Reading, waited: list[Line]) -> None:
        """Bring the stream's own position to where it was read, and give the client what came meanwhile."""
        held, newer = self.held[reading.stream], recovery.newer(reading, waited)
        if not held.epoch:
            held.epoch, held.seq = reading.epoch, reading.seq
            for line in newer:  # they have passed the hub already
                held.epoch, held.seq = line.epoch, 0 if streams.EPOCH in line.flags else line.seq
        elif held.epoch == reading.epoch and held.seq < reading.seq:
            client.floors[reading.stream] = reading.seq
        for line in newer:
            if streams.RENAMED in line.flags:
                self._move(client, line)
                return
            message = _epoch(line) if streams.EPOCH in line.flags else Encoded(line.body, line.seq)
            client.outbox.add(message, line.stream)

    # Messages come from Redis.

    async def _listen(self) -> None:
        """Follow the live channel for ever; after every (re)connection read again what was missed."""
        pause = FIRST_PAUSE
        with Loop("hub: the live channel") as loop:
            while True:
                began = time.monotonic()
                try:
                    await self._follow(loop)
                except Unreachable as error:
                    logger.warning("the live channel is out of reach, next try in %.1f s: %s", pause, error)
                except Exception as error:  # noqa: BLE001 - everybody's prices come through here
                    loop.fail(error)
                pause = FIRST_PAUSE if time.monotonic() - began > SETTLED_SECONDS else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _follow(self, loop: Loop) -> None:
        """Subscribe, and hand on what comes until the connection ends."""
        # An idle channel is no failure: only the health check may end a silent connection.
        client = connection.async_client(socket_timeout=None)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(streams.channel())
                await self._repair_all()
                while True:
                    message = await subscription.get_message(timeout=CHECK_SECONDS)
                    with loop.turn():
                        for line in streams.lines(message["data"]) if message else ():
                            with loop.one(line.stream):
                                self._accept(line)
        finally:
            await client.aclose()

    async def _check(self) -> None:
        """A message lost on the way and followed by silence would go unnoticed: compare with the top now and then."""
        with Loop("hub: the streams' tops", every_seconds=CHECK_SECONDS, away=Unreachable) as loop:
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                with loop.turn():
                    await self._repair_all()

    async def _watch(self) -> None:
        """Tell every client when prices can't come, and when they can again."""
        with Loop("hub: the feed's sign of life", every_seconds=WATCH_SECONDS, away=Unreachable) as loop:
            while True:
                with loop.turn():
                    status = await self._status()
                    if status != self.status:
                        self.status = status
                        for client in list(self.clients):
                            with loop.one(client.client_id):
                                self.tell_status(client)
                await asyncio.sleep(WATCH_SECONDS)

    async def _status(self) -> messages.Service:
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                sign = await self._redis.hget(heartbeats.key(), "feed")
        except Unreachable:
            return {"redis": False, **pulse.service(None)}
        return {"redis": True, **pulse.service(sign)}

    def _accept(self, line: Line, *, is_reread: bool = False) -> None:
        if streams.RENAMED in line.flags:
            visitors.forget_names()
        held = self.held.get(line.stream)
        if held is None:
            return
        if self._waiting is not None:
            self._waiting.append(line)
        elif streams.RENAMED in line.flags:
            self._rename(held, line)
        elif not held.epoch:
            self._give(held, line)  # only joining clients hold it yet: each sorts it out with what it read
        elif line.epoch == held.epoch and (line.seq <= held.seq or streams.EPOCH in line.flags):
            return
        elif streams.EPOCH in line.flags or (line.epoch == held.epoch and line.seq == held.seq + 1):
            self._give(held, line)
        elif not is_reread or line.epoch == held.epoch:  # else it is of an epoch that has ended
            self._waiting = [line]
            self._tasks.append(asyncio.create_task(self._repair_holes()))

    def _give(self, held: Held, line: Line) -> None:
        """Pass a message that comes next to everybody who holds its stream."""
        begins = streams.EPOCH in line.flags
        lost = None
        if begins and held.epoch and held.seq < line.seq:
            lost = messages.gap(public(line.stream), held.epoch, held.seq + 1, line.seq, "epoch_changed")
        if held.epoch:
            held.epoch, held.seq = line.epoch, 0 if begins else line.seq
        for client in held.clients():
            if line.stream in client.joining:
                client.joining[line.stream].append(line)
        self._flusher.drop(line.stream)  # it is older, also a forming bar than its final one
        if begins:
            if lost is not None:
                self._queue(held.clients(), line.stream, Encoded(messages.encode(lost)))
            self._queue(held.clients(), line.stream, _epoch(line))
        elif streams.CONFLATED in line.flags:
            message = Encoded(line.body, line.seq)
            self._flusher.newest(line.stream, message)
            self._queue(held.every, line.stream, message)
        else:
            self._queue(held.clients(), line.stream, Encoded(line.body, line.seq))

    def _rename(self, held: Held, line: Line) -> None:
        """A stream goes on under another name: who holds it holds it by that one, where it was; who joins it later."""
        self._flusher.hand_out(line.stream)
        for client in held.clients():
            if line.stream in client.joining:
                client.joining[line.stream].append(line)
            else:
                self._move(client, line)

    def _move(self, client: Client, line: Line) -> None:
        """Tell a client of a stream's new name, and let it hold that."""
        old, new = line.stream, line.body.decode()
        held, mode, floor = self.held[old], client.held[old], client.floors.get(old)
        client.outbox.add(Encoded(messages.encode(messages.renamed(old, new))), old)
        self._flusher.touch(client)
        there = self.held.setdefault(new, Held(held.epoch, held.seq))
        if there.epoch not in ("", held.epoch):  # joined by the new name before the stream had moved there
            began = messages.encode(messages.epoch(new, held.epoch, held.seq))
            self._queue(there.clients(), new, Encoded(began))
        if there.epoch != held.epoch:
            there.epoch, there.seq = held.epoch, held.seq
        self._release(client, old)
        client.held[new] = mode
        self._hold(client, new, mode)
        if floor is not None:
            client.floors[new] = floor

    def _queue(self, clients: Iterable[Client], stream: str, message: Encoded) -> None:
        for client in list(clients):
            try:
                if stream not in client.joining and not client.has(stream, message.seq):
                    client.outbox.drop(stream)
                    client.outbox.add(message, stream)
                    self._flusher.touch(client)
            except Exception:  # the last line of defence: one socket must not keep a message from the others
                logger.exception("client %s could not be given %s", client.client_id, stream)
                self.detach(client)

    # Holes are read again.

    async def _repair_holes(self) -> None:
        try:
            await self._repair_all()
        except Unreachable as error:
            logger.warning("a hole in the streams can't be read yet: %s", error)  # the next message finds it again
        except Exception as error:  # noqa: BLE001 - the next look at the tops finds it again
            self._repairing.fail(error)
        finally:
            self._tasks.remove(asyncio.current_task())

    async def _repair_all(self) -> None:
        """Compare every held stream with its top and give what is missing, then what came meanwhile."""
        async with self._repair:
            positions = {name: Position(held.epoch, held.seq) for name, held in self.held.items() if held.epoch}
            if self._waiting is None:
                self._waiting = []
            try:
                for reading in (await self._read(positions)).values() if positions else ():
                    if (held := self.held.get(reading.stream)) is not None:
                        with self._repairing.one(reading.stream):
                            self._close_hole(held, reading)
                waited = self._waiting
            finally:
                self._waiting = None
        for line in waited:
            self._accept(line, is_reread=True)

    def _close_hole(self, held: Held, reading: Reading) -> None:
        if reading.to:
            self._rename(held, Line(reading.stream, held.epoch, held.seq, streams.RENAMED, reading.to.encode()))
            return
        missed = recovery.recover(reading, Position(held.epoch, held.seq), EVERY)
        if (held.epoch, held.seq) == (reading.epoch, reading.seq):
            return
        if missed.reason is None:
            for body in reading.missed:
                line = Line(reading.stream, reading.epoch, streams.seq_of(body), _flags(reading.stream), body)
                self._give(held, line)
        else:
            self._tell_gap(held, reading, missed)
        had = held.seq if held.epoch == reading.epoch else 0
        held.epoch, held.seq = reading.epoch, reading.seq
        if reading.latest and is_cache(reading.stream) and (seq := streams.seq_of(reading.latest)) > had:
            self._flusher.newest(reading.stream, Encoded(reading.latest, seq))

    def _tell_gap(self, held: Held, reading: Reading, missed: Recovery) -> None:
        if held.epoch != reading.epoch:
            began = _epoch(Line(reading.stream, reading.epoch, 0, streams.EPOCH, b""))
            self._queue(held.clients(), reading.stream, began)
        # Who asked for the newest price only does not miss the ones between.
        concerned = held.every if is_price(reading.stream) else held.clients()
        for message in missed.messages():
            self._queue(concerned, reading.stream, message)

    async def _read_in_step(self, positions: dict[str, Position | None]) -> dict[str, Reading]:
        """As `_read`, once the hub is in the same epochs: what is still on its way of an ended one must not follow."""
        for _ in range(STEPS):
            found = await self._read(positions)
            here = {name: held.epoch for name in found if (held := self.held.get(name)) is not None}
            if all(found[name].to or epoch in ("", found[name].epoch) for name, epoch in here.items()):
                return found
            await asyncio.sleep(STEP_SECONDS)
        await self._repair_all()
        return await self._read(positions)

    async def _read(self, positions: dict[str, Position | None]) -> dict[str, Reading]:
        script, arguments = streams.reading_script(positions, RECOVERY_LIMIT)
        answer = await self._redis.eval(script, 0, *arguments)
        return streams.readings(positions, answer)

    def _who_wants_the_newest(self, stream: str) -> Iterable[Client]:
        held = self.held.get(stream)
        return held.latest if held else ()


def _answer(client: Client, found: dict[str, Reading], returned: list[Recovery], id: str | int | None) -> Encoded:
    """`subscribed`: positions, all that the client holds now, and the newest of each stream that starts here."""
    recovered = {each.stream for each in returned if each.reason is None}
    head = {
        "type": "subscribed",
        "streams": {
            public(stream): {"epoch": reading.epoch, "seq": reading.seq, "recovered": stream in recovered}
            for stream, reading in found.items()
        },
        "subscriptions": sorted(public(stream) for stream in client.held),
        **({} if id is None else {"id": id}),
    }
    snapshot = [
        reading.latest
        for stream, reading in found.items()
        if reading.latest and stream not in recovered and is_cache(stream)
    ]
    return Encoded(messages.encode(head)[:-1] + b',"snapshot":[' + b",".join(snapshot) + b"]}")


def _epoch(line: Line) -> Encoded:
    return Encoded(messages.encode(messages.epoch(public(line.stream), line.epoch)))


def _flags(stream: str) -> str:
    return streams.KEPT + (streams.CONFLATED if is_price(stream) else "")
