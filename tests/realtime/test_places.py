"""What a reading lacks of the messages that came since it was asked for."""

import pytest

from realtime import places
from realtime.places import EVERY, LATEST, Held, Place, newer
from realtime.streams import EPOCH, KEPT, RENAMED, Line, Reading

STREAM = "alerts:AAPL"


def said(epoch: str, *seqs: int) -> list[Line]:
    return [Line(STREAM, epoch, seq, KEPT, b"{}") for seq in seqs]


def begun(epoch: str, last: int = 9) -> list[Line]:
    return [Line(STREAM, epoch, last, EPOCH, b"")]


def read(epoch: str, seq: int) -> Reading:
    return Reading(STREAM, epoch, seq, 0, b"", [])


MOVED = [Line(STREAM, "a", 4, RENAMED, b"alerts:META")]


@pytest.mark.parametrize(
    ("was", "reading", "came", "lacks"),
    [
        ("a", read("a", 4), said("a", 3, 4, 5, 6), said("a", 5, 6)),
        ("a", read("a", 4), [], []),
        ("", read("a", 4), said("a", 4, 5), said("a", 5)),  # the first words of the subscription
        ("a", read("a", 4), said("a", 5) + begun("b") + said("b", 1), said("a", 5) + begun("b") + said("b", 1)),
        ("a", read("b", 1), said("a", 8, 9) + begun("b") + said("b", 1, 2), said("b", 2)),
        ("b", read("b", 0), said("b", 1), said("b", 1)),
        ("a", read("b", 1), said("a", 8, 9), []),  # the subscription has not come to where the reading is
        ("a", read("b", 1), said("b", 2), said("b", 2)),  # the announcement was lost
        ("a", read("b", 1), begun("c"), None),  # before the reading or after it?
        ("", read("a", 4), begun("b"), None),
        ("a", read("a", 4), begun("b") + begun("c") + said("c", 1), begun("b") + begun("c") + said("c", 1)),
        ("a", read("a", 4), said("a", 4) + MOVED, MOVED),
        ("x", read("a", 4), MOVED, MOVED),
    ],
)
def test_a_reading_lacks_what_came_after_it_and_nothing_else(was, reading, came, lacks):
    assert newer(reading, came, was) == lacks


def test_a_place_that_is_read_knows_what_came_since_and_not_what_came_before():
    held = Held(Place("a", 3))
    first, second = Place("a", 3), Place("a", 3)
    held.remember(said("a", 4)[0])
    held.begin(first)
    held.remember(said("a", 5)[0])
    held.begin(second)
    held.remember(said("a", 6)[0])
    assert held.newer(first, read("a", 4)) == said("a", 5, 6)
    assert held.newer(second, read("a", 4)) == said("a", 6)
    held.end(first)
    assert held.newer(second, read("a", 4)) == said("a", 6)
    held.end(second)
    assert not held.recent


def test_who_waits_for_longer_than_what_is_kept_is_read_again(monkeypatch):
    monkeypatch.setattr(places, "MOST_RECENT", 10)
    held, slow, quick = Held(Place("a", 0)), Place("a", 0), Place("a", 0)
    held.begin(slow)
    for line in said("a", *range(1, 9)):
        held.remember(line)
    held.begin(quick)
    for line in said("a", *range(9, 14)):
        held.remember(line)
    assert held.newer(slow, read("a", 0)) is None
    assert held.newer(quick, read("a", 8)) == said("a", *range(9, 14))
    assert len(held.recent) <= 10


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (said("a", 6) + begun("b", 6) + said("b", 1), begun("b", 6) + said("b", 1)),
        (begun("c") + begun("b") + said("b", 1), []),  # which of them ended the place's own, nobody can tell
        (begun("c"), []),
        (said("a", 6), []),
        (begun("a") + begun("b"), begun("b")),  # its own was announced late
    ],
)
def test_an_epoch_that_was_announced_is_told_from_there(came, told):
    held, place = Held(Place("a", 5)), Place("a", 5)
    held.begin(place)
    for line in came:
        held.remember(line)
    assert held.announced(place, read("b", 1)) == told


def test_a_place_takes_in_who_is_where_it_is():
    one, other = Place("a", 5), Place("a", 5)
    one.add("x", LATEST)
    other.add("y", LATEST)
    other.add("z", EVERY)
    assert one.is_at(other)
    assert not one.is_at(Place("b", 5))
    assert not one.is_at(Place("a", 6))
    one.take_in(other)
    assert (list(one), bool(other), one.mode("y"), one.mode("z")) == ([*one.latest, "z"], False, LATEST, EVERY)
    for who in "xyz":
        one.discard(who)
    assert not one
