"""Ten thousand frames that mean harm, each answered, while another client does not notice."""

import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle

import pytest
from websockets.sync.client import connect

from realtime import streams
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.chaos.stream_ground import SYMBOLS, alert
from tests.server import Running, upgraded

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
FRAMES, CLIENTS, A_CONNECTION, SECONDS = 10_000, 4, 12, 1.0
CONTROLS = 20
TEXT, BINARY, CONTINUED = 0x1, 0x2, 0x0


def frame(data: bytes, opcode: int = TEXT, *, is_last: bool = True) -> bytes:
    head = bytes([opcode | (0x80 if is_last else 0)])
    size = len(data)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    mask = b"\x01\x02\x03\x04"
    whole = int.from_bytes(mask * (size // 4 + 1))
    masked = (int.from_bytes(data + bytes(-size % 4 or 4)) ^ whole).to_bytes(size // 4 * 4 + 4)[:size]
    return head + mask + masked


class Frames:
    """Frames by a grammar of what a client may say, broken in one way or another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shapes = cycle((self.action, self.broken, self.bytes, self.deep, self.huge, self.twice, self.odd))

    def one(self) -> bytes:
        chance = self.random
        data = next(self.shapes)()
        match chance.randrange(10):
            case 0 if data:
                cuts = sorted(chance.sample(range(len(data)), min(len(data), chance.randint(1, 4))))
                parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
                frames = [frame(parts[0], is_last=False)]
                frames += [frame(part, CONTINUED, is_last=False) for part in parts[1:-1]]
                return b"".join([*frames, frame(parts[-1], CONTINUED)])
            case 1:
                return frame(data, BINARY)
        return frame(data)

    def value(self, depth: int = 0) -> object:
        chance = self.random
        kinds = [
            lambda: chance.choice([None, True, False, 0, -1, 1 << 70, 1e308, "", "AAPL", "*", "\x00", "é" * 5, "S00"]),
            lambda: chance.random(),
            lambda: "".join(chr(chance.randrange(0x20, 0xD7FF)) for _ in range(chance.randrange(20))),
        ]
        if depth < 3:
            kinds.append(lambda: [self.value(depth + 1) for _ in range(chance.randrange(4))])
            kinds.append(lambda: {str(self.value(3)): self.value(depth + 1) for _ in range(chance.randrange(4))})
        return chance.choice(kinds)()

    def _said(self) -> dict:
        chance = self.random
        found = {
            "action": chance.choice(
                [
                    "subscribe",
                    "unsubscribe",
                    "get_current_prices",
                    "configure",
                    "ping",
                    "replay",
                    "authenticate",
                    "x",
                    3,
                ]
            ),
            "type": chance.choice(["prices", "bars", "alerts", "all", "jobs", "system", "nothing", None, []]),
            "symbols": chance.choice([["S00"], ["*"], SYMBOLS, [], ["NONE"], "S00", [3], {"S00": 1}]),
            "since": chance.choice([{}, {"prices:S00": {"epoch": "x", "seq": 3}}, {"prices:S00": 3}, [], {"": {}}]),
            "mode": chance.choice(["every", "latest", "x", 1]),
            "id": chance.choice([1, "a", "a" * 1000, None, {}, 1 << 62]),
        }
        for name in chance.sample(sorted(found), chance.randrange(len(found))):
            if chance.random() < 0.5:
                del found[name]
            else:
                found[name] = self.value()
        return found

    def action(self) -> bytes:
        return json.dumps(self._said()).encode()

    def broken(self) -> bytes:
        data = bytearray(self.action())
        for _ in range(self.random.randint(1, 4)):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        return bytes(data)

    def bytes(self) -> bytes:
        return self.random.randbytes(self.random.randrange(200))

    def deep(self) -> bytes:
        depth = self.random.choice([10, 33, 900, 20_000])
        return b'{"action":"ping","id":' + b"[" * depth + b"]" * depth + b"}"

    def huge(self) -> bytes:
        return b'{"action":"ping","x":"' + b"a" * self.random.choice([60_000, 70_000, 1_500_000]) + b'"}'

    def twice(self) -> bytes:
        return b'{"action":"ping","action":"subscribe","type":"prices"}'

    def odd(self) -> bytes:
        return self.random.choice(
            [
                b"NaN",
                b'{"action":"ping","id":NaN}',
                b"-Infinity",
                b"",
                b" ",
                b"[]",
                b'"ping"',
                b"{}",
                b"\xff\xfe",
                b"1e999",
            ]
        )


def harm(web: Running, count: int, seed: int) -> Counter:
    """Send so many frames, a few on each connection. Returns how they were answered."""
    frames, answers = Frames(seed), Counter()
    client: socket.socket | None = None
    sent = 0
    for _ in range(count):
        if client is None or sent == A_CONNECTION:
            if client is not None:
                client.close()
            client, sent = upgraded(web, "/ws/realtime"), 0
            client.settimeout(SECONDS)
            read_one(client)  # connected
        sent += 1
        answers[ask(client, frames.one())] += 1
        if answers["closed"] > sum(answers.values()) or is_closed(client):
            client.close()
            client = None
    return answers


def ask(client: socket.socket, data: bytes) -> str:
    try:
        client.sendall(data)
    except OSError:
        return "closed"
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            opcode, text = read_one(client)
        except TimeoutError:
            break
        except (OSError, EOFError):
            return "closed"
        if opcode == 8:
            return f"closed with {int.from_bytes(text[:2])}"
        kind = json.loads(text)["type"]
        if kind not in ("service_status", "price_update", "alert"):
            return json.loads(text).get("code", kind)
    return "NOTHING"


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.settimeout(SECONDS)


def read_one(client: socket.socket) -> tuple[int, bytes]:
    head = read(client, 2)
    size = head[1]
    if size == 126:
        size = int.from_bytes(read(client, 2))
    elif size == 127:
        size = int.from_bytes(read(client, 8))
    return head[0] & 0xF, read(client, size)


def read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (piece := client.recv(size - len(data))):
            raise EOFError
        data += piece
    return data


@dataclass
class Seen:
    answers: Counter
    faults: list[str]  # in the server's log
    heard: list[int]  # by another client meanwhile


def send_harm(web: Running, count: int) -> Seen:
    heard = []
    with connect(stream_ground.url(web), max_queue=None, ping_interval=None) as control:
        control.send(json.dumps({"action": "subscribe", "type": "alerts", "symbols": SYMBOLS[:1]}))
        while json.loads(control.recv(30))["type"] != "subscribed":
            pass
        publishing = threading.Thread(target=publish, args=(1 if count == FRAMES else 0.1,))
        publishing.start()
        with ThreadPoolExecutor(CLIENTS) as threads:
            answers = sum(threads.map(lambda seed: harm(web, count // CLIENTS, seed), range(CLIENTS)), Counter())
        publishing.join()
        while len(heard) < CONTROLS:
            message = json.loads(control.recv(30))
            heard += [message["seq"]] if message["type"] == "alert" else []
    return Seen(answers, re.findall(r"Traceback|ERROR|CRITICAL|Unhandled", web.log.read_text()), heard)


def publish(every_seconds: float) -> None:
    for number in range(CONTROLS):
        streams.publish([alert(SYMBOLS[0], number)])
        time.sleep(every_seconds)


def test_each_of_ten_thousand_hostile_frames_is_answered_and_another_client_does_not_notice(server):
    count = times(FRAMES)
    with stream_ground.web(server) as web:
        seen = send_harm(web, count)
    report(
        "hostile frames",
        f"{count} by a grammar, cut, fragmented, binary, huge, deep, with keys twice and numbers that are none",
        f"each answered within {SECONDS:g} s, nothing unhandled in the log, another client hears all {CONTROLS}",
        f"{seen.answers['NOTHING']} not answered, {len(seen.faults)} faults in the log, {len(seen.heard)} heard; "
        f"{dict(seen.answers.most_common())}",
    )
    assert seen.answers["NOTHING"] == 0
    assert seen.faults == []
    assert seen.heard == list(range(1, CONTROLS + 1))
    assert {"invalid", "malformed", "binary", "too_deep", "oversized", "duplicate_key"} <= set(seen.answers)


def test_hostile_frames_that_are_believed_leave_faults_in_the_log(server):
    with stream_ground.web(server, "checks") as web:
        assert send_harm(web, 80).faults
