"""The stream's first row: 1,000 clients × 25 of 100 symbols, each price of 600 updates a second, ours and others'.

Counted are price updates delivered to clients for each processor second of the server, which has one core to itself.
Ours gets its updates through Redis, as the feed publishes them; rivals by the cheapest way that they have.
"""

import sys
from collections.abc import Callable

import pytest

from tests.bench.evidence import Evidence, Line
from tests.bench.stream import rounds
from tests.bench.stream.ground import Failed, Ground, Server
from tests.bench.stream.rounds import SCALE, Contender, Measured

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROUNDS, SECONDS = max(1, round(5 * SCALE)), max(0.2, 2 * SCALE)
CLIENTS, RATE = max(20, round(1000 * SCALE)), 600
SLOW_RATE = 12  # of what cannot keep up with a hundredth of the others' updates
FLUSH_MS = 100  # of all that join writes; ours by default waits between 30 and 100 ms, by what it has to do
FLUSH = {"FINSTAGE_STREAM_FLUSH_IDLE_MS": str(FLUSH_MS), "FINSTAGE_STREAM_FLUSH_BUSY_MS": str(FLUSH_MS)}
OURS, UVICORN, DEFAULT = "ours", "ours, uvicorn", "ours, by default"
MANAGER, PICOWS, SOCKETIFY = "FastAPI manager", "picows", "socketify"
LOOP, JOINED = "C send()", "C send(), joined"


def _rival(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"tests.bench.stream.rivals.{module}", "PORT")


# By name: how it joins writes, how it gets updates, how many a second, and the server.
JOINS = f"joins for {FLUSH_MS} ms"
CONTENDERS: dict[str, tuple[str, str, float, Callable[[Ground, str], Server]]] = {
    OURS: (JOINS, "lua", RATE, lambda on, name: on.start_ours(name, **FLUSH)),
    UVICORN: (JOINS, "lua", RATE, lambda on, name: on.start_ours(name, "--server", "uvicorn", **FLUSH)),
    DEFAULT: ("joins for as long as it is set", "lua", RATE, lambda on, name: on.start_ours(name)),
    MANAGER: ("one a write", "lines", RATE, lambda on, name: on.start(name, *_rival("manager"))),
    "Channels, Redis layer": (
        "one a write", "layer", SLOW_RATE, lambda on, name: on.start(name, *_rival("channels_app")),
    ),
    "websockets.broadcast": ("one a write", "lines", RATE, lambda on, name: on.start(name, *_rival("broadcast"))),
    PICOWS: ("one a write", "lines", RATE, lambda on, name: on.start(name, *_rival("picows_server"))),
    SOCKETIFY: (
        "joins within a turn of its loop", "socket", RATE, lambda on, name: on.start(name, *_rival("socketify_server")),
    ),
    LOOP: ("one a write", "lines", RATE, lambda on, name: on.start(name, str(on.compiled("loop")), "PORT", "0")),
    JOINED: (JOINS, "lines", RATE, lambda on, name: on.start(name, str(on.compiled("loop")), "PORT", str(FLUSH_MS))),
}  # fmt: skip


@pytest.fixture(scope="module")
def measured(stream_ground, stream_evidence) -> dict[str, list[Measured]]:
    """All rounds, by name."""
    found: dict[str, list[Measured]] = {}
    contenders = {name: made for name in CONTENDERS if (made := _started(stream_ground, name, stream_evidence))}
    for number in range(ROUNDS + 1):
        for name, each in contenders.items():
            one = each.measure(SECONDS if number else SECONDS / 5)
            if number:  # the first one warms up
                found.setdefault(name, []).append(one)
    _tell(found, contenders)
    stream_ground.stack.close()
    return found


def _started(on: Ground, name: str, evidence: Evidence) -> Contender | None:
    joins, how, rate, start = CONTENDERS[name]
    try:
        return rounds.contender(on, start(on, name), rounds.asking(CLIENTS), how, rate, joins)
    except Failed as failed:
        if name == OURS:
            raise
        evidence.leave_out(f"first row: {name}", failed.short)
        return None


def _tell(found: dict[str, list[Measured]], contenders: dict[str, Contender]) -> None:
    print()  # noqa: T201
    for name, each in found.items():
        middle = sorted(each, key=lambda one: one.a_second)[len(each) // 2]
        print(  # noqa: T201
            f"{name:24}{contenders[name].joins:34}{middle.a_second:12,.0f} a CPU second, {middle.delivered:7.2%} of "
            f"{middle.offered / middle.seconds:9,.0f}/s, p50 {middle.p50:6.0f} p99 {middle.p99:6.0f} ms, "
            f"CPU {middle.cpu / middle.seconds:4.0%}, other core {middle.other_core:4.0%}"
        )


def test_every_update_is_delivered(measured):
    """A rival that cannot keep up is held to nothing; what ours leaves out would be no speed."""
    for name in (OURS, DEFAULT):
        assert [one.delivered for one in measured[name]] == [1.0] * ROUNDS
    assert [one.gone for each in measured.values() for one in each] == [0] * ROUNDS * len(measured)


@pytest.mark.parametrize(
    ("rival", "gate", "goal"),
    [
        (MANAGER, 7, 14),
        (PICOWS, 1.6, 3.5),
        (LOOP, 1.1, 2.5),
        (SOCKETIFY, 0.7, 1),
        (JOINED, 0.3, 0.5),
        ("Channels, Redis layer", 0, 0),
        ("websockets.broadcast", 0, 0),
    ],
)
def test_the_first_row_against(rival, gate, goal, measured, stream_evidence):
    _judge(stream_evidence, OURS, rival, gate, goal, measured)


@pytest.mark.parametrize("rival", [OURS, MANAGER, JOINED])
def test_what_the_default_costs(rival, measured, stream_evidence):
    """No gate of its own: it is a trade of time for work."""
    _judge(stream_evidence, DEFAULT, rival, 0, 0, measured)


def test_the_first_row_by_uvicorn_against_daphne(measured, stream_evidence):
    _judge(stream_evidence, UVICORN, OURS, 1, 1.2, measured)


@pytest.mark.parametrize(("which", "gate", "goal"), [("p50", 70, 30), ("p99", 130, 110)])
def test_how_old_an_update_is(which, gate, goal, measured, stream_evidence):
    """As users have it."""
    took = _of(measured, DEFAULT, which)
    marks = {"is_smaller_better": True, "gates_ours": True}
    line = Line(
        f"first row: {which} (rival: the C loop that joins)",
        took,
        _of(measured, JOINED, which),
        "ms",
        gate,
        goal,
        **marks,
    )
    assert stream_evidence.add(line).reaches(gate)


def _judge(
    evidence: Evidence, ours: str, rival: str, gate: float, goal: float, measured: dict[str, list[Measured]]
) -> None:
    if missing := {ours, rival} - measured.keys():
        pytest.skip(f"not measured: {', '.join(missing)}")
    what = f"first row: {ours} ({CONTENDERS[ours][0]}) / {rival} ({CONTENDERS[rival][0]})"
    line = Line(what, _of(measured, ours), _of(measured, rival), "upd/CPU s", gate, goal)
    assert evidence.add(line).reaches(gate)


def _of(measured: dict[str, list[Measured]], name: str, which: str = "a_second") -> list[float]:
    return [getattr(one, which) for one in measured[name]]
