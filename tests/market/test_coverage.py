"""Which bars we hold, counted now and then."""

import pytest

from market import bars
from market.history import coverage
from market.models import Symbol
from tests.market.test_api_bars import daily

pytestmark = pytest.mark.django_db


def test_a_count_is_the_bars_own(apple):
    bars.upsert(daily(day) for day in range(2))
    assert coverage.latest(["AAPL", "NOPE"]) == {
        "AAPL": {"1d": {"first": "2012-03-01T00:00:00Z", "last": "2012-03-02T00:00:00Z", "count": 2}},
        "NOPE": {},
    }


def test_a_count_serves_for_some_seconds_and_no_longer(apple, redis, django_assert_num_queries):
    bars.upsert([daily(0)])
    coverage.latest(["AAPL"])
    with django_assert_num_queries(0):
        assert coverage.latest(["AAPL"])["AAPL"]["1d"]["count"] == 1
    assert 0 < redis.ttl("finstage:coverage:AAPL") <= coverage.SECONDS


def test_only_what_was_not_counted_is(apple):
    Symbol.objects.create(ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD", time_zone="UTC")
    coverage.latest(["AAPL"])
    bars.upsert([daily(0), daily(0, "MSFT")])
    held = coverage.latest(["AAPL", "MSFT"])
    assert (held["AAPL"], held["MSFT"]["1d"]["count"]) == ({}, 1)
