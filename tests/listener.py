"""A client of the stream of prices that always comes back, and counts what it was not told of."""

import json
import threading
import time
from socket import SHUT_RDWR

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

STREAM = "prices:AAPL"
ACTION = {"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}


class Listener(threading.Thread):
    """A client that always comes back where it was cut off, and counts what it was not told of."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url, self.stop = f"ws://127.0.0.1:{port}/ws/realtime", threading.Event()
        self.place: dict | None = None
        self.heard = self.connections = 0
        self.gaps: list[dict] = []
        self.holes: list[tuple] = []
        self.socket: ClientConnection | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with connect(self.url, open_timeout=2) as socket:
                    self.connections += 1
                    self.socket = socket
                    self._listen(socket)
            except (OSError, ConnectionClosed, TimeoutError):
                time.sleep(0.1)

    def _listen(self, socket) -> None:
        self._ask(socket)
        while not self.stop.is_set():
            try:
                message = json.loads(socket.recv(0.5))
            except TimeoutError:
                continue
            if message.get("code") == "temporarily_unavailable":
                time.sleep(0.2)
                self._ask(socket)
            self._take(message)

    def _ask(self, socket) -> None:
        since = {"since": {STREAM: self.place}} if self.place else {}
        socket.send(json.dumps({**ACTION, **since}))

    def _take(self, message: dict) -> None:
        match message:
            case {"type": "subscribed", "streams": streams} if self.place is None:
                self.place = {name: streams[STREAM][name] for name in ("epoch", "seq")}
            case {"type": "epoch", "stream": stream, "epoch": epoch, "seq": seq} if stream == STREAM:
                self.place = {"epoch": epoch, "seq": seq}
            case {"type": "gap", "stream": stream, "epoch": epoch, "to": to} if stream == STREAM:
                self.gaps.append(message)
                self.place = {"epoch": epoch, "seq": to}
            case {"type": "price_update", "seq": seq}:
                if seq != self.place["seq"] + 1:
                    self.holes.append((self.place["seq"], seq))
                self.place["seq"] = seq
                self.heard += 1

    def cut(self) -> None:
        """End the connection as a network does: without a word of farewell."""
        self.socket.socket.shutdown(SHUT_RDWR)
