"""What clients have of a stream: one value, compared with every message that is handed over.

Clients that have the same of a stream share one place, so that a message is compared once for all of them and not once
a client. A stream that somebody holds has the place up to which the subscription has delivered it, whose clients are in
step with it, and places apart: of clients that were told a reading which is ahead of the subscription. Nothing but what
the subscription delivers moves the first; a place apart joins it when it comes by.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from realtime import streams
from realtime.streams import Line, Position, Reading

Client = Any  # whoever it is
NOBODY: Set[Client] = frozenset()  # of many places nobody is in one of the two modes

LATEST, EVERY = "latest", "every"
MOST_RECENT = 4096  # messages that wait while a stream is read; who waits for longer is read again


@dataclass(slots=True, eq=False)
class Place:
    """Clients that have all of `epoch` up to `seq`; an empty epoch: they have nothing yet.

    began, was: while it is read, how many messages the stream had brought before, and in which epoch it was then.
    """

    epoch: str = ""
    seq: int = 0
    latest: Set[Client] = NOBODY
    every: Set[Client] = NOBODY
    began: int | None = None
    was: str = ""

    def __bool__(self) -> bool:
        return bool(self.latest or self.every)

    def __iter__(self) -> Iterator[Client]:
        yield from list(self.latest)
        yield from list(self.every)

    @property
    def position(self) -> Position | None:
        return Position(self.epoch, self.seq) if self.epoch else None

    @property
    def is_read(self) -> bool:
        """It waits for a reading, and what the subscription delivers meanwhile waits too."""
        return self.began is not None

    def add(self, client: Client, mode: str) -> None:
        self._let_in({client}, mode)

    def mode(self, client: Client) -> str:
        return LATEST if client in self.latest else EVERY

    def discard(self, client: Client) -> None:
        if client in self.latest:
            self.latest.discard(client)
        elif client in self.every:
            self.every.discard(client)

    def take_in(self, other: "Place") -> None:
        """Whoever is at the other place is here from now on."""
        self._let_in(other.latest, LATEST)
        self._let_in(other.every, EVERY)
        other.latest = other.every = NOBODY

    def _let_in(self, clients: Set[Client], mode: str) -> None:
        if (there := getattr(self, mode)) is NOBODY:
            setattr(self, mode, clients)
        else:
            there |= clients

    def is_at(self, other: "Place") -> bool:
        return self.epoch == other.epoch and self.seq == other.seq


@dataclass(slots=True, eq=False)
class Held:
    """A stream that somebody here holds.

    main: up to where the subscription has delivered it, and who is in step. apart: places ahead of that. read: places
    that wait for a reading. recent: the messages that came while there are any; count: how many came ever.
    """

    main: Place = field(default_factory=Place)
    apart: list[Place] = field(default_factory=list)
    read: set[Place] = field(default_factory=set)
    recent: list[Line] = field(default_factory=list)
    count: int = 0

    def __bool__(self) -> bool:
        return bool(self.main or self.apart or self.read)

    def places(self) -> Iterator[Place]:
        """Where its clients are, those that wait for a reading apart."""
        if self.main:
            yield self.main
        yield from list(self.apart)

    def begin(self, place: Place) -> None:
        """From now on what comes waits until the place was read."""
        self.read.add(place)
        place.began, place.was = self.count, self.main.epoch

    def end(self, place: Place) -> None:
        self.read.discard(place)
        place.began = None
        if not self.read:
            self.recent.clear()

    def remember(self, line: Line) -> None:
        """Count a message, and let it wait for whoever is read."""
        self.count += 1
        if self.read:
            self.recent.append(line)
            if len(self.recent) > MOST_RECENT:
                del self.recent[: MOST_RECENT // 2]

    def newer(self, place: Place, reading: Reading) -> list[Line] | None:
        """Of what came since the place began to be read, that which the reading lacks; None: nobody can tell."""
        came = self._came(place)
        return None if came is None else newer(reading, came, place.was)

    def announced(self, place: Place, reading: Reading) -> list[Line]:
        """What came from the announcement on of the one epoch that has begun since the place's own, if one has.

        Then it says how far that went, and the reading that it is the later one.
        """
        came = self._came(place) or []
        begins = [at for at, line in enumerate(came) if streams.EPOCH in line.flags and line.epoch != place.epoch]
        return came[begins[0] :] if len(begins) == 1 and came[begins[0]].epoch == reading.epoch else []

    def _came(self, place: Place) -> list[Line] | None:
        """What came since the place began to be read; None: so much that it is not there any more."""
        came = self.count - place.began
        return None if came > len(self.recent) else self.recent[len(self.recent) - came :]


def newer(reading: Reading, lines: Sequence[Line], was: str) -> list[Line] | None:
    """Of the messages that came since a reading was asked for, those that it lacks.

    was: the epoch in which they came before; empty where that is unknown. An epoch that is neither that nor the
    reading's may have begun before the reading or after it: then None, and another reading can tell.
    """
    epoch, is_there, found = was, was == reading.epoch, []
    for line in lines:
        if streams.RENAMED in line.flags:
            found.append(line)
            continue
        if line.epoch != epoch:
            if line.epoch == reading.epoch:
                is_there, found = True, []
            elif not is_there:
                return None
            epoch = line.epoch
        is_held = line.epoch == reading.epoch and (streams.EPOCH in line.flags or line.seq <= reading.seq)
        if is_there and not is_held:
            found.append(line)
    return found
