"""The past as it was known at a moment: bars, actions and their adjusted views, by what had been received up to it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions, bars, quotes
from market.bars import forming
from market.models import CorporateAction, Symbol
from market.prices import Action, Named
from tests.market.test_api_bars import PATH, daily, ten_days  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.db]
ACTIONS = "/api/v2/symbols/AAPL/actions/"
RECEIVED = datetime(2012, 6, 1, tzinfo=UTC)
KINDS = frozenset({"split", "dividend"})


def after(hours: float) -> datetime:
    return RECEIVED + timedelta(hours=hours)


def told(client, at: datetime, **query: object) -> list[tuple]:
    answer = client.get(PATH, {"as_known_at": at.isoformat(), **query}).json()
    return [(bar["close"], bar["state"], bar["revision"]) for bar in answer["results"]]


def test_each_value_is_told_from_its_receipt_until_the_next(client, apple):
    closed = {"is_final": False, "state": "closed"}
    bars.upsert([daily(0, close=100.1, **closed)])
    bars.upsert([daily(0, close=100.2, received_at=after(1), **closed)])
    bars.upsert([daily(0, close=100.3, received_at=after(2))])
    bars.upsert([daily(0, close=100.4, received_at=after(4))], reason="late")
    bars.upsert([daily(0, close=100.35, received_at=after(3))], reason="later still")
    known = {0: (100.1, "closed", 0), 1: (100.2, "closed", 0), 2: (100.3, "final", 0), 3: (100.35, "final", 1),
             4: (100.4, "final", 2)}  # fmt: skip
    assert told(client, after(-1)) == []
    for hours, bar in known.items():
        assert told(client, after(hours)) == told(client, after(hours + 0.9)) == [bar]


def test_a_day_that_came_later_was_not_known_and_spans_and_limits_count(client, ten_days):  # noqa: F811
    bars.upsert([daily(10, received_at=after(1)), daily(3, close=103.9, received_at=after(1))])
    assert [close for close, *_ in told(client, after(0), limit=2)] == [108.5, 109.5]
    assert [close for close, *_ in told(client, after(1), limit=2)] == [109.5, 110.5]
    span = {"start": "2012-03-03", "end": "2012-03-04"}
    assert [close for close, *_ in told(client, after(0), **span)] == [102.5, 103.5]
    assert [close for close, *_ in told(client, after(1), **span)] == [102.5, 103.9]


def test_a_page_of_then_leads_on_to_the_one_before_it(client, ten_days):  # noqa: F811
    bars.upsert([daily(3, close=103.9, received_at=after(1))])
    first = client.get(PATH, {"as_known_at": after(0).isoformat(), "limit": 6}).json()
    closes = [bar["close"] for bar in client.get(first["next"]).json()["results"]]
    assert closes == [100.5, 101.5, 102.5, 103.5]


@pytest.mark.parametrize("adjusted", ["split", "split_dividend"])
def test_an_adjusted_view_counts_what_was_known_then(client, ten_days, adjusted):  # noqa: F811
    keep("2012-06-02", Action("AAPL", "split", date(2012, 3, 6), 2.0, 2, 1))
    keep("2012-06-04", Action("AAPL", "split", date(2012, 3, 6), 4.0, 4, 1))
    found = {day: told(client, datetime(2012, 6, day, tzinfo=UTC), adjusted=adjusted, limit=10) for day in (1, 3, 5)}
    assert {day: rows[0][0] for day, rows in found.items()} == {1: 100.5, 3: 50.25, 5: 25.125}
    assert {rows[-1][0] for rows in found.values()} == {109.5}
    raw = told(client, datetime(2012, 6, 5, tzinfo=UTC), adjusted="raw", limit=10)
    assert raw[0][0] == 100.5


def keep(at: str, *named: Action) -> None:
    """Have them told on a day: what is received or superseded now was so then."""
    began = datetime.now(UTC)
    actions.keep(Symbol.objects.get(ticker="AAPL"), Named(named, whole=KINDS), "replay")
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    CorporateAction.objects.filter(received_at__gte=began).update(received_at=moment)
    Symbol.objects.get(ticker="AAPL").superseded_actions.filter(superseded_at__gte=began).update(superseded_at=moment)


def test_a_dividend_counts_by_the_closes_of_then(client, ten_days):  # noqa: F811
    keep("2012-06-01", Action("AAPL", "dividend", date(2012, 3, 6), 10.45))
    bars.upsert([daily(4, close=104.4, received_at=after(48))])
    then, now = (told(client, after(hours), adjusted="split_dividend", limit=10)[0][0] for hours in (24, 72))
    assert (then, now) == (90.45, pytest.approx(100.5 * (1 - 10.45 / 104.4), abs=1e-4))


def test_a_split_that_was_only_announced_then_restated_nothing(client, ten_days, quote):  # noqa: F811
    keep("2012-06-01", Action("AAPL", "split", date(2012, 3, 11), 2.0, 2, 1))
    assert told(client, after(1), limit=10)[0][0] == 100.5
    heard = quote("AAPL", 55.0, session_date=date(2012, 3, 11), as_of=after(2), received_at=after(2))
    quotes.store([heard])
    assert [told(client, after(hours), limit=10)[0][0] for hours in (1, 3)] == [100.5, 50.25]


def test_an_action_that_is_named_no_more_was_one_until_then(apple):
    split = Action("AAPL", "split", date(2012, 3, 6), 2.0, 2, 1)
    keep("2012-06-02", split)
    keep("2012-06-04")
    known = [[each.value for each in actions.known("AAPL", datetime(2012, 6, day, tzinfo=UTC))] for day in (1, 2, 3, 4)]
    assert known == [[], [2.0], [2.0], []]


def test_actions_are_listed_as_they_stood_page_by_page(client, apple):
    named = [Action("AAPL", "dividend", date(2012, month, 1), month / 10) for month in (1, 2, 3)]
    keep("2012-06-02", *named)
    keep("2012-06-04", *named[:2], Action("AAPL", "split", date(2012, 3, 5), 2.0, 2, 1))
    then = {"as_known_at": "2012-06-03T00:00:00Z", "limit": 2}
    first = client.get(ACTIONS, then).json()
    assert [(each["kind"], each["value"]) for each in first["results"]] == [("dividend", 0.3), ("dividend", 0.2)]
    rest = client.get(first["next"]).json()
    assert ([each["value"] for each in rest["results"]], rest["next"]) == ([0.1], None)
    assert client.get(rest["previous"]).json()["results"] == first["results"]
    asked = {**then, "kind": "dividend", "start": "2012-02-01", "end": "2012-02-28", "sort": "ex_date"}
    assert [each["value"] for each in client.get(ACTIONS, asked).json()["results"]] == [0.2]
    now = client.get(ACTIONS, {"as_known_at": "2012-06-04T00:00:00Z"}).json()["results"]
    assert now == client.get(ACTIONS).json()["results"]


def test_what_forms_now_did_not_then_and_the_tags_differ(client, ten_days):  # noqa: F811
    forming.keep([replace(daily(10), is_final=False, state="forming")])
    now, then = client.get(PATH), client.get(PATH, {"as_known_at": after(1).isoformat()})
    assert [len(each.json()["results"]) for each in (now, then)] == [11, 10]
    assert now["ETag"] != then["ETag"]
    again = client.get(PATH, {"as_known_at": after(1).isoformat()}, headers={"If-None-Match": then["ETag"]})
    assert again.status_code == 304
    assert len(bars.history("AAPL", as_known_at=after(1))) == 10


@pytest.mark.parametrize("said", ["2012-06-01", "yesterday", "2100-01-01T00:00:00Z"])
def test_a_moment_that_is_none_or_still_to_come_is_refused(client, ten_days, said):  # noqa: F811
    answer = client.get(PATH, {"as_known_at": said})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_as_known_at")


def test_all_of_it_can_be_had_as_csv(client, ten_days):  # noqa: F811
    bars.upsert([daily(9, close=109.9, received_at=after(1))])
    text = client.get(PATH, {"as_known_at": after(0).isoformat(), "limit": 1, "format": "csv"}).content.decode()
    assert ",109.5," in text
