"""A rename (FB → META) ends whole: rows, Redis, streams and jobs, whoever watches or writes meanwhile."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client as Browser

from analysis import summary
from market import bars, coverage, quotes, symbols
from market.bars import forming
from market.models import DataSource, Symbol, SymbolAlias
from market.sources import Tick
from market.sources.replay.seeds import SEEDS
from monitoring import jobs
from monitoring import redis as connection
from monitoring.jobs import declaration
from monitoring.models import Job, JobSubject
from realtime import alerts, messages, streams
from realtime.models import Alert, AlertRule
from tests.market.test_records import bar
from tests.realtime.test_feed import epoch_of, new_feed, published
from tests.realtime.test_feed import replay as replay_fixture
from tests.realtime.test_feed import stop as stop_fixture
from tests.realtime.test_feed_outages import no_redis

pytestmark = [pytest.mark.django_db, pytest.mark.db]
stop, recording = stop_fixture, replay_fixture


@pytest.fixture
def facebook(db) -> Symbol:
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))
    symbols.ensure(SEEDS)
    return Symbol.objects.get(ticker="FB")


def rename(old: str = "FB", new: str = "META") -> None:
    call_command("rename_symbol", old, new, name="Meta Platforms, Inc.", stdout=io.StringIO())


def tick(feed, *quoted) -> None:
    feed.take(Tick(list(quoted)))


def keys_that_say(ticker: str) -> list[str]:
    """What Redis keeps under or about a ticker, but for where its streams are now."""
    client, found = connection.client(), []
    for key in map(bytes.decode, client.scan_iter("*")):
        if ":stream:" in key:
            found += [key] if key.endswith(f":{ticker}") and client.hkeys(key) != [b"to"] else []
        elif client.type(key) == b"hash":
            words = [re.split(rb'[" ]', name + b" " + text) for name, text in client.hgetall(key).items()]
            found += [key] if any(ticker.encode() in each for each in words) else []
    return found


def test_rows_redis_and_streams_bear_the_new_name_and_stay_where_they_were(facebook, quote):
    feed = new_feed()
    rule = AlertRule.objects.create(kind="price_above", level=20, symbol=facebook)
    tick(feed, quote("FB", 19), quote("FB", 21), quote("AAPL", 100))
    before = {kind: epoch_of(f"{kind}:FB") for kind in ("prices", "bars", "indicators", "alerts")}
    price = quotes.latest(["FB"])["FB"]
    rename()
    assert keys_that_say("FB") == []
    assert {kind: epoch_of(f"{kind}:META") for kind in before} == before
    states = [connection.key("stream", "state", f"{kind}:META") for kind in before]
    told = [json.loads(connection.client().hget(state, "latest")) for state in states]
    assert {message["symbol"] for message in [*told, *published("prices:META"), *published("alerts:META")]} == {"META"}
    found = quotes.latest(["META", "FB"])
    assert (found["META"].ticker, found["META"].price, found["FB"]) == ("META", price.price, None)
    assert forming.latest(["META"])["META"].ticker == summary.latest(["META"])["META"].ticker == "META"
    facebook.refresh_from_db()
    assert (facebook.ticker, facebook.name) == ("META", "Meta Platforms, Inc.")
    rule.refresh_from_db()
    assert rule.symbol == Alert.objects.get(rule=rule).symbol == facebook
    rows = Browser().get("/api/v2/watchlists/default/").json()["symbols"]
    assert [row["symbol"] for row in rows] == ["AAPL", "GOOG", "IBM", "META", "MSFT"]
    assert rows[3]["quote"]["current_price"] == 21


def test_a_doubted_price_waits_under_the_new_name_and_is_confirmed_there(facebook, quote):
    quotes.keep([quote("FB", 20)])
    assert quotes.keep([quote("FB", 200, previous_close=20)]) == []
    rename()
    assert keys_that_say("FB") == []
    (found,) = quotes.keep([quote("META", 201, previous_close=20)])
    assert found.price == 201


def test_its_bars_have_another_version(facebook):
    bars.upsert([replace(bar(date(2012, 9, 3), 20, 18), ticker="FB")])
    version = coverage.latest(["FB"])["FB"]
    rename()
    assert coverage.latest(["META"])["META"] not in ("", version)
    assert bars.history("META")[-1].ticker == "META"


def test_the_feed_goes_on_under_the_new_name_also_in_the_moment_before_it_knows(facebook, quote):
    feed = new_feed()
    tick(feed, quote("FB", 19))
    place = streams.publish([messages.price(quote("FB", 20))]).numbers[0]
    rename()
    tick(feed, quote("FB", 21), quote("AAPL", 100), quote("FB", 22))
    assert [message["seq"] for message in published("prices:META")][-2:] == [place + 1, place + 2]
    assert {message["symbol"] for message in published("prices:META")} == {"META"}
    assert quotes.latest(["META"])["META"].price == 22
    assert keys_that_say("FB") == []


def test_a_rename_amid_a_batch_costs_no_other_symbol_a_price(facebook, quote):
    feed = new_feed()
    tick(feed, quote("FB", 19), quote("AAPL", 99))
    rename()
    feed.tell(Tick([quote("AAPL", 100), quote("FB", 20), quote("AAPL", 101), quote("FB", 21)]))
    tick(feed)
    for ticker, prices in (("AAPL", [99, 100, 101]), ("META", [19, 20, 21])):
        assert [message["current_price"] for message in published(f"prices:{ticker}")] == prices
    assert alerts.seen()["AAPL"].price == 101


def test_what_rang_does_not_ring_again_by_the_other_name(facebook, quote):
    feed = new_feed()
    AlertRule.objects.create(kind="price_above", level=20, symbol=facebook)
    tick(feed, quote("FB", 19), quote("FB", 21))
    rename()
    tick(feed, quote("FB", 19), quote("FB", 21))
    assert len(published("alerts:META")) == Alert.objects.filter(published_at__isnull=False).count() == 1


def test_a_crossing_over_the_rename_rings(facebook, quote):
    feed = new_feed()
    AlertRule.objects.create(kind="price_above", level=20, symbol=facebook)
    tick(feed, quote("FB", 19))
    rename()
    tick(feed, quote("META", 21, previous_close=21.5))
    assert [alert["kind"] for alert in published("alerts:META")] == ["price_above"]


def test_a_close_that_is_told_again_by_the_new_name_is_one_bar(facebook, quote):
    feed, close = new_feed(), quote("FB", 19, is_final=True)
    tick(feed, close)
    rename()
    tick(feed, replace(close, ticker="META"))
    assert [bar["close"] for bar in published("bars:META")] == [19]


def test_what_a_crash_left_behind_the_feed_moves(facebook, quote):
    feed = new_feed()
    tick(feed, quote("FB", 19))
    symbols.rename("FB", "META")  # and no further
    feed = new_feed()
    feed.facts.read()
    assert quotes.latest(["META"])["META"].price == 19
    tick(feed, quote("META", 20))
    assert [message["seq"] for message in published("prices:META")] == [1, 2]


def test_a_rename_is_safe_to_run_again_and_leads_back(facebook, quote):
    feed = new_feed()
    tick(feed, quote("FB", 19))
    for old, new in (("FB", "META"), ("FB", "META"), ("META", "FB"), ("fb", "MVRS")):
        rename(old, new)
    tick(feed, quote("FB", 20), quote("META", 21))
    assert [message["current_price"] for message in published("prices:MVRS")] == [19, 20, 21]
    assert symbols.former() == {"FB": "MVRS", "META": "MVRS"}
    assert SymbolAlias.objects.filter(kind="former").count() == 2


def test_what_a_version_before_still_publishes_by_the_old_name_does_not_replace_the_stream(facebook, quote):
    tick(new_feed(), quote("FB", 19), quote("FB", 20))
    rename()
    streams.renew(["prices:FB"])  # as its script does with what it does not understand
    streams.publish([messages.price(quote("FB", 21))])
    rename()
    assert [message["current_price"] for message in published("prices:META")] == [19, 20]
    assert keys_that_say("FB") == []


def test_the_ticker_of_another_symbol_is_not_taken(facebook):
    with pytest.raises(CommandError, match=r"Nothing was renamed: AAPL is Apple Inc\.; FB can't have its ticker"):
        rename("FB", "AAPL")
    with pytest.raises(CommandError, match="looks like"):
        rename("FB", "A B")
    assert symbols.former() == {}


def test_without_redis_it_says_that_the_rows_have_the_new_ticker_and_who_moves_the_rest(facebook, quote):
    tick(new_feed(), quote("FB", 19))
    with no_redis(), pytest.raises(CommandError, match=r"FB is META now; .*\. A feed does that"):
        rename("FB", "meta")
    facebook.refresh_from_db()
    assert facebook.ticker == "META"
    new_feed().facts.read()
    assert quotes.latest(["META"])["META"].price == 19


def test_a_former_ticker_that_another_symbol_gets_has_streams_of_its_own(facebook, quote):
    feed = new_feed()
    tick(feed, quote("FB", 19))
    rename()
    tick(feed, quote("META", 20))
    Symbol.objects.create(ticker="FB", name="Fibre plc", exchange="XLON", currency="GBP", time_zone="Europe/London")
    feed.facts.expire()
    tick(feed, quote("AAPL", 1))
    tick(feed, quote("FB", 5), quote("META", 21))
    assert [message["current_price"] for message in published("prices:FB")] == [5]
    assert [message["current_price"] for message in published("prices:META")] == [19, 20, 21]
    assert symbols.resolve("FB").name == "Fibre plc"


def test_a_former_ticker_that_another_symbol_gets_has_indicators_of_its_own(facebook, quote, monkeypatch):
    monkeypatch.setattr(summary, "LOOK_SECONDS", 600.0)
    bars.upsert([replace(bar(date(2012, 8, day), 20, 18), ticker="FB") for day in range(1, 31)])
    feed = new_feed()
    tick(feed, quote("FB", 19))
    known = summary.latest(["FB"])["FB"].values["sma_20"]
    rename()
    tick(feed, quote("META", 19))
    Symbol.objects.create(ticker="FB", name="Fibre plc", exchange="XLON", currency="GBP", time_zone="Europe/London")
    feed.facts.expire()
    tick(feed, quote("AAPL", 1))
    tick(feed, quote("FB", 5))
    found = summary.latest(["META", "FB"])
    assert (found["META"].values["sma_20"], found["FB"].values["sma_20"]) == (known, {"sma": None})


def test_jobs_are_found_by_the_new_name_and_run(facebook):
    one = jobs.submit("market.records", {"symbols": ["FB"]})
    several = jobs.submit("market.records", {"symbols": ["AAPL", "FB"]})
    rename()
    one.refresh_from_db()
    several.refresh_from_db()
    assert (one.about, several.about, one.arguments) == ("META", "AAPL,META", {"symbols": ["FB"]})
    assert set(Job.objects.about("META")) == {one, several}
    assert not JobSubject.objects.filter(subject="FB").exists()


def test_staff_can_ask_for_it_as_a_job(facebook):
    declaration.discover()
    told = declaration.named("market.rename")(symbol="fb", to="meta")
    assert told == {"symbol": "META", "was": "FB", "name": "Facebook, Inc."}
    assert declaration.named("market.rename").rules.audience == "staff"


def test_the_recording_plays_on_under_the_new_name(facebook, recording):
    feed, batches = recording("2012-09-04")
    rename()
    for event in batches:
        if isinstance(event, Tick) and event.quotes[0].session_date.day > 4:
            break
        feed.take(event)
    assert bars.history("META")[-1].session_date.isoformat() == "2012-09-04"
    assert {message["symbol"] for message in published("bars:META")} == {"META"}
    again, _ = recording("2012-09-04")
    assert Symbol.objects.count() == 5
    assert again is not feed


def ask_admin(browser: Browser, *symbols: Symbol, to: str) -> str:
    form = {"action": "rename", "to": to, "_selected_action": [symbol.pk for symbol in symbols]}
    return browser.post("/admin/market/symbol/", form, follow=True).content.decode()


def test_staff_rename_a_symbol_in_the_admin(facebook, admin_client):
    assert "FB is META now." in ask_admin(admin_client, facebook, to="meta")
    assert symbols.resolve("FB").ticker == "META"
    assert [epoch_of("prices:FB"), Symbol.objects.filter(ticker="FB").exists()] == [None, False]
    assert LogEntry.objects.get().change_message == "FB → META"


@pytest.mark.parametrize(
    ("to", "both", "why"),
    [
        ("IBM", False, "IBM is International"),
        ("A B", False, "is no ticker"),
        ("", False, "Select one"),
        ("META", True, "Select one"),
    ],
)
def test_the_admin_says_why_nothing_was_renamed(facebook, admin_client, to, both, why):
    chosen = [facebook, *([Symbol.objects.get(ticker="IBM")] if both else [])]
    assert why in ask_admin(admin_client, *chosen, to=to)
    assert not SymbolAlias.objects.exists()


def test_the_admin_says_who_moves_the_rest_where_redis_is_away(facebook, admin_client):
    with no_redis():
        told = ask_admin(admin_client, facebook, to="META")
    assert "a feed moves what Redis holds" in told
    assert Symbol.objects.get(pk=facebook.pk).ticker == "META"
