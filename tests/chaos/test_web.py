"""Clients of the web process that mean harm, while others use it."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

import pytest
from websockets.sync.client import connect

from tests.chaos.jobs_ground import report
from tests.forms import DEAR, MULTIPART, NAMED, post
from tests.server import Running, answer, eventually, running, upgraded

pytestmark = pytest.mark.chaos
COOKIE = f"Cookie: csrftoken={'a' * 32}\r\n"
FREEZING = MULTIPART, b"--B\r\n" + NAMED + b'; b="' + b";" * 80_000 + b"\r\n\r\nx\r\n--B--\r\n"  # for 9 s
PING = bytes([0x89, 0x80 | 100, 0, 0, 0, 0]) + b"p" * 100
EMPTY_FRAGMENT = bytes([0x00, 0x80, 0, 0, 0, 0])
TOO_MANY = (4013).to_bytes(2, "big")
FLOOD_SECONDS, PATIENT_SECONDS = 10, 20
SOCKETS = 10_000
HALF = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbegin"


@dataclass
class Waits:
    """What one well-behaved client waited for each of its answers, in seconds."""

    all: list[float] = field(default_factory=list)

    def longest(self, share: float = 1.0) -> float:
        """The longest of this share, the shortest first."""
        return sorted(self.all)[max(0, int(len(self.all) * share) - 1)]

    def __str__(self) -> str:
        return f"95 % of {len(self.all)} within {self.longest(0.95) * 1000:.0f} ms, all in {self.longest():.2f} s"


@contextmanager
def asking(ask: Callable[[], object]) -> Iterator[Waits]:
    """Somebody asks all the time, in a thread."""
    waits, is_over = Waits(), threading.Event()

    def go() -> None:
        while not is_over.wait(0.02):
            began = time.monotonic()
            with contextlib.suppress(OSError, TimeoutError):
                ask()
            waits.all.append(time.monotonic() - began)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield waits
    finally:
        is_over.set()
        thread.join()


@contextmanager
def weakened(name: str, without: str = "") -> Iterator[Running]:
    with running("-m", "tests.chaos.web_weakened", name, CHAOS_WITHOUT=without) as server:
        server.get("/health/live")
        yield server


# Bodies


def test_forms_that_are_dear_to_parse_delay_nobody():
    bodies = [post("/nothing/here", *form) for form in DEAR.values()]
    bodies += [post("/admin/login/", *form, head=COOKIE) for form in DEAR.values()]
    waits = send_bodies(bodies)
    report(
        "forms that cost a parser more than their size",
        f"{len(bodies)} posts of 1 MiB in {len(DEAR)} shapes, on a path that reads no form and on one that does",
        "95 % of another client's /health/live within 100 ms, all within 1 s",
        str(waits),
    )
    assert waits.longest(0.95) < 0.1
    assert waits.longest() < 1


def test_where_forms_are_parsed_as_they_arrive_one_of_80_kb_stops_everybody():
    assert send_bodies([post("/nothing/here", *FREEZING)], without="bytes").longest() > 1


def send_bodies(bodies: list[bytes], without: str = "") -> Waits:
    with weakened("web", without) as server, asking(lambda: server.get("/health/live")) as waits:
        for body in bodies:
            client = server.connect()
            client.settimeout(60)
            client.sendall(body)
            assert client.recv(100).startswith(b"HTTP/1.1 4")
    return waits


# Pings and fragments


@pytest.mark.parametrize("small", [PING, EMPTY_FRAGMENT], ids=["pings", "empty fragments"])
def test_floods_of_small_frames_are_closed_and_delay_nobody(small):
    waits, floods, closed = flood(small)
    report(
        "floods of pings or of empty fragments",
        f"three clients send as fast as they can for {FLOOD_SECONDS} s and come back a second after each close",
        "each of their connections closed with 4013, 95 % of another client's pings answered within 100 ms",
        f"{closed} of {floods} closed with 4013, {waits}",
    )
    assert closed == floods
    assert waits.longest(0.95) < 0.1


def test_without_a_limit_to_small_frames_nobody_is_closed():
    assert not flood(PING, without="limit_to_small_frames")[2]


def flood(small: bytes, without: str = "") -> tuple[Waits, int, int]:
    """What another client waited; how many flooding connections there were, and how many were closed for it."""
    begin = bytes([0x01, 0x80, 0, 0, 0, 0]) if small is EMPTY_FRAGMENT else b""
    until = time.monotonic() + FLOOD_SECONDS
    with (
        weakened("transports", without) as server,
        connect(f"ws://127.0.0.1:{server.port}/echo", proxy=None) as other,
        asking(lambda: other.ping().wait(PATIENT_SECONDS)) as waits,
        ThreadPoolExecutor(3) as threads,
    ):
        ends = list(chain(*threads.map(lambda _: flooding(server, begin, small, until), range(3))))
    return waits, len(ends), sum(TOO_MANY in end for end in ends)


def flooding(server: Running, begin: bytes, small: bytes, until: float) -> list[bytes]:
    """How each connection of one client ended."""
    ends = []
    while time.monotonic() < until:
        client = upgraded(server, "/echo")
        client.settimeout(0.01)
        ends.append(_flood_one(client, begin, small * 1000, until))
        client.close()
        time.sleep(1)
    return ends


def _flood_one(client: socket.socket, begin: bytes, data: bytes, until: float) -> bytes:
    """All that came back, until the connection ends or the time is over."""
    came, left = b"", begin + data
    while time.monotonic() < until:
        try:
            left = left[client.send(left) :] or data
        except TimeoutError:
            pass
        except OSError:
            return came[-1000:]
        try:
            if not (piece := client.recv(100_000)):
                return came[-1000:]
            came = came[-1000:] + piece
        except TimeoutError:
            pass
        except OSError:
            return came[-1000:]
    return came[-1000:]


# Connections that come and go


def test_ten_thousand_sockets_leave_nothing_behind_and_the_timeouts_go_on():
    kept, status = open_and_close(SOCKETS)
    report(
        "sockets that come and go",
        f"{SOCKETS} opened and closed, then half a request",
        "no object of them left, and the request refused with 408",
        f"{kept or 'none'} left, {status}",
    )
    assert not kept
    assert status == 408


def test_without_handing_over_each_socket_leaves_its_request_behind():
    assert open_and_close(200, without="handing_over")[0]


def test_without_a_watch_half_a_request_waits_for_ever():
    assert open_and_close(20, without="watch")[1] is None


def open_and_close(count: int, without: str = "") -> tuple[dict[str, int], int | None]:
    """How many objects of each type are more than before, and what half a request is answered within 10 s."""
    with weakened("transports", without) as server:
        before = server.json("/objects")
        for _ in range(count):
            upgraded(server, "/echo").close()

        def kept() -> dict[str, int]:
            now = server.json("/objects")
            return {name: now[name] - held for name, held in before.items() if now[name] > held + 5}

        eventually(lambda: not kept(), seconds=10)
        client = server.connect()
        client.settimeout(10)
        client.sendall(HALF)
        try:
            return kept(), answer(client)[0]
        except TimeoutError:
            return kept(), None
