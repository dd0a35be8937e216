"""Who joins, and when: every order of a reading, a publication and its arrival gives each message once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring import metrics, redis
from realtime import messages, streams
from realtime.hub import Hub, repair
from realtime.places import EVERY, LATEST
from realtime.streams import Position
from tests.realtime.store import Door, door
from tests.realtime.test_hub import Socket, connect, publish, tick, until

pytestmark = pytest.mark.usefixtures("redis")

ALERTS, BARS, PRICES = "alerts:AAPL", "bars:AAPL", "prices:AAPL"
IN_FULL = [(ALERTS, LATEST), (BARS, LATEST), (PRICES, EVERY)]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Callable[[Hub, Door], Awaitable[None]]], None]:
    """Play a scenario with a hub that reaches Redis by a door."""

    def run(scenario: Callable[[Hub, Door], Awaitable[None]]) -> None:
        async def play() -> None:
            async with door(tmp_path) as made:
                hub = Hub()
                try:
                    await scenario(hub, made)
                finally:
                    await hub.shutdown()

        asyncio.run(play())

    return run


def told(stream: str) -> messages.Message:
    """A message of a stream, as its kind tells what must not be lost; of prices, as they are."""
    return tick(stream, conflate=stream == PRICES)


async def listening(hub: Hub, stream: str, door: Door, mode: str = EVERY) -> tuple:
    """A client that holds a stream and has its first message, of a hub that hears the live channel."""
    client, socket = connect(hub)
    async with asyncio.timeout(5):
        while not door.live.passed:
            await publish(tick("system"))
            await asyncio.sleep(0.01)
    await hub.subscribe(client, {stream: mode}, {})
    await publish(told(stream))
    await until(lambda: 1 in socket.seqs(stream))
    return client, socket


async def lose(door: Door, *published: messages.Message) -> None:
    """Publish what the hub does not hear."""
    door.live.loses, before = True, door.live.lost
    await publish(*published)
    await until(lambda: door.live.lost > before)
    door.live.loses = False


def place(socket: Socket, stream: str) -> dict:
    return socket.said("subscribed")["streams"][stream]


def kinds(socket: Socket) -> list[tuple[str, int | None]]:
    """What was heard of streams, in order."""
    found = [(each.get("type", "message"), each.get("seq")) for each in socket.heard]
    return [(kind, seq) for kind, seq in found if kind in ("message", "epoch", "gap")]


@pytest.mark.parametrize(("stream", "mode"), IN_FULL)
def test_readings_of_two_times_cost_nobody_what_came_between(play, stream, mode):
    """The later reading arrives first; what lies between the two is still on its way to the hub."""

    async def scenario(hub: Hub, door: Door) -> None:
        first, heard_first = connect(hub)
        await until(lambda: heard_first.heard)
        second, heard_second = connect(hub)
        door.readings.close()
        early = asyncio.create_task(hub.subscribe(first, {stream: mode}, {}))
        await door.readings.stands(1)
        door.live.close()
        await publish(told(stream), told(stream))
        late = asyncio.create_task(hub.subscribe(second, {stream: mode}, {}))
        await asyncio.sleep(0.2)
        door.readings.let_through(-1)
        await asyncio.sleep(0.1)
        door.readings.open()
        await asyncio.gather(early, late)
        door.live.open()
        await publish(told(stream))
        await until(lambda: 3 in heard_first.seqs(stream) and 3 in heard_second.seqs(stream))
        for socket in (heard_first, heard_second):
            assert socket.seqs(stream) == list(range(place(socket, stream)["seq"] + 1, 4))
        assert place(heard_first, stream)["seq"] == 0
        assert not hub.members.held[stream].recent  # what came while they were read is not kept

    play(scenario)


@pytest.mark.parametrize(("stream", "mode"), IN_FULL)
def test_who_joins_ahead_of_the_hub_goes_on_there_also_in_the_epoch_that_follows(play, stream, mode):
    async def scenario(hub: Hub, door: Door) -> None:
        _, elder = await listening(hub, stream, door)
        door.live.close()
        await publish(told(stream), told(stream), told(stream))
        client, socket = connect(hub)
        await hub.subscribe(client, {stream: mode}, {})
        assert place(socket, stream)["seq"] == 4
        await asyncio.to_thread(streams.renew, [stream])
        await publish(told(stream), told(stream))
        door.live.open()
        await until(lambda: socket.seqs(stream)[-1:] == [2] == elder.seqs(stream)[-1:])
        assert kinds(socket) == [("epoch", 0), ("message", 1), ("message", 2)]
        assert elder.seqs(stream) == [1, 2, 3, 4, 1, 2]

    play(scenario)


@pytest.mark.parametrize(("stream", "mode"), IN_FULL)
def test_who_joins_in_an_epoch_that_the_hub_has_not_come_to_hears_nothing_of_the_one_before(play, stream, mode):
    async def scenario(hub: Hub, door: Door) -> None:
        _, elder = await listening(hub, stream, door)
        door.live.close()
        await publish(told(stream))
        await asyncio.to_thread(streams.renew, [stream])
        await publish(told(stream))
        await asyncio.to_thread(streams.renew, [stream])
        await publish(told(stream))
        client, socket = connect(hub)
        await asyncio.wait_for(hub.subscribe(client, {stream: mode}, {}), 5)
        assert place(socket, stream)["seq"] == 1
        door.live.open()
        await publish(told(stream))
        await until(lambda: 2 in socket.seqs(stream) and 2 in elder.seqs(stream)[2:])
        assert kinds(socket) == [("message", 2)]
        assert elder.seqs(stream) == [1, 2, 1, 1, 2]

    play(scenario)


def test_who_is_in_an_epoch_that_was_lost_on_the_way_hears_of_the_next_at_once(play, monkeypatch):
    monkeypatch.setattr(repair, "CHECK_SECONDS", 600.0)

    async def scenario(hub: Hub, door: Door) -> None:
        await listening(hub, ALERTS, door)
        door.live.loses, before = True, door.live.lost
        await asyncio.to_thread(streams.renew, [ALERTS])
        await publish(told(ALERTS))
        await until(lambda: door.live.lost == before + 2)
        door.live.loses = False
        client, socket = connect(hub)
        await hub.subscribe(client, {ALERTS: LATEST}, {})
        await asyncio.to_thread(streams.renew, [ALERTS])
        await publish(told(ALERTS))
        await until(lambda: 1 in socket.seqs(ALERTS))
        assert kinds(socket) == [("epoch", 0), ("message", 1)]

    play(scenario)


def test_the_newest_price_comes_once_and_never_an_older_one_around_a_subscription(play, settings):
    settings.STREAM_FLUSH_IDLE_SECONDS = settings.STREAM_FLUSH_BUSY_SECONDS = 0.1

    async def scenario(hub: Hub, door: Door) -> None:
        elder, heard = connect(hub)
        await hub.subscribe(elder, {PRICES: LATEST}, {})
        seq = 0
        for turn in range(20):
            seq = (await publish(tick()))[0]
            await until(lambda seq=seq: heard.seqs(PRICES)[-1:] == [seq])
            seq = (await publish(tick()))[0]  # it waits for the flush while somebody joins
            await asyncio.sleep(0.005)
            if turn % 2:
                door.live.close()
                seq = (await publish(tick()))[0]
            client, socket = connect(hub)
            await hub.subscribe(client, {PRICES: LATEST}, {})
            door.live.open()
            if turn % 4 == 0:
                await asyncio.sleep(0.15)  # the flush comes first
            last = (await publish(tick()))[0]
            await until(lambda socket=socket, last=last: socket.seqs(PRICES)[-1:] == [last])
            told = [each["seq"] for each in socket.said("subscribed")["snapshot"]] + socket.seqs(PRICES)
            assert told == sorted(set(told))
            hub.detach(client)

    play(scenario)


def test_a_storm_on_a_hub_that_holds_nothing_leaves_no_hole(play):
    """Ten clients join 25 streams while each stream brings a message every 10 ms, in every mode."""

    async def scenario(hub: Hub, door: Door) -> None:
        door.readings.takes = lambda: chance.random() * 0.05
        names = [f"{kind}:S{number}" for number in range(9) for kind in ("prices", "alerts", "bars")][:25]
        over = asyncio.Event()
        publishing = asyncio.create_task(publish_until(over, names))
        chance = random.Random(5)
        for _ in range(8):
            joined = [connect(hub) for _ in range(10)]
            await asyncio.gather(*(join(hub, client, names, chance.random() * 0.05) for client, _ in joined))
            await asyncio.sleep(0.3)
            for client, _ in joined:
                hub.detach(client)
            for _, socket in joined:
                for name, state in socket.said("subscribed")["streams"].items():
                    heard = socket.seqs(name)
                    assert heard == list(range(state["seq"] + 1, state["seq"] + 1 + len(heard))), name
                assert "gap" not in [each.get("type") for each in socket.heard]
        over.set()
        await publishing

    play(scenario)


async def publish_until(over: asyncio.Event, names: list[str]) -> None:
    while not over.is_set():
        await publish(*[tick(name, conflate=name.startswith("prices")) for name in names])
        await asyncio.sleep(0.01)


async def join(hub: Hub, client, names: list[str], seconds: float) -> None:
    await asyncio.sleep(seconds)
    await hub.subscribe(client, dict.fromkeys(names, EVERY), {})


def test_a_stream_that_is_let_go_and_held_again_while_it_is_read_has_no_hole(play):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, ALERTS, door)
        await lose(door, told(ALERTS))
        door.readings.close()
        await publish(told(ALERTS))  # shows the hole before it
        await door.readings.stands(1)
        hub.detach(client)
        again, socket = connect(hub)
        await publish(told(ALERTS))
        joining = asyncio.create_task(hub.subscribe(again, {ALERTS: LATEST}, {}))
        await asyncio.sleep(0.1)
        door.readings.let_through(-1)
        await asyncio.sleep(0.1)
        door.readings.open()
        await joining
        await publish(told(ALERTS))
        await until(lambda: 5 in socket.seqs(ALERTS))
        assert kinds(socket) == [("message", 5)]

    play(scenario)


def test_who_leaves_while_it_is_read_leaves_nothing_behind_in_what_others_hold(play):
    async def scenario(hub: Hub, door: Door) -> None:
        await listening(hub, "prices:AAPL", door)
        held = hub.members.held["prices:AAPL"]
        for _ in range(3):
            client, _ = connect(hub)
            hub.members.begin(client, "prices:AAPL", EVERY)
            hub.detach(client)
        assert (held.read, held.apart, held.recent) == (set(), [], [])

    play(scenario)


def test_what_waits_of_a_stream_that_is_let_go_is_not_for_who_holds_it_next(play, settings):
    settings.STREAM_FLUSH_IDLE_SECONDS = settings.STREAM_FLUSH_BUSY_SECONDS = 1.0

    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, PRICES, door)
        await publish(tick())
        await until(lambda: 2 in socket.seqs(PRICES))
        await publish(tick())  # it waits for the next flush
        await until(lambda: hub.members.held[PRICES].main.seq == 3)
        hub.detach(client)
        again, socket = connect(hub)
        await hub.subscribe(again, {PRICES: EVERY}, {})
        await publish(tick(), tick())
        await until(lambda: 5 in socket.seqs(PRICES))
        assert (place(socket, PRICES)["seq"], socket.seqs(PRICES)) == (3, [4, 5])

    play(scenario)


def test_a_subscription_that_fails_costs_nothing_of_what_was_held(play):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, ALERTS, door)
        door.readings.close()
        joining = asyncio.create_task(hub.subscribe(client, {ALERTS: LATEST, PRICES: LATEST}, {}))
        await door.readings.stands(1)
        await publish(told(ALERTS), told(ALERTS))
        joining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await joining
        door.readings.open()
        await publish(told(ALERTS))
        await until(lambda: 4 in socket.seqs(ALERTS))
        assert socket.seqs(ALERTS) == [1, 2, 3, 4]
        assert list(client.places) == list(hub.members.held) == [ALERTS]

    play(scenario)


@pytest.mark.parametrize(("stream", "mode"), IN_FULL)
def test_who_asks_again_for_what_it_holds_misses_nothing_and_hears_nothing_twice(play, stream, mode):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, stream, door)
        door.live.close()
        await publish(told(stream), told(stream))
        await hub.subscribe(client, {stream: mode}, {})
        door.live.open()
        await publish(told(stream))
        await until(lambda: 4 in socket.seqs(stream))
        told_at_once = [each["seq"] for each in socket.said("subscribed")["snapshot"]]
        assert sorted(socket.seqs(stream) + told_at_once) == [1, 2, 3, 4]

    play(scenario)


def test_what_lies_before_a_message_aside_does_not_come_behind_it_to_who_asks_again(play):
    """The answer brings a stream's newest; a correction that followed it must not overtake it."""

    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, BARS, door)
        door.live.close()
        await publish(told(BARS), replace(told(BARS), aside=True))
        await hub.subscribe(client, {BARS: EVERY}, {})
        assert socket.seqs(BARS) == [1, 2, 3]
        door.live.open()

    play(scenario)


def test_who_asks_again_for_the_newest_in_the_next_epoch_misses_nothing_and_hears_of_no_gap(play):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, PRICES, door, LATEST)
        door.live.close()
        await asyncio.to_thread(streams.renew, [PRICES])
        await publish(tick())
        await hub.subscribe(client, {PRICES: LATEST}, {})
        door.live.open()
        await publish(tick())
        await until(lambda: 2 in socket.seqs(PRICES))
        assert [each["seq"] for each in socket.said("subscribed")["snapshot"]] == [1]
        assert kinds(socket) == [("message", 1), ("message", 2)]

    play(scenario)


def test_whose_stream_another_takes_the_name_of_hears_of_its_epoch_and_of_no_loss(play):
    async def scenario(hub: Hub, door: Door) -> None:
        await listening(hub, "alerts:FB", door)
        client, socket = connect(hub)
        await hub.subscribe(client, {"alerts:META": LATEST}, {})
        await asyncio.to_thread(streams.rename, [("alerts:FB", "alerts:META")], "FB", "META")
        await publish(told("alerts:META"))
        await until(lambda: 2 in socket.seqs("alerts:META"))
        assert kinds(socket) == [("epoch", 0), ("message", 1), ("message", 2)]

    play(scenario)


def test_what_came_while_the_live_channel_was_broken_is_read_as_soon_as_it_is_back(play, monkeypatch):
    monkeypatch.setattr(repair, "CHECK_SECONDS", 600.0)

    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door)
        door.shut()
        await publish(told(ALERTS))
        door.is_shut = False
        await until(lambda: socket.seqs(ALERTS) == [1, 2], 30)

    play(scenario)


def test_what_is_on_its_way_is_not_read_again(play):
    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door)
        door.live.close()
        await publish(told(ALERTS))
        before = door.readings.passed
        looking = asyncio.create_task(hub.repair.look(0.5))
        await until(lambda: door.readings.passed > before)
        door.live.open()
        await looking
        await publish(told(ALERTS))
        await until(lambda: socket.seqs(ALERTS) == [1, 2, 3])
        assert door.readings.passed == before + 1

    play(scenario)


def test_a_client_that_cannot_be_given_what_it_missed_keeps_it_from_no_other(play):
    async def scenario(hub: Hub, door: Door) -> None:
        broken, _ = await listening(hub, ALERTS, door)
        client, socket = connect(hub)
        await hub.subscribe(client, {ALERTS: EVERY}, {})
        await lose(door, told(ALERTS))
        broken.outbox = None
        await publish(told(ALERTS))
        await until(lambda: broken not in hub.members.clients)
        await publish(told(ALERTS))
        await until(lambda: socket.seqs(ALERTS) == [2, 3, 4])

    play(scenario)


def test_who_asks_again_by_a_name_that_is_no_more_for_what_it_holds_misses_nothing_and_hears_of_the_new_one(play):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, "alerts:FB", door)
        door.live.close()
        await publish(told("alerts:FB"))
        await asyncio.to_thread(streams.rename, [("alerts:FB", "alerts:META")], "FB", "META")
        await publish(told("alerts:META"))
        await hub.subscribe(client, {"alerts:FB": LATEST}, {})
        door.live.open()
        await publish(told("alerts:META"))
        await until(lambda: 4 in socket.seqs("alerts:META"))
        assert (socket.seqs("alerts:FB"), socket.seqs("alerts:META")) == ([1, 2], [3, 4])
        assert socket.said("renamed") == {"type": "renamed", "stream": "alerts:FB", "to": "alerts:META"}

    play(scenario)


def test_who_leaves_before_it_holds_what_has_another_name_now_is_kept_in_neither(play):
    async def scenario(hub: Hub, door: Door) -> None:
        _, elder = await listening(hub, ALERTS, door)
        client, _ = connect(hub)
        door.readings.close()
        joining = asyncio.create_task(hub.subscribe(client, {"alerts:FB": LATEST}, {}))
        await door.readings.stands()
        await publish(told("alerts:FB"))
        await asyncio.to_thread(streams.rename, [("alerts:FB", "alerts:META")], "FB", "META")
        await publish(told(ALERTS))
        await until(lambda: 2 in elder.seqs(ALERTS))
        hub.detach(client)
        door.readings.open()
        await joining
        assert list(hub.members.held) == [ALERTS]

    play(scenario)


def test_what_who_asks_again_can_have_no_more_is_told_and_counted(play):
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = await listening(hub, ALERTS, door)
        door.live.close()
        await publish(told(ALERTS))
        await asyncio.to_thread(streams.renew, [ALERTS])
        gaps = metrics.STREAM_GAPS._value.get()
        await hub.subscribe(client, {ALERTS: LATEST}, {})
        assert (socket.said("gap")["reason"], metrics.STREAM_GAPS._value.get()) == ("epoch_changed", gaps + 1)
        door.live.open()

    play(scenario)


def test_a_position_beyond_the_top_is_one_of_another_epoch(play):
    async def scenario(hub: Hub, _: Door) -> None:
        await publish(told(ALERTS))
        epoch = redis.client().hget(redis.key("stream", "state", ALERTS), "epoch").decode()
        client, socket = connect(hub)
        await hub.subscribe(client, {ALERTS: LATEST}, {ALERTS: Position(epoch, 2)})
        assert place(socket, ALERTS)["recovered"] is False
        assert (socket.said("gap")["reason"], socket.said("gap")["to"]) == ("epoch_changed", 1)

    play(scenario)


@pytest.mark.parametrize("mode", [LATEST, EVERY])
def test_what_is_lost_of_an_epoch_that_ends_is_told(play, mode):
    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door, mode)
        await lose(door, told(ALERTS), told(ALERTS))
        await asyncio.to_thread(streams.renew, [ALERTS])
        await publish(told(ALERTS))
        await until(lambda: socket.seqs(ALERTS) == [1, 1])
        gap = socket.said("gap")
        assert (gap["from"], gap["to"], gap["reason"]) == (2, 3, "epoch_changed")
        assert kinds(socket) == [("message", 1), ("gap", None), ("epoch", 0), ("message", 1)]

    play(scenario)


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_what_is_lost_of_an_epoch_is_told_also_where_another_one_came_and_went(play, monkeypatch, is_forgotten):
    monkeypatch.setattr(repair, "CHECK_SECONDS", 600.0)

    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door)
        await lose(door, told(ALERTS))
        if is_forgotten:
            await asyncio.to_thread(redis.client().flushdb)
        else:
            door.live.loses, before = True, door.live.lost
            await asyncio.to_thread(streams.renew, [ALERTS])
            await until(lambda: door.live.lost > before)
            door.live.loses = False
            await asyncio.to_thread(streams.renew, [ALERTS])
        await publish(told(ALERTS))
        await until(lambda: socket.seqs(ALERTS) == [1, 1])
        assert kinds(socket) == [("message", 1), ("epoch", 0), ("gap", None), ("message", 1)]
        assert (socket.said("gap")["from"], socket.said("gap")["to"]) == (0, 0)

    play(scenario)


@pytest.mark.parametrize("mode", [LATEST, EVERY])
def test_a_hole_that_nobody_can_fill_is_told_whatever_the_mode(play, monkeypatch, mode):
    monkeypatch.setattr("realtime.streams.publishing.HISTORY", 2)

    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door, mode)
        await lose(door, *[told(ALERTS)] * 250)  # it is trimmed by the hundred
        await publish(told(ALERTS))
        await until(lambda: any(each.get("type") == "gap" for each in socket.heard))
        await publish(told(ALERTS))
        await until(lambda: 253 in socket.seqs(ALERTS))
        assert (socket.said("gap")["from"], socket.said("gap")["to"]) == (2, 252)
        assert kinds(socket) == [("message", 1), ("gap", None), ("message", 253)]

    play(scenario)


@pytest.mark.parametrize(("stream", "mode"), IN_FULL)
def test_an_epoch_whose_announcement_was_lost_is_told_and_read_from_its_beginning(play, stream, mode):
    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, stream, door, mode)
        door.live.loses = True
        await asyncio.to_thread(streams.renew, [stream])
        await until(lambda: door.live.lost)
        door.live.loses = False
        await publish(told(stream), told(stream))
        await until(lambda: socket.seqs(stream)[-1:] == [2])
        assert kinds(socket) == [("message", 1), ("epoch", 0), ("gap", None), ("message", 1), ("message", 2)]
        assert (socket.said("gap")["from"], socket.said("gap")["to"]) == (0, 0)

    play(scenario)


def test_who_waits_for_a_reading_longer_than_what_came_is_kept_is_read_again(play, monkeypatch):
    monkeypatch.setattr("realtime.places.MOST_RECENT", 4)

    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door)
        await lose(door, told(ALERTS))
        door.readings.close()
        await publish(told(ALERTS))
        await door.readings.stands()
        for _ in range(6):
            await publish(told(ALERTS))
        await until(lambda: hub.members.held[ALERTS].main.seq == 9)
        door.readings.open()
        await publish(told(ALERTS))
        await until(lambda: 10 in socket.seqs(ALERTS))
        assert kinds(socket) == [("message", seq) for seq in range(1, 11)]

    play(scenario)


def test_who_asked_for_the_newest_gets_it_also_where_it_was_lost_on_the_way(play, monkeypatch):
    monkeypatch.setattr(repair, "CHECK_SECONDS", 0.2)

    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, PRICES, door, LATEST)
        await lose(door, told(PRICES), told(PRICES))
        await until(lambda: socket.seqs(PRICES) == [1, 3])

    play(scenario)


def test_a_line_that_comes_twice_is_heard_once(play):
    async def scenario(hub: Hub, door: Door) -> None:
        _, socket = await listening(hub, ALERTS, door)
        line = f'{ALERTS}\t{place(socket, ALERTS)["epoch"]}\t1\tk\t{{"n":"{ALERTS}","seq":1}}'
        await asyncio.to_thread(redis.client().publish, streams.channel(), line.encode())
        await publish(told(ALERTS))
        await until(lambda: 2 in socket.seqs(ALERTS))
        assert socket.seqs(ALERTS) == [1, 2]

    play(scenario)
