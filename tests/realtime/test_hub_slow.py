"""Clients behind small buffers: who reads gets everything, who does not costs little and is told why it is closed."""

import asyncio
import time

import pytest

from monitoring import metrics, redis
from realtime import clients, messages, streams
from realtime.clients import Client
from realtime.frames import Encoded, Part
from realtime.hub import Hub
from realtime.places import EVERY, LATEST
from realtime.streams import Position
from tests.realtime.pipes import connect
from tests.realtime.test_hub import Socket, play, publish, tick, until
from tests.realtime.test_hub import connect as connect_at_once
from tests.realtime.test_hub_joining import lose
from tests.realtime.test_hub_joining import play as play_behind_a_door  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("redis")
ALERTS, PRICES = "alerts:AAPL", "prices:AAPL"
ALL_KINDS = ("prices", "bars", "indicators", "alerts")


def large(stream: str, size: int = 400, **flags) -> messages.Message:
    return messages.Message(stream, messages.encode({"n": stream, "x": "x" * size}), True, flags.get("conflate", False))


def test_an_answer_of_megabytes_comes_in_pieces_as_fast_as_the_client_reads():
    async def scenario(hub: Hub) -> None:
        names = [f"{kind}:S{number}" for number in range(950) for kind in ALL_KINDS]
        for start in range(0, len(names), 950):
            await publish(*[large(name) for name in names[start : start + 950]])
        client, pipe = await connect(hub)
        await hub.subscribe(client, dict.fromkeys(names, LATEST), {}, id=7)
        await until(lambda: any("subscriptions" in piece for piece in pipe.said("subscribed")))
        pieces = pipe.said("subscribed")
        assert {name for piece in pieces for name in piece["streams"]} == set(names)
        assert sum(len(piece["snapshot"]) for piece in pieces) == 3 * 950
        assert [piece.get("more") for piece in pieces] == [True] * (len(pieces) - 1) + [None]
        assert pieces[-1]["subscriptions"] == sorted(names)
        assert {piece["id"] for piece in pieces} == {7}
        assert max(pipe.sizes[:-1]) < 64 * 1024
        assert pipe.most_unsent < 256 * 1024
        assert pipe.closed_with is None

    play(scenario)


def test_an_answer_that_fits_into_one_message_is_one():
    async def scenario(hub: Hub) -> None:
        names = [f"{kind}:AAPL" for kind in ALL_KINDS]
        await publish(*map(large, names))
        client, pipe = await connect(hub)
        await hub.subscribe(client, dict.fromkeys(names, LATEST), {})
        await until(lambda: any("subscriptions" in piece for piece in pipe.said("subscribed")))
        assert [set(piece["streams"]) for piece in pipe.said("subscribed")] == [set(names)]

    play(scenario)


def test_a_burst_reaches_a_client_that_reads_whole():
    async def scenario(hub: Hub) -> None:
        client, pipe = await connect(hub)
        await hub.subscribe(client, {ALERTS: LATEST, PRICES: EVERY}, {})
        await publish(*[large(ALERTS, 200)] * 6000)
        for _ in range(4):
            await publish(*[large(PRICES, 200, conflate=True)] * 1500)
        await until(lambda: len(pipe.seqs(ALERTS)) == len(pipe.seqs(PRICES)) == 6000, 30)
        assert pipe.seqs(ALERTS) == pipe.seqs(PRICES) == list(range(1, 6001))
        assert pipe.closed_with is None
        assert not pipe.said("gap")

    play(scenario)


def test_megabytes_that_wait_reach_who_takes_them_in_many_flushes():
    async def scenario(hub: Hub) -> None:
        client, socket = connect_at_once(hub)
        for _ in range(5000):
            client.add(Encoded(messages.encode({"n": ALERTS, "seq": 1, "x": "x" * 1000})), ALERTS)
        hub.answer(client)
        await until(lambda: len(socket.seqs(ALERTS)) == 5000)
        assert client in hub.members.clients

    play(scenario)


@pytest.mark.parametrize("reads", [True, False])
def test_what_one_flush_brings_of_many_streams_goes_in_pieces(reads):
    async def scenario(hub: Hub) -> None:
        names = [f"prices:S{number}" for number in range(40)]
        client, pipe = await connect(hub)
        await hub.subscribe(client, dict.fromkeys(names, EVERY), {})
        await publish(*map(tick, names))
        await until(lambda: all(pipe.seqs(name) == [1] for name in names))
        if not reads:
            pipe.reads.clear()
        for _ in range(2):
            await publish(*[large(name, 1000, conflate=True) for name in names for _ in range(10)])
        await asyncio.sleep(0.2)
        assert pipe.most_unsent < 256 * 1024
        pipe.reads.set()
        await until(lambda: all(pipe.seqs(name) == list(range(1, 22)) for name in names))
        assert client.message_count >= len(names) * 21

    play(scenario)


def test_who_does_not_read_is_closed_with_a_code_once_too_much_waits(monkeypatch):
    monkeypatch.setattr(clients, "FULL_SECONDS", 0.3)

    async def scenario(hub: Hub) -> None:
        client, pipe = await connect(hub)
        well, other = await connect(hub)
        closed = metrics.WEBSOCKETS_SLOW._value.get()
        for each in (client, well):
            await hub.subscribe(each, {ALERTS: LATEST}, {})
        pipe.reads.clear()
        for sent in range(1, 5):
            await publish(*[large(ALERTS, 1000)] * 500)
            await until(lambda sent=sent: len(other.seqs(ALERTS)) == 500 * sent)
        await until(lambda: pipe.closed_with == 4008)
        assert client not in hub.members.clients
        assert metrics.WEBSOCKETS_SLOW._value.get() == closed + 1
        assert other.closed_with is None

    play(scenario)


def test_who_was_behind_and_is_not_is_not_closed_for_it_later(monkeypatch):
    monkeypatch.setattr(clients, "SLOW_SECONDS", 0.2)

    socket = Socket()
    client = Client("test", send=None, close=socket.close, port=socket)
    socket.left_unread = 1 << 20
    client.add(Encoded(b"{}"), PRICES)
    assert not client.flush()
    client.forget({PRICES})
    assert client.flush()
    time.sleep(0.3)
    client.add(Encoded(b"{}"), PRICES)
    assert not client.flush()
    assert not client.is_slow


def test_who_is_sent_to_in_turns_hears_all_that_was_said_before_it_is_closed():
    """As by a server without a raw port."""
    heard: list[int] = []

    async def send(text: str) -> None:
        await asyncio.sleep(0.001)
        heard.append(len(text))

    async def scenario() -> None:
        client = Client("test", send=send, close=None)
        for _ in range(10):
            client.add(Encoded(b"x" * clients.WRITE_BYTES))
        client.flush()
        await client.last_words()

    asyncio.run(scenario())
    assert heard == [clients.WRITE_BYTES] * 10


def test_who_is_behind_when_the_server_stops_hears_so_before_it_is_closed():
    async def scenario(hub: Hub) -> None:
        client, pipe = await connect(hub)
        await hub.subscribe(client, {ALERTS: LATEST}, {})
        await until(lambda: pipe.said("subscribed"))
        pipe.reads.clear()
        await publish(*[large(ALERTS, 1000)] * 500)
        await until(lambda: client.outbox.lossless)
        await hub.shutdown()
        pipe.reads.set()
        await until(lambda: pipe.said("server_shutdown"))
        assert pipe.heard[-1]["type"] == "server_shutdown"
        heard = pipe.seqs(ALERTS)
        assert heard == list(range(1, len(heard) + 1))  # the rest is asked for from there
        assert pipe.closed_with == 4012

    play(scenario)


def test_what_is_about_to_leave_of_a_stream_that_is_let_go_stays():
    socket = Socket()
    client = Client("test", send=None, close=socket.close, port=socket)
    for stream in (PRICES, "prices:IBM"):
        client.ready.append(Part(stream, [Encoded(messages.encode({"n": stream, "seq": 1}))], is_newest=True))
    client.forget({PRICES})
    assert client.flush()
    assert [message["n"] for message in socket.heard] == ["prices:IBM"]


def test_what_must_not_be_lost_does_not_wait_for_the_flush(settings):
    settings.STREAM_FLUSH_IDLE_SECONDS = settings.STREAM_FLUSH_BUSY_SECONDS = 3.0

    async def scenario(hub: Hub) -> None:
        client, socket = connect_at_once(hub)
        await hub.subscribe(client, {ALERTS: LATEST, PRICES: LATEST}, {})
        await publish(tick(PRICES))
        await until(lambda: socket.seqs(PRICES) == [1])
        await publish(tick(PRICES))
        await publish(tick(ALERTS, conflate=False))
        await until(lambda: socket.seqs(ALERTS) == [1])
        assert socket.seqs(PRICES) == [1]
        await until(lambda: socket.seqs(PRICES) == [1, 2])

    play(scenario)


def test_a_repair_gives_no_more_than_there_is_room_for_and_says_so(play_behind_a_door):  # noqa: F811
    async def scenario(hub: Hub, door) -> None:
        names = [f"alerts:S{number}" for number in range(4)]
        client, pipe = await connect(hub)
        while not door.live.passed:
            await publish(tick("system"))
        await hub.subscribe(client, dict.fromkeys(names, LATEST), {})
        await publish(*map(large, names))
        await until(lambda: all(pipe.seqs(name) == [1] for name in names))
        pipe.reads.clear()
        await lose(door, *[large(name, 1000) for name in names for _ in range(500)])
        await publish(*map(large, names))
        await until(lambda: client.outbox.lossless and not hub.members.behind)
        await asyncio.sleep(0.2)
        assert client.outbox.bytes < 1 << 20
        pipe.reads.set()
        await publish(*map(large, names))
        await until(lambda: all(pipe.seqs(name)[-1:] == [503] for name in names))
        for name in names:
            gaps = [(gap["from"], gap["to"], gap["reason"]) for gap in pipe.said("gap") if gap["stream"] == name]
            assert (pipe.seqs(name), gaps) in (
                (list(range(1, 504)), []),
                ([1, 503], [(2, 502, "limit")]),
            )
        assert pipe.said("gap")
        assert pipe.closed_with is None

    play_behind_a_door(scenario)


def test_a_repair_gives_all_to_a_client_that_takes_it(play_behind_a_door):  # noqa: F811
    async def scenario(hub: Hub, door) -> None:
        names = [f"alerts:S{number}" for number in range(8)]
        client, socket = connect_at_once(hub)
        while not door.live.passed:
            await publish(tick("system"))
        await hub.subscribe(client, dict.fromkeys(names, LATEST), {})
        await publish(*map(large, names))
        await until(lambda: all(socket.seqs(name) == [1] for name in names))
        await lose(door, *[large(name, 1000) for name in names for _ in range(300)])
        await publish(*map(large, names))
        await until(lambda: all(socket.seqs(name)[-1] == 302 for name in names))
        assert all(socket.seqs(name) == list(range(1, 303)) for name in names)

    play_behind_a_door(scenario)


def test_a_subscription_recovers_what_there_is_room_for_and_tells_the_rest():
    async def scenario(hub: Hub) -> None:
        names = [f"alerts:S{number}" for number in range(4)]
        await publish(*map(large, names))
        early, pipe = await connect(hub)
        await hub.subscribe(early, dict.fromkeys(names, LATEST), {})
        await until(lambda: pipe.said("subscribed"))
        told = pipe.said("subscribed")[0]["streams"]
        for name in names:
            await publish(*[large(name, 1000)] * 400)
        client, pipe = await connect(hub)
        since = {name: Position(state["epoch"], state["seq"]) for name, state in told.items()}
        await hub.subscribe(client, dict.fromkeys(names, LATEST), since)
        await until(lambda: len(pipe.said("gap")) == 3)
        assert [gap["reason"] for gap in pipe.said("gap")] == ["limit"] * 3
        assert [len(pipe.seqs(name)) for name in names] == [400, 0, 0, 0]
        recovered = [state["recovered"] for state in pipe.said("subscribed")[0]["streams"].values()]
        assert recovered == [True, False, False, False]

    play(scenario)


def test_a_backlog_is_handed_out_as_it_is_worked_off_and_leaves_the_loop_to_others():
    async def scenario(hub: Hub) -> None:
        names = [f"prices:S{number}" for number in range(100)]
        joined = [connect_at_once(hub) for _ in range(50)]
        for client, _ in joined:
            await hub.subscribe(client, dict.fromkeys(names, LATEST), {})
        _, socket = joined[0]
        await publish(*[tick(name) for name in names])
        await until(lambda: len(socket.heard) >= 100)
        backlog = "\n".join(
            f'{name}\t{hub.members.held[name].main.epoch}\t{seq}\tkc\t{{"n":"{name}","seq":{seq}}}'
            for seq in range(2, 402)
            for name in names
        )
        turns: list[int] = []  # of the loop, by how far the last stream had come then

        async def others() -> None:
            while not turns or turns[-1] < 401:
                turns.append(hub.members.held[names[-1]].main.seq)
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        await asyncio.to_thread(redis.client().publish, streams.channel(), backlog.encode())
        await beside
        await until(lambda: all(socket.seqs(name)[-1] == 401 for name in names))
        assert len({seq for seq in turns if 1 < seq < 401}) >= 5
        assert 2 < len(socket.seqs("prices:S0")) < 200

    play(scenario)
