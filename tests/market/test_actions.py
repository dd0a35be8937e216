"""Actions are facts with a history: what a source tells otherwise, or no longer tells, is superseded."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions, bars, coverage, quotes
from market.models import CorporateAction, SupersededAction
from market.prices import Action, Bar, Named, midnight
from monitoring import refusals

pytestmark = [pytest.mark.django_db, pytest.mark.db]
EX_DATE, YEAR = date(2024, 6, 10), {"start": date(2024, 1, 1), "end": date(2024, 12, 31)}
BOTH = frozenset({"split", "dividend"})


def split(numerator: float, denominator: float = 1.0, ex_date: date = EX_DATE) -> Action:
    return Action("AAPL", "split", ex_date, numerator / denominator, numerator, denominator)


def dividend(value: float, ex_date: date = EX_DATE) -> Action:
    return Action("AAPL", "dividend", ex_date, value)


def held() -> list[tuple]:
    return list(CorporateAction.objects.order_by("kind", "ordinal").values_list("kind", "ordinal", "value"))


def former() -> list[tuple[float, float | None]]:
    """What was superseded, and by what."""
    values = dict(CorporateAction.objects.values_list("pk", "value"))
    values |= dict(SupersededAction.objects.values_list("pk", "value"))
    rows = SupersededAction.objects.order_by("pk")
    return [(row.value, values.get(row.superseded_by)) for row in rows]


def test_one_for_three_stays_exact(apple):
    actions.keep(apple, Named([split(1, 3)]), "yahoo")
    row = CorporateAction.objects.get()
    assert (row.numerator, row.denominator, row.value) == (1, 3, 1 / 3)
    assert actions.factors("AAPL", "split").at(date(2024, 1, 2)) == (3, 1 / 3)


def test_another_value_supersedes_the_former_one_and_is_named_by_it(apple):
    for numerator in (4, 5, 7):
        actions.keep(apple, Named([split(numerator)]), "yahoo")
    assert held() == [("split", 0, 7)]
    assert former() == [(4, 5), (5, 7)]


def test_several_of_one_day_stand_side_by_side(apple):
    actions.keep(apple, Named([dividend(0.25), dividend(3.0)]), "yahoo")
    assert held() == [("dividend", 0, 0.25), ("dividend", 1, 3.0)]
    assert not actions.keep(apple, Named([dividend(3.0), dividend(0.25)]), "yahoo")


def test_a_day_s_set_replaces_the_former_set(apple):
    actions.keep(apple, Named([dividend(0.25), dividend(3.0)]), "yahoo")
    actions.keep(apple, Named([dividend(3.0), dividend(0.5), dividend(7.0)]), "yahoo")
    assert held() == [("dividend", 0, 0.5), ("dividend", 1, 3.0), ("dividend", 2, 7.0)]
    assert former() == [(0.25, 0.5)]


def test_one_in_place_of_many_supersedes_each_of_them(apple):
    actions.keep(apple, Named([dividend(value) for value in (0.25, 3.0, 5.0)]), "yahoo")
    actions.keep(apple, Named([dividend(9.0)]), "yahoo")
    assert former() == [(0.25, 9.0), (3.0, 9.0), (5.0, 9.0)]


def test_what_a_later_answer_no_longer_names_in_its_range_is_superseded_by_none(apple):
    older = date(2023, 6, 10)
    actions.keep(apple, Named([split(4), dividend(0.25), dividend(0.2, older)], BOTH), "yahoo")
    actions.keep(apple, Named([split(4)], BOTH, **YEAR), "yahoo")
    assert held() == [("dividend", 0, 0.2), ("split", 0, 4)]
    assert former() == [(0.25, None)]


def test_a_kind_that_could_not_be_read_whole_is_left_alone(apple):
    actions.keep(apple, Named([split(4), dividend(0.25)], BOTH), "yahoo")
    assert not actions.keep(apple, Named([dividend(0.25)], frozenset({"dividend"}), **YEAR), "yahoo")
    assert not actions.keep(apple, Named([], **YEAR), "yahoo")
    assert held() == [("dividend", 0, 0.25), ("split", 0, 4)]


def test_another_source_s_actions_are_superseded_by_none_of_what_this_one_leaves_out(apple):
    actions.keep(apple, Named([split(4)], BOTH), "replay")
    assert not actions.keep(apple, Named([], BOTH, **YEAR), "yahoo")


def test_what_is_named_again_keeps_its_row_and_the_version(apple):
    actions.keep(apple, Named([dividend(0.205)], BOTH), "yahoo")
    first, version = CorporateAction.objects.get(), coverage.latest(["AAPL"])
    assert version["AAPL"]
    assert not actions.keep(apple, Named([dividend(0.205001)], BOTH), "yahoo")  # Yahoo's rounding
    again = CorporateAction.objects.get()
    assert (again.pk, again.received_at, again.value) == (first.pk, first.received_at, 0.205)
    assert coverage.latest(["AAPL"]) == version


@pytest.mark.parametrize("named", [[split(4), dividend(0.3)], [split(4)]], ids=["another", "no longer named"])
def test_what_supersedes_gives_the_bars_another_version(apple, named):
    actions.keep(apple, Named([dividend(0.25)]), "yahoo")
    actions.keep(apple, Named([split(4)]), "yahoo")
    before = coverage.latest(["AAPL"])
    assert actions.keep(apple, Named(named, BOTH), "yahoo")
    assert coverage.latest(["AAPL"]) != before


def test_a_split_that_is_announced_restates_nothing_before_the_first_price_of_its_day(apple, quote):
    bars.upsert([_bar(apple, EX_DATE - timedelta(days=days)) for days in (4, 3)])
    actions.keep(apple, Named([split(2), dividend(1.0)]), "yahoo")
    assert [bar.close for bar in bars.history("AAPL")] == [101.0, 101.0]
    assert actions.splits(["AAPL"])["AAPL"].at(date(2024, 6, 3)) == (1, 1)
    assert list(bars.columns("AAPL")["close"]) == [101.0, 101.0]
    assert bars.history("AAPL", adjusted="split_dividend")[0].close == 101.0
    told = quote("AAPL", 50.0, session_date=EX_DATE)
    quotes.keep([told])
    actions.begin({"AAPL": EX_DATE})
    assert [bar.close for bar in bars.history("AAPL")] == [50.5, 50.5]
    assert list(bars.columns("AAPL")["close"]) == [50.5, 50.5]
    assert bars.history("AAPL", adjusted="split_dividend")[0].close == 49.5


def test_a_split_counts_once_a_bar_of_its_day_or_a_later_one_is_held(apple):
    actions.keep(apple, Named([split(2)]), "yahoo")
    bars.upsert([_bar(apple, EX_DATE - timedelta(days=3)), _bar(apple, EX_DATE)])
    assert [bar.close for bar in bars.history("AAPL")] == [50.5, 101.0]


def test_only_what_takes_effect_with_a_session_gives_the_bars_another_version(apple):
    bars.upsert([_bar(apple, EX_DATE - timedelta(days=3))])
    actions.keep(apple, Named([split(2)]), "yahoo")
    before = coverage.latest(["AAPL"])
    actions.begin({"AAPL": EX_DATE - timedelta(days=1), "MSFT": EX_DATE})
    assert coverage.latest(["AAPL"]) == before
    actions.begin({"AAPL": EX_DATE})
    assert coverage.latest(["AAPL"]) != before


def hundred(value: float) -> list[Action]:
    return [dividend(value, EX_DATE - timedelta(days=day)) for day in range(100)]


def test_a_hundred_dividends_are_written_again_in_few_statements_or_none(apple, django_assert_max_num_queries):
    for value in (1.0, 2.0):
        with django_assert_max_num_queries(16):
            assert actions.keep(apple, Named(hundred(value)), "yahoo")
    told = list(CorporateAction.objects.values_list("pk", "received_at"))
    with django_assert_max_num_queries(1):
        assert not actions.keep(apple, Named(hundred(2.0)), "yahoo")
    assert list(CorporateAction.objects.values_list("pk", "received_at")) == told
    assert former() == [(1.0, 2.0)] * 100


@pytest.mark.parametrize(
    "nonsense", [split(1e-300), split(1e300), split(1, 1e6), dividend(float("nan")), dividend(-1.0), dividend(1e13)]
)
def test_what_no_company_can_have_done_is_refused_alone_and_counted(apple, nonsense):
    actions.keep(apple, Named([nonsense, dividend(1.0, EX_DATE - timedelta(days=1))]), "yahoo")
    assert held() == [("dividend", 0, 1.0)]
    assert refusals.counts() == {"actions": 1}


def _bar(symbol, session: date) -> Bar:
    values = dict.fromkeys(("open", "high", "low", "close"), 101.0)
    received = datetime(2024, 6, 30, tzinfo=UTC)
    return Bar(
        symbol.ticker, "1d", midnight(session), **values, volume=10, is_final=True, source="yahoo", received_at=received
    )


def test_a_split_whose_date_is_corrected_is_superseded_by_it(apple):
    actions.keep(apple, Named([split(4), dividend(0.25)], BOTH, **YEAR), "yahoo")
    later = EX_DATE + timedelta(days=40)
    actions.keep(apple, Named([split(4, ex_date=later), dividend(0.25, later)], BOTH, **YEAR), "yahoo")
    by_kind = {row.kind: row.superseded_by for row in SupersededAction.objects.all()}
    assert by_kind == {"split": CorporateAction.objects.get(kind="split").pk, "dividend": None}
    assert CorporateAction.objects.get(kind="split").ex_date == later
