"""`backfill`, `refresh` and `check_data`: what they ask for, tell while it runs, and say by their exit status."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from redis.exceptions import ConnectionError as RedisAway

from finstage import following
from finstage.following import Progress
from market import bars, history
from market.models import Bar, Coverage, DataSource, Symbol
from market.prices import midnight
from monitoring import redis
from monitoring.models import Job
from tests import forks
from tests.conftest import shared_database
from tests.market.conftest import hold, wire  # noqa: F401 - fixtures
from tests.market.test_backfill import FACTS, short
from tests.market.test_bars import bar
from tests.market.test_holes import WINTER, Shelf
from tests.monitoring.conftest import start_worker  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def yahoo(wire, hold, monkeypatch):  # noqa: F811
    """A Yahoo that knows IBM, which other processes ask too."""
    hold("yahoo")
    Symbol.objects.create(ticker="IBM", name="IBM", **FACTS)
    wire.charts["IBM"] = short("IBM")
    for name, value in {**wire.environment, "FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "100"}.items():
        monkeypatch.setenv(name, value)
    return wire


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def refused(*command: str, **options) -> tuple[int, str]:
    with pytest.raises(CommandError) as told:
        call_command(*command, **options)
    return told.value.returncode, str(told.value)


def run(folder: Path, *command: str) -> tuple[int, str]:
    """The command in a process of its own, as people run it: its exit status and all that it says."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "FINSTAGE_JOBS_DRAIN_SECONDS": "1", **shared_database()}
    return forks.start(["manage.py", *command], environment, log).wait(300), log.read_text()


def test_a_worker_that_runs_does_it_and_the_command_follows(yahoo, start_worker, capsys):  # noqa: F811
    start_worker(app="finstage")
    call_command("backfill", "ibm", json=True)
    told = lines(capsys)
    end = {"event": "end", "job": told[0]["job"], "outcome": "whole", "done": 1, "asked": 1, "failed": 0}
    assert (told[0]["event"], told[0]["task"], told[-1]) == ("submitted", "market.backfill", end)
    assert told[-2]["event"] == "progress"
    assert told[-2]["done"] == told[-2]["total"] == 1
    assert Bar.objects.count() == 40
    call_command("refresh", "IBM", json=True)
    assert lines(capsys)[-1]["outcome"] == "whole"


def test_where_no_worker_runs_the_command_is_one_and_what_came_of_it_is_its_status(yahoo, tmp_path):
    Symbol.objects.create(ticker="GONE", name="Gone", **FACTS)
    status, told = run(tmp_path, "backfill", "--json")
    assert "No worker runs: this process is one" in told
    facts = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {each["part"] for each in facts if each["event"] == "failed"} == {"GONE"}
    end = facts[-1]
    assert (status, end["outcome"], end["done"], end["asked"]) == (following.IN_PART, "partial", 1, 2)
    Bar.objects.order_by("opened_at")[20].delete()
    status, told = run(tmp_path, "refresh", "IBM", "--gaps")
    assert (status, Bar.objects.count(), told.splitlines()[-1]) == (following.WHOLE, 40, "1 of 1: whole.")
    status, told = run(tmp_path, "backfill", "GONE")
    assert (status, "0 of 1: failed." in told) == (following.FAILED, True)


def test_what_nobody_waits_for_is_left_to_the_workers(yahoo, capsys):
    call_command("backfill", no_wait=True, since="all")
    job = Job.objects.get()
    assert (job.state, job.arguments) == ("pending", {"symbols": None, "since": "all"})
    assert capsys.readouterr().out == f"Asked for market.backfill: /tasks/{job.pk}\n"


def test_a_beginning_that_is_none_is_the_command_lines_fault_and_asks_for_nothing(db):
    assert refused("backfill", since="yesterday")[0] == 2
    assert not Job.objects.exists()


def test_bars_within_sessions_are_asked_for_by_their_interval(yahoo, capsys):
    call_command("backfill", "IBM", interval="5m", no_wait=True)
    call_command("refresh", "IBM", interval="1h", gaps=True, no_wait=True)
    told = [(job.name, job.arguments) for job in Job.objects.order_by("created_at")]
    one = {"symbols": ["IBM"], "interval": "5m"}
    assert told == [("market.intraday", one), ("market.intraday", one | {"interval": "1h", "fill_holes": True})]
    assert refused("backfill", interval="5m", since="all")[0] == 2


def test_what_the_source_has_not_is_no_success_and_where_there_is_nothing_to_do_it_is_said_why(apple, tmp_path):
    source = DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))
    status, told = run(tmp_path, "backfill", "AAPL", "--interval", "5m", "--json")
    assert (status, "Replay has no bars of 5m." in told) == (following.FAILED, True)
    source.name = "yahoo"
    source.save()
    status, told = run(tmp_path, "backfill", "--interval", "5m", "--json")  # of those whose days are loaded: none
    end = [json.loads(line) for line in told.splitlines() if line.startswith("{")][-1]
    assert (status, end["outcome"], "its days are loaded first" in end["why"]) == (following.WHOLE, "whole", True)


def test_without_a_redis_it_says_so_and_nothing_is_asked_for(db, monkeypatch):
    monkeypatch.setattr(redis.client(), "ping", lambda: (_ for _ in ()).throw(RedisAway("refused")))
    status, told = refused("refresh")
    assert (status, "doctor" in told, Job.objects.exists()) == (1, True, False)


def test_check_data_tells_gaps_by_status_3_and_each_as_a_line(apple, capsys):
    history.fill(apple, Shelf(WINTER), "yahoo")
    Bar.objects.filter(opened_at=midnight(WINTER[9])).delete()
    call_command("check_data", mend=True)
    call_command("check_data")
    capsys.readouterr()
    assert refused("check_data", gaps=True, json=True)[0] == following.IN_PART
    gap, end = (each for each in lines(capsys) if each["event"] in ("gap", "end"))
    day = str(WINTER[9])
    assert gap == {"event": "gap", "symbol": "AAPL", "interval": "1d", "first": day, "last": day, "sessions": 1}
    assert (end["differences"], end["gaps"], end["bars"]) == (0, 1, len(WINTER) - 1)


def test_check_data_of_some_symbols_counts_those_alone(apple, capsys):
    bars.upsert([bar(2)])
    Symbol.objects.create(ticker="IBM", name="IBM", **FACTS)
    Coverage.objects.update(held=7)
    call_command("check_data", "ibm")
    capsys.readouterr()
    assert refused("check_data", "AAPL", json=True)[0] == 1
    assert [each["fact"] for each in lines(capsys) if each["event"] == "difference"] == ["held"]
    assert refused("check_data", "NOPE")[0] == 2
    Coverage.objects.update(held=1)
    call_command("check_data", "AAPL", json=True)
    *_, progress, end = lines(capsys)
    assert (progress["done"], progress["total"], end["rows"], end["bars"]) == (1, 1, 1, 1)
    call_command("check_data", "IBM", json=True)
    assert (lines(capsys)[-1]["rows"], Coverage.objects.count()) == (0, 1)
    call_command("check_data", "AAPL", interval="5m", json=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_is_a_bar_that_goes_before_anything_is_said():
    aside, out = Terminal(), io.StringIO()
    screen = following.Screen(OutputWrapper(out), OutputWrapper(aside), is_json=False)
    screen.progress(Progress(1, 4, "AAPL"))
    screen.progress(Progress(1, 4, "AAPL"))
    screen.say("end", "1 of 4: partial.")
    shown = f"\r\x1b[K[{'#' * 8}{'.' * 22}] 1 of 4  AAPL"
    assert (aside.getvalue(), out.getvalue()) == (f"{shown}\r\x1b[K", "1 of 4: partial.\n")


def test_where_no_terminal_is_progress_is_a_line_now_and_then_and_at_the_end():
    aside = io.StringIO()
    screen = following.Screen(OutputWrapper(io.StringIO()), OutputWrapper(aside), is_json=False)
    for done in range(5):
        screen.progress(Progress(done, 4))
    assert aside.getvalue().splitlines() == ["0 of 4", "4 of 4"]
