"""A client's own replay over real sockets: past sessions to it alone, as the command plays them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client as Browser

from market import bars, player, quotes
from market.models import DataSource, Snapshot, Symbol
from market.prices import Bar, midnight
from realtime import messages, streams
from realtime.kinds import INDICATORS
from realtime.messages import Refused
from realtime.models import Alert, AlertRule, Event
from realtime.replay import steering
from realtime.replay.digest import Digest
from tests.conftest import serving
from tests.realtime.test_consumer import Conversation, open_socket
from tests.server import eventually
from tests.spoken import Talk

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = [date(2008, 9, day) for day in (2, 3, 4, 5, 8)]
FAST = {"action": "replay", "symbols": ["AAPL", "MSFT"], "start": "2008-09-03", "end": "2008-09-08", "speed": 100_000}
SLOW = {**FAST, "speed": 1}
FOUR = 4 * 2 * 4 * 3  # sessions, symbols, prices, and what each brings


@pytest.fixture(autouse=True)
def held(db) -> None:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.bulk_create([Symbol(ticker=each, name=each, **facts) for each in ("AAPL", "MSFT", "NEW")])
    for ticker, price in (("AAPL", 100.0), ("MSFT", 50.0)):
        days = [(midnight(day), price + n, price + n + 2, price + n - 1, price + n + 1) for n, day in enumerate(DAYS)]
        bars.upsert([Bar(ticker, "1d", *day, 1000, True, "replay", NOW) for day in days])


def until_end(client: Conversation) -> list[dict]:
    """What its replay tells until it has ended."""
    told = []
    while (message := client.hear()).get("state") != "ended":
        told += [message] if message.get("replay") else []
    return told


def test_a_replay_tells_past_sessions_marked_and_numbered_and_says_how_it_stands(live_web):
    with open_socket(live_web) as client:
        begun = client.ask({**FAST, "id": 7}, "replay")
        assert (begun["id"], begun["state"], begun["at"]) == (7, "playing", "2008-09-03T00:00:00Z")
        assert (begun["symbols"], begun["speed"]) == (["AAPL", "MSFT"], 100_000)
        told = until_end(client)
    assert len(told) == FOUR
    assert all(each["replay"] is True for each in told)
    aapl = [each for each in told if each["type"] == "price_update" and each["symbol"] == "AAPL"]
    assert [each["seq"] for each in aapl] == list(range(1, 17))
    assert [each["current_price"] for each in aapl[:4]] == [101.0, 100.0, 103.0, 102.0]
    assert aapl[0]["previous_close"] == 101.0  # of the day before the range


def test_it_says_what_the_command_says(live_web):
    with open_socket(live_web) as client:
        client.send(FAST)
        told, digest, out = until_end(client), Digest(), StringIO()
    for each in told:
        digest.add(messages.encode(each))
    call_command("replay", "AAPL", "MSFT", "--from", FAST["start"], "--to", FAST["end"], "--json", stdout=out)
    assert json.loads(out.getvalue().splitlines()[-1]) == {"hash": digest.hex, "messages": FOUR}


def test_nobody_else_hears_of_it_and_nothing_is_stored(live_web, redis):
    with open_socket(live_web) as other, open_socket(live_web) as client:
        other.ask({"action": "subscribe", "type": "all", "symbols": ["*"], "mode": "every"}, "subscribed")
        before = set(redis.keys())
        client.send(FAST)
        until_end(client)
        other.send({"action": "ping"})
        while (message := other.hear())["type"] != "pong":
            assert message["type"] == "service_status"
    assert {key for key in set(redis.keys()) - before if b"stream" in key or b"quotes" in key} == set()
    assert not Snapshot.objects.exists()
    assert quotes.latest(["AAPL"]) == {"AAPL": None}


def test_the_past_of_a_live_database_is_played_to_one_client_beside_its_prices(live_web, quote):
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=NOW)
    live = messages.price(quote("AAPL", 777.0, source="yahoo"))
    with open_socket(live_web) as other, open_socket(live_web) as client:
        for each in (other, client):
            each.ask({"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}, "subscribed")
        client.send(FAST)
        streams.publish([live])
        told, prices = [], []
        while (message := client.hear()).get("state") != "ended" or not prices:
            told += [message] if message.get("replay") and message["type"] != "replay" else []
            prices += [message] if message["type"] == "price_update" and not message.get("replay") else []
        heard = other.until("price_update")
    assert len(told) == FOUR
    assert [each["current_price"] for each in prices] == [777.0]
    assert (heard["current_price"], "replay" in heard) == (777.0, False)


def test_indicators_by_name_come_beside_those_of_everybody_each_on_its_own_stream(live_web):
    with open_socket(live_web) as client:
        client.send({**FAST, "indicators": ["sma_2", "rsi_14", "willr", "sma_2"]})
        told = [each for each in until_end(client) if each["type"] == "indicators"]
        own = [each for each in told if each["stream"] == INDICATORS.of("AAPL", indicator="sma_2")]
        assert len(told) == FOUR  # two of them beside what everybody gets, which has the third
        # Of 2008-09-02 and the 3rd as it opens, falls, rises and closes; their closes are 101 and 102.
        assert [each["values"] for each in own[:4]] == [{"sma_2": {"sma": (101 + n) / 2}} for n in (101, 100, 103, 102)]
        assert [each["seq"] for each in own] == list(range(1, 17))
        for names, code, said in (
            (["sma_0"], "invalid", "No indicator 'sma_0'"),
            (["nope"], "invalid", "There is no indicator 'nope'"),
            ([f"sma_{n}" for n in range(60, 86)], "too_many_indicators", "this would be 52"),
        ):
            error = client.ask({**FAST, "indicators": names, "id": 3}, "error")
            assert (error["code"], error["id"], said in error["message"]) == (code, 3, True), error


def test_who_asks_for_bars_within_sessions_hears_of_which_symbols_there_are_none(live_web):
    with open_socket(live_web) as client:
        client.send({**FAST, "intervals": ["5m", "1h"], "id": 3})
        error = client.until("error")
        assert (error["code"], error["id"], error["symbols"]) == ("no_bars", 3, ["AAPL", "MSFT"])
        assert len(until_end(client)) == FOUR
        for asked in ([], ["1d"], ["7m"], "5m"):
            assert client.ask({**FAST, "intervals": asked, "id": 4}, "error")["code"] == "invalid"


def test_it_is_held_goes_on_seeks_and_stops(live_web):
    with open_socket(live_web) as client:
        client.ask(SLOW, "replay")
        assert client.until("price_update")["session_date"] == "2008-09-03"
        assert client.ask({"action": "pause", "id": 1}, "replay")["state"] == "paused"
        sought = client.ask({"action": "seek", "to": "2008-09-06", "id": 2}, "replay")
        assert (sought["id"], sought["state"], sought["at"]) == (2, "paused", "2008-09-08T00:00:00Z")
        client.send({"action": "ping"})
        assert client.hear()["type"] == "pong"  # and nothing while it is held
        assert client.ask({"action": "resume"}, "replay")["state"] == "playing"
        assert client.hear()["session_date"] == "2008-09-08"
        stopped = client.ask({"action": "stop"}, "replay")
        assert (stopped["state"], stopped["reason"]) == ("stopped", "asked")
        assert client.ask({"action": "pause"}, "error")["code"] == "no_replay"


def test_after_a_seek_it_says_what_it_would_have_said_without(live_web):
    def plain(told: list[dict]) -> list[dict]:
        return [{name: value for name, value in each.items() if name not in ("seq", "received_at")} for each in told]

    with open_socket(live_web) as client:
        client.send(FAST)
        whole = until_end(client)
        client.ask({"action": "seek", "to": "2008-09-04"}, "replay")
        again = until_end(client)
    assert plain(again) == plain(whole)[-len(again) :]
    assert len(again) == FOUR * 3 / 4
    assert [each["seq"] for each in again if each.get("stream") == "bars:AAPL"] == list(range(17, 29))


def test_what_can_not_be_played_is_refused_with_what_is_held(live_web):
    with open_socket(live_web) as client:
        for changed, code, said in (
            ({"symbols": ["NOPE"]}, "unknown_symbol", "Not tracked here: NOPE"),
            ({"symbols": ["NEW"]}, "no_bars", "of NEW nothing is held"),
            ({"start": "2009-01-01", "end": "2009-01-02"}, "no_bars", "AAPL has bars from 2008-09-02 to 2008-09-08"),
            ({"start": "2008-09-08", "end": "2008-09-03"}, "invalid", "before it starts"),
            ({"start": "2008-02-30"}, "invalid", "and no day"),
            ({"start": "soon"}, "invalid", "must be like 2012-09-04"),
            ({"speed": 100_001}, "invalid", "from 1 to 100000"),
        ):
            error = client.ask({**SLOW, **changed, "id": 3}, "error")
            assert (error["code"], error["id"], said in error["message"]) == (code, 3, True), error


def test_what_would_take_too_much_memory_is_refused(monkeypatch):
    monkeypatch.setattr(player, "MOST_BYTES", 100)
    with pytest.raises(Refused, match="The bars of these 2 symbols take 0 MiB, 0 at most: replay fewer") as refused:
        steering._read(["AAPL", "MSFT"], DAYS[0], DAYS[-1])
    assert refused.value.code == "too_many_symbols"


def test_what_is_lacking_is_named_and_the_others_play(live_web):
    with open_socket(live_web) as client:
        client.send({**FAST, "symbols": ["AAPL", "NEW", "NOPE"], "id": 3})
        errors = [client.until("error") for _ in range(2)]
        assert [(each["code"], each["symbols"], each["id"]) for each in errors] == [
            ("unknown_symbol", ["NOPE"], 3),
            ("no_bars", ["NEW"], 3),
        ]
        assert client.hear()["symbols"] == ["AAPL"]
        assert len(until_end(client)) == FOUR / 2


def rule(kind: str, level: float | None, owner=None, symbol: str = "AAPL") -> None:
    AlertRule.objects.create(kind=kind, level=level, owner=owner, symbol=Symbol.objects.get(ticker=symbol))


def test_what_rules_would_ring_is_told_once_a_session_and_stored_nowhere(live_web):
    rule("price_above", 104.5)
    with open_socket(live_web) as client:
        client.send(FAST)
        told = [each for each in until_end(client) if each["type"] == "alert"]
    assert [each["session_date"] for each in told] == ["2008-09-05", "2008-09-08"]
    assert told[0]["stream"] == "alerts:AAPL"
    assert told[0]["message"] == "AAPL rose above 104.50: it is at 105.00"
    assert all(each["replay"] is True and "id" not in each for each in told)
    talk = Talk()
    for each in told:
        talk.heard(each)
    assert not Alert.objects.exists()
    assert not Event.objects.exists()


def test_somebodys_own_rules_ring_for_them_alone_and_no_more_once_they_are_logged_out(live_web):
    rule("price_above", 102.6, get_user_model().objects.create_user("other"))
    with logged_in(live_web, "own") as (browser, client):
        rule("price_above", 102.5, get_user_model().objects.get(username="own"))
        client.send(FAST)
        told = [each for each in until_end(client) if each["type"] == "alert"]
        assert {(each["stream"], each["values"]["level"]) for each in told} == {("alerts:@me", 102.5)}
        client.ask({**FAST, "speed": 8_000}, "replay")
        browser.logout()
        assert client.until("replay")["reason"] == "rights_ended"
    with open_socket(live_web) as guest:
        guest.send(FAST)
        assert [each for each in until_end(guest) if each["type"] == "alert"] == []


def test_it_begins_on_a_day_and_is_held_there_and_goes_on_at_another_speed(live_web):
    with open_socket(live_web) as client:
        begun = client.ask({**SLOW, "at": "2008-09-05", "paused": True}, "replay")
        assert (begun["state"], begun["at"], begun["speed"]) == ("paused", "2008-09-05T00:00:00Z", 1)
        client.send({"action": "ping"})
        assert client.hear()["type"] == "pong"
        assert client.ask({"action": "resume", "speed": 100_000}, "replay")["speed"] == 100_000
        assert {each["session_date"] for each in until_end(client)} == {"2008-09-05", "2008-09-08"}
        refused = client.ask({**SLOW, "at": "2008-09-09", "id": 4}, "error")
        assert (refused["code"], refused["id"]) == ("invalid", 4)


def test_it_goes_on_to_the_next_split_alert_or_record(live_web):
    rule("price_above", 104.5)
    Symbol.objects.get(ticker="MSFT").actions.create(
        kind="split", ex_date=DAYS[2], value=2, numerator=2, denominator=1, source="replay", received_at=NOW
    )
    with open_socket(live_web) as client:
        client.ask({**SLOW, "paused": True}, "replay")
        for event, session, symbol in (
            ("split", "2008-09-04", "MSFT"),
            ("alert", "2008-09-05", "AAPL"),
            ("record", "2008-09-08", "AAPL"),
        ):
            found = client.ask({"action": "seek", "event": event}, "replay")
            assert (found["state"], found["at"]) == ("paused", f"{session}T00:00:00Z")
            assert found["event"] == {"kind": event, "symbol": symbol}
        assert client.ask({"action": "seek", "event": "split", "id": 9}, "error")["code"] == "no_event"
        assert client.ask({"action": "seek", "to": "2008-09-04", "event": "split"}, "error")["code"] == "invalid"
        assert client.ask({"action": "seek"}, "error")["code"] == "invalid"


def test_a_seek_out_of_the_range_changes_nothing(live_web):
    with open_socket(live_web) as client:
        client.ask(SLOW, "replay")
        error = client.ask({"action": "seek", "to": "2008-09-09"}, "error")
        assert (error["code"], "2008-09-03 to 2008-09-08" in error["message"]) == ("invalid", True)
        assert client.ask({"action": "pause"}, "replay")["at"] == "2008-09-03T00:00:00Z"


def test_an_address_has_two_at_once_and_a_connection_that_goes_frees_its_own(live_web):
    with open_socket(live_web) as first, open_socket(live_web) as second:
        with open_socket(live_web) as third:
            for client in (first, third):
                client.ask(SLOW, "replay")
            assert second.ask({**SLOW, "id": 1}, "error")["code"] == "too_many_replays"
            assert third.ask({**SLOW, "symbols": ["MSFT"]}, "replay")["symbols"] == ["MSFT"]  # in place of its own

        def begins() -> bool:
            second.send(SLOW)
            while (message := second.hear())["type"] not in ("replay", "error"):
                pass
            return message["type"] == "replay"

        assert eventually(begins)


@pytest.fixture
def closed_to_guests(tmp_path, monkeypatch) -> Iterator:
    monkeypatch.setenv("FINSTAGE_REPLAYS_FOR_GUESTS", "false")
    with serving(tmp_path / "log", "manage.py", "web") as web:
        yield web


@contextmanager
def logged_in(web, name: str) -> Iterator[tuple[Browser, Conversation]]:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user(name))
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    with open_socket(web, additional_headers={"Cookie": cookie}, origin=web.url) as client:
        yield browser, client


def test_where_guests_may_have_none_a_login_may_and_its_end_ends_it(closed_to_guests):
    with open_socket(closed_to_guests) as guest:
        assert guest.ask(FAST, "error")["code"] == "login_required"
    with logged_in(closed_to_guests, "alice") as (browser, client):
        client.ask({**FAST, "speed": 8_000}, "replay")
        browser.logout()
        while "state" not in (message := client.hear()) or message["type"] != "replay":
            pass
        assert (message["state"], message["reason"]) == ("stopped", "rights_ended")
