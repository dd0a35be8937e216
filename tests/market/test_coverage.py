"""What a row of coverage says of its bars, and `check_data`, which asks the bars."""

from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command

from market import bars, coverage, history
from market.calendars import sessions
from market.coverage import loading
from market.history import gaps
from market.models import Bar, Coverage, Symbol
from market.prices import Named
from tests.market.test_bars import bar, later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple"), pytest.mark.db]
START = date(2024, 1, 1)


def row() -> Coverage:
    return Coverage.objects.get(interval="1d")


def days() -> tuple[int, int, int]:
    found = row()
    return found.held, found.first_held.day, found.last_held.day


def by_hand() -> None:
    Bar.objects.all().delete()
    call_command("check_data", mend=True)


def test_counts_and_ends_follow_what_is_written_and_taken_back():
    bars.upsert([bar(4), bar(2), bar(8)])
    assert days() == (3, 2, 8)
    bars.upsert([bar(1), bar(4, 105, received_at=later())])
    assert (days(), row().corrections, row().source) == ((4, 1, 8), 1, "replay")
    bars.forget_before("1d", datetime(2024, 1, 4, tzinfo=UTC), tell=print)
    assert days() == (2, 4, 8)


def test_what_cannot_be_is_counted_and_changes_no_version():
    bars.upsert([bar(1)])
    before = coverage.latest(["AAPL"])
    for _ in range(2):
        bars.upsert([bar(2, low=500.0), bar(3, high=1.0), bar(4, ticker="NOPE")])
    assert (row().refused, coverage.latest(["AAPL"])) == (4, before)


def test_the_first_history_is_whole_once_and_asked_for_no_more(apple):
    assert loading.missing(["AAPL"]) == {"AAPL"}
    history.fill(apple, lambda symbol, start: ([bar(2)], Named()), "replay")
    first = row()
    history.fill(apple, lambda symbol, start: ([bar(3)], Named()), "replay")
    assert loading.missing(["AAPL"]) == set()
    assert (first.first_wanted, row().complete_since) == (history.START, first.complete_since)
    Bar.objects.all().delete()
    Coverage.objects.all().delete()  # another database
    assert loading.missing(["AAPL"]) == {"AAPL"}


def by_age() -> None:
    bars.forget_before("1d", datetime.now(UTC), tell=print)


@pytest.mark.parametrize("take", [by_age, by_hand], ids=["we", "somebody"])
def test_where_all_prices_were_taken_away_the_history_is_missing(apple, take):
    history.fill(apple, lambda symbol, start: ([bar(2)], Named()), "replay")
    take()
    assert loading.missing(["AAPL"]) == {"AAPL"}


def test_a_history_that_is_suspended_is_missing_and_not_asked_for(apple):
    loading.suspend(apple, datetime(2024, 1, 2, 18, tzinfo=UTC))
    asked = [loading.missing(["AAPL"], now=datetime(2024, 1, 2, hour, tzinfo=UTC)) for hour in (12, 19)]
    assert (asked, loading.missing(["AAPL"])) == ([set(), {"AAPL"}], {"AAPL"})


def test_what_a_wrong_clock_suspended_for_years_is_asked_for(apple):
    loading.suspend(apple, datetime(2099, 1, 1, tzinfo=UTC))
    assert loading.missing(["AAPL"], now=datetime(2024, 1, 1, tzinfo=UTC)) == {"AAPL"}


def test_no_session_is_missing_up_to_the_first_gap_of_the_calendar():
    bars.upsert([bar(day) for day in (2, 3, 4, 5, 8, 10, 11)])  # the 6th and 7th are a weekend, the 9th is missing
    gaps.count(["AAPL"])
    assert row().unbroken_until == date(2024, 1, 8)
    bars.upsert([bar(9)])
    gaps.count(["AAPL"])
    assert row().unbroken_until == date(2024, 1, 11)
    bars.forget_before("1d", datetime(2024, 1, 3, tzinfo=UTC), tell=print)
    assert row().unbroken_until is None  # until it is counted again


def test_an_older_history_that_arrives_is_counted_from_its_own_beginning():
    bars.upsert([bar(8), bar(9)])
    gaps.count(["AAPL"])
    assert row().unbroken_until == date(2024, 1, 9)
    bars.upsert([bar(2), bar(3)])
    gaps.count(["AAPL"])
    assert row().unbroken_until == date(2024, 1, 3)


def test_what_was_counted_is_not_counted_again(monkeypatch):
    bars.upsert([bar(day) for day in (2, 3)])
    gaps.count(["AAPL"])
    asked, between = [], sessions.between
    monkeypatch.setattr(sessions, "between", lambda mic, *days: (asked.append(days), between(mic, *days))[1])
    bars.upsert([bar(day) for day in (4, 5)])
    gaps.count(["AAPL"])
    assert (asked, row().unbroken_until) == ([(date(2024, 1, 3), date(2024, 1, 5))], date(2024, 1, 5))


def test_where_there_is_no_calendar_nobody_says_that_no_session_is_missing():
    Symbol.objects.update(exchange="NONE")
    bars.upsert([bar(2)])
    gaps.count(["AAPL"])
    assert row().unbroken_until is None


def test_a_gap_that_was_counted_beside_a_write_is_not_believed(monkeypatch):
    bars.upsert([bar(2), bar(3)])
    count = gaps.unbroken_until
    monkeypatch.setattr(gaps, "unbroken_until", lambda row, since: (count(row), bars.upsert([bar(4)]))[0])
    gaps.count(["AAPL"])
    assert row().unbroken_until is None


def test_check_data_says_where_a_row_differs_and_mends_it_where_it_is_told(capsys):
    bars.upsert([bar(2), bar(3), bar(4)])
    call_command("check_data", mend=True)
    before = coverage.latest(["AAPL"])
    call_command("check_data")
    Coverage.objects.update(held=7, unbroken_until=date(2024, 1, 5))
    capsys.readouterr()
    with pytest.raises(CommandError, match="2 facts"):
        call_command("check_data")
    assert capsys.readouterr().out.splitlines() == [
        "AAPL 1d: held says 7, the bars say 3",
        "AAPL 1d: unbroken_until says 2024-01-05, the bars say 2024-01-04",
    ]
    call_command("check_data", mend=True)
    call_command("check_data")
    assert (row().held, row().unbroken_until) == (3, date(2024, 1, 4))
    assert coverage.latest(["AAPL"]) != before


def test_bars_without_a_row_of_coverage_get_one_where_they_are_mended(capsys):
    bars.upsert([bar(2), bar(4)])
    Coverage.objects.all().delete()
    with pytest.raises(CommandError, match="3 facts"):
        call_command("check_data")
    assert "AAPL 1d: held says nothing, the bars say 2" in capsys.readouterr().out
    call_command("check_data", mend=True)
    assert days() == (2, 2, 4)


def test_what_no_count_has_reached_yet_is_no_fault_and_check_data_says_what_it_checked(capsys):
    bars.upsert([bar(2), bar(3), bar(4)])
    call_command("check_data")
    Coverage.objects.update(unbroken_until=date(2024, 1, 3))
    call_command("check_data")
    said = "Coverage says what the bars do (bars checked: 3; symbols by interval: 1)."
    assert capsys.readouterr().out.splitlines() == [said, said]


def test_who_says_that_nothing_is_missing_where_there_is_no_calendar_says_too_much(apple):
    Symbol.objects.update(exchange="NONE")
    bars.upsert([bar(2)])
    Coverage.objects.update(unbroken_until=date(2024, 1, 2))
    assert [str(each) for each in gaps.differences([apple])] == [
        "AAPL 1d: unbroken_until says 2024-01-02, the bars say nothing"
    ]
