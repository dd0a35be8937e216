"""While a job of the market computes or asks, others write: also on SQLite, which has one writer at a time."""

import uuid
from datetime import date
from types import SimpleNamespace

import exchange_calendars
import pytest
from django.db import connection
from django.utils import timezone

from market import bars
from market.bars.writing import door
from market.calendars import library
from monitoring import jobs, turns
from monitoring.jobs import schedules
from monitoring.jobs.claiming import claims
from monitoring.jobs.running import body, context
from monitoring.models import Job
from tests import beside
from tests import recorded as recording
from tests.monitoring.plans import planned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("apple")]


@pytest.fixture
def made_meanwhile(monkeypatch) -> list[Job]:
    """The jobs that others submitted, one at each calendar that was built."""
    submitted, get_calendar = [], exchange_calendars.get_calendar

    def get_slowly(*asked, **options):
        submitted.append(beside.submit("market.records", {"symbols": ["AAPL"]}))
        return get_calendar(*asked, **options)

    monkeypatch.setattr(exchange_calendars, "get_calendar", get_slowly)
    library._whole.cache_clear()
    library._of_year.cache_clear()
    return submitted


def run(name: str, **arguments) -> Job:
    asked = jobs.submit(name, arguments)
    [job] = claims.claim(uuid.uuid4(), 1, timezone.now())
    assert body.run(context.Current(job)) is None
    return Job.objects.get(pk=asked.pk)


def test_anybody_may_submit_while_the_price_monitor_builds_its_calendars(hold, made_meanwhile):
    hold("yahoo")
    done = run("market.price_monitor")
    assert (done.state, done.result["tracked"]) == ("completed", 1)
    assert made_meanwhile


def test_anybody_may_submit_while_a_schedule_asks_the_calendar(hold, made_meanwhile):
    hold("yahoo")
    only_if = {"name": "market.had_session", "arguments": {"exchange": "XNYS"}}
    schedule = planned("* * * * *", "UTC", only_if=only_if, job="market.records", arguments={})
    schedules.run_due(timezone.now())
    assert schedule.slots.exclude(outcome="begun").exists()
    assert made_meanwhile


def test_a_history_is_written_some_hundred_bars_at_once():
    """By each step of a statement SQLite lets another thread compute, while it holds the write lock."""
    if connection.vendor != "sqlite":
        pytest.skip("elsewhere writers wait for no lock of the whole")
    executed: list[str] = []
    history = recording.bars("AAPL", date(2012, 1, 1), timezone.now())[:2000]
    connection.ensure_connection()
    connection.connection.set_trace_callback(executed.append)
    try:
        assert bars.upsert(history).inserted == 2000
    finally:
        connection.connection.set_trace_callback(None)
    assert sum(sql.startswith('INSERT INTO "market_bar"') for sql in executed) == 4
    assert len(executed) < 40


def test_between_the_writes_of_a_long_history_others_have_their_turn(monkeypatch):
    monkeypatch.setattr(door, "AT_ONCE", 500)
    monkeypatch.setattr(turns, "_rests", [])
    submitted, moments = [], iter([0, 0, 1, 1, 1, 2, 2, 2, 3])  # each write takes a second
    rest = SimpleNamespace(
        monotonic=lambda: next(moments),
        sleep=lambda seconds: submitted.append(beside.submit("market.records", {"symbols": ["AAPL"]})),
    )
    monkeypatch.setattr(turns, "time", rest)
    history = recording.bars("AAPL", date(2012, 1, 1), timezone.now())[: 3 * door.AT_ONCE]
    assert bars.upsert(history, reason="a test").inserted == 3 * door.AT_ONCE
    assert len(submitted) == (2 if connection.vendor == "sqlite" else 0)


def test_who_has_thought_for_as_long_as_the_lock_was_held_rests_no_longer(monkeypatch):
    slept, now = [], [0.0]
    monkeypatch.setattr(turns, "_rests", [])
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=slept.append))
    for thought in (0.01, 0.05, 0.0):
        with turns.taken():
            now[0] += 0.03
        now[0] += thought
    assert slept == ([pytest.approx(0.02)] if connection.vendor == "sqlite" else [])


@pytest.mark.parametrize(
    ("name", "asked"), [("market.price_monitor", "market.quotes"), ("market.history", "market.history_chunk")]
)
def test_what_a_job_asks_for_commits_with_its_end_or_not_at_all(hold, name, asked):
    hold("yahoo")
    jobs.submit(name)
    [job] = claims.claim(uuid.uuid4(), 1, timezone.now())
    Job.objects.filter(pk=job.pk).update(attempt=job.attempt + 1)  # it was given up
    assert body.run(context.Current(job)) is None
    assert not Job.objects.filter(name=asked).exists()
