"""What the tests' real clients say and hear on `/ws/realtime` is held against the schema, in both directions."""

import json
from collections.abc import Collection
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from websockets.sync.client import ClientConnection

from realtime import messages

PATH = "/ws/realtime"
MADE_UP = {"bench", "chaos"}  # folders of tests that publish words of their own, for their size or their number
OF_ITSELF = {"alert", "signal", "news"}  # whose id is their own, and no request's
OF_SHAPE = {"malformed", "unknown_action", "unknown_type", "too_many_symbols"}  # refusals of what the schema forbids


is_on = True


class Talk:
    """One connection. wrong: the ids of frames that the schema forbids; has_fields: prices come without some fields."""

    def __init__(self) -> None:
        self.wrong: list[Any] = []
        self.has_fields = False

    def said(self, frame: Any) -> None:
        action = _read(frame)
        name = action.get("action") if isinstance(action, dict) else None
        if (
            not isinstance(name, str)
            or name not in messages.ACTIONS
            or not _validator("actions", name).is_valid(action)
        ):
            self.wrong.append(action.get("id") if isinstance(action, dict) else None)
        elif name == "configure":
            self.has_fields |= action.get("fields") is not None

    def heard(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "price_update" and self.has_fields:
            _validator("price_of_fields").validate(message)
        else:
            _validator("messages", kind).validate(message)
        if kind == "error":
            assert self.wrong or message["code"] not in OF_SHAPE, f"what the schema allows was refused: {message}"
        elif kind not in OF_ITSELF and message.get("id") is not None:
            assert message["id"] not in self.wrong, f"what the schema forbids was answered: {message}"


def turn(folders: Collection[str], *, has_made_up: bool) -> None:
    """Listen, or not, to a test in these folders; has_made_up: it says that it publishes words of its own."""
    global is_on
    is_on = not has_made_up and MADE_UP.isdisjoint(folders)


def listen() -> None:
    """From now on, for every client of `websockets.sync` in this process."""
    recv, send = ClientConnection.recv, ClientConnection.send

    def heard(self: ClientConnection, *arguments: Any, **options: Any) -> Any:
        frame = recv(self, *arguments, **options)
        if _is_ours(self) and isinstance(frame, str):
            _talk(self).heard(json.loads(frame))
        return frame

    def said(self: ClientConnection, message: Any, *arguments: Any, **options: Any) -> None:
        if _is_ours(self):
            _talk(self).said(message)
        send(self, message, *arguments, **options)

    ClientConnection.recv, ClientConnection.send = heard, said


def _talk(connection: ClientConnection) -> Talk:
    if not hasattr(connection, "talk"):
        connection.talk = Talk()
    return connection.talk


def _is_ours(connection: ClientConnection) -> bool:
    return is_on and connection.request is not None and connection.request.path.partition("?")[0] == PATH


def _read(frame: Any) -> Any:
    try:
        return json.loads(frame) if isinstance(frame, str) else None
    except ValueError:
        return None


@cache
def _validator(*path: str) -> Draft202012Validator:
    shape = messages.schema()["$defs"]
    for name in path:
        shape = shape[name]
    return Draft202012Validator(shape)
