"""`manage.py replay`: past sessions, a message a line, the same in any process and at any speed."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from io import StringIO
from operator import itemgetter

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis.indicators.catalogue import DEFAULTS
from market import bars, quotes, sources
from market.bars import forming
from market.models import Bar, Snapshot
from market.player import Held, Sessions
from market.prices import Action
from market.sources.replay import recording
from market.sources.replay.source import Replay
from realtime.replay import signals
from realtime.replay.body import Body
from realtime.replay.digest import Digest
from tests.conftest import shared_database
from tests.spoken import Talk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
RANGE = "--from", "2005-02-24", "--to", "2005-03-02"  # AAPL's split of 2005-02-28 is within
ALL = ("AAPL", "MSFT", *RANGE, "--json")


@pytest.fixture(autouse=True)
def recorded(db) -> None:
    sources.choose("replay")
    Replay().prepare()


def replay(*arguments: str) -> tuple[list[dict], dict]:
    out = StringIO()
    call_command("replay", *arguments, stdout=out)
    *told, end = map(json.loads, out.getvalue().splitlines())
    return told, end


def of(told: list[dict], kind: str, symbol: str = "AAPL") -> list[dict]:
    return [each for each in told if (each["type"], each["symbol"]) == (kind, symbol)]


def test_bars_within_sessions_are_told_of_where_nothing_is_held_of_them():
    err = StringIO()
    call_command("replay", *ALL, "--interval", "5m", "--interval", "1h", stdout=StringIO(), stderr=err)
    assert err.getvalue() == "no_bars: nothing within sessions of the range is held of AAPL, MSFT.\n"


def test_every_message_is_of_the_protocol_and_says_that_it_is_a_replay():
    told, end = replay(*ALL)
    seen = [each for each in told if each["type"] == "signal"]
    assert end["messages"] == len(told) == 5 * 2 * 4 * 3 + len(seen)
    assert {each["symbol"] for each in seen} == {"AAPL", "MSFT"}
    talk = Talk()
    for each in told:
        talk.heard(each)
        assert each["replay"] is True
    assert [each["seq"] for each in of(told, "bar")] == list(range(1, 21))
    assert [each["type"] for each in told[:3]] == ["price_update", "bar", "indicators"]


def test_two_processes_at_two_speeds_say_the_same():
    command = [sys.executable, "manage.py", "replay", *ALL]
    environment = {**os.environ, **shared_database()}
    ends = []
    for more in ([], ["--speed", "1e6"]):
        out = subprocess.run([*command, *more], env=environment, capture_output=True, text=True, check=True).stdout
        ends.append(json.loads(out.splitlines()[-1]))
    assert ends[0] == ends[1] == replay("MSFT", *ALL)[1]
    assert ends[0] == without_a_database()


def without_a_database() -> dict:
    """The same of the recording itself, as no database has it."""
    digest = Digest()
    sessions = Sessions([recorded_as(ticker) for ticker in ("AAPL", "MSFT")], *map(date.fromisoformat, RANGE[1::2]))
    body = Body(sessions, datetime.now(UTC), signals=signals.of(sessions))
    for number in range(len(sessions)):
        for each in body.session(number):
            for told in each.bodies:
                digest.add(told)
    return {"hash": digest.hex, "messages": digest.count}


def recorded_as(ticker: str) -> Held:
    days = recording.days(ticker)
    columns = {name: np.array([getattr(day, name) for day in days.values()], float) for name in recording.Day._fields}
    columns["session_date"] = np.array(list(days), "datetime64[D]")
    splits = [Action(ticker, "split", day, value, value, 1.0) for day, value in recording.SPLITS[ticker].items()]
    return Held(ticker, columns, splits, 4, "replay", "")


def test_another_session_or_symbol_says_something_else():
    ends = [replay("AAPL", *RANGE, "--json")[1], replay("MSFT", *RANGE, "--json")[1], replay(*ALL)[1]]
    assert len(set(map(itemgetter("hash"), ends))) == 3


def test_indicators_at_each_close_are_those_over_the_whole_history_until_then_in_the_shares_of_then():
    told, _ = replay("AAPL", *RANGE, "--json")
    closes = [each for each in of(told, "indicators") if each["is_final"]]
    raw = bars.columns("AAPL", adjusted="raw")
    for each in closes:
        day = date.fromisoformat(each["session_date"])
        held = raw["session_date"] <= np.datetime64(day)
        before = held & (raw["session_date"] < np.datetime64("2005-02-28")) & (day >= date(2005, 2, 28))
        older = held & (raw["session_date"] < np.datetime64("2000-06-21"))
        close = np.where(before, raw["close"] / 2, raw["close"])
        close = np.where(older, close / 2, close)[held]
        for key in ("sma_20", "rsi_14", "macd_12_26_9", "ema_200"):
            indicator = DEFAULTS[key]
            assert tuple(each["values"][key].values()) == tuple(
                series[-1] for series in indicator.over({"close": close}).values()
            )


def test_a_range_that_begins_later_says_of_a_session_what_the_longer_one_does():
    late, _ = replay("AAPL", "--from", "2005-03-01", "--to", "2005-03-02", "--json")
    long, _ = replay("AAPL", *RANGE, "--json")
    numbers = {"seq", "received_at"}

    def plain(told: list[dict]) -> list[dict]:
        return [{name: value for name, value in each.items() if name not in numbers} for each in told]

    assert plain(late) == plain(long)[-len(late) :]


def test_nothing_is_stored():
    before = Bar.objects.count(), Snapshot.objects.count(), quotes.latest(["AAPL"]), forming.latest(["AAPL"])
    replay(*ALL)
    assert before == (
        Bar.objects.count(), Snapshot.objects.count(), quotes.latest(["AAPL"]), forming.latest(["AAPL"]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("NOPE", *RANGE), "unknown_symbol: there is no symbol NOPE here"),
        (("FB", *RANGE), "no_bars: no daily bars from 2005-02-24 to 2005-03-02: FB has bars from 2012-05-18 to"),
        (("AAPL", "--from", "2005-03-02", "--to", "2005-02-24"), "invalid: the range ends on 2005-02-24, before"),
        (("AAPL", "--from", "soon", "--to", "2005-02-24"), "'soon' is no date such as 2008-09-01"),
        (("AAPL", *RANGE, "--speed", "0"), "'0' is no speed such as 3600"),
    ],
)
def test_what_can_not_be_played_says_why(arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("replay", *arguments)


def test_what_is_lacking_is_named_aside_and_the_others_play():
    out, err = StringIO(), StringIO()
    call_command("replay", "NOPE", "FB", "AAPL", *RANGE, stdout=out, stderr=err)
    assert "there is no symbol NOPE here" in err.getvalue()
    assert "FB has bars from 2012-05-18" in err.getvalue()
    assert "price_update" in out.getvalue()
