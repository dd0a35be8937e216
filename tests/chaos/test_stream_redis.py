"""The store of the streams dies while they run, with and without a log of what it was told."""

import asyncio
import random
import time
from collections.abc import Collection
from dataclasses import dataclass

import pytest

from monitoring import redis as connection
from realtime import streams
from realtime.streams import publishing, scripts
from tests import valkey
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.chaos.stream_ground import (
    SYMBOLS,
    Follower,
    Publisher,
    all_answered,
    caught_up,
    following,
    in_turn,
    of_no_message,
    prices_and_alerts,
    silent_ends,
)

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
KILLS, CLIENTS, WITHIN_SECONDS = 21, 10, 5.0
NAMES = SYMBOLS[:4]
LOST_BYTES = 60_000  # of the log: about a quarter of a second
KEEPS, LOSES, NO_LOG = "keeps its log", "loses the end of its log", "has no log"


@dataclass
class Seen:
    holes: int
    repeats: int
    silent: list[tuple]
    behind: list[tuple]
    resumed: list[float]
    gaps: int
    again: list[tuple]


async def kill_while_streaming(url: str, server: valkey.Server, kills: int, lost: int) -> Seen:
    chance, resumed = random.Random(3), []
    followers = [Follower(url, prices_and_alerts(NAMES, NAMES)) for _ in range(CLIENTS)]
    async with following(followers):
        await all_answered(followers)
        with Publisher(in_turn(NAMES), every_seconds=0.005) as publisher:
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(1.2, 2.2))  # the log is written each second
                await asyncio.to_thread(server.kill)
                if lost:
                    server.lose(chance.randint(0, lost))
                await asyncio.sleep(chance.uniform(0.0, 0.5))
                await asyncio.to_thread(server.start)
                began, before = time.monotonic(), [each.heard.total() for each in followers]
                while any(each.heard.total() == had for each, had in zip(followers, before, strict=True)):
                    assert time.monotonic() - began < 60, "nobody hears anything any more"
                    await asyncio.sleep(0.01)
                resumed.append(time.monotonic() - began)
        await asyncio.to_thread(streams.settle)
        behind = await caught_up(followers, 20)
    return Seen(
        *of_no_message(followers),
        silent_ends(followers, publisher.tops),
        behind,
        resumed,
        sum(len(each.gaps) for each in followers),
        publisher.again,
    )


def kill(tmp_path, settings, how: str, without: str = "") -> Seen:
    stream_ground.track(NAMES)
    with (
        valkey.standing_on(tmp_path, settings, keeps=how != NO_LOG) as server,
        stream_ground.web(server, without) as web,
    ):
        url = stream_ground.url(web)
        lost = LOST_BYTES if how == LOSES else 0
        return asyncio.run(kill_while_streaming(url, server, max(2, times(KILLS) // 3), lost))


@pytest.mark.parametrize("how", [KEEPS, LOSES, NO_LOG])
def test_a_store_that_is_killed_under_a_stream_leaves_no_hole_in_silence(tmp_path, settings, how):
    seen = kill(tmp_path, settings, how)
    report(
        f"a store that is killed under a stream and {how}",
        f"SIGKILL {len(seen.resumed)} ×, {CLIENTS} clients of {2 * len(NAMES)} streams, 400 messages a second",
        f"0 holes, 0 repeats, 0 epochs that end in silence, no number given again, resumed within {WITHIN_SECONDS:g} s",
        f"{seen.holes} holes, {seen.repeats} repeats, {len(seen.silent)} silent ends, {seen.gaps} gaps told, "
        f"{len(seen.again)} given again, {len(seen.behind)} behind, resumed within {max(seen.resumed):.1f} s",
    )
    assert (seen.holes, seen.repeats, seen.silent, seen.behind) == (0, 0, [], [])
    assert seen.again == []
    assert max(seen.resumed) < WITHIN_SECONDS


def test_who_does_not_settle_gives_numbers_again_that_a_store_forgot(tmp_path, settings, monkeypatch):
    def believe(names: Collection[str]) -> None:
        """That the store has all that it was told."""
        publishing._run = connection.client().info("server")["run_id"]
        for name in names:
            connection.client().hset(f"{scripts.prefix()}state:{name}", "run", publishing._run)

    monkeypatch.setattr(publishing, "settle", believe)
    assert kill(tmp_path, settings, LOSES).again
