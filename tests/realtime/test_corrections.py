"""What changed held bars is told on their streams: by whoever wrote it, once it is committed, and where it was lost."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from django.conf import settings
from django.db import transaction
from redis.exceptions import OutOfMemoryError

from market import actions, bars, coverage, prices, symbols
from market.coverage import loading, telling
from market.models import CorporateAction, Coverage, DataSource, Decision, Symbol
from market.prices import Action, Named
from monitoring import redis
from monitoring.models import Job
from realtime import corrections, messages, naming, renaming, streams
from realtime.corrections import Corrections
from realtime.lease import Lease, LeaseLost
from realtime.places import LATEST
from realtime.recovery import recover
from realtime.streams import Position
from tests.conftest import shared_database
from tests.market.test_bars import bar, later
from tests.realtime.test_consumer import open_socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def held(apple) -> Symbol:
    """Eight sessions of January are held whole, and the feed knows them."""
    bars.upsert([bar(day) for day in range(2, 10)])
    loading.complete(apple, date(2024, 1, 2), since=date(2024, 1, 2), until=date(2024, 1, 9))
    pass_on()
    return apple


@pytest.fixture
def teller() -> Corrections:
    return new_teller()


def new_teller(*, seconds: float = 60) -> Corrections:
    """Of the feed that has the lease; the one before it is gone."""
    redis.client().delete(redis.key("lease", "feed"))
    lease = Lease("feed", seconds)
    lease.take()
    return Corrections(lease)


def pass_on(teller: Corrections | None = None) -> None:
    assert telling.LIST.flush(20)
    (teller or new_teller()).pass_on()


def told(stream: str = "bars:AAPL") -> list[dict]:
    return [message for message in of(stream) if message["type"] == "correction"]


def of(stream: str) -> list[dict]:
    return [orjson.loads(entry[b"b"]) for _, entry in redis.client().xrange(redis.key("stream", f"history:{stream}"))]


def spans(stream: str = "bars:AAPL") -> list[tuple[str, str, str]]:
    return [(message["from"][-2:], message["to"][-2:], message["reason"]) for message in told(stream)]


def named(kind: str, day: int, value: float = 2.0) -> Named:
    split = (value, 1.0) if kind == "split" else (None, None)
    return Named([Action("AAPL", kind, date(2024, 1, day), value, *split)], frozenset({kind}))


def test_a_revision_is_told_with_its_sessions_and_the_version_that_it_made(held):
    bars.upsert([bar(4, 105, received_at=later()), bar(8, 106, received_at=later()), bar(3, received_at=later())])
    pass_on()
    [message] = told()
    assert message == {
        "type": "correction", "stream": "bars:AAPL", "symbol": "AAPL", "interval": "1d", "from": "2024-01-04",
        "to": "2024-01-08", "reason": "revision", "version": coverage.latest(["AAPL"])["AAPL"], "seq": 1,
    }  # fmt: skip
    assert set(message) == set(messages.MESSAGES["correction"]["required"])


def test_of_a_recording_what_is_to_come_is_not_told_and_the_version_is_the_one_that_is_read(held):
    DataSource.objects.create(pk=1, name="replay", chosen_at=later(), session=date(2024, 1, 8))
    bars.upsert([bar(4, 105, received_at=later()), bar(9, 106, received_at=later())])
    pass_on()
    [message] = told()
    assert (message["from"], message["to"]) == ("2024-01-04", "2024-01-07")
    assert message["version"] == coverage.latest(["AAPL"])["AAPL"] != Coverage.objects.get(interval="1d").version
    bars.upsert([bar(8, 107, received_at=later(2)), bar(9, 107, received_at=later(2))])
    pass_on()
    assert told() == [message]


def test_what_settles_is_no_revision_and_is_told_as_final_on_each_stream_that_has_it(held):
    opened = datetime(2024, 1, 9, 14, 30, tzinfo=UTC)
    first = [bar(9, interval="5m", opened_at=opened + timedelta(minutes=5 * number)) for number in range(4)]
    bars.upsert(replace(each, is_final=False, state="closed", session_date=date(2024, 1, 9)) for each in first)
    pass_on()
    settled = [replace(each, high=111.0, received_at=later(), session_date=date(2024, 1, 9)) for each in first]
    bars.upsert(settled)
    for _ in range(2):  # once, however often it is told
        pass_on()
    for name, count in (("5m", 4), ("15m", 1), ("30m", 0)):
        stream = f"bars:AAPL@{name}"
        assert spans(stream) == [("09", "09", "settled")]
        finals = [each for each in of(stream) if each["type"] == "bar"]
        assert [(each["state"], each["high"], each["interval"]) for each in finals] == [("final", 111.0, name)] * count
    bars.upsert(replace(each, close=102.0, received_at=later(2)) for each in settled)
    pass_on()
    assert [told(f"bars:AAPL@{name}")[-1]["reason"] for name in ("5m", "15m")] == ["revision"] * 2


@pytest.mark.parametrize(("interval", "opened_on"), [("1wk", "2024-01-01"), ("1mo", "2024-01-01")])
def test_weeks_and_months_hear_that_a_day_of_theirs_was_revised(held, interval, opened_on):
    bars.upsert([bar(4, 105, received_at=later()), bar(5, 106, received_at=later())])
    pass_on()
    [message] = told(f"bars:AAPL@{interval}")
    assert (message["interval"], message["from"], message["to"]) == (interval, opened_on, "2024-01-05")
    [read] = bars.history("AAPL", interval=interval, start=date(2024, 1, 1), end=date(2024, 1, 5))
    assert naming.is_published(f"bars:AAPL@{interval}")
    assert opened_on == read.opened_at.date().isoformat()  # what a client keeps of it lies in the range


def test_new_bars_at_the_end_are_no_correction_and_those_in_a_hole_are(held):
    bars.upsert([bar(15), bar(16)])
    pass_on()
    assert spans() == []
    bars.upsert([bar(17), bar(10), bar(11)])
    pass_on()
    assert spans() == [("10", "11", "revision")]


def test_the_first_history_is_no_flood_of_corrections(apple):
    bars.upsert([bar(15)])  # of a quote
    actions.keep(apple, named("split", 17), "replay")
    bars.upsert([bar(day) for day in range(2, 12)])
    pass_on()
    assert spans() == []


@pytest.mark.parametrize("kind", ["split", "dividend", "capital_gain", "spin_off"])
def test_an_action_is_told_with_the_sessions_before_it(held, kind):
    for day in (5, 9):
        actions.keep(held, named(kind, day), "replay")
        pass_on()
    assert spans() == [("02", "04", kind), ("02", "08", kind)]


def test_an_action_that_somebody_keeps_out_is_told_with_the_sessions_before_it(held):
    twice = Action("AAPL", "dividend", date(2024, 1, 9), 2.0, disputed="it is named twice within days")
    actions.keep(held, Named([twice]), "replay")
    pass_on()
    for decision in (Decision.ACCEPTED, Decision.KEPT_OUT):
        actions.decide(CorporateAction.objects.get(), decision, "ada")
    pass_on()
    assert spans() == [("02", "08", "dividend")] * 2
    assert told()[-1]["version"] == coverage.latest(["AAPL"])["AAPL"]


def test_what_is_announced_is_told_again_when_the_series_comes_to_its_day(held):
    actions.keep(held, named("split", 11), "replay")
    pass_on()
    bars.upsert([bar(10)])
    pass_on()
    assert len(spans()) == 1
    bars.upsert([bar(11)])
    pass_on()
    assert spans()[1:] == [("02", "10", "split")]


def test_what_takes_effect_with_a_first_price_is_told(held):
    actions.keep(held, named("dividend", 11), "replay")
    pass_on()
    actions.begin({"AAPL": date(2024, 1, 11)})
    pass_on()
    assert spans()[1:] == [("02", "09", "dividend")]


def test_an_action_of_before_all_that_is_held_changes_nothing_that_was_told(held):
    actions.keep(held, named("split", 2), "replay")
    pass_on()
    assert spans() == []


def test_a_bar_that_is_taken_back_is_told(held, monkeypatch):
    monkeypatch.setattr(prices, "DAY_AHEAD", prices.midnight(date(2024, 1, 5)) - datetime.now(UTC))
    assert bars.forget_future("AAPL") == 4
    pass_on()
    assert spans() == [("02", "09", "revision")]


def test_a_rename_is_told_on_the_stream_that_goes_on_by_the_new_name(held):
    streams.publish([messages.bar(bar(9), "")])
    before = redis.client().hget(redis.key("stream", "state:bars:AAPL"), "epoch")
    symbols.rename("AAPL", "APPL")
    pass_on()
    renaming.follow("AAPL", "APPL")
    assert spans("bars:APPL") == [("02", "09", "renamed")]
    assert (told("bars:APPL")[0]["symbol"], told("bars:APPL")[0]["seq"]) == ("APPL", 2)
    assert redis.client().hget(redis.key("stream", "state:bars:APPL"), "epoch") == before


def test_what_is_rolled_back_is_told_to_nobody(held):
    with transaction.atomic():
        bars.upsert([bar(4, 105, received_at=later())])
        transaction.set_rollback(True)
    pass_on()
    assert spans() == []


def test_another_process_s_revision_is_told(held):
    code = (
        "import django; django.setup(); from market import bars; from monitoring import lists; "
        "from tests.market.test_bars import bar, later; bars.upsert([bar(4, 105, received_at=later())]); "
        "assert lists.flush(20)"
    )
    environment = {**os.environ, **shared_database(), "DJANGO_SETTINGS_MODULE": "finstage.settings"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.BASE_DIR, env=environment, timeout=120)
    new_teller().pass_on()
    assert spans() == [("04", "04", "revision")]


def test_what_comes_at_once_is_told_together(held):
    for day in (4, 6, 5):
        bars.upsert([bar(day, 105, received_at=later())])
    pass_on()
    assert spans() == [("04", "06", "revision")]


def test_a_list_that_was_lost_is_told_at_the_second_look_as_all_that_is_held(held, teller):
    teller.look()
    bars.upsert([bar(4, 105, received_at=later())])
    assert telling.LIST.flush(20)
    redis.client().delete(telling.LIST.key)
    seen = []
    for _ in range(3):
        teller.look()
        seen.append(spans())
    assert seen == [[], [("02", "09", "revision")], [("02", "09", "revision")]]
    assert told()[0]["version"] == coverage.latest(["AAPL"])["AAPL"]


def test_whoever_turns_looks_by_itself_now_and_then(held, teller, monkeypatch):
    teller.turn()
    bars.upsert([bar(4, 105, received_at=later())])
    assert telling.LIST.flush(20)
    redis.client().delete(telling.LIST.key)
    for _ in range(2):
        teller.turn()
    assert spans() == []  # not before its time
    monkeypatch.setattr(corrections, "LOOK_SECONDS", 0.0)
    teller._look_at = 0.0
    for _ in range(2):
        teller.turn()
    assert spans() == [("02", "09", "revision")]


def test_more_than_is_read_at_once_is_told_whole_and_in_order(held, teller, monkeypatch):
    monkeypatch.setattr(corrections, "BATCH", 2)
    for day in (4, 8, 5, 6, 3):
        bars.upsert([bar(day, 105, received_at=later())])
        assert telling.LIST.flush(20)
    teller.turn()
    assert spans() == [("04", "08", "revision"), ("05", "06", "revision"), ("03", "03", "revision")]


def test_one_change_that_was_lost_between_others_is_missed(held, teller):
    for day in (4, 5, 6):
        bars.upsert([bar(day, 105, received_at=later())])
        assert telling.LIST.flush(20)
    redis.client().lrem(telling.LIST.key, 1, redis.client().lindex(telling.LIST.key, 1))
    teller.pass_on()
    teller.look()
    teller.look()
    assert spans() == [("04", "06", "revision"), ("02", "09", "revision")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_changes_that_come_in_another_order_are_all_followed(held, teller, order):
    for day in (4, 5, 6):
        bars.upsert([bar(day, 105, received_at=later())])
        assert telling.LIST.flush(20)
    lines = redis.client().lrange(telling.LIST.key, 0, -1)
    redis.client().delete(telling.LIST.key)
    for place in order:
        redis.client().rpush(telling.LIST.key, lines[place])
        teller.pass_on()
    for _ in range(2):
        teller.look()
    assert (len(told()), teller._moves, teller._doubted) == (3, {}, {})


def test_a_backup_that_was_restored_is_told(held, teller):
    teller.look()
    Coverage.objects.update(version="0" * 32)
    teller.look()
    teller.look()
    assert spans() == [("02", "09", "revision")]


def test_lines_that_cannot_be_read_hold_nothing_up(held, teller):
    redis.client().rpush(telling.LIST.key, b"no change", b'{"lost":3}', b"{}")
    bars.upsert([bar(4, 105, received_at=later())])
    pass_on(teller)
    assert (spans(), redis.client().llen(telling.LIST.key)) == ([("04", "04", "revision")], 0)


def test_a_correction_that_can_not_be_told_costs_no_other_and_holds_nothing_up(held, teller, caplog):
    ibm = Symbol.objects.create(ticker="IBM", name="I", exchange="XNYS", currency="USD", time_zone="America/New_York")
    bars.upsert([replace(bar(day), ticker="IBM") for day in range(2, 10)])
    loading.complete(ibm, date(2024, 1, 2), since=date(2024, 1, 2), until=date(2024, 1, 9))
    pass_on(teller)
    streams.publish([messages.bar(bar(9), "")])
    redis.client().set(redis.key("stream", "history:bars:AAPL"), "no stream")
    for ticker in ("AAPL", "IBM"):
        bars.upsert([replace(bar(4, 105, received_at=later()), ticker=ticker)])
    pass_on(teller)
    assert (spans("bars:IBM"), redis.client().llen(telling.LIST.key)) == ([("04", "04", "revision")], 0)
    assert teller._loop.skipped == 1
    assert "corrections: skipped" in caplog.text


def test_a_version_told_that_can_not_be_read_holds_nothing_up(held, teller):
    redis.client().hset(corrections._key(), mapping={"no field": b'"v"', "\x00": b"{", "1d x": b'"v"'})
    bars.upsert([bar(4, 105, received_at=later())])
    pass_on(teller)
    teller.look()
    assert spans() == [("04", "04", "revision")]


def test_corrections_whose_telling_breaks_off_wait(held, teller):
    bars.upsert([bar(4, 105, received_at=later())])
    assert telling.LIST.flush(20)
    redis.client().config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            teller.pass_on()
    finally:
        redis.client().config_set("maxmemory", 0)
    assert redis.client().llen(telling.LIST.key) == 1
    teller.pass_on()
    assert set(spans()) == {("04", "04", "revision")}


@pytest.mark.parametrize("written", [bar(4, 105), bar(15)], ids=["a revision", "a new bar, of which nothing is told"])
def test_who_lost_the_lease_tells_nothing_and_takes_nothing_off_the_list(held, written):
    slept = new_teller(seconds=0.05)
    time.sleep(0.1)
    other = new_teller()
    bars.upsert([replace(written, received_at=later())])
    assert telling.LIST.flush(20)
    with pytest.raises(LeaseLost):
        slept.pass_on()
    assert (told(), redis.client().llen(telling.LIST.key)) == ([], 1)
    other.pass_on()
    assert (len(told()), redis.client().llen(telling.LIST.key)) == (written.close == 105, 0)


def test_a_correction_that_was_told_before_a_crash_is_not_told_again(held):
    bars.upsert([bar(4, 105, received_at=later())])
    assert telling.LIST.flush(20)
    lines = redis.client().lrange(telling.LIST.key, 0, -1)
    pass_on()
    redis.client().rpush(telling.LIST.key, *lines)
    pass_on()
    assert spans() == [("04", "04", "revision")]
    bars.upsert([bar(4, 106, received_at=later())])
    pass_on()
    assert len(spans()) == 2


def test_who_comes_later_is_told_the_newest_bar_and_who_comes_back_what_was_missed_too(held):
    streams.publish([messages.bar(bar(9), "")])
    forming = bar(10, is_final=False, state="forming")
    streams.publish([messages.bar(forming, "")])
    bars.upsert([bar(4, 105, received_at=later())])
    pass_on()
    epoch = redis.client().hget(redis.key("stream", "state:bars:AAPL"), "epoch").decode()
    script, asked = streams.reading_script([("bars:AAPL", Position(epoch, 1))], 100, 1 << 20)
    [reading] = streams.readings(["bars:AAPL"], redis.client().eval(script, 0, *asked))
    assert orjson.loads(reading.latest)["session_date"] == "2024-01-10"
    back = recover(reading, Position(epoch, 1), LATEST)
    assert [(each["type"], each["seq"]) for each in map(orjson.loads, back.follow)] == [("bar", 2), ("correction", 3)]


def test_the_thread_tells_and_ends(held, teller):
    bars.upsert([bar(4, 105, received_at=later())])
    with teller:
        while not spans():
            pass
    assert (spans(), teller._thread.is_alive()) == ([("04", "04", "revision")], False)


def test_of_all_whose_days_moved_a_worker_is_asked_to_compute_the_indicators_anew_in_one_job(held, teller):
    other = {"name": "IBM", "exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="IBM", **other)
    Job.objects.all().delete()
    bars.upsert([bar(4, 105, received_at=later())])
    bars.upsert([replace(bar(2), ticker="IBM")])
    assert telling.LIST.flush(20)
    teller.turn()
    bars.upsert([bar(5, 105, received_at=later())])
    assert telling.LIST.flush(20)
    teller.turn()  # so soon again nobody is asked
    both = {"symbols": ["AAPL", "IBM"]}
    asked = Job.objects.order_by("name").values_list("name", "arguments")
    assert list(asked) == [("analysis.indicators", both), ("analysis.signals", both)]


def test_a_socket_hears_it_and_one_that_comes_back_hears_what_it_missed(held, live_web):
    with open_socket(live_web) as client:
        asked = client.ask({"action": "subscribe", "type": "bars", "symbols": ["AAPL"]}, "subscribed")
        bars.upsert([bar(4, 105, received_at=later())])
        pass_on()
        heard = client.until("correction")
    bars.upsert([bar(5, 105, received_at=later())])
    pass_on()
    since = {"bars:AAPL": {"epoch": asked["streams"]["bars:AAPL"]["epoch"], "seq": heard["seq"]}}
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "bars", "symbols": ["AAPL"], "since": since}, "subscribed")
        missed = client.until("correction")
    assert [(each["from"], each["seq"]) for each in (heard, missed)] == [("2024-01-04", 1), ("2024-01-05", 2)]


def test_a_ticker_that_led_elsewhere_and_is_another_symbol_s_now_has_a_stream_of_its_own(held):
    streams.publish([messages.bar(bar(9), "")])
    streams.rename([("bars:AAPL", "bars:APPL")], "AAPL", "APPL")
    bars.upsert([bar(4, 105, received_at=later())])
    pass_on()
    assert spans() == [("04", "04", "revision")]
