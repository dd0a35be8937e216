"""How long prices take from our receipt to the sockets: measured at the flush that wrote them."""

from datetime import UTC, datetime, timedelta

import pytest

from market.prices import instant
from monitoring import metrics
from realtime import delays, messages
from realtime.delays import Delays
from realtime.frames import Encoded
from realtime.hub import Hub
from realtime.messages import Message
from realtime.places import LATEST
from tests.realtime.test_hub import connect, play, publish, until

pytestmark = pytest.mark.usefixtures("redis")
NOW = datetime(2026, 6, 8, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def latency():
    metrics.PRICE_TO_CLIENT.write()  # what others of this process have counted
    before = metrics.PRICE_TO_CLIENT.last().get(())
    assert before is None
    return metrics.PRICE_TO_CLIENT


def test_a_price_is_measured_from_its_receipt_to_the_flush_that_wrote_it(latency):
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {"prices:AAPL": LATEST}, {})
        for number, late in enumerate((50, 40, 30, -20), 1):
            await publish(_price(datetime.now(UTC) - timedelta(seconds=late)))
            await until(lambda: number in socket.seqs("prices:AAPL"))  # noqa: B023

    play(scenario)
    latency.write()
    told = latency.last()[()]
    # The first that is flushed only begins, and the very first may have been read as the client joined.
    assert (told.count in (1, 2), told.ahead) == (True, 1)
    assert 20 < told.p50 <= told.p99 <= 60


def test_what_is_told_again_is_not_measured_and_what_stands_beside_a_close_is(redis):
    measured, at = Delays(), [NOW + timedelta(seconds=number) for number in range(4)]
    assert _begun(measured, at[1]) == []
    assert _begun(measured, at[2]) == [instant(at[2]).encode()]
    assert _begun(measured, at[2]) == _begun(measured, at[0]) == []
    assert _begun(measured, at[0], beside=at[3]) == [instant(at[3]).encode()]
    assert _begun(measured, at[0]) == []


def test_what_is_no_price_and_more_streams_than_are_looked_at_cost_nothing(redis, monkeypatch):
    monkeypatch.setattr(delays, "MOST", 1)
    measured = Delays()
    for second in range(3):
        _begun(measured, NOW + timedelta(seconds=second))
        assert _begun(measured, NOW + timedelta(seconds=second), stream="prices:IBM") == []
        assert _begun(measured, NOW + timedelta(seconds=second), stream="bars:AAPL") == []


def _price(received_at: datetime) -> Message:
    return Message("prices:AAPL", _body(received_at), keep=True, conflate=True)


def _begun(measured: Delays, at: datetime, *, beside: datetime | None = None, stream: str = "prices:AAPL") -> list:
    return measured.begin([(stream, [Encoded(_body(at, beside))])])


def _body(at: datetime, beside: datetime | None = None) -> bytes:
    extended = beside and {"received_at": instant(beside)}
    return messages.encode({"n": "prices:AAPL", "received_at": instant(at), "extended": extended})
