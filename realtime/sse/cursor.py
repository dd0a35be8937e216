"""Where a reader is, by what was sent to it: what it was about to be sent is not what it has."""

from typing import Any

from realtime.kinds import PRICES
from realtime.sse import marks
from realtime.streams import Position

SHORT = 512  # characters of a mark that stands at every event, so that nothing comes twice: of 25 to 80 streams
SHARE = 4  # of a longer one what is sent between two is so many times as much, and may come again
OF_MANY = (
    "The id of so many streams is long: it stands now and then. What comes after it comes again, with the same seq."
)


class Cursor:
    """The positions of one reader, and when to tell it its mark."""

    def __init__(self, places: dict[str, Position]) -> None:
        self._places = places
        self._is_told = True
        self._told_bytes = self._bytes_since = 0
        self.is_sparing = False  # not every event has a mark of its own

    def follow(self, message: dict[str, Any], size: int) -> None:
        """A message goes out."""
        self._bytes_since += size
        if (move := _MOVES.get(message["type"])) is not None:
            move(self._places, message)
        elif isinstance(message.get("seq"), int):
            _advance(self._places, message)
        else:
            return
        self._is_told = False

    def due(self) -> str | None:
        """The mark of this event, if it is time for one."""
        is_due = self._told_bytes <= SHORT or self._bytes_since >= SHARE * self._told_bytes
        return self.mark() if is_due else None

    def mark(self) -> str | None:
        """The mark of now; None where the reader has it, or has nothing."""
        if self._is_told or not self._places:
            return None
        mark = marks.written(self._places)
        self._is_told, self._told_bytes, self._bytes_since = True, len(mark), 0
        self.is_sparing = len(mark) > SHORT
        return mark


def _advance(places: dict[str, Position], message: dict[str, Any]) -> None:
    stream = PRICES.of(message["symbol"]) if message["type"] == PRICES.message else message["stream"]
    if (place := places.get(stream)) is not None:
        places[stream] = Position(place.epoch, message["seq"])


def _subscribed(places: dict[str, Position], message: dict[str, Any]) -> None:
    """What begins here is where it says; what goes on is where it was, until what was missed has come."""
    for stream, state in message["streams"].items():
        places.setdefault(stream, Position(state["epoch"], state["seq"]))


def _unsubscribed(places: dict[str, Position], message: dict[str, Any]) -> None:
    for stream in message["streams"]:
        places.pop(stream, None)


def _renamed(places: dict[str, Position], message: dict[str, Any]) -> None:
    if (place := places.pop(message["stream"], None)) is not None:
        places.setdefault(message["to"], place)


def _epoch(places: dict[str, Position], message: dict[str, Any]) -> None:
    places[message["stream"]] = Position(message["epoch"], message["seq"])


def _gap(places: dict[str, Position], message: dict[str, Any]) -> None:
    places[message["stream"]] = Position(message["epoch"], message["to"])


_MOVES = {
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    "renamed": _renamed,
    "epoch": _epoch,
    "gap": _gap,
}
