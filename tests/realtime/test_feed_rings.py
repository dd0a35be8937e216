"""What rings in the live loop of a live source, and what does not: bad ticks, days of splits, and holes."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from market import actions, bars
from market.bars import forming
from market.models import DataSource
from market.prices import Action, Bar, Named, midnight
from market.sources import Tick
from monitoring.models import Job
from realtime.feed import Feed
from realtime.models import Alert, AlertRule
from tests.realtime.test_feed import new_feed, published

pytestmark = [pytest.mark.django_db, pytest.mark.db]
MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)


@pytest.fixture(autouse=True)
def live_source(db) -> None:
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))


@pytest.fixture
def holding(apple) -> Callable[..., Feed]:
    """holding(100.0): a feed that begins with this close of the session before Wednesday's."""

    def holding(close: float, on: date = TUESDAY) -> Feed:
        bars.upsert([Bar("AAPL", "1d", midnight(on), *[close] * 4, 1000, True, "yahoo", midnight(on))])
        return new_feed()

    return holding


def rung(feed: Feed, *quotes) -> list[str]:
    for each in quotes:
        feed.take(Tick([dataclasses.replace(each, session_date=WEDNESDAY)]))
    return list(Alert.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("told", [1000.0, 100.0])
def test_on_the_day_of_a_known_split_nothing_rings(holding, apple, quote, told):
    feed = holding(1000.0)
    actions.keep(apple, Named([Action("AAPL", "split", WEDNESDAY, 10.0, 10.0, 1.0)]), "yahoo")
    assert rung(feed, *(quote("AAPL", price, previous_close=told, open=101) for price in (101, 102))) == []
    assert published("prices:AAPL")[-1]["change_percent"] == 2.0


def test_a_fall_that_a_split_would_explain_rings_once_it_is_known_to_be_none(holding, quote):
    feed = holding(1000.0)
    assert rung(feed, *(quote("AAPL", price, previous_close=1000.0, open=101) for price in (101, 102))) == []
    assert published("prices:AAPL")[-1]["change_percent"] is None
    Job.objects.filter(name="market.history_chunk").update(state="completed", lane=None)
    assert rung(feed, quote("AAPL", 101, previous_close=1000.0, open=101)) == ["plunge"]


def test_behind_a_hole_nothing_rings(holding, apple, quote):
    feed = holding(10.0, MONDAY)
    AlertRule.objects.create(kind="price_above", level=11, symbol=apple)
    assert rung(feed, quote("AAPL", 12, previous_close=10.0)) == []
    assert rung(feed, quote("AAPL", 9, previous_close=10.0)) == []
    assert published("prices:AAPL")[-1]["previous_close"] is None


def test_a_bad_tick_rings_nothing_and_moves_no_bar_until_a_second_confirms_it(apple, quote):
    feed = new_feed()
    AlertRule.objects.create(kind="price_above", level=500, symbol=apple)

    def take(price: float) -> tuple[int, float]:
        feed.take(Tick([quote("AAPL", price, previous_close=100.0, open=100.0)]))
        return Alert.objects.count(), forming.latest(["AAPL"])["AAPL"].high

    assert [take(101), take(10.1), take(1010), take(102)] == [(0, 101), (0, 101), (0, 101), (0, 102)]
    assert [message["current_price"] for message in published("prices:AAPL")] == [101, 102]
    assert [take(1010), take(1011)] == [(0, 102), (1, 1011)]
