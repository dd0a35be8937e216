"""The market's clock is told when it changes and now and then, and waits for nobody's price."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from market.calendars import clock, openings
from market.calendars.clock import Clock
from market.calendars.openings import Opening, Openings
from realtime import timekeeper
from realtime.timekeeper import Timekeeper

OPEN = Clock("XNAS", "open", date(2024, 7, 2))
HOME = ("XNAS", ["AAPL"])


class Exchange:
    """A source of which only the clock matters."""

    def __init__(self, said: Clock | None, hold: threading.Event | None = None) -> None:
        self.said, self.hold = said, hold

    def openings(self, exchange: str) -> None:
        return None

    def clock(self, exchange: str, tickers: Sequence[str]) -> Clock | None:
        if self.hold:
            self.hold.wait(60)
        return self.said


@pytest.fixture
def told(monkeypatch) -> list[Clock]:
    """What was told; it reaches Redis too."""
    seen, keep = [], clock.keep
    monkeypatch.setattr(timekeeper.clock, "keep", lambda said, **how: (seen.append(said), keep(said, **how)))
    return seen


def test_a_change_is_told_at_once_and_the_same_again_after_half_a_minute(told, monkeypatch):
    now, exchange = [1000.0], Exchange(OPEN)
    monkeypatch.setattr(timekeeper.time, "monotonic", lambda: now[0])
    keeper = Timekeeper(exchange, lambda: [HOME])
    for now[0] in (1000.0, 1029.0, 1030.0):
        keeper.tell(*HOME, is_first=True)
    exchange.said = replace(OPEN, state="closed")
    keeper.tell(*HOME, is_first=True)
    assert [said.state for said in told] == ["open", "open", "closed"]
    assert clock.latest()["state"] == "closed"


def test_what_is_not_known_is_not_told(told):
    Timekeeper(Exchange(None), lambda: [HOME]).tell(*HOME, is_first=True)
    assert (told, clock.latest()) == ([], {})


def test_a_close_is_told_without_a_price(monkeypatch):
    monkeypatch.setattr(timekeeper, "LOOK_SECONDS", 0.01)
    exchange = Exchange(OPEN)
    with Timekeeper(exchange, lambda: [HOME]):
        _wait_until(lambda: clock.latest().get("state") == "open")
        exchange.said = replace(OPEN, state="closed")
        _wait_until(lambda: clock.latest().get("state") == "closed")


def test_a_calendar_that_takes_long_holds_nobody_up():
    hold = threading.Event()
    with Timekeeper(Exchange(OPEN, hold), lambda: [HOME]):
        assert clock.latest() == {}  # we came in here while it was still being asked
        hold.set()
        _wait_until(lambda: clock.latest().get("state") == "open")


def test_a_source_that_fails_is_asked_again(monkeypatch):
    monkeypatch.setattr(timekeeper, "LOOK_SECONDS", 0.01)
    exchange = Exchange(OPEN)
    answers = [ValueError("a bug"), OPEN]
    monkeypatch.setattr(exchange, "clock", lambda *_: _answer(answers))
    with Timekeeper(exchange, lambda: [HOME]):
        _wait_until(lambda: clock.latest().get("state") == "open")


def test_every_followed_exchange_is_told_and_one_whose_calendar_breaks_keeps_no_other_back(monkeypatch):
    monkeypatch.setattr(timekeeper, "LOOK_SECONDS", 0.01)
    exchange = Exchange(OPEN)

    def said(name: str, tickers: Sequence[str]) -> Clock:
        if name == "XLON":
            raise ValueError("a bug")
        return replace(OPEN, exchange=name)

    monkeypatch.setattr(exchange, "clock", said)
    with Timekeeper(exchange, lambda: [HOME, ("XLON", ["BP.L"]), ("XKRX", ["005930.KS"])]):
        _wait_until(lambda: [told.exchange for told in clock.all_latest(datetime.now(UTC))] == ["XKRX", "XNAS"])
    assert clock.latest()["exchange"] == "XNAS"


def _answer(answers: list) -> Clock:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, Exception):
        raise answer
    return answer


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_openings_of_every_exchange_are_told(monkeypatch):
    at = datetime(2026, 6, 8, 13, 30, tzinfo=UTC)
    known = {"XNYS": Openings(Opening(at.date(), at)), "XLON": None}
    exchange = Exchange(OPEN)
    exchange.openings = known.get
    keeper = Timekeeper(exchange, lambda: [HOME])
    for name in known:
        keeper.tell(name, [], is_first=False)
    assert openings.latest(known, at) == {"XNYS": Openings(Opening(at.date(), at)), "XLON": Openings()}


def test_openings_are_told_when_they_change_and_now_and_then(monkeypatch):
    now, told, at = [1000.0], [], datetime(2026, 6, 8, 13, 30, tzinfo=UTC)
    monkeypatch.setattr(timekeeper.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(timekeeper.openings, "keep", lambda *said: told.append(now[0]))
    exchange = Exchange(OPEN)
    exchange.openings = lambda name: Openings(None if now[0] < 1031 else Opening(at.date(), at))
    keeper = Timekeeper(exchange, lambda: [HOME])
    for now[0] in (1000.0, 1029.0, 1030.0, 1031.0, 1032.0):
        keeper.tell("XNYS", [], is_first=False)
    assert told == [1000.0, 1030.0, 1031.0]
