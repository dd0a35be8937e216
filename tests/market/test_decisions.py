"""What somebody says of a disputed action: adjusted prices follow it, whatever the source goes on telling."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from market import actions, bars, coverage
from market.models import CorporateAction, Decision, SupersededAction
from market.prices import Action, Bar, Named, midnight

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
EX_DATE, YEAR = date(2024, 6, 10), {"start": date(2024, 1, 1), "end": date(2024, 12, 31)}
ALL = frozenset({"split", "spin_off", "dividend", "capital_gain"})
TWICE = Action("AAPL", "dividend", EX_DATE, 10.0, disputed="it is named twice within days")
SPUN = Action("AAPL", "spin_off", EX_DATE, 1.25, 1250.0, 1000.0, "nobody splits by 1250:1000; a spin-off?")
LISTED = "admin:market_corporateaction_changelist"


@pytest.fixture(autouse=True)
def traded(apple):
    values = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    days, received = [EX_DATE - timedelta(days=3), EX_DATE], datetime(2024, 6, 30, tzinfo=UTC)
    bars.upsert([
        Bar("AAPL", "1d", midnight(day), **values, volume=10, is_final=True, source="yahoo", received_at=received)
        for day in days
    ])  # fmt: skip


@pytest.fixture
def told(apple):
    """told(action, …): the source names these, and no others of the year."""
    return lambda *named: actions.keep(apple, Named(named, ALL, **YEAR), "yahoo")


@pytest.fixture
def staff(client):
    """staff("change_corporateaction"): a client of somebody who may see actions, and that."""

    def entered(*permissions: str):
        user = get_user_model().objects.create_user("ada", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_corporateaction", *permissions]))
        client.force_login(user)
        return client

    return entered


def adjusted(adjustment: str = "split_dividend", at: datetime | None = None) -> float:
    return bars.history("AAPL", adjusted=adjustment, as_known_at=at)[0].close


def decide(decision: Decision) -> bool:
    return actions.decide(CorporateAction.objects.get(), decision, "ada")


def test_a_dividend_that_is_kept_out_restates_nothing_and_one_that_is_accepted_does(told):
    told(TWICE)
    assert adjusted() == 90
    assert decide(Decision.KEPT_OUT)
    assert (adjusted(), list(bars.columns("AAPL", adjusted="split_dividend")["close"])) == (100, [100, 100])
    assert decide(Decision.ACCEPTED)
    assert adjusted() == 90


def test_a_suspected_spin_off_that_is_kept_out_restates_nothing(told, apple):
    told(SPUN)
    assert adjusted("split") == 80
    decide(Decision.KEPT_OUT)
    assert adjusted("split") == 100
    assert actions.splits(["AAPL"])["AAPL"].at(date(2024, 6, 3)) == (1, 1)
    assert actions.between([("AAPL", date(2024, 6, 3), EX_DATE)]) == {}


def test_a_decision_moves_the_version_once(told):
    told(TWICE)
    before = coverage.latest(["AAPL"])
    decide(Decision.KEPT_OUT)
    decided = coverage.latest(["AAPL"])
    assert decided != before
    assert not decide(Decision.KEPT_OUT)
    assert coverage.latest(["AAPL"]) == decided


def test_what_is_accepted_says_nothing_else_and_moves_no_version(told):
    told(TWICE)
    before = coverage.latest(["AAPL"])
    assert decide(Decision.ACCEPTED)
    assert coverage.latest(["AAPL"]) == before


def test_a_decision_stays_when_the_source_tells_it_again(told):
    told(TWICE)
    decide(Decision.KEPT_OUT)
    key = CorporateAction.objects.get().pk
    assert not told(TWICE)
    told(Action("AAPL", "dividend", EX_DATE, 10.0001))  # disputed no more, and rounded otherwise
    row = CorporateAction.objects.get()
    assert (row.pk, row.disputed, row.decision, row.decided_by, adjusted()) == (key, None, "kept_out", "ada", 100)


def test_a_decision_stays_when_the_source_left_it_out_for_a_time(told):
    told(TWICE)
    decide(Decision.ACCEPTED)
    decide(Decision.KEPT_OUT)
    told()
    assert not CorporateAction.objects.exists()
    told(TWICE)
    row = CorporateAction.objects.get()
    assert (row.decision, row.decided_by, adjusted()) == ("kept_out", "ada", 100)


def test_another_value_is_to_be_decided_anew(told):
    told(TWICE)
    decide(Decision.KEPT_OUT)
    told(Action("AAPL", "dividend", EX_DATE, 20.0))
    assert (CorporateAction.objects.get().decision, adjusted()) == (None, 80)


def test_what_was_known_before_a_decision_reads_as_it_was(told):
    told(TWICE)
    undecided = datetime.now(UTC)
    decide(Decision.KEPT_OUT)
    kept_out = datetime.now(UTC)
    decide(Decision.ACCEPTED)
    assert [adjusted(at=at) for at in (undecided, kept_out, datetime.now(UTC))] == [90, 100, 90]
    first = SupersededAction.objects.get(decision=None)
    assert first.superseded_by == SupersededAction.objects.get(decision="kept_out").pk


def test_what_is_kept_out_takes_no_effect_with_the_first_price_of_its_day(told):
    told(SPUN)
    decide(Decision.KEPT_OUT)
    before = coverage.latest(["AAPL"])
    actions.begin({"AAPL": EX_DATE})
    assert coverage.latest(["AAPL"]) == before
    decide(Decision.ACCEPTED)
    accepted = coverage.latest(["AAPL"])
    actions.begin({"AAPL": EX_DATE})
    assert coverage.latest(["AAPL"]) != accepted


def test_what_nobody_disputes_is_not_to_be_decided(told):
    told(Action("AAPL", "dividend", EX_DATE, 10.0))
    assert not decide(Decision.KEPT_OUT)
    assert adjusted() == 90


def test_staff_keep_an_action_out_and_the_symbol_s_log_says_who(told, staff, apple):
    told(SPUN)
    client, row = staff("change_corporateaction"), CorporateAction.objects.get()
    page = client.get(reverse(LISTED), headers={"accept-language": "ko"}).content.decode()
    assert "선택한 항목을 수정주가에서 제외" in page
    client.post(reverse(LISTED), {"action": "keep_out", "_selected_action": [row.pk]})
    assert (CorporateAction.objects.get().decision, adjusted("split")) == ("kept_out", 100)
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == ("ada", str(apple.pk))
    assert entry.change_message == "spin-off of 1.25 on 2024-06-10: kept out of adjusted prices"
    row = CorporateAction.objects.get()
    client.post(reverse(LISTED), {"action": "accept", "_selected_action": [row.pk]})
    assert (CorporateAction.objects.get().decision, adjusted("split")) == ("accepted", 80)


def test_who_may_only_see_actions_decides_none(told, staff):
    told(SPUN)
    client, row = staff(), CorporateAction.objects.get()
    assert "keep_out" not in client.get(reverse(LISTED)).content.decode()
    client.post(reverse(LISTED), {"action": "keep_out", "_selected_action": [row.pk]})
    assert CorporateAction.objects.get().decision is None


def test_staff_are_told_where_there_is_nothing_to_decide(told, staff):
    told(Action("AAPL", "dividend", EX_DATE, 10.0))
    chosen = {"action": "keep_out", "_selected_action": [CorporateAction.objects.get().pk]}
    page = staff("change_corporateaction").post(reverse(LISTED), chosen, follow=True).content.decode()
    assert "Dividend of 10 on 2024-06-10: nothing is disputed" in page
    assert (CorporateAction.objects.get().decision, LogEntry.objects.count()) == (None, 0)


def test_the_interface_says_what_was_decided(told, client):
    told(TWICE)
    decide(Decision.KEPT_OUT)
    [row] = client.get("/api/v2/symbols/AAPL/actions/").json()["results"]
    assert (row["disputed"], row["decision"]) == ("it is named twice within days", "kept_out")
