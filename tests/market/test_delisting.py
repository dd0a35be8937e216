"""What the source no longer knows is asked for no more after days, stays readable, and comes back if staff say so."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from market import bars, history, symbols
from market.bars import forming
from market.models import Coverage, Symbol
from market.prices import Named
from market.sources import ProviderError, delisting
from market.sources.yahoo import asking
from tests.market.test_bars import bar
from tests.market.yahoo_charts import made_chart

pytestmark = [pytest.mark.django_db, pytest.mark.db]
GONE = ("unknown_symbol", False)


@pytest.fixture
def held(apple) -> Symbol:
    history.fill(apple, lambda symbol, start: ([bar(day, source="yahoo") for day in (2, 3, 4)], Named([])), "yahoo")
    return apple


def says(symbol: Symbol, code: str, temporary: bool) -> None:
    def fetch(*asked):
        raise ProviderError("no", code=code, temporary=temporary)

    with pytest.raises(ProviderError):
        history.fill(symbol, delisting.watched(fetch), "yahoo")


def days_pass(days: int = 6) -> None:
    Coverage.objects.exclude(unknown_since=None).update(unknown_since=datetime.now(UTC) - timedelta(days=days))


def marked() -> tuple[bool, date | None]:
    return Symbol.objects.values_list("is_active", "last_session").get(ticker="AAPL")


def delist(symbol: Symbol) -> None:
    says(symbol, *GONE)
    days_pass()
    says(symbol, *GONE)


@pytest.mark.parametrize("code", sorted(delisting.GONE))
def test_after_days_of_that_answer_a_symbol_is_marked_with_its_last_session(held, code):
    for days, expected in ((0, (True, None)), (4, (True, None)), (6, (False, date(2024, 1, 4)))):
        days_pass(days)
        says(held, code, False)
        assert marked() == expected
    assert symbols.tracked() == []


def test_an_answer_between_begins_the_days_anew(held):
    says(held, *GONE)
    days_pass()
    history.fill(held, lambda symbol, start: ([bar(5, source="yahoo")], Named([])), "yahoo")
    says(held, *GONE)
    assert marked() == (True, None)


@pytest.mark.parametrize(("hours", "is_collected"), [(23, False), (25, True)])
def test_two_such_answers_with_nobody_asking_in_between_delist_nobody(held, hours, is_collected):
    says(held, *GONE)
    days_pass()
    Coverage.objects.update(unknown_at=datetime.now(UTC) - timedelta(hours=hours))
    says(held, *GONE)
    assert marked()[0] == is_collected


OTHERS = [
    ("upstream_down", True),
    ("rate_limited", True),
    ("no_data", True),
    ("market_closed", True),
    ("upstream_down", False),
]


@pytest.mark.parametrize(("code", "temporary"), OTHERS)
def test_an_outage_delists_nobody(held, code, temporary):
    for _ in range(2):
        says(held, code, temporary)
        days_pass()
    assert marked() == (True, None)


def test_who_was_told_of_a_session_since_is_traded(held):
    says(held, *GONE)
    days_pass()
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    bars.upsert([bar(opened_at=yesterday, received_at=datetime.now(UTC), source="yahoo")])
    says(held, *GONE)
    assert marked() == (True, None)


def test_a_symbol_that_never_had_a_price_is_none_that_is_traded_no_more(apple):
    delist(apple)
    assert marked() == (True, None)


def test_its_forming_bar_goes_and_its_past_stays_readable(held, client):
    forming.keep([bar(5, is_final=False, state="forming")])
    delist(held)
    assert forming.latest(["AAPL"]) == {"AAPL": None}
    told = client.get("/api/v2/symbols/aapl/").json()
    assert (told["active"], told["last_session"], told["coverage"]["1d"]["count"]) == (False, "2024-01-04", 3)
    assert len(client.get("/api/v2/symbols/AAPL/bars/").json()["results"]) == 3
    page = client.get("/symbols/AAPL/").content.decode()
    assert "traded no more, last on <time>2024-01-04</time>" in page


def test_yahoo_s_own_answer_about_a_delisted_symbol_counts(held, wire):
    wire.charts["MSFT"] = made_chart("MSFT")
    for _ in range(2):
        with pytest.raises(ProviderError):
            history.fill(held, delisting.watched(asking.history), "yahoo")
        days_pass()
        asking.UNKNOWN.forget(["AAPL"])
    assert marked() == (False, date(2024, 1, 4))


def test_what_is_remembered_of_an_answer_is_no_other_answer(held, wire):
    for _ in range(2):
        with pytest.raises(ProviderError) as refused:
            history.fill(held, delisting.watched(asking.history), "yahoo")
        days_pass()
    assert (refused.value.code, wire.requests) == ("unknown_symbol", ["chart AAPL"])
    assert marked() == (True, None)


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("ada", "ada@example.org", "secret"))
    return client


def by_action(staff, symbol: Symbol) -> None:
    staff.post(reverse("admin:market_symbol_changelist"), {"action": "track", "_selected_action": [symbol.pk]})


def by_form(staff, symbol: Symbol) -> None:
    page = staff.get(reverse("admin:market_symbol_change", args=[symbol.pk]))
    given = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    given |= {"is_active": "on", "aliases-TOTAL_FORMS": 0, "aliases-INITIAL_FORMS": 0}
    assert staff.post(reverse("admin:market_symbol_change", args=[symbol.pk]), given).status_code == 302


@pytest.mark.parametrize("revive", [by_action, by_form])
def test_staff_see_it_and_can_revive_it(held, staff, hold, revive):
    delist(held)
    listed = staff.get(reverse("admin:market_symbol_changelist"), {"last_session__isempty": 0}).content.decode()
    assert "Jan. 4, 2024" in listed
    asking.UNKNOWN.note("AAPL")
    hold("yahoo")
    revive(staff, held)
    assert asking.UNKNOWN.left("AAPL") is None
    says(held, *GONE)  # the days of before count no more
    assert marked() == (True, None)
