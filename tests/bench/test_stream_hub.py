"""What the hub costs alone: conflated far beyond what leaves, the Lua call in front of it, and two web processes."""

import sys
import time
from datetime import UTC, date, datetime

import pytest
from django.conf import settings

from market.prices import SECOND, Quote
from realtime import messages, streams
from realtime.lease import Lease
from tests import valkey
from tests.bench.evidence import Line
from tests.bench.stream import ground, rounds, updates
from tests.bench.stream.ground import Ground
from tests.bench.stream.rounds import SCALE, Contender, Measured

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROUNDS, SECONDS = max(1, round(5 * SCALE)), max(0.2, 1.5 * SCALE)
CLIENTS, RATE = max(20, round(1000 * SCALE)), 600
OFFERED = max(400, round(1_000_000 * SCALE))  # updates a second to all clients together
FLUSH = {"FINSTAGE_STREAM_FLUSH_IDLE_MS": "100", "FINSTAGE_STREAM_FLUSH_BUSY_MS": "100"}
BATCH, BATCHES = 100, max(2, round(300 * SCALE))


def by_turns(*contenders: Contender) -> list[list[Measured]]:
    """The rounds of each, after a short one that warms up."""
    for each in contenders:
        each.measure(SECONDS / 5)
    found = [[each.measure(SECONDS) for each in contenders] for _ in range(ROUNDS)]
    return [list(each) for each in zip(*found, strict=True)]


def test_conflated_against_the_manager(stream_ground: Ground, stream_symbols, stream_evidence):
    server = stream_ground.start_ours("conflated", **FLUSH)
    texts = rounds.asking(CLIENTS, mode="latest")
    rate = OFFERED / (CLIENTS * rounds.HELD / updates.SYMBOLS)
    ours = rounds.contender(stream_ground, server, texts, "ready", rate)
    rival = stream_ground.start("manager", sys.executable, "-m", "tests.bench.stream.rivals.manager", "PORT")
    slow = rounds.contender(stream_ground, rival, rounds.asking(CLIENTS), "lines", RATE)
    mine, theirs = by_turns(ours, slow)
    manager = [one.a_second for one in theirs]
    what = f"conflated, {OFFERED:,} updates/s as ready lines:"
    # Judged is what was handed to the hub, as in the figures that the gate was drawn from (1.3 to 2.65 million); what
    # goes out is the newest of four, and so much of that no loop in C sends.
    handed, delivered = ([part(one) / one.cpu for one in mine] for part in (_offered, _delivered))
    line = stream_evidence.add(Line(f"{what} handed / FastAPI manager's", handed, manager, "upd/CPU s", 40, 80))
    stream_evidence.add(Line(f"{what} delivered / FastAPI manager's", delivered, manager, "upd/CPU s", 0, 0))
    assert all(one.updates and not one.gone for one in mine)
    assert line.reaches(line.gate)


def _offered(one: Measured) -> int:
    return one.offered


def _delivered(one: Measured) -> int:
    return one.updates


def test_two_web_processes_against_one(stream_ground: Ground, stream_symbols, stream_evidence):
    """All of them hear each update, and so do twice the work before the sockets."""
    store, texts = stream_ground.store(stream_ground.folder), rounds.asking(CLIENTS)
    one = stream_ground.start_ours("one", **FLUSH)
    first, second = (stream_ground.start_ours(name, store=store, **FLUSH) for name in ("first", "second"))
    alone = rounds.contender(stream_ground, one, texts, "lua", RATE)
    both = rounds.contender(stream_ground, first, texts[::2], "lua", RATE)
    other = stream_ground.clients(second, texts[1::2]).require_all()
    both.clients, both.others, both.held_by = [*both.clients, other], [second], alone.held_by
    figures = [[1e6 * each.cpu / each.updates for each in found] for found in by_turns(both, alone)]
    line = Line("two web processes / one, CPU an update", *figures, "µs", 1.1, 1.05, is_smaller_better=True)
    assert stream_evidence.add(line).reaches(line.gate)


def test_through_the_lua_call(tmp_path, stream_evidence):
    """Prices of one feed under its lease. The server of Redis has a core, and the feed the other."""
    at = datetime(2013, 3, 1, 15, tzinfo=UTC)
    prices, rest = (100.25, 99.5, 99.75, 101.5, 99.25), (date(2013, 3, 1), at, SECOND, at, "yahoo", "open")
    quotes = [Quote(updates.ticker(number), *prices, 1_000_000, *rest) for number in range(BATCH)]
    told = [messages.price(quote) for quote in quotes]
    with valkey.standing_on(tmp_path, settings) as server:
        ground.pin(server.process.pid, ground.SERVERS)
        lease = Lease("feed", 60.0)
        assert lease.take()
        rates = [_published_a_second(told, lease) for _ in range(ROUNDS + 1)][1:]
    line = Line("through the Lua call, one feed", rates, [30_000.0] * ROUNDS, "upd/s", 30_000, 60_000, gates_ours=True)
    assert stream_evidence.add(line).reaches(line.gate)


def _published_a_second(told: list[messages.Message], lease: Lease) -> float:
    began = time.perf_counter()
    for _ in range(BATCHES):
        streams.publish(told, lease=lease)
    return BATCHES * len(told) / (time.perf_counter() - began)
