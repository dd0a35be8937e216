"""GET /api/v2/source/"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from market.sources import negatives
from market.sources.inbox import Inbox
from market.sources.yahoo import ABOUT, asking, stream
from monitoring import metrics

pytestmark = pytest.mark.django_db
PATH = "/api/v2/source/"


def test_a_source_that_answers_is_asked_at_its_whole_pace(client, hold, settings):
    settings.YAHOO_RATE = 2
    hold("yahoo")
    told = client.get(PATH).json()
    assert (told["source"], told["title"], told["can"]) == ("yahoo", "Yahoo", ["figures", "history", "live", "quotes"])
    assert (told["pace"]["allowed"], told["pace"]["now"], told["pace"]["limited_at"]) == (2, 2, None)
    breaker = {"state": "closed", "opened_until": None, "code": None, "why": None, "failures": 0, "is_paused": False}
    assert told["breaker"] == breaker
    assert (told["unknown_symbols"], told["batched_quotes_from"]) == (0, None)


def test_one_that_refuses_is_told_with_when_and_why(client, hold, settings):
    settings.YAHOO_RATE = 2
    hold("yahoo")
    ABOUT.pace().failed("rate_limited", "Yahoo: too many requests")
    told = client.get(PATH).json()
    assert (told["pace"]["now"], told["pace"]["failed_by"]) == (1, "rate_limited")
    assert (told["breaker"]["state"], told["breaker"]["why"]) == ("open", "Yahoo: too many requests")
    assert told["breaker"]["opened_until"] > told["pace"]["limited_at"]


def test_what_it_is_not_asked_about_is_counted(client, hold):
    hold("yahoo")
    for ticker in ("GONE", "FB"):
        asking.UNKNOWN.note(ticker)
    asking.LIST_REFUSED.note(negatives.BATCHED)
    told = client.get(PATH).json()
    assert told["unknown_symbols"] == 2
    assert told["batched_quotes_from"]


def test_how_long_prices_take_to_us_and_from_us_are_told_apart(client, hold, symbol, quote):
    hold("yahoo")
    at, heard = datetime(2012, 9, 4, 15, tzinfo=UTC), Inbox(stream.told)
    heard.track([symbol("AAPL")])
    for later, late in ((0, 9.0), (1, 2.0), (1, 2.0), (2, 0.7), (3, -0.5)):
        as_of = at + timedelta(minutes=later)
        told = quote("AAPL", 100.0, as_of=as_of, received_at=as_of + timedelta(seconds=late), source="yahoo")
        heard.put([told, replace(told, as_of=as_of + timedelta(seconds=1), market_state="closed")])
    for latency in (metrics.PRICE_FROM_SOURCE, metrics.PRICE_TO_CLIENT):
        latency.write()
    told = client.get(PATH).json()["latency"]
    [polled] = told["from_source"]
    assert (polled["way"], polled["count"], polled["ahead"]) == ("polled", 2, 1)
    assert told["to_client"] == {"count": 0, "p50": None, "p99": None, "ahead": 0}


def test_a_recording_has_no_pace(client, hold):
    hold("replay")
    told = client.get(PATH).json()
    assert (told["source"], told["is_recorded"], told["pace"], told["breaker"]) == ("replay", True, None, None)


def test_before_one_is_chosen_there_is_none(client):
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_source")


def test_what_the_wire_does_shows_there(client, hold, wire, symbol):
    hold("yahoo")
    with pytest.raises(asking.ProviderError):
        asking.quote(symbol("GONE"))
    told = client.get(PATH).json()
    assert told["unknown_symbols"] == 1
    assert told["pace"]["answered_at"]
    assert told["pace"]["asked"] > 0
