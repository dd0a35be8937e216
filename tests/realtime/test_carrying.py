"""Indicators on bars within sessions: the same number as over the stored bars, whoever wrote those."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analysis import within as analysis_within
from analysis.indicators import catalogue, frames
from analysis.indicators.across.group import Group
from market import actions, bars
from market.bars import forming
from market.bars.forming.within import LATE
from market.calendars import sessions
from market.models import Bar, DataSource
from market.prices import Action, Named
from market.prices import Bar as Told
from realtime.feed import carrying
from realtime.feed.within import BarsWithin
from tests.market.test_forming import quote
from tests.realtime.test_feed_within import DAY, HOMES, OPENS, insist

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
STREAMS = {"indicators:AAPL@5m", "indicators:AAPL@5m/sma_3", "indicators:AAPL@15m/ema_2", "indicators:AAPL@1h/cci_3"}
YESTERDAY = sessions.before("XNAS", DAY)


@pytest.fixture(autouse=True)
def looked_at_once(monkeypatch) -> None:
    monkeypatch.setattr(analysis_within, "LOOK_SECONDS", 0.0)


@pytest.fixture
def held(apple) -> None:
    """The whole session before, as its source tells it."""
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    forming.forget()
    opens, closes = sessions.hours("XNAS", YESTERDAY)
    for interval, minutes in (("5m", 5), ("1h", 60)):
        count = -(-int((closes - opens).total_seconds()) // (60 * minutes))
        bars.upsert([told(interval, opens + timedelta(minutes=minutes * at), 10 + at % 7) for at in range(count)])


def told(interval: str, at: datetime, price: float) -> Told:
    values = price, price + 0.4, price - 0.3, price + 0.1, 500, True, "yahoo", datetime.now(UTC)
    return Told("AAPL", interval, at, *values, session_date=at.date())


def begun(names: set[str] = STREAMS) -> BarsWithin:
    feed = BarsWithin()
    feed.open(names, insist)
    feed.moved([quote(OPENS - timedelta(hours=1), 9.0, market_state="pre")], HOMES, insist)
    return feed


def hear(feed: BarsWithin, since: int, until: int) -> dict[str, list[dict]]:
    """A price each minute and a half; by stream what is told of it."""
    found: dict[str, list[dict]] = {}
    for seconds in range(since, until, 90):
        price = 11.0 + (seconds * 7) % 13 / 10
        for message in feed.moved([quote(OPENS + timedelta(seconds=seconds), price, seconds)], HOMES, insist):
            found.setdefault(message.stream, []).append(json.loads(message.body))
        feed.told()
    return found


def opened(feed: BarsWithin, names: set[str] = STREAMS) -> dict[str, dict]:
    feed.open(names, insist)
    return {each.stream: json.loads(each.body) for each in feed.over(OPENS, insist)}


def on_demand(interval: str, *names: str) -> dict:
    found = frames.indicators("AAPL", interval=interval, names=names or ("all",))["indicators"]
    return {key: each["latest"] for key, each in found.items()}


def assert_on_demand(found: dict[str, dict]) -> None:
    assert found["indicators:AAPL@5m"]["values"] == on_demand("5m")
    assert found["indicators:AAPL@5m/sma_3"]["values"] == on_demand("5m", "sma_3")
    assert found["indicators:AAPL@15m/ema_2"]["values"] == on_demand("15m", "ema_2")
    assert found["indicators:AAPL@1h/cci_3"]["values"] == on_demand("1h", "cci_3")


@pytest.mark.usefixtures("held")
def test_what_forms_and_what_has_closed_says_what_is_computed_on_demand():
    feed = begun()
    for since, until in ((0, 600), (630, 1200), (1260, 1900)):
        found = hear(feed, since, until)
        assert_on_demand({stream: each[-1] for stream, each in found.items()})
    states = [(each["state"], each["as_of"]) for each in found["indicators:AAPL@5m/sma_3"]]
    assert ("closed", f"{OPENS + timedelta(minutes=25):%FT%TZ}") in states
    assert found["indicators:AAPL@5m"][-1]["values"].keys() == catalogue.defaults("5m").keys()


@pytest.mark.usefixtures("held")
def test_the_close_stands_upon_the_bar_that_was_stored_with_it():
    feed = begun()
    hear(feed, 0, 300)
    closed = [json.loads(each.body) for each in feed.over(OPENS + timedelta(minutes=5) + LATE, insist)]
    *_, sma = [each for each in closed if each["stream"] == "indicators:AAPL@5m/sma_3"]
    assert (sma["state"], sma["values"]) == ("closed", on_demand("5m", "sma_3"))
    assert sma["version"] == frames.indicators("AAPL", interval="5m")["version"]
    assert Bar.objects.filter(session_date=DAY).count() == 1


def revise() -> None:
    opens = sessions.hours("XNAS", YESTERDAY)[0]
    last = opens + timedelta(hours=6, minutes=25)
    bars.upsert([told("5m", last, 30.0), told("1h", opens + timedelta(hours=6), 30.0)])


def split() -> None:
    actions.keep(Bar.objects.first().symbol, Named([Action("AAPL", "split", DAY, 2.0, 2.0, 1.0)]), "yahoo")


def repair_a_gap() -> None:
    """Of a session before, which nobody held."""
    opens, _ = sessions.hours("XNAS", sessions.before("XNAS", YESTERDAY))
    for interval in ("5m", "1h"):
        bars.upsert([told(interval, opens + timedelta(hours=hour), 20.0) for hour in range(3)])


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("by_another_hand", [revise, split, repair_a_gap])
def test_where_another_hand_wrote_they_are_opened_anew_and_told(by_another_hand):
    feed = begun()
    hear(feed, 0, 1000)
    by_another_hand()
    assert_on_demand(opened(feed))
    found = hear(feed, 1080, 1400)
    assert_on_demand({stream: each[-1] for stream, each in found.items()})


@pytest.mark.usefixtures("held")
def test_what_another_wrote_before_our_close_was_stored_is_not_missed(monkeypatch):
    feed = begun()
    hear(feed, 0, 290)
    monkeypatch.setattr(analysis_within, "LOOK_SECONDS", 600.0)
    revise()
    found = hear(feed, 310, 320)
    assert found["indicators:AAPL@5m/sma_3"][-1]["values"] == on_demand("5m", "sma_3")


@pytest.mark.usefixtures("held")
def test_a_feed_that_takes_over_says_the_same():
    feed = begun()
    hear(feed, 0, 900)
    closed = {each.stream: json.loads(each.body) for each in feed.over(OPENS + timedelta(minutes=15) + LATE, insist)}
    forming.drop_within()
    taken_over = opened(begun(set()))
    for name, key in (("5m", "sma_3"), ("15m", "ema_2")):
        stream = f"indicators:AAPL@{name}/{key}"
        assert taken_over[stream]["values"] == closed[stream]["values"] == on_demand(name, key)


@pytest.mark.usefixtures("held")
def test_one_that_was_made_of_others_and_has_ended_counts_before_the_next_one_forms():
    bars.upsert([told("5m", OPENS + timedelta(minutes=at), 20.0) for at in (0, 5, 10)])
    series = analysis_within.Within()
    series.choose({("AAPL", "15m"): {"mom_1": catalogue.named("mom_1")}})
    next_one = replace(told("15m", OPENS + timedelta(minutes=15), 25.0), is_final=False, state="forming")
    [values] = series.tick([next_one])
    assert values.values == {"mom_1": {"mom": pytest.approx(5.0)}}


@pytest.mark.usefixtures("held")
def test_they_are_told_from_the_first_who_holds_one_and_no_more_when_nobody_does():
    feed = begun(set())
    assert hear(feed, 0, 100) == {}
    first = opened(feed, {"indicators:AAPL@5m/sma_3"})
    assert (first.keys(), feed.names) == ({"indicators:AAPL@5m/sma_3"}, {"indicators:AAPL@5m/sma_3"})
    assert hear(feed, 180, 200).keys() == {"indicators:AAPL@5m/sma_3"}
    assert opened(feed, set()) == {}
    assert (hear(feed, 270, 280), feed.names) == ({}, set())


@pytest.mark.usefixtures("held")
def test_many_are_opened_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(carrying, "SHOWN_AT_ONCE", 1)
    feed = begun(set())
    hear(feed, 0, 100)
    names = {f"indicators:AAPL@{interval}/sma_3" for interval in ("5m", "15m", "1h")}
    assert [len(opened(feed, names)) for _ in range(4)] == [1, 1, 1, 0]


@pytest.mark.usefixtures("held")
def test_what_breaks_of_them_costs_no_bar(monkeypatch):
    feed = begun({"bars:AAPL@5m", *STREAMS})
    monkeypatch.setattr(feed._carrying._series, "tick", lambda bars: 1 / 0)
    assert hear(feed, 0, 400).keys() == {"bars:AAPL@5m"}
    assert Bar.objects.filter(session_date=DAY).count() == 1


def test_a_series_that_breaks_costs_the_others_no_value(held, monkeypatch):
    open_series = analysis_within._opened

    def opened_but_an_hour(bar: Told, chosen: dict, group: Group) -> analysis_within.Series:
        if bar.interval == "1h":
            raise ZeroDivisionError
        return open_series(bar, chosen, group)

    monkeypatch.setattr(analysis_within, "_opened", opened_but_an_hour)
    feed = begun()
    found = hear(feed, 0, 900)
    assert {each for each in found if each.startswith("indicators")} == STREAMS - {"indicators:AAPL@1h/cci_3"}
    monkeypatch.undo()
    assert hear(feed, 900, 1200)["indicators:AAPL@1h/cci_3"]


def test_a_name_that_nothing_makes_is_none_of_them(apple):
    names = {"indicators:AAPL@5m/macd_1", "indicators:AAPL@1wk/sma_3", "indicators:AAPL@5m/x", "indicators:AAPL/sma_3"}
    assert begun(names).names == set()
