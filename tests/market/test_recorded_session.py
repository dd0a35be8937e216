"""One recorded session, minute by minute, through every door. It is told as of a session of the last days, as a source
tells no minutes of its own day any more.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from market import bars, player, watchlists
from market.bars import forming
from market.bars.forming import INTERVALS
from market.bars.forming.within import LATE
from market.calendars import hours, sessions
from market.coverage import loading
from market.history import within
from market.models import Bar, DataSource, Snapshot, Symbol
from market.player import within as reading_within
from market.prices import Bar as Priced
from market.prices import midnight
from market.sources.yahoo import REACH, asking
from realtime.feed.within import BarsWithin
from realtime.replay.body import Body
from realtime.replay.digest import LEFT_OUT, Digest
from tests.market.test_forming import quote

pytestmark = [pytest.mark.django_db, pytest.mark.db]
RECORDED = Path(__file__).parent / "recorded" / "sp500-2019-11-05.csv"
OPEN, HIGH, LOW, CLOSE = 3080.8, 3083.95, 3072.15, 3074.62  # of the day, as published beside it
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
DAY = next(
    day
    for number in range(4, 20)
    if (day := datetime.now(UTC).date() - timedelta(days=number)).weekday() < 5
    and sessions.between("XNYS", day, day)
    and sessions.hours("XNYS", day)[1] - sessions.hours("XNYS", day)[0] == timedelta(hours=6, minutes=30)
)
OPENS = sessions.hours("XNYS", DAY)[0]
NOW = datetime.now(UTC)
Values = tuple[float, float, float, float]


def recorded() -> list[Values]:
    """Open, high, low and close of each minute from the opening on, the one of the close too."""
    with RECORDED.open() as file:
        names = ("Open", "High", "Low", "Close")
        return [tuple(float(row[name]) for name in names) for row in csv.DictReader(file)]


def together(minutes: int) -> dict[datetime, Values]:
    """Bars of so many of its minutes, by their openings."""
    told = recorded()[:390]
    parts = {OPENS + timedelta(minutes=first): told[first : first + minutes] for first in range(0, 390, minutes)}
    return {
        at: (some[0][0], max(each[1] for each in some), min(each[2] for each in some), some[-1][3])
        for at, some in parts.items()
    }


def chart(interval: str) -> dict:
    """As Yahoo tells it: at the end the last trade once more."""
    found = together(MINUTES[interval]) | {OPENS + timedelta(minutes=390): recorded()[390]}
    columns = dict(zip(("open", "high", "low", "close"), map(list, zip(*found.values(), strict=True)), strict=True))
    meta = {
        "symbol": "^GSPC", "currency": "USD", "exchangeTimezoneName": "America/New_York", "instrumentType": "INDEX",
        "dataGranularity": interval, "regularMarketTime": int(max(found).timestamp()),
    }  # fmt: skip
    columns["volume"] = [0] * len(found)
    return {"meta": meta, "timestamp": [int(at.timestamp()) for at in found], "indicators": {"quote": [columns]}}


@pytest.fixture
def index(wire) -> Symbol:
    """Its minutes, its bars of five and its hours are loaded from the wire."""
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York", "asset_type": "index"}
    made = Symbol.objects.create(ticker="^GSPC", name="S&P 500", **facts)
    loading.complete(made, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    for interval in ("1m", "5m", "1h"):
        wire.charts["^GSPC"] = chart(interval)
        within.fill(made, interval, asking.within, REACH[interval], "yahoo", by_calendar=True)
    return made


def values(told: dict) -> Values:
    return tuple(float(told[name]) for name in ("open", "high", "low", "close"))


def test_it_is_stored_as_it_was_recorded_and_longer_bars_are_those_of_its_minutes(index):
    assert Bar.objects.filter(interval="1m", state="final").count() == 390
    for interval, minutes in MINUTES.items():
        found = bars.history("^GSPC", interval=interval)
        assert {bar.opened_at: (bar.open, bar.high, bar.low, bar.close) for bar in found} == together(minutes)
        assert {bar.session_date for bar in found} == {DAY}
    hours = bars.history("^GSPC", interval="1h")
    assert (hours[0].open, max(bar.high for bar in hours), min(bar.low for bar in hours)) == (OPEN, HIGH, LOW)
    assert hours[-1].close == pytest.approx(CLOSE, abs=0.5)  # the auction follows


@pytest.mark.parametrize("interval", MINUTES)
def test_the_interface_and_its_tables_tell_it_and_its_page_is_there(client, index, interval):
    path = "/api/v2/symbols/%5EGSPC/bars/"
    told = client.get(path, {"interval": interval, "limit": 1000}).json()["results"]
    table = client.get(path, {"interval": interval, "limit": 1000, "format": "csv"}).content.decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    right = together(MINUTES[interval])
    for found in (told, rows):
        assert {datetime.fromisoformat(each["opened_at"]): values(each) for each in found} == right
        assert {each["symbol"] for each in found} == {"^GSPC"}
    several = client.get("/api/v2/bars/", {"symbols": "^GSPC", "interval": interval, "limit": 5}).json()["results"]
    assert [values(each) for each in several[0]["bars"]] == list(right.values())[-5:]
    assert client.get("/symbols/%5EGSPC/", {"interval": interval}).status_code == 200


def prices() -> Iterator[tuple[datetime, float]]:
    """Four of each minute, in an order that it may have had."""
    for number, (first, high, low, last) in enumerate(recorded()[:390]):
        for second, price in zip((3, 18, 33, 48), (first, high, low, last), strict=True):
            yield OPENS + timedelta(minutes=number, seconds=second), price


def test_its_prices_form_the_same_bars_on_the_stream(index):
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    Bar.objects.all().delete()
    forming.forget()
    feed, told = BarsWithin(), []
    homes = [("XNYS", ["^GSPC"])]
    feed.open({f"bars:^GSPC@{interval}" for interval in MINUTES}, lambda work: work())
    feed.moved(
        [quote(OPENS - timedelta(hours=1), OPEN, ticker="^GSPC", market_state="pre")], homes, lambda work: work()
    )
    for at, price in prices():
        told += feed.moved([quote(at, price, ticker="^GSPC")], homes, lambda work: work())
        feed.told()
    told += feed.over(OPENS + timedelta(minutes=390) + LATE, lambda work: work())
    closed = [message for each in told if (message := json.loads(each.body)).get("state") == "closed"]
    for interval in ("5m", "15m", "30m", "1h"):
        found = {
            datetime.fromisoformat(each["opened_at"]): values(each) for each in closed if each["interval"] == interval
        }
        assert found == together(MINUTES[interval])
    assert {bar.interval for bar in Bar.objects.all()} == {"5m", "1h"}


def replayed() -> tuple[list[dict], str]:
    """What a replay of it tells of bars within the session, and the hash of all that it tells."""
    sessions, digest, told = player.read(["^GSPC"], DAY, DAY, has_hours=True).sessions, Digest(), []
    for body in (body for each in Body(sessions, NOW, within=INTERVALS).session(0) for body in each.bodies):
        digest.add(body)
        told.append(json.loads(body))
    assert all(each["replay"] is True for each in told)
    return [without_place(each) for each in told if each.get("interval") in MINUTES], digest.hex


def without_place(told: dict) -> dict:
    return {name: value for name, value in told.items() if name not in {*LEFT_OUT, "replay"}}


def test_a_replay_of_its_prices_says_of_bars_what_the_feed_said(index, django_user_model):
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=NOW)
    watchlists.make(django_user_model.objects.create_user("reader").pk, "mine", [index])
    hours.keep("XNYS")
    Bar.objects.all().delete()
    feed, homes, told = BarsWithin(), [("XNYS", ["^GSPC"])], []
    feed.open({f"bars:^GSPC@{interval}" for interval in MINUTES}, lambda work: work())
    before = quote(OPENS - timedelta(hours=1), OPEN, ticker="^GSPC", market_state="pre")
    feed.moved([before], homes, lambda work: work())
    missed = OPENS + timedelta(minutes=40)
    for number, (at, price) in enumerate(prices()):
        if missed <= at < missed + timedelta(minutes=3):
            continue
        each = quote(at, price, volume=number * 10, ticker="^GSPC")
        Snapshot.objects.create(
            symbol=index, price=price, volume=number * 10, session_date=DAY, as_of=at, as_of_precision="second",
            received_at=at, source="yahoo",
        )  # fmt: skip
        told += feed.over(at, lambda work: work())
        feed.told()
        told += feed.moved([each], homes, lambda work: work())
        feed.told()
    told += feed.over(OPENS + timedelta(minutes=390) + LATE, lambda work: work())
    right = [without_place(json.loads(each.body)) for each in told]
    bars.upsert([Priced("^GSPC", "1d", midnight(DAY), *together(390)[OPENS], 0, True, "yahoo", NOW, session_date=DAY)])
    found, hash = replayed()
    assert [each["interval"] for each in found if each["type"] == "correction"] == ["15m", "30m", "1h"]
    assert found == right
    assert replayed()[1] == hash


def test_a_replay_makes_longer_bars_of_what_is_held_and_none_that_are_shorter(index, monkeypatch):
    hours.keep("XNYS")
    bars.upsert([Priced("^GSPC", "1d", midnight(DAY), *together(390)[OPENS], 0, True, "yahoo", NOW, session_date=DAY)])
    for held, made in (("1m", list(MINUTES)), ("5m", ["5m", "15m", "30m", "1h"]), ("1h", ["1h"])):
        monkeypatch.setattr(reading_within, "_INTERVALS", [held])
        found, _ = replayed()
        closed = [each for each in found if each.get("state") == "closed"]
        assert {each["interval"] for each in found} == set(made)
        for interval in made:
            told = {
                datetime.fromisoformat(each["opened_at"]): values(each)
                for each in closed
                if each["interval"] == interval
            }
            assert told == together(MINUTES[interval])
