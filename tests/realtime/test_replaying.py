"""A replay goes no faster than it is read, and ends in words: in one process, with a port that takes what it may."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import orjson
import pytest

from analysis.indicators.catalogue import ENTRIES
from market.player import Held, Sessions
from market.prices import Action
from realtime import clients, process
from realtime.clients import Client
from realtime.messages import Refused
from realtime.models import AlertRule
from realtime.replay import playing, steering, turns
from realtime.replay.body import Body
from realtime.replay.events import Bell
from realtime.replay.playing import Playing, played
from realtime.replay.seats import Replays

FIRST, COUNT = date(2008, 1, 1), 400
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = COUNT * 4 * 3


class Port:
    """Takes bytes, and says that it holds them until somebody reads."""

    def __init__(self, reads: bool = True) -> None:
        self.reads, self.held, self.frames = reads, 0, []

    def write(self, data: bytes) -> None:
        self.frames.append(data)
        self.held += 0 if self.reads else len(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def is_closing(self) -> bool:
        return False

    def last(self) -> dict:
        return orjson.loads(self.frames[-1][self.frames[-1].rindex(b'{"type":"replay"') :])


def sessions() -> Sessions:
    days = np.arange(np.datetime64(FIRST), np.datetime64(FIRST + timedelta(days=COUNT)))
    close = np.linspace(100, 200, COUNT)
    columns = {"session_date": days, "open": close, "high": close + 1, "low": close - 1, "close": close}
    held = Held("AAPL", {**columns, "volume": close}, [], 2, "replay", "v1")
    return Sessions([held], FIRST, FIRST + timedelta(days=COUNT))


def made(port: Port, **more: object) -> Playing:
    async def nothing(*_: object) -> None: ...

    return Playing(Client("a", nothing, nothing, port), sessions(), None, flush=Client.flush, **more)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def test_it_waits_for_a_client_that_does_not_read_and_goes_on_when_it_does():
    async def scene() -> None:
        port = Port(reads=False)
        each = made(port)
        task = asyncio.create_task(played(each))
        await until(lambda: port.held > clients.HIGH_WATER_BYTES)
        await asyncio.sleep(0.1)
        before = each.count
        await asyncio.sleep(0.2)
        assert each.count == before < MESSAGES
        assert not each._client.outbox.waiting  # nothing piles up, and so nobody closes it as slow
        port.reads, port.held = True, 0
        await until(lambda: each.state == "ended")
        assert each.count == MESSAGES
        task.cancel()

    asyncio.run(scene())


def test_other_work_of_the_process_comes_in_between(monkeypatch):
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.001)

    async def scene() -> None:
        each = made(Port())
        task = asyncio.create_task(played(each))
        passed = 0
        while each.state != "ended":
            await asyncio.sleep(0)
            passed += 1
        assert passed > 10
        task.cancel()

    asyncio.run(scene())


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_every_indicator_is_told_or_says_why_it_has_no_value(name):
    indicator = ENTRIES[name].with_defaults()
    [*_, last] = Body(sessions(), NOW, extra={indicator.key: indicator}).session(COUNT - 1)
    said = orjson.loads(last.bodies[-1])
    told = said["values"].get(indicator.key, {})
    assert said["replay"] is True
    assert all(value is not None for value in told.values()) or said["reasons"]


def test_several_take_turns_of_which_the_loop_has_one_at_a_time(monkeypatch):
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)  # one price a turn
    together = turns.Turns()

    async def scene() -> None:
        some = [made(Port(), turns=together) for _ in range(5)]
        tasks = [asyncio.create_task(played(each)) for each in some]
        told = [0]
        while min(each.count for each in some) < 10 * 3:
            await asyncio.sleep(0)
            told.append(sum(each.count for each in some))
        assert max(after - before for before, after in pairwise(told)) == 3  # what one price brings
        assert max(each.count for each in some) <= 11 * 3
        for task in tasks:
            task.cancel()

    asyncio.run(scene())


def test_one_that_stands_still_for_long_gives_its_place_to_others(monkeypatch):
    monkeypatch.setattr(playing, "IDLE_SECONDS", 0.05)

    async def scene() -> None:
        port = Port()
        each = made(port)
        each.pause()
        await played(each)
        assert (port.last()["state"], port.last()["reason"]) == ("stopped", "idle")

    asyncio.run(scene())


def test_what_breaks_ends_it_in_words(monkeypatch):
    async def scene() -> None:
        port = Port()
        each = made(port)
        monkeypatch.setattr(each._body, "session", lambda number: iter([1 / 0]) if number == 2 else iter(()))
        await played(each)
        assert (port.last()["state"], port.last()["reason"]) == ("stopped", "failed")

    asyncio.run(scene())


def test_who_may_not_hear_it_any_more_does_not():
    async def scene() -> None:
        port, answers = Port(), iter([True, True, False])
        each = made(port, may_play=lambda: next(answers))
        await played(each)
        assert (port.last()["reason"], each.count) == ("rights_ended", 2 * 3)

    asyncio.run(scene())


@pytest.mark.parametrize("steered", ["pause", "seek", "stop"])
def test_what_is_said_to_it_is_heard_while_it_waits_for_its_client(steered):
    async def scene() -> None:
        port = Port(reads=False)
        each = made(port)
        task = asyncio.create_task(played(each))
        await until(lambda: port.held > clients.HIGH_WATER_BYTES)
        if steered == "seek":
            each.seek(COUNT - 1)
            port.reads, port.held = True, 0
            await until(lambda: each.state == "ended")
            assert each.count < MESSAGES
        else:
            getattr(each, steered)()
            before = each.count
            port.reads, port.held = True, 0
            await asyncio.sleep(0.1)
            assert each.count == before
        task.cancel()

    asyncio.run(scene())


def test_a_process_has_so_many_and_what_goes_leaves_its_place(settings):
    settings.REPLAYS_PER_PROCESS, settings.REPLAYS_PER_USER = 3, 2

    async def scene() -> None:
        async def nothing(*_: object) -> None: ...

        replays, some = Replays(Client.flush), [Client(str(n), nothing, nothing, Port()) for n in range(5)]
        for number, who in ((0, "a"), (1, "a"), (2, "b")):
            replays.begin(some[number], who, sessions(), 1.0)
        for number, who, told in ((3, "a", "of one user"), (4, "c", "3 replays play here")):
            with pytest.raises(Refused, match=told) as refused:
                replays.begin(some[number], who, sessions(), 1.0)
            assert refused.value.code == "too_many_replays"
        first = replays.of(some[0])
        again = replays.begin(some[0], "a", sessions(), 1.0)  # in place of its own
        assert (replays.of(some[0]), first.state) == (again, "stopped")
        replays.leave(some[1])
        assert replays.begin(some[3], "a", sessions(), 1.0) is replays.of(some[3])
        replays.of(some[3]).stop()
        await asyncio.sleep(0.05)
        with pytest.raises(Refused, match="No replay plays"):
            replays.of(some[3])
        for each in some:
            replays.leave(each)

    asyncio.run(scene())


@pytest.mark.parametrize("place", [1, 7, 8, 14, COUNT - 1, None])
def test_the_next_event_is_found_wherever_it_is_and_only_for_as_long_as_its_replay_plays(monkeypatch, place):
    monkeypatch.setattr(steering, "LOOKED_AT_ONCE", 7)

    async def scene() -> None:
        async def nothing(*_: object) -> None: ...

        replays, client = Replays(Client.flush), Client("a", nothing, nothing, Port())
        monkeypatch.setattr(process, "replays", replays)
        found = sessions()
        ratio = Action("AAPL", "split", found.date(place), 2.0, 2.0, 1.0) if place else None
        found.held[0] = replace(found.held[0], actions=[ratio] if ratio else [])
        replay = replays.begin(client, "a", found, 1.0, is_paused=True)
        assert await steering._following(client, replay, "split") == (place and (place, "split", "AAPL"))
        search = asyncio.create_task(steering._following(client, replay, "alert"))
        await asyncio.sleep(0)
        replays.leave(client)
        with pytest.raises(Refused, match="No replay plays"):
            await search

    asyncio.run(scene())


def test_a_rule_rings_once_a_session_however_often_its_line_is_crossed():
    step = next(sessions().steps(5, NOW))
    line = AlertRule(pk=1, kind="price_above", level=100.5)
    bell = Bell({None: [line]})
    prices = (99.0, 101.0, 99.0, 101.0)
    assert [bell.heard(replace(step.quote, price=price)) for price in prices] == [[], [line], [], []]
