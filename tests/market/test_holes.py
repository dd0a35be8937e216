"""What is asked of a source after something was missed: what it has comes, what it has not is not asked for ever."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command

from finstage import afresh
from market import bars, history
from market.calendars import sessions
from market.history import gaps
from market.models import Bar, Coverage, Symbol
from market.prices import Named, midnight
from market.sources.errors import ProviderError
from monitoring.jobs.running.fan_out import NothingDone
from tests.market.test_bars import bar

pytestmark = [pytest.mark.django_db, pytest.mark.db]
WINTER = sessions.between("XNAS", date(2024, 1, 2), date(2024, 3, 1))
MONTH_OFF = [day for day in WINTER if date(2024, 2, 1) <= day <= date(2024, 2, 28)]


def told(day: date, **fields):
    return bar(opened_at=midnight(day), session_date=day, **fields)


class Shelf:
    """What a source has, and from which sessions on it was asked."""

    def __init__(self, days) -> None:
        self.days, self.asked = list(days), []

    def __call__(self, symbol: Symbol, start: date):
        self.asked.append(start)
        return [told(day, source="yahoo") for day in self.days if day >= start], Named([])


def held() -> list[date]:
    return list(Bar.objects.order_by("opened_at").values_list("session_date", flat=True))


def a_week_later() -> None:
    Coverage.objects.update(holes_asked_at=datetime.now(UTC) - timedelta(days=8))


@pytest.fixture
def whole(apple) -> Symbol:
    """Held whole up to the end of January."""
    history.fill(apple, Shelf(day for day in WINTER if day.month == 1), "yahoo")
    return apple


def test_after_a_month_off_all_of_it_comes_though_the_feed_has_told_the_last_close(whole):
    bars.upsert([told(WINTER[-1], source="yahoo")])
    shelf = Shelf(WINTER)
    history.fill(whole, shelf, "yahoo")
    assert (held(), shelf.asked) == (WINTER, [date(2024, 1, 24)])


def test_a_month_that_an_older_version_left_out_comes_too(whole):
    bars.upsert([told(WINTER[-1], source="yahoo")])
    Coverage.objects.update(asked_until=None, holes_asked_at=None, unbroken_until=None)
    history.fill(whole, Shelf(WINTER), "yahoo")
    assert held() == WINTER


def test_a_month_off_is_whole_where_there_is_no_calendar(whole):
    Symbol.objects.update(exchange="NONE")
    Coverage.objects.update(unbroken_until=None)
    bars.upsert([told(WINTER[-1], source="yahoo")])
    history.fill(whole, Shelf(WINTER), "yahoo")
    assert held() == WINTER


def test_a_hole_that_the_source_does_not_fill_is_asked_for_once_a_week_and_told(whole):
    shelf = Shelf(day for day in WINTER if day not in MONTH_OFF)
    first = history.fill(whole, shelf, "yahoo")
    for _ in range(2):
        history.fill(whole, shelf, "yahoo")
    a_week_later()
    history.fill(whole, shelf, "yahoo")
    newest = WINTER[-1] - gaps.OVERLAP
    assert shelf.asked == [date(2024, 1, 24), newest, newest, date(2024, 1, 24)]
    assert (first.hole_after, first.as_json()["hole_after"]) == (date(2024, 1, 31), "2024-01-31")


def test_what_the_source_fills_late_comes_with_the_next_week_and_the_hole_is_told_no_more(whole):
    history.fill(whole, Shelf(day for day in WINTER if day not in MONTH_OFF), "yahoo")
    a_week_later()
    filled = history.fill(whole, Shelf(WINTER), "yahoo")
    assert (held(), filled.hole_after) == (WINTER, None)


def test_a_later_hole_is_asked_for_though_an_older_one_stays_open(apple):
    lacking = [day for day in WINTER if day != date(2024, 1, 9)]
    history.fill(apple, Shelf(day for day in lacking if day.month == 1), "yahoo")
    bars.upsert([told(WINTER[-1], source="yahoo")])
    shelf = Shelf(lacking)
    history.fill(apple, shelf, "yahoo")
    assert (held(), shelf.asked) == (lacking, [date(2024, 1, 24)])


def test_what_somebody_took_away_is_asked_for_at_once(whole):
    history.fill(whole, Shelf(WINTER), "yahoo")
    Bar.objects.filter(session_date__in=MONTH_OFF).delete()
    call_command("check_data", mend=True)
    history.fill(whole, Shelf(WINTER), "yahoo")
    assert held() == WINTER


def test_a_backup_that_was_restored_ends_whole(whole):
    """Its rows say what they said then, those of the coverage with those of the bars."""
    then = Coverage.objects.get().__dict__.copy()
    history.fill(whole, Shelf(WINTER), "yahoo")
    Bar.objects.filter(session_date__gte=date(2024, 2, 1)).delete()
    Coverage.objects.update(**{field.name: then[field.name] for field in Coverage._meta.concrete_fields[2:]})
    bars.upsert([told(WINTER[-1], source="yahoo")])
    history.fill(whole, Shelf(WINTER), "yahoo")
    assert held() == WINTER


def test_a_source_that_is_switched_there_and_back_is_loaded_again_and_whole(whole, hold):
    hold("yahoo")
    for name in ("replay", "yahoo"):
        afresh.begin(name)
    shelf = Shelf(WINTER)
    history.fill(whole, shelf, "yahoo")
    history.fill(whole, shelf, "yahoo")
    assert (held(), shelf.asked) == (WINTER, [history.START, WINTER[-1] - gaps.OVERLAP])


@pytest.mark.django_db(transaction=True)
def test_a_first_loading_of_which_nothing_came_has_failed(apple):
    def nothing(symbol: Symbol, start: date):
        raise ProviderError("there are no bars", code="no_data", temporary=False)

    with pytest.raises(NothingDone, match="no_data"):
        history.backfill(["AAPL"], nothing, "yahoo")
