"""Who holds which stream, and what each message of it means to them: lines come in, and outboxes fill."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from monitoring import metrics
from realtime import kinds, messages, streams
from realtime.clients import Client
from realtime.flusher import Flusher
from realtime.frames import Encoded
from realtime.kinds import ALL, public
from realtime.places import NOBODY, Held, Place
from realtime.streams import Line

logger = logging.getLogger(__name__)


class Members:
    """The streams that are held in this process, and where their clients are in them."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.sent = 0  # messages, to clients that have gone
        self.held: dict[str, Held] = {}
        self.flusher = Flusher(self._in_step, self.leave)
        self.behind: list[tuple[str, Place]] = []  # places whose stream must be read again
        self.is_behind = asyncio.Event()

    # Clients come and go.

    def leave(self, client: Client) -> None:
        if client in self.clients:
            self.clients.discard(client)
            self.sent += client.message_count
        self.flusher.forget(client)
        for stream in list(client.places):
            self.release(client, stream)
        client.end()

    def release(self, client: Client, stream: str) -> None:
        """The client holds a stream no longer, and is not about to."""
        place = client.places.pop(stream, None)
        if place is None or (held := self.held.get(stream)) is None:
            return
        place.discard(client)
        if not place:
            self._clear(held, place)
        self._let_go(stream)

    def begin(self, client: Client, stream: str, mode: str) -> Place:
        """A place of its own for a client that joins a stream or asks for it anew: it is read, and what comes waits."""
        held = self.held.setdefault(stream, Held())
        place = Place()
        if (before := client.places.get(stream)) is not None:
            if before is held.main:
                self.flusher.hand_out(stream)
            place.epoch, place.seq = before.epoch, before.seq
            before.discard(client)
            if not before:
                self._clear(held, before)
        place.add(client, mode)
        client.places[stream] = place
        held.begin(place)
        return place

    # Messages come.

    def accept(self, line: Line) -> None:
        """One message of the subscription, for all who hold its stream."""
        if (held := self.held.get(line.stream)) is None:
            return
        before, main = held.main.epoch, held.main
        if streams.RENAMED in line.flags:
            self._rename(line.stream, held, line.body.decode())
        elif line.epoch == main.epoch:
            self._go_on(held, line)
        else:
            self._enter(held, line)
        if held.apart:
            self._compare(held, line, before)
        held.remember(line)

    def go_on(self, stream: str, place: Place, lines: Iterable[Line]) -> None:
        """A place was read: give it what came meanwhile, and let it join whoever is where it is then."""
        held = self.held[stream]
        held.end(place)
        for line in lines:
            if streams.RENAMED in line.flags:
                self.move(stream, place, line.body.decode())
                return
            self._follow(held, place, line)
            if place.is_read:  # there is a hole in that too
                return
        if place:
            self._settle(stream, held, place)

    def _go_on(self, held: Held, line: Line) -> None:
        """A message of the epoch in which the subscription is."""
        main = held.main
        if streams.EPOCH in line.flags or line.seq <= main.seq:
            return
        if line.seq > main.seq + 1 and main and not _may_skip(main, line):
            self.fall_behind(line.stream, held, main)
        main.seq = line.seq
        if main:
            self._give(main, line, in_step=True)

    def _enter(self, held: Held, line: Line) -> None:
        """A message of another epoch than the one before it: announced, or the announcement was lost on the way."""
        main, begins = held.main, streams.EPOCH in line.flags
        if main and begins:
            self._tell_epoch(main, line)
        elif main:
            self.fall_behind(line.stream, held, main)
        main.epoch, main.seq = line.epoch, 0 if begins else line.seq

    def _compare(self, held: Held, line: Line, before: str) -> None:
        """What a message means to those who are not in step; before: the epoch in which the subscription was."""
        for place in list(held.apart):
            if place.epoch in (line.epoch, before):
                self._follow(held, place, line)
            elif line.epoch != before:
                self.fall_behind(line.stream, held, place)  # which of the two epochs is later, a reading tells
            if not place.is_read and place.is_at(held.main):
                held.apart.remove(place)
                self._settle(line.stream, held, place)

    def _follow(self, held: Held, place: Place, line: Line) -> None:
        """A message for a place that is not in step: it has it already, it comes next, or there is a hole before it."""
        begins = streams.EPOCH in line.flags
        if line.epoch != place.epoch:
            if begins:
                self._tell_epoch(place, line)
                place.epoch, place.seq = line.epoch, 0
            else:
                self.fall_behind(line.stream, held, place)
        elif not begins and line.seq > place.seq:
            if line.seq > place.seq + 1 and not _may_skip(place, line):
                self.fall_behind(line.stream, held, place)
                return
            place.seq = line.seq
            self._give(place, line, in_step=False)

    # A hole

    def fall_behind(self, stream: str, held: Held, place: Place) -> None:
        """A place lacks something: its clients wait until it is read, and what comes from now on waits for them."""
        if place is held.main:
            self.flusher.hand_out(stream)
            place = Place(place.epoch, place.seq, place.latest, place.every)
            held.main.latest = held.main.every = NOBODY
            for client in place:
                client.places[stream] = place
        elif place in held.apart:
            held.apart.remove(place)
        held.begin(place)
        self.ask_for(stream, place)

    def ask_for(self, stream: str, place: Place) -> None:
        """The stream is to be read for a place that waits."""
        self.behind.append((stream, place))
        self.is_behind.set()

    # Another name

    def _rename(self, stream: str, held: Held, new: str) -> None:
        """Who holds a stream holds it by its new name, where they were; who is read is told by the reading."""
        self.flusher.hand_out(stream)
        main = held.main
        if main.epoch:
            self._succeed(new, main)
        for place in held.places():
            self.move(stream, place, new)
        self._let_go(new)  # who is read holds it only then, and may leave before

    def _succeed(self, new: str, main: Place) -> None:
        """The stream of that name, if there was one, is another now: who joined it before is in an epoch that ended."""
        there = self.held.setdefault(new, Held())
        if there.main.epoch == main.epoch:
            return
        ended = there.main.epoch
        for place in there.places():
            ended = place.epoch
            self.fall_behind(new, there, place)
        there.remember(Line(new, main.epoch, 0, streams.EPOCH, ended.encode()))
        there.main.epoch, there.main.seq = main.epoch, main.seq

    def move(self, stream: str, place: Place, new: str) -> None:
        """Tell clients of a stream's new name, and let them hold that."""
        moved = Place(place.epoch, place.seq)
        told = Encoded(messages.encode(messages.renamed(stream, new)))
        there = self.held.setdefault(new, Held())
        for client in place:
            mode = place.mode(client)
            self.release(client, stream)
            if (known := client.places.get(new)) is None or known.epoch != moved.epoch:
                self.release(client, new)
                self.held[new] = there
                moved.add(client, mode)
                client.places[new] = moved
            self.queue([client], stream, told)
        if moved:
            self._settle(new, there, moved)
        self._let_go(new)

    # What is given to whom

    def _give(self, place: Place, line: Line, *, in_step: bool) -> None:
        message = Encoded(line.body)
        if streams.CONFLATED not in line.flags:
            self._give_all(place, line, message, in_step=in_step)
        elif in_step:
            self.flusher.add(line.stream, message, newest_only=not place.every)
        else:
            for client in list(place.latest):
                self.conflate(client, line.stream, message)
            self.queue(place.every, line.stream, message)

    def _give_all(self, place: Place, line: Line, message: Encoded, *, in_step: bool) -> None:
        """What must not be lost; what it replaces, as a final bar does the forming one, must not follow it."""
        is_over = streams.ASIDE not in line.flags
        if in_step:
            self.flusher.hand_out(line.stream, is_over=is_over)
        if is_over:
            for client in list(place.latest):
                with self.alone(client, line.stream):
                    client.drop(line.stream)
        self.queue(place, line.stream, message)

    def _tell_epoch(self, place: Place, line: Line) -> None:
        """An epoch begins; what its clients lack of the one before can't be had any more."""
        self.flusher.hand_out(line.stream)
        if line.body.decode() != place.epoch:
            self.tell_lost_epoch(line.stream, place, line.epoch)
            return
        if place.seq < line.seq:
            lost = messages.gap(public(line.stream), place.epoch, place.seq + 1, line.seq, "epoch_changed")
            self._tell_gap(line.stream, place, lost)
        self._tell_begun(line.stream, place, line.epoch)

    def tell_lost_epoch(self, stream: str, place: Place, epoch: str) -> None:
        """An epoch has begun, and how far the one went that its clients were in nobody heard."""
        self._tell_begun(stream, place, epoch)
        self._tell_gap(stream, place, messages.gap(public(stream), epoch, 0, 0, "epoch_changed", had=place.position))

    def _tell_begun(self, stream: str, place: Place, epoch: str) -> None:
        self.queue(place, stream, Encoded(messages.encode(messages.epoch(public(stream), epoch))))

    def _tell_gap(self, stream: str, place: Place, lost: dict[str, Any]) -> None:
        metrics.STREAM_GAPS.inc(len(missing := list(concerned(place, stream))))
        self.queue(missing, stream, Encoded(messages.encode(lost)))

    def queue(self, clients: Iterable[Client], stream: str, message: Encoded) -> None:
        """Let what must not be lost wait for clients, and not for the next flush."""
        for client in list(clients):
            self.queue_all(client, stream, [message])

    def queue_all(self, client: Client, stream: str, found: Iterable[Encoded]) -> None:
        with self.alone(client, stream):
            for message in found:
                client.add(message, stream)
            self.flusher.urge(client)

    def conflate(self, client: Client, stream: str, message: Encoded) -> None:
        """Let the newest of a stream wait for a client, in place of what does."""
        with self.alone(client, stream):
            client.conflate(stream, message)
            self.flusher.touch(client)

    @contextmanager
    def alone(self, client: Client, stream: str) -> Iterator[None]:
        """Give one of many what is theirs: one that breaks leaves."""
        try:
            yield
        except Exception:  # the last line of defence: one socket must not keep a message from the others
            logger.exception("client %s could not be given %s", client.client_id, stream)
            self.leave(client)

    # Places

    def _settle(self, stream: str, held: Held, place: Place) -> None:
        """Let a place join the one that is where it is, or stand apart."""
        if place.is_at(held.main):
            self.flusher.hand_out(stream)  # what waits for those who were there is not for those who come
            other = held.main
        elif (other := next((each for each in held.apart if each.is_at(place)), None)) is None:
            held.apart.append(place)
            return
        for client in place:
            client.places[stream] = other
        other.take_in(place)

    def _clear(self, held: Held, place: Place) -> None:
        """A place that nobody is at any more."""
        if place.is_read:
            held.end(place)
        elif place in held.apart:
            held.apart.remove(place)

    def _let_go(self, stream: str) -> None:
        """Forget a stream that nobody holds."""
        if not self.held.get(stream, True):
            self.held.pop(stream)

    def _in_step(self, stream: str) -> Place | None:
        return held.main if (held := self.held.get(stream)) is not None else None


def newest_is_all(stream: str) -> bool:
    """Who asked for the newest only does not miss the messages between."""
    return kinds.of(stream).conflated == ALL


def concerned(place: Place, stream: str) -> Iterable[Client]:
    """Who misses a message that does not come."""
    return place.every if newest_is_all(stream) else place


def _may_skip(place: Place, line: Line) -> bool:
    """Nobody here misses what lies before this message."""
    return not place.every and newest_is_all(line.stream)
