"""What waits for one client is counted as it comes and goes, and there is a point where it is too much."""

import pytest

from realtime import outbox
from realtime.frames import Encoded
from realtime.outbox import Outbox

ALERTS, PRICES = "alerts:AAPL", "prices:AAPL"


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    for name, most in (("FULL_BYTES", 40), ("FULL_MESSAGES", 4), ("MOST_BYTES", 80), ("MOST_MESSAGES", 8)):
        monkeypatch.setattr(outbox, name, most)


def filled(messages: int, size: int = 1) -> Outbox:
    made = Outbox()
    for _ in range(messages):
        made.add(Encoded(b"x" * size), ALERTS)
    return made


@pytest.mark.parametrize(
    ("messages", "size", "is_full", "is_hopeless"),
    [
        (4, 10, False, False),
        (5, 1, True, False),
        (4, 11, True, False),
        (8, 10, True, False),
        (9, 1, True, True),
        (8, 11, True, True),
    ],
)
def test_it_is_full_above_one_bound_and_hopeless_above_the_other(messages, size, is_full, is_hopeless):
    made = filled(messages, size)
    assert (made.is_full, made.is_hopeless) == (is_full, is_hopeless)


@pytest.mark.parametrize("goes", [lambda made: made.take(1000), lambda made: made.forget({ALERTS})])
def test_what_has_gone_counts_no_more(goes):
    made = filled(9, 10)
    goes(made)
    assert (made.bytes, made.lossless, made.waiting) == (0, 0, {})


def test_what_a_later_one_may_replace_has_a_bound_of_its_own():
    made = Outbox()
    for size in (50, 100):
        made.conflate(PRICES, Encoded(b"x" * size))
    assert not made.is_full
    assert [len(each.body) for each in made.take(1)] == [100]
    assert (made.bytes, made.lossless) == (0, 0)


def test_it_gives_so_much_at_once_in_order_and_one_message_at_least():
    made = filled(3, 10)
    made.add(Encoded(b"y" * 30), ALERTS)
    assert [[len(each.body) for each in made.take(20)] for _ in range(3)] == [[10, 10], [10], [30]]
