"""Real server processes for tests, and clients that behave badly on purpose."""

import json
import os
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from tests import forks
from tests.forks import Forked

START_SECONDS = 120


@dataclass(frozen=True)
class Running:
    """A server process under test."""

    port: int
    process: Forked
    log: Path

    def connect(self, *, receive_buffer: int | None = None) -> socket.socket:
        """A bare connection; with a small buffer it soon has no room for what it does not read."""
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        return client

    def get(self, path: str, **headers: str) -> tuple[int, dict, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _lower(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            return answer.status, _lower(answer.headers), answer.read()

    def json(self, path: str) -> dict:
        return json.loads(self.get(path)[2])

    def cpu(self) -> float:
        """Seconds that the server has computed so far; a busy machine does not count."""
        return time.clock_gettime(~self.process.pid << 3 | 2)  # Linux's clock of another process

    def gauge(self, name: str) -> float:
        lines = self.get("/metrics")[2].decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    def memory(self) -> int:
        """Resident bytes of the server."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def in_kernel(self) -> int:
        """Bytes that it has written to all its clients and the kernel has not delivered."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(int(sizes.partition(":")[0], 16) for _, here, _, state, sizes, *_ in lines
                   if here.endswith(f":{self.port:04X}") and state == "01")  # fmt: skip


@contextmanager
def running(*command: str, at: int | None = None, **environment: str) -> Iterator[Running]:
    """A process started with `command` and `--port`, ready to answer. at: the port, where it matters which."""
    port = at or _free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        # All clients of a test come from one address.
        own = {"FINSTAGE_VAR": folder, "FINSTAGE_CONNECTIONS_PER_ADDRESS": "0"}
        environment = {**os.environ, **own, **environment}
        process = forks.start([*command, "--port", str(port)], environment, log)
        server = Running(port, process, log)
        try:
            _wait(server)
            yield server
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _lower(headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _wait(server: Running) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except OSError:
            if server.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start: {server.log.read_text()[-3000:]}") from None
        time.sleep(0.05)


def answer(client: socket.socket) -> tuple[int, dict]:
    """The status and the JSON that came back over a bare connection."""
    response = HTTPResponse(client)
    response.begin()
    return response.status, json.loads(response.read())


def upgraded(server: Running, path: str, **options) -> socket.socket:
    """A bare connection that has become a WebSocket, of which nobody reads anything."""
    client = server.connect(**options)
    client.sendall(handshake(path))
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += client.recv(1)
    assert b" 101 " in seen.split(b"\r\n")[0]
    return client


def handshake(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def frame(text: bytes) -> bytes:
    """A text frame as clients send it: masked, here with zeros."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text


def eventually(condition, *, seconds: float = 60) -> bool:
    """Whether the condition comes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False
