"""A client's own pace, and the fields that it reads: of the newest prices alone, and at nobody else's cost."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from realtime import messages, shaping, streams
from realtime.frames import Encoded
from realtime.hub import Hub
from realtime.outbox import Outbox
from realtime.places import EVERY, LATEST
from realtime.shaping import Shaped, Wheel
from tests.realtime.test_consumer import open_socket, publish_price, tracked  # noqa: F401
from tests.realtime.test_hub import connect, play, publish, tick, until

STREAM = "prices:AAPL"
AS_IT_IS = {"batch": False, "pace_ms": None, "fields": None}


async def joined(hub: Hub, streams: dict[str, str], **terms):
    client, socket = connect(hub)
    hub.configure(client, **AS_IT_IS | terms)
    await hub.subscribe(client, streams, {})
    return client, socket


async def prices(hub: Hub, seconds: float, stream: str = STREAM) -> int:
    """Publish as fast as it goes for a while; the last number."""
    until, seq = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        [seq] = await publish(tick(stream))
        await asyncio.sleep(0.01)
    return seq


def test_a_client_with_a_pace_gets_the_newest_at_its_pace_and_the_others_at_theirs():
    async def scenario(hub: Hub) -> None:
        _, slow = await joined(hub, {STREAM: LATEST}, pace_ms=600)
        _, other = await joined(hub, {STREAM: LATEST})
        last = await prices(hub, 2)
        await until(lambda: slow.seqs(STREAM)[-1] == last)
        assert 3 <= len(slow.seqs(STREAM)) <= 6
        assert len(other.seqs(STREAM)) > 8
        assert slow.seqs(STREAM) == sorted(set(slow.seqs(STREAM)))

    play(scenario)


def test_the_first_price_after_a_quiet_time_does_not_wait_for_the_pace():
    async def scenario(hub: Hub) -> None:
        _, socket = await joined(hub, {STREAM: LATEST}, pace_ms=60_000)
        await publish(tick())
        await until(lambda: socket.seqs(STREAM) == [1], seconds=2)
        await publish(tick())
        await asyncio.sleep(0.5)
        assert socket.seqs(STREAM) == [1]

    play(scenario)


def test_all_that_waits_goes_when_the_pace_is_taken_back():
    async def scenario(hub: Hub) -> None:
        client, socket = await joined(hub, {STREAM: LATEST, "prices:MSFT": LATEST}, pace_ms=60_000)
        for _ in range(3):
            await publish(tick(), tick("prices:MSFT"))
            await asyncio.sleep(0.2)
        assert (socket.seqs(STREAM), socket.seqs("prices:MSFT")) == ([1], [1])
        hub.configure(client, **AS_IT_IS)
        hub.answer(client)
        await until(lambda: (socket.seqs(STREAM), socket.seqs("prices:MSFT")) == ([1, 3], [1, 3]))
        await publish(tick())
        await until(lambda: socket.seqs(STREAM) == [1, 3, 4])

    play(scenario)


def test_a_pace_is_of_the_newest_prices_alone():
    async def scenario(hub: Hub) -> None:
        wanted = {STREAM: EVERY, "prices:MSFT": LATEST, "bars:AAPL": LATEST, "alerts:AAPL": LATEST}
        _, socket = await joined(hub, wanted, pace_ms=60_000)
        for _ in range(3):
            await publish(tick(), tick("prices:MSFT"), tick("bars:AAPL"), tick("alerts:AAPL", conflate=False))
            await asyncio.sleep(0.3)
        await until(lambda: socket.seqs("alerts:AAPL") == socket.seqs(STREAM) == [1, 2, 3])
        assert socket.seqs("bars:AAPL")[-1] == 3
        assert socket.seqs("prices:MSFT") == [1]

    play(scenario)


def test_what_follows_on_a_stream_does_not_overtake_what_waits_of_it():
    async def scenario(hub: Hub) -> None:
        _, socket = await joined(hub, {STREAM: LATEST}, pace_ms=60_000)
        for _ in range(2):
            await publish(tick())
            await asyncio.sleep(0.2)
        await asyncio.to_thread(streams.renew, [STREAM])
        await until(lambda: any(told.get("type") == "epoch" for told in socket.heard))
        assert [told.get("seq") for told in socket.heard[-2:]] == [2, 0]

    play(scenario)


def test_what_a_client_gave_up_does_not_come_late():
    async def scenario(hub: Hub) -> None:
        client, socket = await joined(hub, {STREAM: LATEST}, pace_ms=400)
        for _ in range(2):
            await publish(tick())
            await asyncio.sleep(0.1)
        hub.unsubscribe(client, [STREAM], messages.ASKED)
        await asyncio.sleep(0.6)
        assert socket.seqs(STREAM) == [1]

    play(scenario)


def test_what_was_given_up_before_its_time_puts_off_nothing():
    async def scenario() -> None:
        shaped = Shaped(owner := SimpleNamespace(), Wheel(lambda client: None), 60.0, None)
        owner.outbox = shaped
        shaped.conflate(STREAM, Encoded(b"{}"))
        shaped.forget({STREAM})
        assert not shaped.release()
        shaped.conflate(STREAM, Encoded(b"{}"))
        assert shaped.release()
        shaped.conflate(STREAM, Encoded(b"{}"))
        owner.outbox = Outbox()
        assert not shaped.release()

    asyncio.run(scenario())


def test_a_thousand_paces_have_one_timer():
    async def scenario(hub: Hub) -> None:
        sockets = [(await joined(hub, {STREAM: LATEST}, pace_ms=30_000 + 7 * number))[1] for number in range(300)]
        for _ in range(2):
            await publish(tick())
            await until(lambda: all(socket.seqs(STREAM) for socket in sockets))
        await asyncio.sleep(0.3)
        timers = [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]
        assert len(timers) < 15

    play(scenario)


def test_one_client_whose_prices_can_not_be_given_stops_no_other():
    async def scenario(hub: Hub) -> None:
        broken, _ = await joined(hub, {STREAM: LATEST}, pace_ms=100)
        _, socket = await joined(hub, {STREAM: LATEST}, pace_ms=100)
        broken.outbox.late = type("Broken", (dict,), {"__bool__": lambda self: 1 / 0})()
        for price in range(1, 4):
            await publish(tick())
            await until(lambda price=price: price in socket.seqs(STREAM))

    play(scenario)


def test_fields_leave_out_what_a_client_does_not_read(quote):
    async def scenario(hub: Hub) -> None:
        _, socket = await joined(hub, {STREAM: LATEST}, fields=["current_price", "timestamp"])
        _, every = await joined(hub, {STREAM: EVERY}, fields=["current_price"])
        await publish(messages.price(quote("AAPL", 5)))
        await until(lambda: socket.heard[-1]["type"] == every.heard[-1]["type"] == "price_update")
        assert list(socket.heard[-1]) == ["type", "symbol", "current_price", "timestamp", "seq"]
        assert len(every.heard[-1]) > 10

    play(scenario)


def test_the_same_fields_are_encoded_once_for_all_and_kept_for_so_many(monkeypatch):
    monkeypatch.setattr(shaping, "MOST_CUT", 3)
    monkeypatch.setattr(shaping, "_cut", {})
    price, fields = Encoded(b'{"type":"price_update","symbol":"A","volume":1,"seq":1}'), frozenset(["open"])
    first = shaping.cut(STREAM, price, fields)
    assert first.body == b'{"type":"price_update","symbol":"A","seq":1}'
    assert shaping.cut(STREAM, price, frozenset(["open"])) is first
    newer = Encoded(b'{"type":"price_update","symbol":"A","open":2,"seq":2}')
    assert shaping.cut(STREAM, newer, fields).body == newer.body
    for number in range(5):
        shaping.cut(f"prices:{number}", price, fields)
    assert len(shaping._cut) == 3


def test_a_price_that_is_no_json_is_given_as_everybody_gets_it():
    assert shaping.cut(STREAM, Encoded(b"{"), frozenset(["open"])).body == b"{"


# Over a real socket


@pytest.mark.django_db(transaction=True)
def test_a_client_configures_and_is_told_how_it_stands(live_web, tracked, quote):  # noqa: F811
    with open_socket(live_web) as client:
        stands = client.ask({"action": "configure", "id": 1}, "configured")
        assert stands == {"type": "configured", "id": 1, **AS_IT_IS}
        asked = {"batch": True, "pace_ms": 1000, "fields": ["current_price", "change_percent"]}
        assert client.ask({"action": "configure", **asked}, "configured") == {"type": "configured", **asked}
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["*"]}, "subscribed")
        for price in (1, 2):
            streams.publish([messages.price(quote(ticker, price)) for ticker in ("AAPL", "GC=F")])
        heard = []
        while not heard or heard[-1]["current_price"] != 2:
            heard += client.until("price_updates")["updates"]
        assert set(heard[-1]) == {"type", "symbol", "current_price", "change_percent", "seq"}
        client.ask({"action": "configure", "batch": False, "fields": None, "pace_ms": None}, "configured")
        publish_price(quote, "AAPL", 9)
        assert client.until("price_update")["source"] == "replay"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "terms",
    [
        {"pace_ms": 99},
        {"pace_ms": 60_001},
        {"pace_ms": 100.5},
        {"pace_ms": "100"},
        {"pace_ms": True},
        {"fields": []},
        {"fields": ["prize"]},
        {"fields": "current_price"},
        {"fields": ["symbol"]},
        {"batch": None},
        {"pace": 100},
    ],
)
def test_terms_that_can_not_be_change_nothing(live_web, terms):
    with open_socket(live_web) as client:
        assert client.ask({"action": "configure", "batch": True, **terms, "id": 1}, "error")["code"] == "invalid"
        assert client.ask({"action": "configure"}, "configured")["batch"] is False
