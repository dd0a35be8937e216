"""What may cost less than nothing, as oil did on 2020-04-20, has such prices by every door; nothing else has."""

from datetime import UTC, date, datetime

import pytest

from market import bars, monitor, quotes, symbols
from market.models import Snapshot, Symbol
from market.prices import Bar, midnight
from market.quotes.wire import quote_fields
from market.sources.inbox import Inbox
from market.sources.yahoo import charts, stream
from monitoring import refusals
from tests.market.yahoo_charts import made_chart

OIL = {"previous_close": 18.27, "open": 17.73, "high": 17.85, "low": -40.32}
FUTURE = {"exchange": "NYM", "asset_type": "future"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def oil(db) -> Symbol:
    known = {"name": "Crude Oil", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.create(ticker="CL=F", **FUTURE, **known)


def test_a_future_s_price_below_zero_is_kept_told_and_in_the_database(oil, quote):
    now = quote("CL=F", -37.63, **OIL)
    assert quotes.keep([now], negative=symbols.negative([oil])) == [now]
    assert quotes.latest(["CL=F"]) == {"CL=F": now}
    told = quote_fields(now)
    assert (told["current_price"], told["low"], told["change"], told["change_percent"]) == (
        -37.63, -40.32, -55.9, -305.9661,
    )  # fmt: skip
    quotes.flush(datetime.now(UTC))
    assert (Snapshot.objects.get().price, refusals.counts()) == (-37.63, {})


def test_a_share_s_price_below_zero_is_refused_and_counted(apple, oil, quote):
    assert quotes.keep([quote("AAPL", -37.63, **OIL)], negative=symbols.negative([apple, oil])) == []
    assert refusals.counts() == {"quotes": 1}


@pytest.mark.parametrize("price", [-1e13, float("nan"), float("-inf")])
def test_what_is_no_number_of_a_price_is_none_of_a_future_either(oil, quote, price):
    assert quotes.keep([quote("CL=F", price, **OIL)], negative={"CL=F"}) == []


def test_a_price_far_below_all_that_is_known_waits_for_a_second(oil, quote):
    assert quotes.keep([quote("CL=F", -3763.0, **OIL)], negative={"CL=F"}) == []
    assert refusals.counts() == {"unconfirmed": 1}
    assert [each.price for each in quotes.keep([quote("CL=F", -3764.0, **OIL)], negative={"CL=F"})] == [-3764.0]


def test_a_chart_tells_a_future_s_price_below_zero_and_none_of_a_share(symbol):
    chart = made_chart("AAPL", regularMarketPrice=-37.63, regularMarketDayLow=-40.32)
    now = datetime.fromtimestamp(chart["meta"]["regularMarketTime"], UTC)
    found = charts.quote(chart, symbol=symbol("CL=F", **FUTURE), now=now)
    assert (found.price, found.low) == (-37.63, -40.32)
    assert charts.quote(chart, symbol=symbol("CL=F"), now=now) is None


def test_the_streamer_tells_a_future_s_price_below_zero_and_none_of_a_share(symbol, quote):
    oil, at = symbol("CL=F", **FUTURE), datetime(2020, 4, 20, 18, 30, tzinfo=UTC)
    message = {"id": "CL=F", "price": -37.63, "day_low": -40.32, "time": str(int(at.timestamp() * 1000))}
    found = stream.quote(message, symbol=oil, known=None, now=at)
    assert (found.price, found.low) == (-37.63, -40.32)
    assert stream.quote(message, symbol=symbol("CL=F"), known=None, now=at) is None


def test_the_inbox_takes_a_future_s_price_below_zero_and_counts_a_share_s(apple, oil, quote):
    inbox = Inbox(lambda *told, **known: None)
    inbox.track([apple, oil])
    inbox.put([quote("AAPL", -37.63, **OIL), quote("CL=F", -37.63, **OIL)])
    assert [each.ticker for each in inbox.take(0.1)] == ["CL=F"]
    assert refusals.counts() == {"quotes": 1}


def test_a_last_close_below_zero_is_shown(oil):
    days = [(date(2020, 4, 17), 18.27), (date(2020, 4, 20), -37.63)]
    received = midnight(date(2020, 4, 21))
    told = [Bar("CL=F", "1d", midnight(day), *[close] * 4, 1, True, "yahoo", received) for day, close in days]
    bars.upsert(told)
    monitor.keep_closes(["CL=F"])
    close = quotes.latest(["CL=F"])["CL=F"]
    assert (close.price, close.previous_close) == (-37.63, 18.27)
    assert Snapshot.objects.get().price == -37.63
