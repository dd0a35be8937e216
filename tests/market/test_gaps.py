"""Sessions that are missing: found by the calendar, told, and asked for."""

from datetime import UTC, date, datetime

import pytest

from market import bars, history
from market.history import gaps
from market.models import Bar, Coverage, Symbol
from market.prices import midnight
from monitoring import jobs
from monitoring.models import Job
from tests.market.test_holes import WINTER, Shelf

pytestmark = [pytest.mark.django_db, pytest.mark.db]
TORN = [WINTER[3], WINTER[10], WINTER[11]]


@pytest.fixture
def torn(apple, hold) -> Symbol:
    """A history that was whole, and of which somebody has taken three days."""
    hold("yahoo")
    history.fill(apple, Shelf(WINTER), "yahoo")
    Bar.objects.filter(opened_at__in=map(midnight, TORN)).delete()
    return apple


def test_the_gaps_are_told_as_runs_of_sessions_over_weekends_too(torn):
    [row] = gaps.recount(torn)
    assert row.unbroken_until == WINTER[2]
    assert gaps.of(row) == [gaps.Gap(TORN[0], TORN[0], 1), gaps.Gap(TORN[1], TORN[2], 2)]


def test_of_an_exchange_without_a_calendar_no_gap_is_known(torn):
    Symbol.objects.update(exchange="NONE")
    assert [gaps.of(row) for row in gaps.recount(torn)] == [[]]


def test_the_job_tells_the_gaps_and_asks_for_them(torn):
    told = jobs.everything()["market.gaps"]()
    assert told["gaps"] == {"AAPL": {"1d": [[str(TORN[0])] * 2 + [1], [str(TORN[1]), str(TORN[2]), 2]]}}
    [chunk] = Job.objects.filter(name="market.history_chunk")
    assert chunk.arguments == {"symbols": ["AAPL"], "fill_holes": True}
    shelf = Shelf(WINTER)
    history.fill(torn, shelf, "yahoo", fill_holes=True)
    assert shelf.asked == [WINTER[2] - gaps.OVERLAP]
    assert (Bar.objects.count(), jobs.everything()["market.gaps"]()["gaps"]) == (len(WINTER), {})


def test_what_the_source_has_not_is_asked_for_again_after_a_week_or_by_name(torn):
    history.fill(torn, Shelf(day for day in WINTER if day not in TORN), "yahoo", fill_holes=True)
    gaps.recount(torn)
    Coverage.objects.update(holes_asked_at=datetime.now(UTC))
    mend = jobs.everything()["market.gaps"]
    assert (mend()["symbols"], mend(["AAPL"])["symbols"]) == (0, 1)
    assert Job.objects.get(name="market.records").arguments == {"symbols": ["AAPL"]}  # others are not its matter


def test_what_was_never_loaded_whole_is_loaded_and_not_mended(apple, hold):
    hold("yahoo")
    bars.upsert(Shelf([WINTER[0], WINTER[5]])(apple, date(2024, 1, 1))[0])
    told = jobs.everything()["market.gaps"](["AAPL"])
    assert (len(told["gaps"]["AAPL"]["1d"]), told["symbols"]) == (1, 0)


def test_a_symbol_that_there_is_not_is_told_and_holds_up_no_other(torn):
    told = jobs.everything()["market.gaps"](["NOPE", "AAPL"])
    assert (told["counted"], list(told["failed"])) == (1, ["NOPE"])
