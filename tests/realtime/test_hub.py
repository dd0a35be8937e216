"""The hub against a real Redis protocol: nothing lost, nothing twice, in every order of events."""

import asyncio
import json
import random
import subprocess
import time
from collections.abc import Awaitable, Callable

import pytest

from monitoring import heartbeats, loops, place, redis
from realtime import messages, streams
from realtime.clients import Client
from realtime.hub import Hub, repair
from realtime.places import EVERY, LATEST
from realtime.streams import Line, Position

pytestmark = pytest.mark.usefixtures("redis")
CHECKED_SECONDS = 2 * repair.CHECK_SECONDS  # a hole that no message shows is found by the next look at the tops


class Socket:
    """The far end of a connection: takes frames as they come, or leaves them in the buffer."""

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.left_unread = 0
        self.reads = True
        self.closed_with: int | None = None

    def write(self, data: bytes) -> None:
        if not self.reads:
            self.left_unread += len(data)
        while data:
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            self.heard.append(json.loads(data[start : start + size]))
            data = data[start + size :]

    def get_write_buffer_size(self) -> int:
        return self.left_unread

    def is_closing(self) -> bool:
        return self.closed_with is not None

    async def close(self, code: int) -> None:
        self.closed_with = code

    def said(self, kind: str) -> dict:
        """The last message of a type."""
        return [message for message in self.heard if message.get("type") == kind][-1]

    def seqs(self, stream: str) -> list[int]:
        return [message["seq"] for message in self.heard if message.get("n") == stream]


def connect(hub: Hub) -> tuple[Client, Socket]:
    socket = Socket()
    client = Client("test", send=None, close=socket.close, port=socket)
    hub.attach(client)
    return client, socket


def tick(stream: str = "prices:AAPL", *, keep: bool = True, conflate: bool = True) -> messages.Message:
    return messages.Message(stream, messages.encode({"n": stream}), keep, conflate)


async def until(truth: Callable[[], bool], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.01)


async def publish(*what: messages.Message) -> list[int]:
    return (await asyncio.to_thread(streams.publish, what)).numbers


def play(scenario: Callable[[Hub], Awaitable[None]]) -> None:
    async def run() -> None:
        hub = Hub()
        try:
            await scenario(hub)
        finally:
            await hub.shutdown()

    asyncio.run(run())


def test_every_message_arrives_once_and_in_order_in_mode_every():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        for _ in range(50):
            await publish(tick(), tick())
        await until(lambda: len(socket.seqs("prices:AAPL")) >= 100)
        assert socket.seqs("prices:AAPL") == list(range(1, 101))

    play(scenario)


def test_a_hub_that_stops_as_it_begins_leaves_no_task():
    async def scenario() -> None:
        for turns in range(60):
            hub = Hub()
            connect(hub)
            for _ in range(turns):
                await asyncio.sleep(0)
            await hub.shutdown()
            assert [task for task in hub._tasks if not task.done()] == []

    asyncio.run(scenario())


def test_mode_latest_merges_what_one_flush_holds_and_keeps_the_newest():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": LATEST}, {})
        await until(lambda: any(held.main.epoch or held.apart for held in hub.members.held.values()))
        await publish(*[tick()] * 500)
        await until(lambda: 500 in socket.seqs("prices:AAPL"))
        assert len(socket.seqs("prices:AAPL")) < 10

    play(scenario)


def test_what_must_not_be_lost_is_never_conflated():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"alerts:AAPL": LATEST}, {})
        await publish(*[tick("alerts:AAPL", conflate=False)] * 300)
        await until(lambda: len(socket.seqs("alerts:AAPL")) >= 300)
        assert socket.seqs("alerts:AAPL") == list(range(1, 301))

    play(scenario)


def test_a_client_that_comes_back_gets_what_it_missed_and_then_what_is_new():
    async def scenario(hub: Hub) -> None:
        await publish(*[tick()] * 10)
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        epoch = socket.said("subscribed")["streams"]["prices:AAPL"]["epoch"]
        hub.detach(client)
        await publish(*[tick()] * 5)
        again, socket = connect(hub)
        await hub.subscribe(again, {"prices:AAPL": EVERY}, {"prices:AAPL": Position(epoch, 10)})
        await publish(tick())
        await until(lambda: 16 in socket.seqs("prices:AAPL"))
        assert socket.said("subscribed")["streams"]["prices:AAPL"]["recovered"] is True
        assert socket.said("subscribed")["snapshot"] == []
        assert socket.seqs("prices:AAPL") == list(range(11, 17))

    play(scenario)


def test_a_position_of_another_epoch_is_a_gap():
    async def scenario(hub: Hub) -> None:
        await publish(tick())
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {"prices:AAPL": Position("another", 1)})
        assert socket.said("gap")["reason"] == "epoch_changed"

    play(scenario)


def test_a_new_epoch_is_announced_before_its_first_message():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await publish(tick(), tick())
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        await asyncio.to_thread(streams.renew, ["prices:AAPL"])
        await publish(tick())
        await until(lambda: socket.heard[-1].get("seq") == 1)
        assert socket.heard[-2]["type"] == "epoch"

    play(scenario)


def test_a_forgotten_redis_begins_a_new_epoch_and_says_so():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await publish(tick(), tick())
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        await asyncio.to_thread(redis.client().flushdb)
        await publish(tick())
        await until(lambda: socket.seqs("prices:AAPL") == [1])
        assert "epoch" in [message.get("type") for message in socket.heard]

    play(scenario)


def test_publications_lost_on_the_way_are_read_again(monkeypatch):
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        await until(lambda: any(held.main.epoch or held.apart for held in hub.members.held.values()))
        accept = hub.members.accept
        chance = random.Random(7)
        hub.members.accept = lambda line, **more: chance.random() > 0.2 and accept(line, **more)
        for _ in range(300):
            await publish(tick())
        hub.members.accept = accept
        await publish(tick())
        await until(lambda: 301 in socket.seqs("prices:AAPL"))
        assert socket.seqs("prices:AAPL") == list(range(1, 302))

    play(scenario)


def test_a_loss_followed_by_silence_is_noticed(monkeypatch):
    monkeypatch.setattr(repair, "CHECK_SECONDS", 0.2)

    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"alerts:AAPL": LATEST}, {})
        accept, hub.members.accept = hub.members.accept, lambda line, **more: None
        await publish(tick("alerts:AAPL", conflate=False))
        await asyncio.sleep(0.1)
        hub.members.accept = accept
        await until(lambda: socket.seqs("alerts:AAPL") == [1])

    play(scenario)


def test_what_is_published_while_the_history_is_read_comes_once_and_in_order(settings):
    """200 interleavings: publications before, during and after the reading of a subscription."""
    settings.STREAM_FLUSH_IDLE_SECONDS = settings.STREAM_FLUSH_BUSY_SECONDS = 0.002

    async def scenario(hub: Hub) -> None:
        chance = random.Random(11)
        elder, heard = connect(hub)
        await hub.subscribe(elder, {"prices:AAPL": EVERY}, {})
        read, known = hub.reader._read_all, 0

        async def slow_read(positions):
            before, after = chance.random() * 0.004, chance.random() * 0.004
            await asyncio.sleep(before)
            found = await read(positions)
            await asyncio.sleep(after)
            return found

        hub.reader._read_all = slow_read
        for _ in range(200):
            client, socket = connect(hub)
            epoch = heard.said("subscribed")["streams"]["prices:AAPL"]["epoch"]
            since = {"prices:AAPL": Position(epoch, known)}
            joining = asyncio.create_task(hub.subscribe(client, {"prices:AAPL": EVERY}, since))
            last = known
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(chance.random() * 0.003)
                last = (await publish(tick()))[0]
            await joining
            last = (await publish(tick()))[0]
            await until(lambda: socket.seqs("prices:AAPL")[-1:] == [last])  # noqa: B023 - awaited in this round
            assert socket.seqs("prices:AAPL") == list(range(known + 1, last + 1))
            known = last
            hub.detach(client)

    play(scenario)


def test_a_client_that_does_not_read_keeps_one_price_a_symbol_and_every_alert_in_order():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        asked = {"prices:AAPL": LATEST, "prices:IBM": LATEST, "alerts:AAPL": LATEST}
        await hub.subscribe(client, asked, {})
        socket.left_unread = 1 << 20
        for _ in range(40):
            await publish(tick(), tick("prices:IBM"), tick("alerts:AAPL", conflate=False))
            await asyncio.sleep(0.005)
        socket.left_unread = 0
        await until(lambda: len(socket.seqs("alerts:AAPL")) >= 40)
        assert socket.seqs("prices:AAPL") == socket.seqs("prices:IBM") == [40]
        assert socket.seqs("alerts:AAPL") == list(range(1, 41))

    play(scenario)


def test_a_client_that_stays_behind_is_closed_with_a_code_and_the_others_are_not(monkeypatch):
    monkeypatch.setattr("realtime.clients.SLOW_SECONDS", 0.3)

    async def scenario(hub: Hub) -> None:
        slow, stuck = connect(hub)
        well, socket = connect(hub)
        for client in (slow, well):
            await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        stuck.left_unread = 1 << 20
        for _ in range(60):
            await publish(tick())
            await asyncio.sleep(0.01)
        await until(lambda: stuck.closed_with == 4008 and len(socket.seqs("prices:AAPL")) == 60)
        assert slow not in hub.members.clients
        assert not slow.held

    play(scenario)


def test_nobody_is_left_behind_in_the_hub_when_clients_go():
    async def scenario(hub: Hub) -> None:
        for _ in range(50):
            client, _ = connect(hub)
            await hub.subscribe(client, {"prices:AAPL": EVERY, "alerts:AAPL": LATEST}, {})
            hub.detach(client)
        assert not hub.members.clients
        assert not hub.members.held

    play(scenario)


def test_who_asked_for_every_message_is_told_which_that_formed_are_not_kept():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        forming, final = tick("bars:AAPL", keep=False), tick("bars:AAPL", conflate=False)
        await publish(*[forming] * 3, final, *[forming] * 4)
        epoch = redis.client().hget(redis.key("stream", "state:bars:AAPL"), "epoch").decode()
        await hub.subscribe(client, {"bars:AAPL": EVERY}, {"bars:AAPL": Position(epoch, 2)})
        await until(lambda: 8 in socket.seqs("bars:AAPL"))
        told = [each for each in socket.heard if each.get("type") == "gap" or "n" in each]
        told = [(each["from"], each["to"], each["reason"]) if "from" in each else each["seq"] for each in told]
        assert told == [(3, 3, "not_kept"), 4, (5, 7, "not_kept"), 8]
        hub.unsubscribe(client, ["bars:AAPL"], messages.ASKED)
        socket.heard.clear()
        await hub.subscribe(client, {"bars:AAPL": EVERY}, {"bars:AAPL": Position(epoch, 7)})
        assert [each for each in socket.heard if each.get("type") == "gap"] == []

    play(scenario)


def test_final_bars_are_recovered_through_many_forming_ones():
    async def scenario(hub: Hub) -> None:
        for _ in range(10):
            await publish(*[tick("bars:AAPL", keep=False)] * 30, tick("bars:AAPL", conflate=False))
        epoch = redis.client().hget(redis.key("stream", "state:bars:AAPL"), "epoch").decode()
        await publish(tick("bars:AAPL", keep=False))
        client, socket = connect(hub)
        await hub.subscribe(client, {"bars:AAPL": LATEST}, {"bars:AAPL": Position(epoch, 31)})
        assert socket.seqs("bars:AAPL") == [*range(62, 311, 31), 311]
        assert socket.said("subscribed")["streams"]["bars:AAPL"]["recovered"] is True
        assert [each for each in socket.heard if each.get("type") == "gap"] == []  # it asked for no forming one

    play(scenario)


def test_who_waits_for_a_flush_goes_on_once_all_that_waited_has_left():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        await publish(tick())
        main = hub.members.held["prices:AAPL"].main
        await until(lambda: main and main.seq == 1 and socket.seqs("prices:AAPL") == [1])
        for seq in (2, 3):
            body = messages.encode({"n": "prices:AAPL", "seq": seq})
            hub.members.accept(Line("prices:AAPL", main.epoch, seq, "kc", body))
            await hub.members.flusher.flush()
            assert socket.seqs("prices:AAPL")[-1:] == [seq]

    play(scenario)


def test_a_client_that_joins_ahead_of_the_hub_hears_nothing_twice():
    async def scenario(hub: Hub) -> None:
        elder, first = connect(hub)
        await hub.subscribe(elder, {"prices:AAPL": EVERY}, {})
        on_their_way, accept = [], hub.members.accept
        hub.members.accept = on_their_way.append
        await publish(tick(), tick())
        await until(lambda: len(on_their_way) == 2)
        client, second = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        hub.members.accept = accept
        for line in on_their_way:
            accept(line)
        await publish(tick())
        await until(lambda: 3 in second.seqs("prices:AAPL") and 3 in first.seqs("prices:AAPL"))
        assert (first.seqs("prices:AAPL"), second.seqs("prices:AAPL")) == ([1, 2, 3], [3])

    play(scenario)


def test_a_forming_bar_never_follows_its_final_one():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"bars:AAPL": LATEST}, {})
        await publish(*[tick("bars:AAPL", keep=False)] * 3, tick("bars:AAPL", conflate=False))
        await asyncio.sleep(0.3)
        assert socket.seqs("bars:AAPL") == [4]

    play(scenario)


def test_a_client_that_joins_while_an_epoch_ends_hears_nothing_of_the_old_one():
    async def scenario(hub: Hub) -> None:
        elder, first = connect(hub)
        await hub.subscribe(elder, {"prices:AAPL": EVERY}, {})
        on_their_way, accept = [], hub.members.accept
        hub.members.accept = on_their_way.append
        await publish(tick())
        await asyncio.to_thread(streams.renew, ["prices:AAPL"])
        await publish(tick())
        await until(lambda: len(on_their_way) == 3)
        client, second = connect(hub)
        joining = asyncio.create_task(hub.subscribe(client, {"prices:AAPL": EVERY}, {}))
        await asyncio.sleep(0.05)
        hub.members.accept = accept
        for line in on_their_way:
            accept(line)
        await joining
        await publish(tick())
        await until(lambda: 2 in second.seqs("prices:AAPL") and 2 in first.seqs("prices:AAPL"))
        assert (first.seqs("prices:AAPL"), second.seqs("prices:AAPL")) == ([1, 1, 2], [2])
        assert "epoch" not in [message.get("type") for message in second.heard]

    play(scenario)


def test_nothing_is_said_of_the_feed_before_it_is_known_and_then_the_truth():
    async def scenario(hub: Hub) -> None:
        heartbeats.beat("feed", trouble=None)
        first, second = connect(hub)[1], connect(hub)[1]
        await until(lambda: first.heard and second.heard)
        assert [socket.heard[0]["type"] for socket in (first, second)] == ["service_status"] * 2
        for socket in (first, second):
            assert facts(socket) == {"redis": True, "feed": True, "source": True, "detail": None}

    play(scenario)


def test_who_comes_later_hears_at_once_what_is_known_of_the_feed():
    async def scenario(hub: Hub) -> None:
        heartbeats.beat("feed", trouble=None)
        first = connect(hub)[1]
        await until(lambda: first.heard)
        client, second = connect(hub)
        hub.tell_status(client)
        assert facts(second) == facts(first)

    play(scenario)


def test_a_feed_that_was_killed_is_told_before_its_sign_of_life_is_old():
    async def scenario(hub: Hub) -> None:
        feed = subprocess.Popen(["sleep", "60"])
        heartbeats.beat("feed", pid=feed.pid, place=place.here(), birth=place.began(feed.pid))
        socket = connect(hub)[1]
        await until(lambda: socket.heard and facts(socket)["feed"])
        heartbeats.beat("feed", **{**heartbeats.last("feed"), "at": time.time() + 60})
        feed.kill()
        feed.wait()
        await until(lambda: not facts(socket)["feed"])

    play(scenario)


def test_a_source_that_gives_nothing_is_told_with_the_reason_and_that_it_is_back():
    async def scenario(hub: Hub) -> None:
        heartbeats.beat("feed", trouble="Yahoo does not answer: no route")
        socket = connect(hub)[1]
        await until(lambda: socket.heard)
        assert (facts(socket)["source"], facts(socket)["detail"]) == (False, "Yahoo does not answer: no route")
        heartbeats.beat("feed", trouble=None)
        await until(lambda: facts(socket)["source"])

    play(scenario)


def facts(socket: Socket) -> dict:
    """What the last word about the service says, without its time."""
    return {name: socket.said("service_status")[name] for name in ("redis", "feed", "source", "detail")}


@pytest.mark.parametrize("nonsense", [b"no line", b"a\tb\tc\td\te", b"\xff\t\t1\tk\t{}", b""])
def test_a_publication_that_is_none_keeps_nobody_from_the_next(nonsense):
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        await publish(tick())
        await until(lambda: socket.seqs("prices:AAPL") == [1])
        await asyncio.to_thread(redis.client().publish, streams.channel(), nonsense)
        await publish(tick())
        await until(lambda: socket.seqs("prices:AAPL") == [1, 2], seconds=CHECKED_SECONDS)

    play(scenario)


def test_of_lines_that_break_only_those_without_a_whole_one_between_are_a_row(caplog):
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY}, {})
        live = next(loop for loop in loops.running() if loop.name == "hub: the live channel")
        for breaks in range(3):  # the first is heard once the subscription is there
            await publish(tick())
            await until(lambda breaks=breaks: socket.seqs("prices:AAPL") == [*range(1, breaks + 2)])
            if breaks < 2:
                await asyncio.to_thread(redis.client().publish, streams.channel(), b"prices:AAPL\te\t1\tr\t\xff")
                await until(lambda breaks=breaks: live.skipped == breaks + 1)
        assert caplog.text.count("skipped 'prices:AAPL' (1 in a row") == 2

    play(scenario)


@pytest.mark.parametrize(("stream", "mode"), [("prices:AAPL", EVERY), ("alerts:AAPL", LATEST)])
def test_a_client_that_cannot_be_given_a_message_keeps_it_from_no_other(stream, mode):
    async def scenario(hub: Hub) -> None:
        (broken, _), (_, socket) = connect(hub), connect(hub)
        for client in list(hub.members.clients):
            await hub.subscribe(client, {stream: mode}, {})
        broken.outbox = None
        told = tick(stream, conflate=stream == "prices:AAPL")
        await publish(told, told)
        await until(lambda: socket.seqs(stream) == [1, 2])
        assert broken not in hub.members.clients

    play(scenario)


def test_a_client_that_cannot_be_told_the_status_keeps_it_from_no_other(monkeypatch):
    async def scenario(hub: Hub) -> None:
        (broken, _), (_, socket) = connect(hub), connect(hub)
        monkeypatch.setattr(hub.members, "clients", [broken, *(hub.members.clients - {broken})])
        broken.outbox = None
        hub.status.now = None
        await until(lambda: socket.heard and socket.said("service_status")["redis"])
        await until(lambda: hub.status.now is not None)

    play(scenario)


DAMAGED = [{"kept": "zz"}, {"seq": "zz"}, {"seq": "-1"}, {"seq": "9" * 30}, {"latest": "no json"}]


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_stream_costs_no_other_and_begins_anew(damage):
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": EVERY, "prices:FB": EVERY}, {})
        await publish(tick(), tick("prices:FB"))
        await until(lambda: socket.seqs("prices:AAPL") == socket.seqs("prices:FB") == [1])
        await asyncio.to_thread(_damage, "prices:FB", damage)
        await asyncio.to_thread(redis.client().publish, streams.channel(), b"lost on the way")
        await publish(tick(), tick("prices:FB"))
        await until(lambda: socket.seqs("prices:AAPL") == [1, 2], seconds=CHECKED_SECONDS)
        late, heard = connect(hub)
        await hub.subscribe(late, {"prices:FB": EVERY, "prices:AAPL": EVERY}, {"prices:FB": Position("x", 1)})
        await publish(tick("prices:FB"), tick())
        await until(lambda: heard.seqs("prices:FB") and heard.seqs("prices:AAPL") == [3])

    play(scenario)


@pytest.mark.parametrize("to", [b"\xff", b"zz", b"prices:", b"prices:FB", b"alerts:AAPL", b"prices:@1", b"prices:A\tB"])
@pytest.mark.parametrize("is_known", [True, False], ids=["told", "fallen behind"])
def test_a_damaged_name_of_a_stream_leaves_nobody_deaf(to, is_known):
    """Where it is no other name of the kind, it leads nowhere: the stream begins anew, for who holds it too."""

    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:FB": EVERY, "prices:AAPL": EVERY}, {})
        await publish(tick(), tick("prices:FB"))
        await until(lambda: socket.seqs("prices:AAPL") == socket.seqs("prices:FB") == [1])
        await asyncio.to_thread(redis.client().delete, redis.key("stream", "state", "prices:FB"))
        await asyncio.to_thread(_damage, "prices:FB", {"to": to})
        if not is_known:
            await hub.repair.look()
        await publish(tick("prices:FB"), tick())
        await until(lambda: socket.seqs("prices:FB") == [1, 1] and socket.seqs("prices:AAPL") == [1, 2])
        assert not [each for each in socket.heard if each.get("type") == "renamed"]

    play(scenario)


def _damage(stream: str, damage: dict[str, str | bytes]) -> None:
    redis.client().hset(redis.key("stream", "state", stream), mapping=damage)
