"""Alerts: saved once, published once, and never of time that has not happened."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from market import actions
from market.clock.passes import Overtaken
from market.models import DataSource, Symbol
from market.prices import Action, Named
from realtime import alerts
from realtime.models import Alert, AlertRule
from realtime.tasks import retain_alerts

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
NEXT_DAY = date(2012, 9, 5)


@pytest.fixture
def above(apple) -> AlertRule:
    return AlertRule.objects.create(symbol=apple, kind="price_above", level=100)


def test_a_price_that_stays_above_the_level_rings_once(above, quote):
    first, second, third = quote("AAPL", 99), quote("AAPL", 101), quote("AAPL", 102)
    assert len(alerts.check({"AAPL": first}, [second])) == 1
    assert alerts.check({"AAPL": second}, [third]) == []


def test_several_quotes_of_a_batch_are_compared_with_each_other(above, quote):
    rung = alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101), quote("AAPL", 102)])
    assert [alert.price for alert in rung] == [101]


def test_an_alert_says_what_happened_and_where_from(above, quote):
    (alert,) = alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 1101.25)])
    assert alert.message == "AAPL rose above 100.00: it is at 1,101.25"
    assert (alert.kind, alert.source, alert.session_date, alert.owner) == (
        "price_above",
        "replay",
        date(2012, 9, 4),
        None,
    )


def test_a_plunge_names_the_fall_and_the_close(apple, quote):
    alerts.prepare()
    (alert,) = alerts.check({"AAPL": None}, [quote("AAPL", 25.75, previous_close=53.5)])
    assert alert.message == "AAPL fell 51.9 % to 25.75, from a close of 53.50"


def test_a_price_that_hovers_at_its_level_rings_once_a_session(above, quote):
    up, down = quote("AAPL", 101), quote("AAPL", 99)
    for before, now in [(down, up), (up, down), (down, up)]:
        alerts.mark_published(alerts.check({"AAPL": before}, [now]), NOW)
    assert Alert.objects.count() == 1
    assert len(alerts.check({"AAPL": down}, [replace(up, session_date=NEXT_DAY, previous_close=99)])) == 1


def test_a_rule_with_another_level_rings_again_in_the_session(above, quote):
    alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)])
    AlertRule.objects.update(level=105)
    assert len(alerts.check({"AAPL": quote("AAPL", 101)}, [quote("AAPL", 106)])) == 1


def test_a_check_that_is_repeated_before_publishing_gives_the_same_alert(above, quote):
    quotes = {"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)]
    (first,), (again,) = alerts.check(*quotes), alerts.check(*quotes)
    assert (first.pk, Alert.objects.count()) == (again.pk, 1)


def test_a_check_that_is_repeated_after_publishing_gives_nothing(above, quote):
    quotes = {"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)]
    alerts.mark_published(alerts.check(*quotes), NOW)
    assert alerts.check(*quotes) == []


def test_what_was_saved_and_not_published_is_known_after_a_crash(above, quote):
    (alert,) = alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)])
    assert alerts.unpublished() == [alert]
    alerts.mark_published([alert], NOW)
    assert alerts.unpublished() == []


def test_what_was_saved_in_a_pass_that_is_over_is_told_in_no_other(above, quote):
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW)
    alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)])
    DataSource.objects.update(pass_number=2)
    assert alerts.unpublished() == []


def test_a_rule_that_is_off_is_silent(above, quote):
    AlertRule.objects.update(is_active=False)
    assert alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)]) == []


def test_a_rule_of_one_symbol_is_not_anothers(above, quote):
    Symbol.objects.create(ticker="IBM", name="IBM", exchange="XNYS", currency="USD", time_zone="America/New_York")
    assert alerts.check({"IBM": quote("IBM", 99)}, [quote("IBM", 101)]) == []


def test_a_users_rule_gives_an_alert_of_their_own(above, quote):
    user = get_user_model().objects.create_user("ann")
    AlertRule.objects.update(owner=user)
    (alert,) = alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)])
    assert alert.owner == user


def test_the_systems_rule_is_made_once_and_stays_as_people_set_it(db):
    alerts.prepare()
    AlertRule.objects.update(is_active=False)
    alerts.prepare()
    assert list(AlertRule.objects.values_list("kind", "level", "is_active")) == [("plunge", -5, False)]


def test_rules_are_read_in_one_query(above, django_assert_num_queries):
    alerts.prepare()
    with django_assert_num_queries(1):
        assert {ticker: len(rules) for ticker, rules in alerts.rules().items()} == {"AAPL": 1, None: 1}


def test_a_check_without_a_crossing_asks_the_database_nothing(above, quote, django_assert_num_queries):
    active = alerts.rules()
    with django_assert_num_queries(0):
        alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 100)], active)


def test_each_pass_rings_once_and_two_of_them_are_kept(above, quote):
    source = DataSource.objects.create(pk=1, name="replay", chosen_at=NOW)
    crossing = {"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)]
    for number in (1, 2, 3):
        source.pass_number, source.epoch = number, source.epoch + 1
        source.save()
        alerts.begin([])
        for rings in (1, 0):
            rung = alerts.check(*crossing, number=number)
            assert len(rung) == rings
            alerts.mark_published(rung, NOW)
        assert [each.pass_number for each in Alert.objects.running()] == [number]
    assert [retain_alerts()["deleted"] for _ in range(2)] == [1, 0]
    assert sorted(Alert.objects.values_list("pass_number", flat=True)) == [2, 3]


def test_what_is_judged_in_a_pass_that_is_over_is_not_saved(above, quote):
    DataSource.objects.create(pk=1, name="replay", chosen_at=NOW, pass_number=2)
    with pytest.raises(Overtaken, match="pass 1"):
        alerts.check({"AAPL": quote("AAPL", 99)}, [quote("AAPL", 101)], number=1)
    assert not Alert.objects.exists()


def test_what_was_seen_before_a_jump_are_the_closes_before_it(quote):
    alerts.mark_seen([quote("AAPL", 99), quote("MSFT", 30)])
    alerts.begin([quote("AAPL", 80)])
    assert {ticker: seen.price for ticker, seen in alerts.seen().items()} == {"AAPL": 80}


def test_what_the_rules_have_seen_outlives_the_process(quote):
    last = quote("AAPL", 99)
    alerts.mark_seen([quote("AAPL", 98), last])
    assert alerts.seen() == {"AAPL": last}


@pytest.mark.parametrize(
    ("ratio", "last", "price", "level"),
    [((11, 10), 110, 104, 102), ((10, 11), 100, 108, 105), ((10, 1), 1000, 101, 100.5), ((1, 10), 10, 101, 50)],
)
def test_what_was_seen_before_a_known_split_is_compared_in_todays_shares(apple, quote, ratio, last, price, level):
    named = Named([Action("AAPL", "split", NEXT_DAY, ratio[0] / ratio[1], *map(float, ratio))])
    actions.keep(apple, named, "replay")
    AlertRule.objects.create(symbol=apple, kind="price_above", level=level)
    close = last * ratio[1] / ratio[0]
    before, now = quote("AAPL", last), quote("AAPL", price, previous_close=close, session_date=NEXT_DAY)
    assert len(alerts.check({"AAPL": before}, [now])) == (close <= level < price)


def test_a_split_that_is_still_to_come_changes_nothing_today(apple, quote):
    actions.keep(apple, Named([Action("AAPL", "split", date(2012, 9, 6), 2.0, 2.0, 1.0)]), "replay")
    AlertRule.objects.create(symbol=apple, kind="price_above", level=100)
    before, now = quote("AAPL", 101), quote("AAPL", 102, previous_close=99, session_date=NEXT_DAY)
    assert alerts.check({"AAPL": before}, [now]) == []


def test_the_splits_of_a_batch_are_asked_for_in_one_query(apple, quote, django_assert_num_queries):
    active, tickers = alerts.rules(), [f"T{number}" for number in range(30)]
    before = {ticker: quote(ticker, 99) for ticker in tickers}
    with django_assert_num_queries(1):
        alerts.check(before, [quote(ticker, 100, session_date=NEXT_DAY) for ticker in tickers], active)


def test_the_job_clears_what_rang_longer_ago_than_it_is_kept_and_nothing_else(above, quote):
    for number, days in enumerate((500, 400, 10)):
        session = date(2012, 9, 5 + number)
        up = replace(quote("AAPL", 101), session_date=session, previous_close=99)
        (alert,) = alerts.check({"AAPL": replace(quote("AAPL", 99), session_date=session)}, [up])
        Alert.objects.filter(pk=alert.pk).update(created_at=datetime.now(UTC) - timedelta(days=days))
    assert [retain_alerts(days)["deleted"] for days in (450, 30, 30)] == [1, 1, 0]
    assert Alert.objects.count() == 1
