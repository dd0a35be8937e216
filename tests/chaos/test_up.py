"""Parts of a running Finstage are killed while a client listens."""

import random
import time

import pytest

from tests.chaos.scale import times
from tests.listener import Listener
from tests.tree import PARTS, Up

pytestmark = pytest.mark.chaos
KILLS = times(15)


def told(name: str, counted: object) -> None:
    print(f"{name:<60} {counted}")  # noqa: T201 - `make chaos` shows it


def test_a_client_hears_every_price_or_is_told_of_the_gap_whatever_is_killed(tmp_path):
    chance = random.Random(7)
    up = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="2")
    up.wait_until_moving()
    listener = Listener(up.port)
    listener.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(1, 3))
        victims = chance.sample(sorted(PARTS), chance.choice([1, 1, 2]))
        for part in [up.parts()[name] for name in victims]:
            part.kill()
        up.wait(lambda: up.parts().keys() == PARTS)
        up.wait_until_moving()
    up.process.kill()
    up.process.wait()
    again = Up(up.var, port=up.port, FINSTAGE_REPLAY_SESSION_SECONDS="2")
    again.wait_until_moving()
    before = listener.heard
    again.wait(lambda: listener.heard > before + 10)
    listener.stop.set()
    again.end()
    told("kills, of one or two parts", f"{KILLS} and of `up` itself")
    told("prices heard, connections", f"{listener.heard}, {listener.connections}")
    told("gaps that were told", listener.gaps)
    told("holes that were not told (expected none)", listener.holes)
    assert not listener.holes


def test_for_a_minute_of_forced_reconnects_no_price_is_missing(tmp_path):
    up = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="4")
    up.wait_until_moving()
    listener = Listener(up.port)
    listener.start()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(6)
        up.parts()["web"].kill()
        up.wait(up.ready)
    heard = listener.heard
    listener.stop.set()
    up.end()
    told("prices heard, connections", f"{heard}, {listener.connections}")
    told("gaps, holes (expected none)", f"{listener.gaps}, {listener.holes}")
    assert heard > 10
    assert not listener.holes
    assert not listener.gaps
