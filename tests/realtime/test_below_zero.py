"""A future that costs less than nothing: told by the price lane, in the forming bar, by rules and on the page."""

from datetime import UTC, date, datetime

import pytest

from market import quotes, symbols
from market.bars import forming
from market.models import DataSource, Symbol
from market.sources import Tick
from realtime.models import Alert, AlertRule
from tests.realtime.test_feed import new_feed, published
from tests.realtime.test_feed_lanes import Live

OIL = {"previous_close": 18.27, "open": 17.73, "high": 17.85, "low": -40.32}
pytestmark = pytest.mark.django_db


@pytest.fixture
def oil(db) -> Symbol:
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    known = {"name": "Crude Oil", "exchange": "NYM", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.create(ticker="CL=F", asset_type="future", **known)


def test_the_price_lane_tells_it_and_asks_no_database(oil, quote, django_assert_num_queries):
    feed = new_feed(Live())
    feed.take(Tick([quote("CL=F", 9.5, **OIL | {"low": 9.5})]))
    with django_assert_num_queries(0):
        feed.tell(Tick([quote("CL=F", -37.63, **OIL)]))
    assert [told["current_price"] for told in published("prices:CL=F")] == [9.5, -37.63]


def test_a_share_that_the_source_tells_so_is_refused(oil, apple, quote):
    feed = new_feed(Live())
    feed.take(Tick([quote("AAPL", -37.63, **OIL), quote("CL=F", -37.63, **OIL)]))
    assert (published("prices:AAPL"), len(published("prices:CL=F"))) == ([], 1)


def test_its_bar_forms_and_its_rules_ring(oil, quote):
    AlertRule.objects.create(kind="price_above", level=-10, symbol=oil)
    feed = new_feed(Live())
    feed.take(Tick([quote("CL=F", -37.63, **OIL)]))
    bar = forming.latest(["CL=F"])["CL=F"]
    assert (bar.open, bar.high, bar.low, bar.close) == (17.73, 17.85, -40.32, -37.63)
    feed.take(Tick([quote("CL=F", -5.0, **OIL)]))
    assert sorted(Alert.objects.values_list("kind", "price")) == [("plunge", -37.63), ("price_above", -5.0)]


def test_a_session_after_one_below_zero_rings_by_its_own_crossing(oil, quote):
    AlertRule.objects.create(kind="price_above", level=10, symbol=oil)
    feed = new_feed(Live())
    feed.take(Tick([quote("CL=F", -37.63, **OIL | {"previous_close": -30.0})]))
    next_day = {"session_date": date(2012, 9, 5), "as_of": datetime(2012, 9, 5, 14, tzinfo=UTC)}
    feed.take(Tick([quote("CL=F", 10.01, previous_close=-37.63, **next_day)]))
    assert list(Alert.objects.values_list("kind", "price")) == [("price_above", 10.01)]


def test_the_pages_and_the_interface_show_it(client, oil, quote):
    quotes.keep([quote("CL=F", -37.63, **OIL)], negative={"CL=F"})
    for page in ("/", "/symbols/CL=F/"):
        assert "−37.63" in client.get(page).content.decode()
    told = client.get("/api/v2/symbols/CL=F/quote/").json()
    assert (told["current_price"], told["change_percent"]) == (-37.63, -305.9661)


def test_what_has_another_ticker_now_may_cost_so_before_the_symbols_are_read_again(oil, quote):
    feed = new_feed(Live())
    feed.take(Tick([quote("CL=F", 9.5, **OIL | {"low": 9.5})]))
    symbols.rename("CL=F", "CLX=F")
    feed.facts.learn()
    feed.tell(Tick([quote("CL=F", -37.63, **OIL)]))
    assert [told["current_price"] for told in published("prices:CLX=F")][-1:] == [-37.63]
