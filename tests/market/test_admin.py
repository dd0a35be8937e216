"""The market in the admin: facts are shown and cannot be changed."""

from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from market import bars, prices
from market.bars import forming
from market.coverage import held
from market.models import Bar, DataSource, QuarantinedBar, Symbol
from market.sources.replay import recording
from market.sources.replay.source import Replay
from tests.market.writer import versions

FACTS = ["corporateaction", "snapshot", "barrevision", "markedbar", "quarantinedbar", "record", "datasource"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("ada", "ada@example.org", "secret"))
    return client


@pytest.mark.parametrize("model", [*FACTS, "symbol"])
def test_every_list_opens(staff, apple, model):
    bars.upsert(versions(0))
    bars.upsert(versions(1))
    assert staff.get(reverse(f"admin:market_{model}_changelist")).status_code == 200


@pytest.mark.parametrize("model", FACTS)
def test_a_fact_cannot_be_added(staff, model):
    assert staff.get(reverse(f"admin:market_{model}_add")).status_code == 403


def test_a_symbol_shows_its_latest_bars_as_traded(staff, apple):
    bars.upsert(versions(0))
    page = staff.get(reverse("admin:market_symbol_change", args=[apple.pk])).content.decode()
    assert page.count("<td>2024-") == 20
    assert "<td>2024-02-29</td><td>final</td><td>100.0</td>" in page


def test_a_symbol_says_of_its_bars_which_may_still_change(staff, apple):
    *settled, closed, newest = versions(0)
    bars.upsert([*settled, replace(closed, state=prices.CLOSED_BAR, is_final=False, volume=None)])
    forming.keep([replace(newest, state=prices.FORMING, is_final=False)])
    page = staff.get(reverse("admin:market_symbol_change", args=[apple.pk])).content.decode()
    assert [page.count(f"<td>{state}</td>") for state in ("forming", "closed", "final")] == [1, 1, 18]
    assert page.count("<td>–</td>") == 1


def test_the_states_of_bars_are_told_in_korean(staff, apple):
    bars.upsert(versions(0))
    page = staff.get(reverse("admin:market_symbol_change", args=[apple.pk]), headers={"accept-language": "ko"})
    assert "<th>상태</th>" in page.content.decode()
    assert page.content.decode().count("<td>확정</td>") == 20


def test_staff_retire_a_symbol_and_its_prices_stay(staff, settings):
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at="2026-01-01T00:00:00Z")
    Replay().prepare()
    chosen = {"action": "retire", "_selected_action": [Symbol.objects.get(ticker="IBM").pk]}
    staff.post(reverse("admin:market_symbol_changelist"), chosen)
    assert not Symbol.objects.tracked().filter(ticker="IBM").exists()
    assert all(held.latest(recording.TICKERS).values())


def test_staff_let_a_bar_through_that_was_held_back(staff, apple):
    found = versions(0)
    far = {name: 10 * getattr(found[-1], name) for name in ("open", "high", "low", "close")}
    bars.upsert([*found[:-1], replace(found[-1], **{name: 2 * value for name, value in far.items()})])
    row = QuarantinedBar.objects.get()
    assert "beside closes" in staff.get(reverse("admin:market_quarantinedbar_changelist")).content.decode()
    staff.post(reverse("admin:market_quarantinedbar_changelist"), {"action": "release", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (Bar.objects.get(opened_at=row.opened_at).close, row.released_by) == (row.close, "ada")
