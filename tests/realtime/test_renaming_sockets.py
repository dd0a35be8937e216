"""Who is subscribed while a symbol gets another ticker hears so and misses nothing, whenever they came."""

import asyncio
import random

import pytest

from market import quotes, symbols
from market.models import Symbol
from market.sources.replay.seeds import SEEDS
from realtime import renaming, streams, wanted
from realtime.hub import Hub
from realtime.kinds import BY_SYMBOL
from realtime.places import EVERY, LATEST
from realtime.streams import Position
from tests.realtime.test_consumer import open_socket, publish_price
from tests.realtime.test_hub import Socket, connect, play, publish, tick, until

OF_RENAMED = {"type": "renamed", "stream": "prices:FB", "to": "prices:META"}
live = pytest.mark.django_db(transaction=True)


@pytest.fixture
def facebook(db) -> Symbol:
    symbols.ensure(SEEDS)
    return Symbol.objects.get(ticker="FB")


@live
@pytest.mark.parametrize("mode", ["every", "latest"])
def test_a_subscriber_by_the_old_name_hears_of_the_new_one_and_goes_on(live_web, facebook, quote, mode):
    with open_socket(live_web) as client:
        asked = {"action": "subscribe", "type": "prices", "symbols": ["FB", "AAPL"], "mode": mode}
        client.ask(asked, "subscribed")
        first = publish_price(quote, "FB", 20)
        renaming.rename("FB", "META")
        then = publish_price(quote, "META", 21)
        heard = [client.hear() for _ in range(3)]
        assert [(each["type"], each.get("seq")) for each in heard] == [
            ("price_update", first), ("renamed", None), ("price_update", then),
        ]  # fmt: skip
        assert (heard[1], heard[2]["symbol"], then) == (OF_RENAMED, "META", first + 1)
        held = client.ask({"action": "subscribe", "type": "system"}, "subscribed")["subscriptions"]
        assert held == ["prices:AAPL", "prices:META", "system"]


@live
def test_who_comes_back_by_the_old_name_gets_all_that_came_meanwhile(live_web, facebook, quote):
    asked = {"action": "subscribe", "type": "prices", "symbols": ["FB"], "mode": "every"}
    with open_socket(live_web) as client:
        place = client.ask(asked, "subscribed")["streams"]["prices:FB"]
    missed = [publish_price(quote, "FB", 20)]
    renaming.rename("FB", "META")
    missed.append(publish_price(quote, "META", 21))
    with open_socket(live_web) as client:
        since = {"prices:FB": {"epoch": place["epoch"], "seq": place["seq"]}}
        assert client.ask({**asked, "since": since}, "renamed") == OF_RENAMED
        answer = client.hear()
        assert list(answer["streams"]) == ["prices:META"]
        assert answer["streams"]["prices:META"]["recovered"]
        heard = [client.until("price_update") for _ in missed]
        assert [(each["symbol"], each["seq"]) for each in heard] == [("META", seq) for seq in missed]


@live
def test_the_old_name_answers_as_the_new_in_every_action(live_web, facebook, quote):
    quotes.keep([quote("GOOG", 20)])
    publish_price(quote, "GOOG", 20)
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "alerts", "symbols": ["GOOG"]}, "subscribed")
        renaming.rename("GOOG", "GOOGL")
        client.until("renamed")
        told = client.ask({"action": "get_current_prices", "symbols": ["goog", "GOOGL"]}, "current_prices")["prices"]
        assert [told[name]["symbol"] for name in ("GOOG", "GOOGL")] == ["GOOGL", "GOOGL"]
        answer = client.ask({"action": "subscribe", "type": "prices", "symbols": ["GOOG", "googl"]}, "subscribed")
        assert answer["subscriptions"] == ["alerts:GOOGL", "prices:GOOGL"]
        assert [each["symbol"] for each in answer["snapshot"]] == ["GOOGL"]
        ended = client.ask({"action": "unsubscribe", "type": "prices", "symbols": ["GOOG"]}, "unsubscribed")
        assert (ended["streams"], ended["subscriptions"]) == (["prices:GOOGL"], ["alerts:GOOGL"])


@live
@pytest.mark.parametrize(
    ("old", "told", "more"),
    [
        ("IBM", "indicators:{}/sma_100", {"type": "indicators", "indicators": ["sma_100"]}),
        ("MSFT", "bars:{}@5m", {"type": "bars", "interval": "5m"}),
    ],
)
@pytest.mark.usefixtures("facebook")
def test_what_is_told_while_somebody_holds_it_goes_along(live_web, old, told, more):
    with open_socket(live_web) as client:
        asked = {"action": "subscribe", "symbols": [old], **more}
        client.ask(asked, "subscribed")
        assert told.format(old) in wanted.names()
        renaming.rename(old, "META")
        assert client.until("renamed")["to"] == told.format("META")
        assert client.ask(asked, "subscribed")["subscriptions"] == [told.format("META")]


def test_whoever_joins_in_the_midst_of_it_hears_every_message_after_joining_once():
    """Every order of a subscription and a rename: by the old name or the new one, before, amid and after."""

    async def scenario(hub: Hub) -> None:
        waits = random.Random(7)
        for turn in range(40):
            old, new = f"prices:F{turn}", f"prices:M{turn}"
            await publish(tick(old))
            there, first = connect(hub)
            await hub.subscribe(there, {old: EVERY}, {})
            clients = [connect(hub) for _ in range(4)]
            joining = [
                _later(waits.uniform(0, 0.004), hub.subscribe(client, {waits.choice([old, new, old]): EVERY}, {}))
                for client, _ in clients[:3]
            ] + [_later(waits.uniform(0, 0.004), hub.subscribe(clients[3][0], {old: LATEST}, {}))]
            moving = asyncio.to_thread(streams.rename, [(old, new)], f"F{turn}", f"M{turn}")
            await asyncio.gather(*joining, _later(0.002, moving))
            last = (await publish(tick(new), tick(new)))[-1]
            for socket in (first, *(socket for _, socket in clients)):
                await until(lambda socket=socket, last=last: _last(socket) == last, 20)
            assert first.seqs(new)[-2:] == [last - 1, last]
            assert first.said("renamed") == {"type": "renamed", "stream": old, "to": new}
            for client, socket in clients[:3]:
                assert list(client.held) == [new], (turn, socket.heard)
                assert socket.seqs(new)[-2:] == [last - 1, last], (turn, socket.heard)
            for client, _ in [(there, first), *clients]:
                hub.detach(client)

    play(scenario)


async def _later(seconds: float, work) -> None:
    await asyncio.sleep(seconds)
    await work


def _last(socket: Socket) -> int | None:
    return max((message["seq"] for message in socket.heard if "n" in message), default=None)


def test_a_server_that_did_not_hear_of_it_finds_it_at_its_next_look():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:FB": EVERY, "bars:FB": LATEST}, {})
        await publish(tick("prices:FB"))
        await until(lambda: socket.seqs("prices:FB") == [1])
        accept, hub.members.accept = hub.members.accept, lambda line, **_: None  # nothing comes through
        await asyncio.to_thread(streams.rename, [(kind.of("FB"), kind.of("META")) for kind in BY_SYMBOL], "FB", "META")
        await publish(tick("prices:META"))
        await asyncio.sleep(0.2)
        hub.members.accept = accept
        await hub.repair.look()  # finds the new name
        await hub.repair.look()  # and, by it, what is missing
        await until(lambda: socket.seqs("prices:META") == [2])
        assert sorted(client.held) == ["bars:META", "prices:META"]
        told = {message["to"] for message in socket.heard if message.get("type") == "renamed"}
        assert told == {"prices:META", "bars:META"}

    play(scenario)


def test_a_price_that_waits_for_the_next_flush_comes_before_the_new_name():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:FB": LATEST}, {})
        await publish(tick("prices:FB"))
        await until(lambda: socket.seqs("prices:FB") == [1])
        await publish(tick("prices:FB"))
        await asyncio.to_thread(streams.rename, [("prices:FB", "prices:META")], "FB", "META")
        await until(lambda: socket.heard[-1].get("type") == "renamed")
        assert socket.seqs("prices:FB") == [1, 2]

    play(scenario)


def test_a_client_that_cannot_be_told_of_a_new_name_keeps_it_from_no_other():
    async def scenario(hub: Hub) -> None:
        broken, _ = connect(hub)
        await hub.subscribe(broken, {"prices:FB": EVERY}, {})
        on_their_way, accept = [], hub.members.accept
        hub.members.accept = on_their_way.append
        await publish(tick("prices:FB"))
        await until(lambda: on_their_way)
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:FB": EVERY}, {})
        broken.outbox = None
        accept(on_their_way[0]._replace(flags=streams.RENAMED, body=b"prices:META"))
        await until(lambda: "renamed" in [each.get("type") for each in socket.heard])
        assert (list(client.places), list(hub.members.held)) == (["prices:META"], ["prices:META"])

    play(scenario)


def test_a_position_of_the_old_name_is_one_of_the_new():
    async def scenario(hub: Hub) -> None:
        await publish(tick("prices:FB"), tick("prices:FB"))
        await asyncio.to_thread(streams.rename, [("prices:FB", "prices:META")], "FB", "META")
        client, socket = connect(hub)
        [reading] = await hub.reader.read([("prices:META", None)])
        since = {"prices:FB": Position(reading.epoch, 1)}
        await hub.subscribe(client, {"prices:FB": EVERY}, since)
        await until(lambda: socket.seqs("prices:FB") == [2])
        said = [message.get("type") for message in socket.heard]
        assert [kind for kind in said if kind in ("renamed", "subscribed")] == ["renamed", "subscribed"]
        assert socket.said("subscribed")["streams"]["prices:META"]["recovered"]

    play(scenario)
