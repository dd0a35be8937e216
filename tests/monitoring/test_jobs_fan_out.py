"""Many at once: one bad symbol fails alone, and all of them fail the job."""

import threading
import time

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.errors import Cancelled
from monitoring.jobs.running import context
from monitoring.jobs.running.context import Current
from monitoring.jobs.running.fan_out import NothingDone
from monitoring.models import Job


class Away(Exception):
    temporary = True


def fetch(symbol: str) -> int:
    if symbol == "BAD":
        raise ValueError("no such symbol")
    return len(symbol)


def test_one_bad_symbol_fails_alone_and_says_why():
    outcome = jobs.fan_out(["AAPL", "BAD", "FB"], fetch)
    assert outcome.done == {"AAPL": 4, "FB": 2}
    assert outcome.failed == {"BAD": "ValueError: no such symbol"}


def test_a_result_names_those_that_came_and_says_why_the_others_did_not():
    outcome = jobs.fan_out(["AAPL", "BAD", "FB"], fetch, parallel=1)
    assert outcome.as_json() == {"done": ["AAPL", "FB"], "failed": {"BAD": "ValueError: no such symbol"}}


def test_no_more_run_side_by_side_than_asked():
    running, most, lock = [], [], threading.Lock()

    def work(symbol: str) -> None:
        with lock:
            running.append(symbol)
            most.append(len(running))
        time.sleep(0.01)
        with lock:
            running.remove(symbol)

    jobs.fan_out(map(str, range(20)), work, parallel=3)
    assert max(most) == 3


def test_all_of_them_are_waited_for():
    outcome = jobs.fan_out("ABC", lambda _: time.sleep(0.05), parallel=2)
    assert sorted(outcome.done) == ["A", "B", "C"]


def test_how_far_it_is_names_the_item_that_came_last_and_none_once_all_came():
    told = []
    with context.entered(Current(None)) as running:
        jobs.fan_out(["A", "BAD", "C"], lambda symbol: told.append(running.last_progress) or fetch(symbol), parallel=1)
    said = [tuple(each.values()) for each in [*told[1:], running.last_progress]]
    assert said == [(1, 3, "A"), (2, 3, "BAD"), (3, 3, "")]


@pytest.mark.parametrize("parallel", [1, 4])
def test_an_item_that_ends_its_thread_fails_alone(parallel):
    def leave(symbol: str) -> str:
        if symbol == "B":
            raise SystemExit(3)
        return symbol

    outcome = jobs.fan_out("ABC", leave, parallel=parallel)
    assert (sorted(outcome.done), outcome.failed) == (["A", "C"], {"B": "SystemExit: 3"})


def test_one_at_a_time_runs_in_the_callers_own_thread():
    threads = set()
    jobs.fan_out("ABC", lambda _: threads.add(threading.get_ident()), parallel=1)
    assert threads == {threading.get_ident()}


def test_where_nothing_came_the_job_fails_and_says_why():
    jobs.fan_out(["AAPL", "BAD"], fetch).require_any()
    with pytest.raises(NothingDone) as told:
        jobs.fan_out(["BAD"], fetch).require_any()
    assert (str(told.value), told.value.temporary) == (
        "None of 1 came to anything; BAD: ValueError: no such symbol",
        False,
    )


def test_where_nothing_came_another_attempt_is_made_if_that_can_help_one():
    def away(symbol: str) -> None:
        raise Away(symbol) if symbol == "AAPL" else ValueError(symbol)

    with pytest.raises(NothingDone) as told:
        jobs.fan_out(["BAD", "AAPL"], away).require_any()
    assert told.value.temporary


@pytest.mark.django_db
def test_a_cancelled_job_begins_no_further_item():
    jobs.submit("monitoring.retention")
    current = Current(claims.claim(context.uuid.uuid4(), 1, timezone.now())[0])
    seen = []

    def work(symbol: str) -> None:
        seen.append(symbol)
        current.stop("cancelled")

    with context.entered(current), pytest.raises(Cancelled):
        jobs.fan_out(map(str, range(50)), work, parallel=2)
    assert len(seen) <= 2
    assert Job.objects.get().state == "running"  # whoever runs the body ends it


def test_items_are_dealt_in_chunks():
    assert list(jobs.chunks(["A", "B", "C"], 2)) == [["A", "B"], ["C"]]
