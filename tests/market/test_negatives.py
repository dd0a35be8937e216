"""What a source said no to is not asked again at once, by any process, and longer each time."""

import pytest

from market.sources import negatives
from market.sources.negatives import Negatives

UNTIL, TIMES = "finstage:negatives:wire:unknown:until", "finstage:negatives:wire:unknown:times"


@pytest.fixture
def unknown() -> Negatives:
    return negatives.unknown("wire")


def test_each_further_no_doubles_the_time_up_to_the_longest(unknown):
    assert [unknown.note("GONE") for _ in range(8)] == [300, 600, 1200, 2400, 4800, 9600, 19_200, 21_600]
    assert unknown.left("GONE") == pytest.approx(21_600, abs=5)


def test_of_what_was_never_refused_nothing_is_known(unknown):
    unknown.note("GONE")
    assert unknown.left("AAPL") is None


def test_when_its_time_is_over_it_may_be_asked_and_the_next_no_counts_on(unknown, redis):
    unknown.note("GONE")
    redis.zadd(UNTIL, {"GONE": (redis.time()[0] - 10) * 1000})
    assert (unknown.left("GONE"), unknown.count()) == (0, 0)
    assert unknown.note("GONE") == 600


def test_a_day_after_its_time_a_no_is_a_first_one_again(unknown, redis):
    unknown.note("GONE")
    unknown.note("GONE")
    redis.zadd(UNTIL, {"GONE": (redis.time()[0] - 86_500) * 1000})
    assert unknown.note("GONE") == 300


def test_what_is_forgotten_is_a_first_time_again(unknown):
    for ticker in ("GONE", "GONE", "FB"):
        unknown.note(ticker)
    unknown.forget(["GONE", "NOPE"])
    assert (unknown.left("GONE"), unknown.count()) == (None, 1)
    assert unknown.note("GONE") == 300


def test_what_a_wrong_clock_put_off_until_next_year_is_not_waited_for(unknown, redis):
    unknown.note("GONE")
    redis.zadd(UNTIL, {"GONE": (redis.time()[0] + 31_536_000) * 1000})
    assert (unknown.left("GONE"), unknown.count()) == (0, 0)


def test_however_many_are_asked_for_what_is_kept_is_bounded(unknown, redis, monkeypatch):
    monkeypatch.setattr(negatives, "MOST", 5)
    for number in range(40):
        unknown.note(f"S{number:02}")
    assert redis.zcard(UNTIL) == redis.hlen(TIMES) <= 6
    assert unknown.left("S39") > 0


def test_kinds_and_providers_are_apart(unknown):
    unknown.note(negatives.BATCHED)
    assert negatives.batched("wire").left(negatives.BATCHED) is None
    assert negatives.unknown("other").count() == 0
    assert negatives.batched("wire").note(negatives.BATCHED) == 60
