"""An exchange that there is not is refused where it is named, and not waited for."""

import exchange_calendars
import pytest

from market import tasks  # noqa: F401
from market.calendars import exchanges, facts
from monitoring import jobs
from monitoring.jobs import schedules
from monitoring.jobs.errors import InvalidArguments

pytestmark = pytest.mark.django_db


def test_the_names_are_those_that_calendars_have():
    ours = {*facts.NAMES, *facts.OVER_THE_COUNTER}
    assert {*exchange_calendars.get_calendar_names(include_aliases=True), *ours} == exchanges.CALENDARS


@pytest.mark.parametrize("name", ["market.is_open", "market.had_session"])
def test_a_condition_on_an_exchange_that_there_is_not_is_refused_with_those_that_are(apple, name):
    asked = {"only_if": {"name": name, "arguments": {"exchange": "NOPE"}}}
    for ask in (
        lambda: jobs.submit("market.records", **asked),
        lambda: schedules.check({"job": "market.records", **asked}),
    ):
        with pytest.raises(InvalidArguments) as refused:
            ask()
        (told,) = refused.value.errors["only_if.arguments.exchange"]
        assert "'NOPE'" in told
        assert apple.exchange in told


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("market.is_open", {}),
        ("market.is_open", {"exchange": "XKRX"}),
        ("market.had_session", {"exchange": "XNYS"}),
    ],
)
def test_an_exchange_with_a_calendar_or_any_can_be_asked_for(name, arguments):
    assert jobs.submit("market.records", only_if={"name": name, "arguments": arguments}).condition["name"] == name


def test_one_where_a_symbol_of_ours_is_at_home_can_be_asked_for(apple):
    apple.exchange = "CCC"
    apple.save()
    assert exchanges.unknown("CCC") == {}


def test_a_session_of_no_exchange_is_refused():
    with pytest.raises(InvalidArguments):
        jobs.submit("market.records", only_if={"name": "market.had_session", "arguments": {"exchange": ""}})
