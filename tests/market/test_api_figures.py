"""`key_figures` of GET /api/v2/symbols/: with units and times, and why one is null."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import figures
from market.figures.values import NOT_TOLD
from market.models import Symbol
from tests.market.test_figures import WHOLE

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/api/v2/symbols/"
TODAY = datetime.now(UTC).replace(microsecond=0)


def told(client, ticker: str = "AAPL") -> dict:
    [listed] = [each for each in client.get(PATH).json()["results"] if each["symbol"] == ticker]
    one = client.get(f"{PATH}{ticker}/").json()
    assert one == listed
    return one["key_figures"]


def keep(apple: Symbol, first: date, last: date) -> None:
    values = {**WHOLE.values, "earnings_date": first, "earnings_date_to": last}
    figures.keep(apple, replace(WHOLE, values=values, received_at=TODAY, as_of=TODAY))


def test_figures_are_told_with_their_time_and_source_and_what_is_missing_with_its_reason(client, apple, hold):
    hold("yahoo")
    ahead = TODAY.date() + timedelta(days=30)
    keep(apple, ahead, ahead + timedelta(days=5))
    found = told(client)
    assert (found["market_cap"], found["currency"], found["dividend_yield_percent"]) == (3.6e12, "USD", 0.41)
    assert (found["earnings_date"], found["earnings_date_to"]) == (str(ahead), str(ahead + timedelta(days=5)))
    assert (found["ex_dividend_date"], found["source"], found["reason"]) == ("2025-02-10", "yahoo", None)
    assert found["as_of"] == found["received_at"] == f"{TODAY:%Y-%m-%dT%H:%M:%SZ}"
    assert found["missing"] == {"earnings_per_share": {"reason": NOT_TOLD, "since": str(TODAY.date())}}


def test_a_day_of_earnings_that_is_over_is_none(client, apple, hold):
    hold("yahoo")
    over = TODAY.date() - timedelta(days=3)
    keep(apple, over - timedelta(days=5), over)
    found = told(client)
    names = ("earnings_date", "earnings_date_to", "is_earnings_date_estimated")
    assert [found[name] for name in names] == [None, None, None]
    assert found["missing"]["earnings_date"] == {"reason": "past", "since": str(over + timedelta(days=1))}


def test_what_was_kept_says_of_when_it_is(client, apple, hold):
    hold("yahoo")
    figures.keep(apple, WHOLE)
    failed = {"ex_dividend_date": "upstream_down: away"}
    rest = {name: value for name, value in WHOLE.values.items() if name != "ex_dividend_date"}
    figures.keep(apple, replace(WHOLE, values=rest, failed=failed, received_at=TODAY))
    assert told(client)["kept"] == {
        "ex_dividend_date": {
            "reason": "upstream_down", "as_of": "2025-02-14T21:00:00Z", "received_at": "2025-02-15T12:00:00Z",
        }
    }  # fmt: skip
    assert told(client)["ex_dividend_date"] == "2025-02-10"


@pytest.mark.parametrize(
    ("source", "kind", "reason"),
    [
        ("yahoo", "equity", "not_asked_yet"),
        ("yahoo", "index", "not_applicable"),
        ("yahoo", "currency", "not_applicable"),
        ("yahoo", "future", "not_applicable"),
        ("replay", "equity", "source_has_none"),
    ],
)
def test_where_there_are_none_it_says_why(client, apple, hold, source, kind, reason):
    hold(source)
    Symbol.objects.update(asset_type=kind)
    found = told(client)
    assert (found["reason"], found["market_cap"], found["missing"], found["as_of"]) == (reason, None, {}, None)


def test_what_nothing_of_its_kind_has_is_said_so(client, apple, hold):
    hold("yahoo")
    Symbol.objects.update(asset_type="crypto")
    figures.keep(apple, replace(WHOLE, values={"market_cap": 2e12}, missing={}))
    found = told(client)
    assert found["market_cap"] == 2e12
    assert {why["reason"] for why in found["missing"].values()} == {"not_applicable"}
    assert len(found["missing"]) == len(figures.NAMES) - 1
