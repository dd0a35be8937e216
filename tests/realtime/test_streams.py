"""What is told is numbered once, kept for as long as it is said, and never given a number that something else had."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from market.models import Symbol
from monitoring import metrics
from monitoring import redis as connection
from realtime import messages, recovery, streams
from realtime.hub import Hub
from realtime.lease import Lease, LeaseLost
from realtime.messages import Message
from realtime.models import Alert
from realtime.places import EVERY
from realtime.streams import EPOCH, Line, Position, Reading, publishing
from tests import valkey
from tests.realtime.test_hub import connect, until
from tests.valkey import Server

pytestmark = pytest.mark.usefixtures("redis")
STREAM = "alerts:AAPL"


def said(stream: str = STREAM, *, keep: bool = True, once: str = "", what: str = "") -> Message:
    return Message(stream, messages.encode({"type": "alert", "what": what}), keep, conflate=False, once=once)


def read(since: Position | None = None, stream: str = STREAM) -> Reading:
    script, arguments = streams.reading_script([(stream, since)], recovery.RECOVERY_LIMIT, 1 << 20)
    return streams.readings([stream], connection.client().eval(script, 0, *arguments))[0]


def heard(reading: Reading) -> list[int]:
    return [streams.seq_of(body) for body in reading.missed]


def first() -> Position:
    """The very beginning of the stream, as somebody has it who was there."""
    return Position(read().epoch, 0)


def history(stream: str = STREAM) -> str:
    return connection.key("stream", "history", stream)


class Listening:
    """The lines of the live channel while the block lasts."""

    def __enter__(self) -> "Listening":
        self._subscription = connection.client().pubsub(ignore_subscribe_messages=True)
        self._subscription.subscribe(streams.channel())
        while self._subscription.get_message(timeout=0.05):
            pass
        return self

    def __exit__(self, *error: object) -> None:
        self._subscription.close()

    def lines(self) -> list[Line]:
        found = []
        while told := self._subscription.get_message(timeout=0.2):
            found += streams.lines(told["data"], Everything())
        return found


class Everything:
    """Every stream is held."""

    def __contains__(self, stream: str) -> bool:
        return True


# A history is bounded, and says what it has forgotten.


def test_a_history_keeps_a_thousand_and_says_what_it_has_forgotten():
    streams.publish([said()] * 1300)
    oldest = int(connection.client().xrange(history(), count=1)[0][0].partition(b"-")[0])
    assert 1000 <= 1301 - oldest < 1150
    epoch = read().epoch
    for place, reason in ((oldest - 2, "history_expired"), (oldest - 1, None), (oldest, None), (1300, None)):
        reading = read(Position(epoch, place))
        limit = 1300  # that of a subscription is another matter
        assert (place, reading.gap_reason(Position(epoch, place), limit)) == (place, reason)
    whole = read(Position(epoch, 400))
    assert heard(whole)[-1] == 1300


def test_a_history_is_bounded_whichever_of_its_streams_numbers_are_kept():
    """It is looked only now and then whether something must go."""
    streams.publish([said(), said(keep=False)] * 1300)
    assert 1000 <= connection.client().xlen(history()) < 1150


def test_what_was_never_kept_was_not_forgotten():
    streams.publish([said(keep=False)] * 5 + [said(), said(keep=False), said()])
    since = first()
    reading = read(since)
    assert (heard(reading), reading.gap_reason(since, 100)) == ([6, 8], None)


def test_a_history_ends_a_day_after_its_last_message_and_its_place_stays():
    streams.publish([said()] * 3)
    left = connection.client().ttl(history())
    assert 24 * 3600 <= left <= 25 * 3600
    since = Position(read().epoch, 1)
    connection.client().expire(history(), 0)
    connection.client().hset(connection.key("stream", "state", STREAM), "until", int(time.time()))
    reading = read(since)
    assert (reading.seq, reading.gap_reason(since, 100)) == (3, "history_expired")
    assert read(Position(since.epoch, 3)).gap_reason(Position(since.epoch, 3), 100) is None
    assert streams.publish([said()]).numbers == [4]
    assert read(since).gap_reason(since, 100) == "history_expired"
    assert heard(read(Position(since.epoch, 3))) == [4]
    assert connection.client().ttl(history()) >= 24 * 3600


def test_a_history_that_is_added_to_lives_on():
    streams.publish([said()])
    state = connection.key("stream", "state", STREAM)
    soon = int(time.time()) + 3600  # it was last put off almost a day ago
    connection.client().hset(state, "until", soon)
    connection.client().expireat(history(), soon)
    streams.publish([said()])
    assert connection.client().ttl(history()) >= 24 * 3600


def test_of_a_history_that_another_version_kept_nothing_is_forgotten_in_silence():
    """It counted in the hash what it dropped, and its entries name no one before them."""
    streams.publish([said()] * 3)
    client, state = connection.client(), connection.key("stream", "state", STREAM)
    client.delete(history())
    client.hdel(state, "kept", "until", "run")
    client.hset(state, mapping={"seq": 1200, "lost": 200})
    for seq in range(201, 1201):
        client.xadd(history(), {"b": b'{"type":"alert","seq":%d}' % seq}, id=f"{seq}-0")
    epoch = read().epoch
    assert read(Position(epoch, 199)).gap_reason(Position(epoch, 199), 2000) == "history_expired"
    assert read(Position(epoch, 200)).gap_reason(Position(epoch, 200), 2000) is None
    streams.publish([said()] * 500)
    assert read(Position(epoch, 200)).gap_reason(Position(epoch, 200), 2000) == "history_expired"
    assert len(heard(read(Position(epoch, 701)))) == 999


def test_a_history_of_another_version_is_not_whole_because_its_stream_has_another_name_now():
    streams.publish([said("alerts:OLD")] * 3)
    client, state = connection.client(), connection.key("stream", "state", "alerts:OLD")
    client.delete(history("alerts:OLD"))
    client.hset(state, mapping={"seq": 5, "lost": 3})
    for seq in (4, 5):
        client.xadd(history("alerts:OLD"), {"b": b'{"type":"alert","seq":%d}' % seq}, id=f"{seq}-0")
    streams.rename([("alerts:OLD", "alerts:NEW")], "OLD", "NEW")
    since = Position(read(stream="alerts:NEW").epoch, 2)
    assert read(since, "alerts:NEW").gap_reason(since, 100) == "history_expired"


def test_a_history_ends_a_day_after_its_last_message_by_its_new_name_too():
    streams.publish([said("alerts:OLD")])
    streams.rename([("alerts:OLD", "alerts:NEW")], "OLD", "NEW")
    connection.client().expire(history("alerts:NEW"), 23 * 3600)  # an hour later
    streams.publish([said("alerts:NEW")])
    assert connection.client().ttl(history("alerts:NEW")) >= 24 * 3600


def test_the_first_that_is_kept_after_another_version_says_that_any_before_it_may_be_forgotten():
    streams.publish([said()] * 3)
    connection.client().hdel(connection.key("stream", "state", STREAM), "kept")
    streams.publish([said()])
    connection.client().xtrim(history(), maxlen=1, approximate=False)
    epoch = read().epoch
    assert read(Position(epoch, 2)).gap_reason(Position(epoch, 2), 100) == "history_expired"
    assert read(Position(epoch, 3)).gap_reason(Position(epoch, 3), 100) is None


def test_what_can_not_be_had_any_more_is_not_told_as_too_much_for_who_has_no_room():
    streams.publish([said()] * 3)
    since = first()
    connection.client().xtrim(history(), maxlen=1, approximate=False)
    assert recovery.recover(read(since), since, EVERY).within(-1).reason == "history_expired"
    nearly = Position(since.epoch, 2)
    assert recovery.recover(read(nearly), nearly, EVERY).within(-1).reason == "limit"


# Once


def test_a_batch_that_is_repeated_is_published_once():
    batch = streams.new_batch()
    with Listening() as live:
        assert streams.publish([said(), said()], batch=batch).numbers == [1, 2]
        assert streams.publish([said(), said()], batch=batch).numbers == []
        assert streams.publish([said()]).numbers == [3]
        assert [line.seq for line in live.lines() if line.flags != EPOCH] == [1, 2, 3]


def test_what_is_told_once_is_left_out_of_another_batch_and_the_rest_goes_out():
    streams.publish([said(once="a")])
    since = Position(read().epoch, 1)
    assert streams.publish([said(once="a"), said(once="b"), said()]).numbers == [2, 3]
    assert heard(read(since)) == [2, 3]
    assert streams.publish([said(once="b")]).numbers == []


def test_who_repeats_a_batch_is_told_where_it_was_then():
    batch, told = streams.new_batch(), [said(), said("alerts:FB"), said(once="a"), said(keep=False)]
    first = streams.publish(told, batch=batch)
    assert [place.seq for place in first.places().values()] == first.numbers == [1, 1, 2, 3]
    assert {place.epoch for place in first.places().values()} == {read().epoch, read(None, "alerts:FB").epoch}
    streams.renew([STREAM])
    assert streams.publish(told, batch=batch).places() == first.places()
    assert streams.publish([said(), told[2]]).places()[1] == first.places()[2]


def test_of_what_is_replaced_by_a_later_one_no_place_is_kept():
    batch, price = streams.new_batch(), Message("prices:AAPL", b"{}", keep=True, conflate=True)
    published = streams.publish([price, said()], batch=batch)
    assert (published.numbers, list(published.places())) == ([1, 1], [1])
    streams.publish([price], batch="prices")
    assert connection.client().get(connection.key("stream", "batch:prices")) == b""


def test_what_another_version_told_is_told_no_second_time_and_has_no_place():
    for name in ("batch:it", "once:a"):
        connection.client().set(connection.key("stream", name), 1)
    with Listening() as live:
        for published in (streams.publish([said()], batch="it"), streams.publish([said(once="a")])):
            assert (published.numbers, published.places()) == ([], {})
        assert live.lines() == []


def test_an_alert_names_itself_and_no_other():
    one, again, other = messages.alert(alert(7)), messages.alert(alert(7)), messages.alert(alert(8))
    assert one.once == again.once != other.once


def alert(id: int) -> Alert:
    at = datetime(2026, 3, 2, 15, tzinfo=UTC)
    facts = {"kind": "plunge", "severity": "critical", "message": "It fell", "price": 9.5, "source": "replay"}
    times = {"session_date": at.date(), "as_of": at, "as_of_precision": "second", "received_at": at}
    return Alert(id=id, symbol=Symbol(ticker="AAPL"), **facts, **times)


# By who may


def test_who_lost_the_lease_publishes_nothing():
    first, second = Lease("it", 0.05), Lease("it", 60)
    first.take()
    time.sleep(0.1)
    second.take()
    with pytest.raises(LeaseLost):
        streams.publish([said()], lease=first)
    assert streams.publish([said()], lease=second).numbers == [1]


def test_what_was_said_under_the_lease_stays_said_for_who_repeats_it_after_losing_it():
    first, second, batch = Lease("it", 0.05), Lease("it", 60), streams.new_batch()
    first.take()
    assert streams.publish([said()], batch=batch, lease=first).numbers == [1]
    time.sleep(0.1)
    second.take()
    assert streams.publish([said()], batch=batch, lease=first).numbers == []


def test_who_slept_past_the_lease_and_finds_it_free_goes_on():
    lease = Lease("it", 0.05)
    lease.take()
    time.sleep(0.1)
    assert streams.publish([said()], lease=lease).numbers == [1]


def test_who_slept_while_another_held_the_lease_does_not_go_on_after_it():
    first, second = Lease("it", 0.05), Lease("it", 60)
    first.take()
    time.sleep(0.1)
    second.take()
    second.release()
    with pytest.raises(LeaseLost):
        streams.publish([said()], lease=first)


def test_who_has_nothing_to_say_needs_no_lease():
    first, second = Lease("it", 0.05), Lease("it", 60)
    first.take()
    time.sleep(0.1)
    second.take()
    assert streams.publish([], lease=first).numbers == []


# A server that was started again


@pytest.fixture
def server(tmp_path, settings) -> Iterator[Server]:
    with valkey.standing_on(tmp_path, settings) as server:
        yield server


def test_a_server_that_comes_back_as_it_was_goes_on_in_its_epoch(server):
    streams.publish([said()] * 3)
    epoch = read().epoch
    server.keep()
    server.restart()
    assert streams.publish([said()]).numbers == [4]
    assert read().epoch == epoch


def test_a_server_that_comes_back_as_it_was_goes_on_in_an_epoch_that_is_shorter_than_the_one_before(server):
    streams.publish([said()] * 3)
    streams.renew([STREAM])
    streams.publish([said()])
    server.keep()
    server.restart()
    assert streams.publish([said()]).numbers == [2]


def test_a_server_that_comes_back_behind_begins_an_epoch_and_tells_what_it_forgot(server):
    streams.publish([said(), said("alerts:FB")])
    epoch = read().epoch
    server.keep()
    streams.publish([said(), said(), said()])
    server.restart()
    with Listening() as live:
        assert streams.publish([said("alerts:FB")]).numbers == [2]
        streams.publish([said()])
        told = [(line.stream, line.seq, line.flags) for line in live.lines()]
    # What was given as 2 to 4 ends the old epoch, although the server knows of 1 alone, and before anything else.
    assert told == [(STREAM, 4, EPOCH), ("alerts:FB", 2, "k"), (STREAM, 1, "k")]
    assert read().epoch != epoch
    assert read(Position(epoch, 4)).gap_reason(Position(epoch, 4), 100) == "epoch_changed"


def test_a_server_that_comes_back_empty_tells_what_it_forgot(server):
    streams.publish([said()] * 3)
    server.restart()
    with Listening() as live:
        streams.publish([said()])
        assert [(line.seq, line.flags) for line in live.lines()] == [(3, EPOCH), (1, "k")]


def test_who_does_not_know_what_was_given_begins_an_epoch_and_says_that_something_may_be_missing(server):
    streams.publish([said()] * 3)
    server.keep()
    server.restart()
    valkey.another_process()
    with Listening() as live:
        assert streams.publish([said()]).numbers == [1]
        assert [(line.seq, line.flags) for line in live.lines()] == [(4, EPOCH), (1, "k")]


def test_a_new_process_on_the_same_server_goes_on_in_its_epoch():
    streams.publish([said()] * 3)
    valkey.another_process()
    assert streams.publish([said()]).numbers == [4]


def test_streams_are_looked_after_also_where_nobody_publishes(server):
    streams.publish([said(), said("alerts:FB")])
    server.keep()
    streams.publish([said()])
    server.restart()
    with Listening() as live:
        streams.settle()
        assert [(line.stream, line.seq, line.flags) for line in live.lines()] == [(STREAM, 2, EPOCH)]
        streams.settle()
        assert live.lines() == []


def test_many_streams_are_settled_each_as_it_stands(server, monkeypatch):
    monkeypatch.setattr(publishing, "STREAMS_A_STEP", 3)
    names = [f"alerts:S{number}" for number in range(8)]
    streams.publish([said(name) for name in names])
    server.keep()
    streams.publish([said(name) for name in names[::2]])
    server.restart()
    with Listening() as live:
        streams.settle()
        assert sorted(line.stream for line in live.lines()) == names[::2]


def test_a_frozen_server_is_told_an_alert_once(server):
    """The client gives up, asks again on another connection, and both questions are answered in the end."""
    streams.publish([said()])
    since = Position(read().epoch, 1)
    batch, numbers = streams.new_batch(), []

    def insist() -> None:
        while not numbers:
            try:
                numbers.append(streams.publish([said(what="fell")], batch=batch))
            except connection.redis.RedisError:
                time.sleep(0.1)

    publisher = threading.Thread(target=insist)
    with server.frozen():
        publisher.start()
        time.sleep(7)
    publisher.join(60)
    assert heard(read(since)) == [2]


# Everything of a kind begins anew.


def test_every_stream_of_a_kind_begins_anew_also_one_of_which_nobody_knows_any_more(monkeypatch):
    monkeypatch.setattr(publishing, "STREAMS_A_STEP", 2)
    streams.publish([said("alerts:AAPL"), said("alerts:@7"), said("alerts:OLD"), said("prices:OLD"), said("system")])
    streams.rename([("alerts:OLD", "alerts:NEW")], "OLD", "NEW")
    before = {
        name: read(None, name).epoch for name in ("alerts:AAPL", "alerts:@7", "alerts:NEW", "prices:OLD", "system")
    }
    streams.renew_kinds({"alerts", "prices"})
    after = {name: read(None, name).epoch for name in before}
    assert [name for name in before if before[name] == after[name]] == ["system"]
    assert len(set(after.values())) == 5
    assert read(None, "alerts:OLD").to == "alerts:NEW"


def test_a_hub_goes_on_in_the_epoch_of_a_server_that_forgot(server):
    """Who has all of the epoch that ends hears of the next, and what that says or that it can't be had."""

    async def scenario() -> None:
        hub = Hub()
        try:
            await asyncio.to_thread(streams.publish, [said(), said()])
            client, socket = connect(hub)
            await hub.subscribe(client, {STREAM: EVERY}, {})
            await asyncio.to_thread(server.keep)
            await asyncio.to_thread(streams.publish, [said()])
            await until(lambda: 3 in [told.get("seq") for told in socket.heard])
            await asyncio.to_thread(server.restart)
            await asyncio.to_thread(streams.publish, [said(), said()])
            epoch = await asyncio.to_thread(lambda: read().epoch)
            await until(lambda: socket.heard[-1].get("seq") == 2 or socket.heard[-1].get("to") == 2)
            after = [told for told in socket.heard if told["type"] in ("alert", "epoch", "gap")][1:]
            assert (after[0]["type"], after[0]["epoch"]) == ("epoch", epoch)
            # Where the hub was not back when the epoch began, nobody can tell what ended the one before.
            lost = [(told["from"], told["to"]) for told in after if told["type"] == "gap"]
            assert lost in ([], [(0, 0)])
            assert [told["seq"] for told in after if told["type"] == "alert"] == [1, 2]
        finally:
            await hub.shutdown()

    asyncio.run(scenario())


def test_a_line_that_is_none_is_left_out_and_counted():
    count = metrics.UNREADABLE.labels("line of the live channel")._value.get
    before = count()
    found = list(streams.lines(b"alerts:AAPL\te\t1\tk\t{}\nnonsense\nalerts:AAPL\te\tx\tk\t{}", Everything()))
    assert [line.seq for line in found] == [1]
    assert count() == before + 2
