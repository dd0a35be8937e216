"""A receiver on a socket of its own, which does as its path says: what goes over the wire is real."""

import socket
import ssl
import threading
import time


class Receiver:
    """`/status/302?to=..`, `/drip`, `/drip-heads`, `/hang`, `/large`, `/reset`; all else is 200 with what was sent."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.is_over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_) -> None:
        self.is_over.set()
        self._listening.close()

    def _accept(self) -> None:
        while not self.is_over.is_set():
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[taken], daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        try:
            with taken if self._context is None else self._context.wrap_socket(taken, server_side=True) as line:
                self._answer(line)
        except OSError:
            return

    def _answer(self, line: socket.socket) -> None:
        head, body = self._asked(line)
        path = head.split(b" ")[1].decode()
        act, _, rest = path.removeprefix("/").partition("/")
        getattr(self, f"_{act.replace('-', '_')}", self._echo)(line, rest, body)

    def _asked(self, line: socket.socket) -> tuple[bytes, bytes]:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += _some(line)
        head, _, body = asked.partition(b"\r\n\r\n")
        lengths = [each.split(b":")[1] for each in head.split(b"\r\n") if each.lower().startswith(b"content-length")]
        while len(body) < (int(lengths[0]) if lengths else 0):
            body += _some(line)
        self.heard.append(head + b"\r\n\r\n" + body)
        return head, body

    def _echo(self, line: socket.socket, _: str, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)

    def _status(self, line: socket.socket, rest: str, _: bytes) -> None:
        status, _, to = rest.partition("?to=")
        head = f"HTTP/1.1 {status} -\r\nLocation: {to}\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n"
        line.sendall(head.encode() + b"no")

    def _hang(self, *_) -> None:
        self.is_over.wait(30)

    def _reset(self, line: socket.socket, *_) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def _drip(self, line: socket.socket, *_) -> None:
        self._go_on(line, b"HTTP/1.1 200 OK\r\n\r\n", b".", 0.05)

    def _drip_heads(self, line: socket.socket, *_) -> None:
        self._go_on(line, b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05)

    def _large(self, line: socket.socket, *_) -> None:
        self._go_on(line, b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n", b"x" * 65_536, 0)

    def _go_on(self, line: socket.socket, first: bytes, part: bytes, seconds: float) -> None:
        line.sendall(first)
        while not self.is_over.is_set():
            line.sendall(part)
            time.sleep(seconds)


def _some(line: socket.socket) -> bytes:
    if part := line.recv(65_536):
        return part
    raise ConnectionResetError("it left before it had said all")
