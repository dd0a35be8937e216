"""A reader of server-sent events that knows no more than the standard says, and can be killed at any byte."""

import json
import socket
from http.client import HTTPResponse
from typing import Self

from tests.conftest import LiveWeb

PATH = "/api/v2/stream/"


class Reader:
    """One answer that lasts. last: the id that a browser would bring back; comments and retry as they came."""

    def __init__(self, web: LiveWeb, query: str, last: str = "", method: str = "GET", **headers: str) -> None:
        self.last, self.retry, self.comments = last, 0, []
        self.socket = socket.create_connection(("127.0.0.1", web.port), timeout=30)
        said = {"Host": f"127.0.0.1:{web.port}", **({"Last-Event-ID": last} if last else {}), **headers}
        lines = [f"{method} {PATH}?{query} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin1"))
        self.answer = HTTPResponse(self.socket, method=method)
        self.answer.begin()
        self.status = self.answer.status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def kill(self) -> None:
        """As a network does: without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.answer.close()
        self.socket.close()

    def problem(self) -> dict:
        return json.loads(self.answer.read())

    def next(self) -> dict | None:
        """The next message; None at the end. An event that is not whole is none."""
        data, mark = [], self.last
        while line := self.answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if line == b"\n":
                self.last = mark
                if data:
                    return json.loads("\n".join(data))
            elif not name or name == ":":
                self.comments.append(value)
            elif name == "data":
                data.append(value)
            elif name == "id":
                mark = value
            elif name == "retry":
                self.retry = int(value)
        return None

    def until(self, kind: str) -> dict:
        while (message := self.next()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"the answer ended before {kind}")
