"""When a rule rings: on the crossing, right across sessions and splits; and as its tree in the language says."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from analysis.conditions import reading
from analysis.conditions.evaluating import Condition
from analysis.conditions.truth import TRUE
from market.prices import Quote
from realtime.conditions import CONDITIONS, HOLDING, plunge, price_above

DAY = date(2012, 9, 4)
NEXT_DAY = date(2012, 9, 5)


def seen(price: float, previous_close: float | None = 100, session_date: date = DAY) -> Quote:
    at = datetime(2012, 9, 4, tzinfo=UTC)
    return Quote(
        ticker="AAPL", price=price, previous_close=previous_close, open=price, high=price, low=price, volume=None,
        session_date=session_date, as_of=at, as_of_precision="day", received_at=at, source="replay",
        market_state="open",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "rings"),
    [(99, 101, True), (100, 101, True), (101, 102, False), (99, 100, False), (101, 99, False)],
)
def test_price_above_rings_on_the_crossing_alone(before, now, rings):
    assert price_above(seen(before), seen(now), 100) is rings


def test_price_above_rings_for_a_gap_over_night():
    assert price_above(seen(99), seen(104, previous_close=99, session_date=NEXT_DAY), 100)


def test_price_above_rings_for_what_it_missed_while_away():
    assert price_above(seen(99), seen(102, previous_close=101, session_date=NEXT_DAY), 100)


def test_price_above_with_nothing_seen_compares_with_the_previous_close():
    assert price_above(None, seen(101, previous_close=99), 100)
    assert not price_above(None, seen(101, previous_close=100.5), 100)
    assert not price_above(None, seen(101, previous_close=None), 100)


def test_a_split_does_not_carry_the_price_over_a_level():
    one_for_ten = seen(101, previous_close=100, session_date=NEXT_DAY)
    assert not price_above(seen(10), one_for_ten, 50)


def test_price_above_sees_a_crossing_on_the_day_of_a_split():
    two_for_one = seen(52, previous_close=50, session_date=NEXT_DAY)
    assert price_above(seen(100), two_for_one, 51)


@pytest.mark.parametrize(("before", "now", "rings"), [(96, 94, True), (96, 95, True), (94, 93, False), (94, 96, False)])
def test_plunge_rings_when_the_session_reaches_minus_five_percent(before, now, rings):
    assert plunge(seen(before), seen(now)) is rings


@pytest.mark.parametrize("previous_close", [1.0, 20.2, 33.4, 100.0, 101.0, 700_000.0])
def test_exactly_minus_five_percent_is_reached(previous_close):
    assert plunge(seen(previous_close, previous_close), seen(previous_close * 0.95, previous_close))


def test_a_session_that_opens_with_a_gap_down_rings_at_its_first_quote():
    first = seen(94, previous_close=100, session_date=NEXT_DAY)
    assert plunge(seen(100), first)
    assert plunge(None, first)


def test_a_second_session_down_rings_again():
    assert plunge(seen(94), seen(89, previous_close=94, session_date=NEXT_DAY))


def test_a_split_is_no_plunge():
    assert not plunge(seen(100), seen(50.5, previous_close=50, session_date=NEXT_DAY))


def test_a_fall_cannot_be_told_without_a_previous_close():
    assert not plunge(seen(100, previous_close=None), seen(90, previous_close=None))


@pytest.mark.parametrize(("price", "close"), [(0.0, -3.0), (5.0, 0.0), (-3.0, -2.0)])
def test_a_price_that_is_not_above_zero_has_no_ratio_and_is_compared_as_it_is(price, close):
    before, now = seen(price), seen(6, previous_close=close, session_date=NEXT_DAY)
    assert price_above(before, now, price)
    assert not price_above(before, now, price - 1)
    assert not plunge(before, now)


def test_plunge_takes_another_level():
    assert not plunge(seen(96), seen(94), -10)
    assert plunge(seen(96), replace(seen(94), price=89), -10)


def test_each_kind_rings_where_its_tree_begins_to_be_true():
    """They are written by hand, as every quote passes them."""
    told = {"price_above": ("price", 100.0, (98.0, 100.0, 100.5, 103.0)), "plunge": ("change_percent", -5.0, ())}
    assert told.keys() == CONDITIONS.keys()
    for kind, (field, level, prices) in told.items():
        condition = Condition(reading.read({"kind": kind, "level": level}))
        (series,) = condition.series
        assert series.name == field
        for last in prices or (93.0, 94.9, 95.0, 96.0, 101.0):
            for price in prices or (93.0, 94.9, 95.0, 96.0, 101.0):
                before, now = seen(last), seen(price)
                values = [round(getattr(each, field), 9) for each in (before, now)]
                fires = condition.fires(condition.over({series: np.array(values)}))[-1] == TRUE
                assert (kind, last, price, CONDITIONS[kind](before, now, level)) == (kind, last, price, fires)


def test_whatever_rings_has_a_state_too():
    assert HOLDING.keys() == CONDITIONS.keys()
