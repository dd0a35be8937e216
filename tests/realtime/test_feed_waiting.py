"""What waits for its rows: of many prices those that a rule must see; no crossing is lost, and none is made."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from market.prices import Quote
from monitoring import refusals
from realtime.feed import conflation, waiting
from realtime.feed.waiting import Taken, Waiting

WAYS = st.lists(st.integers(1, 30), min_size=1, max_size=60)


def kept(quotes: list[Quote]) -> list[Quote]:
    """Those that still wait, where the row lane took none meanwhile."""
    lane = Waiting()
    for number, each in enumerate(quotes):
        lane.put([Taken(number, each, True, 0.0)])
    return [taken.quote for taken in lane.take()]


def crossed(quotes: list[Quote]) -> set[tuple[str, float]]:
    """Each level that a price went over, upwards and downwards, as rules tell it."""
    prices = [each.price for each in quotes]
    steps = list(pairwise(prices))
    up = {("up", level) for before, now in steps for level in range(before, now)}
    return up | {("down", level) for before, now in steps for level in range(now, before)}


@pytest.fixture
def way(quote) -> Callable[..., list[Quote]]:
    return lambda prices, **fields: [quote("AAPL", price, **{"previous_close": 10, **fields}) for price in prices]


@hypothesis(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WAYS)
def test_every_level_that_was_crossed_still_is_and_no_other(way, prices):
    told = way(prices)
    found = kept(told)
    assert crossed(found) == crossed(told)
    assert (found[0], found[-1]) == (told[0], told[-1])


def test_of_a_price_that_goes_to_and_fro_few_wait(way):
    assert len(kept(way([10, 20] * 1000))) <= 4
    assert len(kept(way(range(1, 1000)))) == 2


def test_closes_and_the_first_prices_of_sessions_wait_all(way):
    closes = way([11, 11], is_final=True)
    others = way([12, 13, 14], session_date=date(2012, 9, 5))
    restated = way([7, 8, 9], previous_close=5, session_date=date(2012, 9, 5))
    found = kept([*way([10, 11, 12]), *closes, *others, *restated])
    assert [each.price for each in found] == [10, 12, 11, 11, 12, 14, 7, 9]


def test_so_many_of_one_symbol_wait_and_what_rules_do_not_see_is_counted(way, monkeypatch):
    monkeypatch.setattr(waiting, "MOST", 6)
    steps = [price for step in range(20) for price in (100 - 2 * step, 101 - 2 * step)]  # each a level of its own
    found = kept(way(steps))
    assert (len(found), found[0].price, found[-1].price) == (6, 100, 63)
    assert refusals.counts()["unseen prices"] > 0


def test_in_a_round_a_symbol_has_prices_of_one_session_or_one_close(way, quote):
    first, (close,), (after,) = way([10, 11]), way([12], is_final=True), way([13], market_state="post")
    (opened,) = way([14], session_date=date(2012, 9, 5))
    other = replace(opened, ticker="GOOG")
    told = [*first, close, other, after, opened]
    found = [[told[place] for place in places] for places in conflation.rounds(told)]
    assert found == [[*first, other], [close], [after], [opened]]


def test_whole_symbols_are_taken_in_the_order_in_which_they_began_to_wait(quote, monkeypatch):
    monkeypatch.setattr(waiting, "BATCH", 2)
    lane = Waiting()
    for number, ticker in enumerate(("A", "B", "A", "C")):
        lane.put([Taken(number, quote(ticker, number + 1), True, 0.0)])
    assert lane.first_number() == 0
    assert [[each.number for each in lane.take()] for _ in range(3)] == [[0, 2], [1, 3], []]


def test_what_waits_is_late_only_after_a_while(quote, monkeypatch):
    lane, now = Waiting(), [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    assert lane.late() is None
    lane.put([Taken(0, quote("A", 1), True, now[0]), Taken(1, quote("B", 1), True, now[0] + 60)])
    told = [lane.late()]
    now[0] += waiting.LATE_SECONDS
    told.append(lane.late())
    lane.take()
    told.append(lane.late())  # it has no rows before they are written
    lane.done()
    told.append(lane.late())
    late = "Bars, indicators and alerts wait for the database"
    assert told == [None, late, late, None]


def test_what_waits_is_forgotten_once_what_is_at_work_is_done(quote):
    lane, ended = Waiting(), threading.Event()
    lane.put([Taken(0, quote("A", 1), True, 0.0)])
    lane.take()
    lane.put([Taken(1, quote("A", 2), True, 0.0)])
    clearing = threading.Thread(target=lambda: (lane.clear(), ended.set()), daemon=True)
    clearing.start()
    assert not ended.wait(0.2)
    lane.done()
    assert ended.wait(10)
    assert (lane.take(), lane.first_number()) == ([], None)
