"""A client asks for streams: it is answered with where they are, what it missed and what comes from there on."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monitoring import metrics
from realtime import kinds, messages, naming, recovery
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.hub.members import Members, newest_is_all
from realtime.hub.reading import Reader
from realtime.kinds import public
from realtime.places import LATEST, Place
from realtime.recovery import Recovery
from realtime.streams import Line, Position, Reading

PIECE_BYTES = 48 * 1024  # of an answer; a larger one comes in several
ROOM_SECONDS = 0.05  # a client for whom too much waits is looked at so often before it is answered

Found = dict[str, tuple[Reading, list[Line]]]


@dataclass(frozen=True, slots=True)
class Heading:
    """What an answer says of its question: the id that it came with, and the symbols that are to come."""

    id: str | int | None = None
    starting: Sequence[str] = ()


class Joining:
    """Lets clients hold streams. What comes while a stream is read waits, and follows the answer.

    tell: hears which streams are held, as some are told sooner then. is_recorded: whether a recording is played, which
    has less to tell.
    """

    def __init__(
        self,
        members: Members,
        reader: Reader,
        tell: Callable[[Iterable[str]], None],
        is_recorded: Callable[[], bool],
    ) -> None:
        self._members, self._reader, self._tell, self._is_recorded = members, reader, tell, is_recorded

    async def subscribe(
        self, client: Client, asked: dict[str, str], since: dict[str, Position], heading: Heading
    ) -> None:
        """All or nothing; but a stream that is taken from the client meanwhile is not given back.

        Raises redis' errors; the client then holds what it held before.
        """
        await self.has_room(client)
        if client not in self._members.clients:
            return
        before = {stream: place.mode(client) for stream in asked if (place := client.places.get(stream)) is not None}
        places = {stream: self._members.begin(client, stream, mode) for stream, mode in asked.items()}
        self._tell(asked)
        try:
            found = await self._read(client, places, since)
        except BaseException:
            self._give_up(client, places, before)
            raise
        moved = {stream: reading.to for stream, (reading, _) in found.items() if reading.to}
        if not moved:
            self._answer(client, {stream: places[stream] for stream in found}, found, since, heading)
            return
        self._give_up(client, places, before)
        for stream, new in moved.items():
            self._members.release(client, stream)
            had = places[stream].position  # of who held it already: it goes on from there
            if had and new not in client.places:
                since = {stream: had} | since
            if had or stream in since:
                client.say(messages.renamed(stream, new))
        asked, since = ({moved.get(name, name): of for name, of in those.items()} for those in (asked, since))
        await self.subscribe(client, asked, since, heading)

    async def has_room(self, client: Client) -> None:
        """Until so little waits for a client that more may, or it is gone."""
        while client.outbox.is_full and client in self._members.clients:
            await asyncio.sleep(ROOM_SECONDS)

    async def _read(self, client: Client, places: dict[str, Place], since: dict[str, Position]) -> Found:
        """The streams that it is still about to join, each with what came after its reading."""
        readings: dict[str, Reading] = {}
        while True:
            there = [stream for stream, place in places.items() if client.places.get(stream) is place]
            left = [stream for stream in there if stream not in readings]
            # Who held a stream already lacks nothing of it, though it asks for nothing that was.
            positions = [(stream, since.get(stream) or places[stream].position) for stream in left]
            readings |= dict(zip(left, await self._reader.read(positions), strict=True)) if left else {}
            there = [stream for stream in there if client.places.get(stream) is places[stream]]
            found = {stream: (readings[stream], self._newer(stream, places, readings)) for stream in there}
            unclear = [stream for stream, (_, newer) in found.items() if newer is None]
            if not unclear:
                return found
            for stream in unclear:
                del readings[stream]
                self._members.held[stream].begin(places[stream])

    def _newer(self, stream: str, places: dict[str, Place], readings: dict[str, Reading]) -> list[Line] | None:
        if readings[stream].to:
            return []
        return self._members.held[stream].newer(places[stream], readings[stream])

    def _give_up(self, client: Client, places: dict[str, Place], before: dict[str, str]) -> None:
        """As it was: who held a stream goes on where it was, once that can be read."""
        for stream, place in places.items():
            if client.places.get(stream) is not place:
                continue
            if not place.epoch:
                self._members.release(client, stream)
                continue
            place.discard(client)
            place.add(client, before[stream])
            self._members.ask_for(stream, place)

    def _answer(
        self,
        client: Client,
        places: dict[str, Place],
        found: Found,
        since: dict[str, Position],
        heading: Heading,
    ) -> None:
        client.forget(places.keys() & since.keys())  # the answer begins where it says it is
        for stream, place in places.items():
            if stream not in since and place.epoch:
                self._go_up_to(client, place, found[stream][0])
        returned = [
            recovery.recover(found[stream][0], since[stream], place.mode(client))
            for stream, place in places.items()
            if stream in since
        ]
        returned = recovery.within_limits(returned)
        for stream, (reading, _) in found.items():
            places[stream].epoch, places[stream].seq = reading.epoch, reading.seq
        readings, is_recorded = [reading for reading, _ in found.values()], self._is_recorded()
        for piece in _pieces(readings, returned, client.held, heading, is_recorded=is_recorded):
            client.add(piece)
        metrics.STREAM_GAPS.inc(sum(each.reason is not None for each in returned))
        for each in returned:
            for message in each.messages():
                client.add(message, each.stream)
        for stream, (_, newer) in found.items():
            self._members.go_on(stream, places[stream], newer)

    def _go_up_to(self, client: Client, place: Place, reading: Reading) -> None:
        """What a client has not got yet of a stream that it holds and asks for again: the answer says it is further."""
        if place.mode(client) == LATEST and newest_is_all(reading.stream):
            return
        missed = recovery.recover(reading, place.position, place.mode(client))
        metrics.STREAM_GAPS.inc(missed.reason is not None)
        told = missed.messages()
        if told and kinds.of(reading.stream).is_cache and told[-1].body == reading.latest:
            told.pop()  # the answer brings it
        for message in told:
            client.add(message, reading.stream)


def _pieces(
    readings: list[Reading],
    returned: list[Recovery],
    held: list[str],
    heading: Heading,
    *,
    is_recorded: bool,
) -> Iterable[Encoded]:
    """`subscribed`: positions, all that the client holds now, and the newest of each stream that starts here.

    What would be too large for one message comes in several, all but the last with `more`; the last says what is held.
    """
    recovered = {each.stream for each in returned if each.reason is None}
    states, snapshot, size, is_silent = {}, [], 0, bool(readings)
    for reading in readings:
        state = {"epoch": reading.epoch, "seq": reading.seq, "recovered": reading.stream in recovered}
        is_shown = reading.latest and reading.stream not in recovered and kinds.of(reading.stream).is_cache
        grows = len(reading.stream) + 80 + (len(reading.latest) if is_shown else 0)
        if naming.is_published(reading.stream, is_recorded=is_recorded):
            is_silent = False
        else:
            state["published"] = False
        if states and size + grows > PIECE_BYTES:
            yield _piece(states, snapshot, {"more": True}, heading.id)
            states, snapshot, size = {}, [], 0
        states[public(reading.stream)] = state
        snapshot += [reading.latest] if is_shown else []
        size += grows
    held_now = {"subscriptions": sorted(map(public, held))}
    held_now |= {"starting": list(heading.starting)} if heading.starting else {}
    yield _piece(states, snapshot, held_now | ({"published": False} if is_silent else {}), heading.id)


def _piece(states: dict[str, dict], snapshot: list[bytes], more: dict, id: str | int | None) -> Encoded:
    head = {"type": "subscribed", "streams": states, **more, **({} if id is None else {"id": id})}
    return Encoded(messages.encode(head)[:-1] + b',"snapshot":[' + b",".join(snapshot) + b"]}")
