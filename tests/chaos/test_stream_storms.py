"""Clients that are cut off again and again while a stream runs, alone and by the hundred."""

import asyncio
import itertools
import random
from collections.abc import Iterator

import pytest

from realtime.messages import Message
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
)

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
CLIENTS, CUTS, MESSAGES = 10, 8, 2000
JOINERS, STREAMS, STORMS = 600, 25, 4


def one_stream(count: int) -> Iterator[list[Message]]:
    return itertools.islice(in_turn(SYMBOLS[:1]), count)


async def cut_again_and_again(url: str, messages: int) -> list[Follower]:
    chance = random.Random(7)
    followers = [Follower(url, prices_and_alerts(SYMBOLS[:1], SYMBOLS[:1])) for _ in range(CLIENTS)]

    async def cut(each: Follower) -> None:
        for _ in range(CUTS):
            await asyncio.sleep(chance.uniform(0.05, messages * 0.002 / CUTS))
            async with asyncio.timeout(stream_ground.ANSWER_SECONDS):
                await each.answered.wait()
            await each.cut()
            each.answered.clear()

    async with following(followers):
        await all_answered(followers)
        with Publisher(one_stream(messages), every_seconds=0.002) as publisher:
            await asyncio.gather(*map(cut, followers))
            while publisher.is_alive():
                await asyncio.sleep(0.05)
        await caught_up(followers)
    return followers


def test_who_is_cut_off_while_a_stream_runs_misses_nothing_and_hears_nothing_twice(server):
    messages = times(MESSAGES)
    with stream_ground.web(server) as web:
        followers = asyncio.run(cut_again_and_again(stream_ground.url(web), messages))
    holes, repeats = of_no_message(followers)
    heard = {tuple(each.heard.values()) for each in followers}
    report(
        "clients that are cut off while a stream runs",
        f"{CLIENTS} clients × {CUTS} cuts × {messages} prices and alerts, one each 2 ms",
        "0 holes, 0 repeats, 0 gaps, each message heard by each",
        f"{holes} holes, {repeats} repeats, {sum(len(each.gaps) for each in followers)} gaps, heard {heard}",
    )
    assert (holes, repeats, heard) == (0, 0, {(messages, messages)})
    assert not any(each.gaps for each in followers)
    assert min(each.connections for each in followers) >= CUTS


async def come_after_more_than_is_kept(url: str) -> Follower:
    follower = Follower(url, prices_and_alerts(SYMBOLS[:1], SYMBOLS[:1]))
    async with following([follower]):
        await all_answered([follower])
    with Publisher(one_stream(MESSAGES), every_seconds=0) as publisher:
        while publisher.is_alive():
            await asyncio.sleep(0.05)
    follower.is_over = False
    async with following([follower]):
        await all_answered([follower])
        await caught_up([follower])
        with Publisher(one_stream(10), every_seconds=0.01) as publisher:
            while publisher.is_alive():
                await asyncio.sleep(0.05)
        await caught_up([follower])
    return follower


@pytest.mark.parametrize("without", ["places_apart", "waiting_lines"])
def test_without_what_keeps_a_joiner_apart_there_are_holes(server, without):
    with stream_ground.web(server, without) as web:
        followers = asyncio.run(cut_again_and_again(stream_ground.url(web), MESSAGES))
    assert of_no_message(followers)[0] > 0


def test_who_comes_after_more_than_is_kept_is_told_one_gap_of_each_stream(server):
    with stream_ground.web(server) as web:
        follower = asyncio.run(come_after_more_than_is_kept(stream_ground.url(web)))
    gaps = sorted((gap["stream"], gap["from"], gap["to"]) for gap in follower.gaps)
    report(
        "a client that comes back after more than is kept",
        f"{MESSAGES} messages of two streams while it was away",
        "exactly one gap of each, over all that it missed, and all that follows",
        f"{gaps}, {len(follower.holes)} holes, {len(follower.repeats)} repeats",
    )
    ticker = SYMBOLS[0]
    assert gaps == [(f"alerts:{ticker}", 1, MESSAGES), (f"prices:{ticker}", 1, MESSAGES)]
    assert (follower.holes, follower.repeats) == ([], [])
    assert set(follower.heard.values()) == {10}


async def storm(url: str, joiners: int, storms: int) -> tuple[list[Follower], list[tuple], list[float]]:
    """All join at once a hub that holds nothing, stay for a moment, leave, and come again."""
    chance, behind, waited = random.Random(11), [], []
    followers = []
    for _ in range(joiners):
        symbols = chance.sample(SYMBOLS, STREAMS)
        followers.append(Follower(url, prices_and_alerts(symbols[5:], symbols[:5])))
    with Publisher(in_turn(SYMBOLS), every_seconds=0.01):
        for _ in range(storms):
            async with following(followers):
                waited.append(await all_answered(followers))
                await asyncio.sleep(2)
            for each in followers:
                each.is_over = False
            await asyncio.sleep(1)  # the hub has let go of all
    async with following(followers):
        await all_answered(followers)
        behind = await caught_up(followers)
    return followers, behind, waited


def test_a_storm_of_joiners_of_a_hub_that_holds_nothing_leaves_no_hole(server):
    joiners, storms = times(JOINERS), min(STORMS, times(STORMS))
    with stream_ground.web(server) as web:
        url = stream_ground.url(web)
        followers, behind, waited = asyncio.run(storm(url, joiners, storms))
    holes, repeats = of_no_message(followers)
    refused = sum(each.errors.total() for each in followers)
    report(
        "a storm of joiners of a hub that holds nothing",
        f"{joiners} clients × {STREAMS} of 100 symbols, an update and an alert every 10 ms, {storms + 1} times",
        "0 holes, 0 repeats, nobody refused, all where the streams are",
        f"{holes} holes, {repeats} repeats, {refused} refused, {len(behind)} behind; all answered within "
        f"{max(waited):.1f} s, {sum(each.heard.total() for each in followers)} heard",
    )
    assert (holes, repeats, refused, behind) == (0, 0, 0, [])
    assert not any(each.gaps for each in followers)
