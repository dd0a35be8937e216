"""Thousands of clients of one web process: how many, how much memory for each, how late, and how soon they are in.

All is measured on the server as it is set by default.
"""

import time
from dataclasses import dataclass

import pytest

from tests.bench.evidence import Evidence, Line
from tests.bench.stream import rounds, updates
from tests.bench.stream.ground import Ground
from tests.bench.stream.rounds import SCALE, Contender

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROUNDS, SECONDS = max(1, round(5 * SCALE)), max(0.3, 2 * SCALE)
AT_ONCE = max(20, round(1000 * SCALE))
FIRST, MANY, MOST = (max(4, round(number * SCALE)) for number in (100, 5_000, 10_000))
OFFERED = max(100, round(100_000 * SCALE))  # updates a second to MANY clients together
TOGETHER = 200  # clients that are on their way at once, where that is not the question
LEAVE_SECONDS = 1.0


@dataclass(frozen=True)
class Crowd:
    """What was seen of one server. p99: milliseconds of each round; memory: bytes a connection."""

    p99: list[float]
    delivered: list[float]
    connected: int
    memory: float
    told_all: float  # which part of the last updates reached everybody


@pytest.fixture(scope="module")
def entered(stream_ground: Ground) -> list[dict]:
    """Clients that connect and subscribe at once, to a server that nobody uses, by turns."""
    server, told = stream_ground.start_ours("entered"), []
    for _ in range(ROUNDS):
        with stream_ground.clients(server, rounds.asking(AT_ONCE), at_once=AT_ONCE) as clients:
            told.append(clients.answered())
        time.sleep(LEAVE_SECONDS)
    return told


@pytest.fixture(scope="module")
def crowd(entered, stream_ground: Ground) -> Crowd:
    server, texts = stream_ground.start_ours("crowd"), rounds.asking(MOST, mode="latest")
    rate = OFFERED / (MANY * rounds.HELD / updates.SYMBOLS)
    made = rounds.contender(stream_ground, server, texts[:FIRST], "lua", rate)
    made.measure(SECONDS)
    before = server.memory()
    _enter(stream_ground, made, texts[FIRST:MANY])
    found = [made.measure(SECONDS) for _ in range(ROUNDS)]
    _enter(stream_ground, made, texts[MANY:], may_lack=True)
    last = made.measure(SECONDS)
    connected = len(texts) - last.gone
    memory = (server.memory() - before) / max(connected - FIRST, 1)
    told_all = last.updates / (last.offered * connected / len(texts))
    return Crowd([one.p99 for one in found], [one.delivered for one in found], connected, memory, told_all)


def _enter(on: Ground, crowd: Contender, texts: list[str], *, may_lack: bool = False) -> None:
    clients = on.clients(crowd.server, texts, at_once=TOGETHER)
    clients.answered() if may_lack else clients.require_all()
    crowd.clients = [*crowd.clients, clients]
    crowd.held_by += len(texts) * rounds.HELD / updates.SYMBOLS


def test_clients_that_come_at_once_are_all_answered(entered, crowd, stream_evidence):
    what = f"{AT_ONCE:,} clients connect and subscribe at once, until the last is answered"
    _judge(stream_evidence, what, [told["seconds"] for told in entered], "s", 2, 1)
    assert [told["ready"] for told in entered] == [AT_ONCE] * ROUNDS


def test_many_clients_wait_for_a_price(crowd, stream_evidence):
    _judge(stream_evidence, f"{MANY:,} clients, {OFFERED:,} updates/s offered, p99", crowd.p99, "ms", 250, 120)
    assert min(crowd.delivered) > 0.99


def test_how_many_connect(crowd, stream_evidence):
    what, gate = "clients connected to one process (20,000 are not tried)", MOST
    line = Line(what, [crowd.connected], [gate], "clients", gate, 2 * gate, gates_ours=True)
    assert stream_evidence.add(line).reaches(gate)
    assert crowd.told_all > 0.99


def test_the_memory_of_a_connection(crowd, stream_evidence):
    _judge(stream_evidence, f"memory of each of {crowd.connected:,}", [crowd.memory / 1024], "KB", 36, 28)


def _judge(evidence: Evidence, what: str, ours: list[float], unit: str, gate: float, goal: float) -> None:
    marks = {"is_smaller_better": True, "gates_ours": True}
    line = evidence.add(Line(what, ours, [gate] * len(ours), unit, gate, goal, **marks))
    assert line.reaches(gate)
