"""Signals of a client's own replay: those of the history, each with the close of its session, stored nowhere."""

from datetime import UTC, date, datetime

import numpy as np
import orjson
import pytest
from bokeh_sampledata import stocks

from analysis.models import Signal
from analysis.seen import fired
from market.player import Held, Sessions
from realtime.replay import signals
from realtime.replay.body import Body

BARS, FROM = 700, 600
NAMES = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    columns = {name: np.array(stocks.AAPL[name][:BARS], np.float64) for name in NAMES}
    columns["session_date"] = np.array(stocks.AAPL["date"][:BARS], "datetime64[D]")
    held = Held("AAPL", columns, [], 2, "replay", "v1")
    return Sessions([held], held.session(FROM), held.session(BARS - 1))


def played(sessions: Sessions, numbers) -> list[dict]:
    body = Body(sessions, datetime(2026, 1, 1, tzinfo=UTC), signals=signals.of(sessions))
    return [orjson.loads(each) for number in numbers for told in body.session(number) for each in told.bodies]


def seen(messages: list[dict]) -> list[tuple[str, str]]:
    return [(each["session_date"], each["rule"]) for each in messages if each["type"] == "signal"]


def test_what_is_played_is_what_the_history_says_once_and_behind_its_close(sessions):
    told = played(sessions, range(len(sessions)))
    [held] = sessions.held
    bars = fired.over("AAPL", held.columns).bars
    said = {(str(held.session(place)), rule) for rule, places in bars.items() for place in places if place >= FROM}
    assert len(said) > 100
    assert set(seen(told)) == said
    assert len(seen(told)) == len(said)
    first = next(each for each in told if each["type"] == "signal")
    assert (first["replay"], first["stream"], first["state"], "id" in first) == (
        True,
        "signals:AAPL",
        "confirmed",
        False,
    )
    assert [each["seq"] for each in told if each["type"] == "signal"] == list(range(1, len(said) + 1))
    closes = {each["session_date"]: at for at, each in enumerate(told) if each["type"] == "bar" and each["is_final"]}
    for at, each in enumerate(told):
        assert each["type"] != "signal" or closes[each["session_date"]] < at


def test_a_session_says_the_same_whatever_was_played_before(sessions):
    whole = played(sessions, range(40))
    of_one = [each for each in seen(whole) if each[0] == str(sessions.date(30))]
    assert seen(played(sessions, [30])) == of_one
    assert seen(played(sessions, [30, 5, 30])) == of_one + seen(played(sessions, [5])) + of_one


def test_of_too_many_symbols_none_is_played(sessions, monkeypatch):
    monkeypatch.setattr(signals, "MOST", 0)
    assert seen(played(sessions, [30])) == []
    assert isinstance(sessions.date(0), date)


@pytest.mark.django_db
def test_nothing_is_stored(sessions):
    played(sessions, range(20))
    assert not Signal.objects.exists()
