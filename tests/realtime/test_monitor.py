"""GET prices/monitor: the newest prices with the conditions that hold now, and since when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from market import bars, prices, quotes, records
from market.models import DataSource, Symbol
from realtime import alerts
from realtime.models import AlertRule

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/api/v2/technical-analysis/prices/monitor"
QUOTE = "/api/v2/symbols/AAPL/quote/"
TODAY = date(2012, 9, 4)  # the session of `quote`
FACTS = {"name": "x", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}


def on(days_before: int) -> str:
    return prices.instant(prices.midnight(TODAY - timedelta(days=days_before)))


def hold(*lows_and_closes: tuple[float, float], ticker: str = "AAPL") -> None:
    """Bars of the sessions before today's, one a day, the last yesterday's."""
    days = range(len(lows_and_closes), 0, -1)
    bars.upsert(
        prices.Bar(
            ticker, "1d", prices.midnight(TODAY - timedelta(days=day)), close, 200.0, low, close, 1000, True, "replay",
            datetime(2012, 9, 3, 21, tzinfo=UTC),
        )
        for day, (low, close) in zip(days, lows_and_closes, strict=True)
    )  # fmt: skip


@pytest.fixture
def source(apple) -> None:
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=datetime(2012, 9, 4, tzinfo=UTC))


def held(client, ticker: str = "AAPL", **query) -> list[dict]:
    return client.get(PATH, query).json()["prices"][ticker]["alerts"]


def test_a_price_comes_as_its_quote_with_what_holds(client, source, apple, quote):
    AlertRule.objects.create(symbol=apple, kind="price_above", level=100, severity="info")
    AlertRule.objects.create(symbol=apple, kind="price_above", level=103)
    hold((90.0, 99.0), (101.0, 102.0))
    quotes.keep([quote("AAPL", 102.5, low=101.5)])
    told = client.get(PATH, {"symbols": "aapl"}).json()["prices"]["AAPL"]
    since = {"since": on(1), "since_precision": "day"}
    assert told.pop("alerts") == [{"kind": "price_above", "level": 100.0, "severity": "info", **since}]
    assert told == client.get(QUOTE).json()


@pytest.mark.parametrize(
    ("sessions", "low", "since"),
    [
        ([(90.0, 99.0), (99.5, 102.0), (101.0, 103.0)], 102.0, 2),  # it went over within that session
        ([(90.0, 99.0), (101.0, 102.0), (101.0, 103.0)], 102.0, 2),  # a gap over night
        ([(90.0, 110.0), (100.0, 102.0), (101.0, 103.0)], 102.0, 2),  # it touched the level again
        ([(90.0, 99.0), (90.0, 99.0)], 102.0, 0),  # it opened over it
        ([(101.0, 102.0), (101.0, 102.0)], 100.0, 0),  # it was at it today
        ([(101.0, 102.0), (101.0, 102.0)], 102.0, None),  # for longer than we know
        ([], 102.0, None),
    ],
)
def test_it_holds_since_the_session_in_which_it_went_over_last(client, source, apple, quote, sessions, low, since):
    AlertRule.objects.create(symbol=apple, kind="price_above", level=100)
    hold(*sessions)
    quotes.keep([quote("AAPL", 104.0, low=low)])
    assert [each["since"] for each in held(client)] == [None if since is None else on(since)]


def test_a_plunge_holds_as_long_as_the_session_is_down_so_far(client, source, quote):
    alerts.prepare()
    quotes.keep([quote("AAPL", 95.0, previous_close=100.0)])
    assert [(each["kind"], each["level"], each["since"]) for each in held(client)] == [("plunge", -5.0, on(0))]
    quotes.keep([quote("AAPL", 95.1, previous_close=100.0)])
    assert held(client) == []


def test_a_record_that_the_session_set_holds_and_a_first_session_is_none(client, source, quote):
    hold((90.0, 99.0), (80.0, 102.0))
    records.refresh(["AAPL"])
    quotes.keep([quote("AAPL", 202.0, high=205.0, low=100.0)])
    high = {"kind": "new_high", "level": 205.0, "since": on(0), "since_precision": "day"}
    assert sorted(held(client), key=str) == [{**high, "scope": "52_weeks"}, {**high, "scope": "all_time"}]
    Symbol.objects.create(ticker="NEW", **FACTS)
    hold((90.0, 99.0), ticker="NEW")
    records.refresh(["NEW"])
    quotes.keep([quote("NEW", 99.0, high=200.0, low=90.0, session_date=TODAY - timedelta(days=1))])
    assert held(client, "NEW") == []


def test_one_sees_the_systems_conditions_and_ones_own(client, source, apple, quote):
    people = [get_user_model().objects.create_user(name) for name in ("me", "somebody")]
    for level, owner in ((1, None), (2, people[0]), (3, people[1])):
        AlertRule.objects.create(symbol=apple, kind="price_above", level=level, owner=owner)
    quotes.keep([quote("AAPL", 102.0)])
    assert [each["level"] for each in held(client)] == [1.0]
    client.force_login(people[0])
    assert [each["level"] for each in held(client)] == [1.0, 2.0]


def test_without_symbols_all_that_are_tracked_and_with_alerts_only_those_of_which_something_holds(
    client, source, apple, quote, django_assert_num_queries
):
    for ticker, is_active in (("IBM", True), ("GONE", False), ("NONE", True)):
        Symbol.objects.create(ticker=ticker, is_active=is_active, **FACTS)
    AlertRule.objects.create(symbol=apple, kind="price_above", level=100)
    hold((90.0, 99.0), (101.0, 102.0))
    quotes.keep([quote("AAPL", 102.0), quote("IBM", 102.0), quote("GONE", 102.0)])
    told = client.get(PATH).json()
    assert sorted(told["prices"]) == ["AAPL", "IBM", "NONE"]
    assert (told["prices"]["NONE"], told["errors"]["NONE"]["code"]) == (None, "no_quote")
    assert list(client.get(PATH, {"alerts_only": "true"}).json()["prices"]) == ["AAPL"]
    told = client.get(PATH, {"symbols": "AAPL,IBM,APPL", "alerts_only": "true"}).json()
    assert (list(told["prices"]), told["errors"]["APPL"]["code"]) == (["AAPL"], "unknown_symbol")
    with django_assert_num_queries(5):  # symbols, rules, the bars' versions, splits, records; bars are kept
        client.get(PATH)


def test_what_cannot_be_is_refused_with_what_is_allowed(client, source):
    for query, field, allowed in (
        ({"alerts_only": "yes"}, "alerts_only", "true or false"), ({"symbols": ""}, "symbols", "at least one"),
        ({"alert_only": "true"}, "alert_only", "there are format, symbols, alerts_only"),
    ):  # fmt: skip
        answer = client.get(PATH, query)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field]), query
        assert allowed in answer.json()["errors"][field][0]
