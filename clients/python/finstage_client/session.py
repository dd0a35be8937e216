"""What is asked for, where it is, and how long to wait before asking again. Knows no socket and no clock."""

import json
import random
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .protocol import FIRST_FINAL, MAX_FRAME_BYTES, MAX_SYMBOLS, Message

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
ROOM_BYTES = 8 * 1024  # of a frame, for what stands beside the positions


class Ended(Exception):
    """The server is not to be asked again: `code` says why, as its protocol has it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code, self.reason = code, reason


class Refused(Exception):
    """Nothing of what was asked for can be had, and waiting changes nothing: `code` is the error's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotNow(Exception):
    """The server could not answer for now; asking again can help."""


class Place(NamedTuple):
    epoch: str
    seq: int


class Session:
    """One subscription through all its connections."""

    def __init__(self, type: str, symbols: Iterable[str], **options: Any) -> None:
        """options: `interval`, `indicators` and `mode` of the subscription."""
        self._action = {"action": "subscribe", "type": type, **{k: v for k, v in options.items() if v is not None}}
        self._symbols = list(symbols)
        self._places: dict[str, Place] = {}
        self._told: set[str] = set()  # of the positions those that the server was told on this connection
        self._is_held = False  # something was asked for with success on this connection
        self._refusal: Refused | None = None
        self._number = self._attempts = 0
        self._after = 0.0

    def opening(self) -> Iterator[str]:
        """What to say on a new connection. Each has an id, which its answer brings back; the last one's comes behind
        all others.
        """
        self._told.clear()
        self._is_held, self._refusal = False, None
        since = self._since()
        for start in range(0, max(1, len(self._symbols)), MAX_SYMBOLS):
            self._number += 1
            action = {**self._action, "id": self._number, "since": since}
            if some := self._symbols[start : start + MAX_SYMBOLS]:
                action["symbols"] = some
            yield json.dumps(action)
        yield json.dumps({"action": "ping", "id": self._number})

    def hear(self, text: str | bytes) -> Iterator[Message]:
        """What a frame means to the caller. Raises NotNow, and Refused where there is nothing to wait for."""
        message = json.loads(text)
        handler = _HANDLERS.get(message["type"], Session._take)
        yield from handler(self, message)

    def closed(self, code: int | None, reason: str = "") -> None:
        """The connection is over. Raises Ended where that is for good."""
        if code is not None and FIRST_FINAL <= code < 5000:
            raise Ended(code, reason)

    def pause(self) -> float:
        """Seconds to wait before the next connection: longer each time, until one was good for something."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._attempts)
        self._attempts = min(self._attempts + 1, 16)
        after, self._after = self._after, 0.0
        return after + longest * random.uniform(0.5, 1)

    def _since(self) -> dict[str, dict]:
        """The positions, as many as a frame holds; what is left out and has moved is told as a gap."""
        found, room = {}, MAX_FRAME_BYTES - ROOM_BYTES - 40 * min(len(self._symbols), MAX_SYMBOLS)
        for stream, place in self._places.items():
            found[stream] = place._asdict()
            room -= len(json.dumps({stream: found[stream]})) + 2
            if room < 0:
                del found[stream]
                break
        self._told.update(found)
        return found

    # What comes

    def _subscribed(self, message: dict[str, Any]) -> Iterator[Message]:
        """What goes on is where it was, until what was missed has come."""
        self._is_held = True
        yield message
        for stream, state in message["streams"].items():
            now, before = Place(state["epoch"], state["seq"]), self._places.get(stream)
            if before is not None and stream in self._told:
                continue
            self._places[stream] = now
            if before is not None and before != now:
                first = before.seq + 1 if before.epoch == now.epoch else 0
                yield {"type": "gap", "stream": stream, "epoch": now.epoch, "from": first, "to": now.seq,
                       "reason": "limit"}  # fmt: skip

    def _take(self, message: dict[str, Any]) -> Iterator[Message]:
        stream, seq = message.get("stream"), message.get("seq")
        if message.get("replay"):  # of a past session, and numbered by itself
            stream = None
        elif message["type"] == "price_update":
            stream = "prices:" + message["symbol"].replace("/", "%2F")
        if seq is not None and (place := self._places.get(stream)) is not None:
            if seq <= place.seq:
                return
            self._places[stream] = Place(place.epoch, seq)
            self._attempts = 0  # an answer alone is good for nothing: a server may close whatever it answers
        yield message

    def _error(self, message: dict[str, Any]) -> Iterator[Message]:
        self._after = message.get("retry_after", self._after)
        if message["code"] in ("temporarily_unavailable", "rate_limited", "no_room"):
            raise NotNow(message["message"])
        self._refusal = Refused(message["code"], message["message"])
        yield message

    def _pong(self, message: dict[str, Any]) -> Iterator[Message]:
        """All that was asked is answered."""
        yield from ()
        if not self._is_held and self._refusal is not None:
            raise self._refusal

    def _epoch(self, message: dict[str, Any]) -> Iterator[Message]:
        self._places[message["stream"]] = Place(message["epoch"], message["seq"])
        yield message

    def _gap(self, message: dict[str, Any]) -> Iterator[Message]:
        self._places[message["stream"]] = Place(message["epoch"], message["to"])
        yield message

    def _renamed(self, message: dict[str, Any]) -> Iterator[Message]:
        if (place := self._places.pop(message["stream"], None)) is not None:
            self._places.setdefault(message["to"], place)
            self._told.add(message["to"])
        yield message

    def _unsubscribed(self, message: dict[str, Any]) -> Iterator[Message]:
        for stream in message["streams"]:
            self._places.pop(stream, None)
        yield message
        if message["reason"] == "rights_ended" and not message["subscriptions"]:
            raise Refused("rights_ended", f"The rights to {', '.join(message['streams'])} have ended.")

    def _server_shutdown(self, message: dict[str, Any]) -> Iterator[Message]:
        self._after = message["retry_after"]
        yield message


_HANDLERS = {
    "subscribed": Session._subscribed,
    "unsubscribed": Session._unsubscribed,
    "renamed": Session._renamed,
    "epoch": Session._epoch,
    "gap": Session._gap,
    "error": Session._error,
    "pong": Session._pong,
    "server_shutdown": Session._server_shutdown,
}
