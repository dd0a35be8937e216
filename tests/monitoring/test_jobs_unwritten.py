"""How an attempt ended cannot be written now: it is tried again, ever more seldom, and given up where it must be."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import OperationalError
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Counts, Holding
from monitoring.jobs.database import patiently
from monitoring.jobs.ending import attempts, endings, reaper
from monitoring.jobs.ending import finisher as finishing
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.ending.finisher import Finisher
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.locks import away, in_the_way, read_only

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def holding(clocks) -> Holding:
    """What a worker that does not run would hold: five jobs that it has claimed."""
    made = Holding(5)
    jobs.submit_many("sample.add", [{"a": number} for number in range(5)])
    made.add(claims.claim(made.worker, 5, timezone.now()))
    return made


@pytest.fixture
def woken() -> list:
    return []


@pytest.fixture
def finisher(holding, woken) -> Finisher:
    """It turns where the test lets it."""
    return Finisher(holding, wake_at=woken.append)


def end(finisher: Finisher, holding: Holding, count: int = 1, state: str = "completed", **facts) -> None:
    for current in holding.everything()[:count]:
        finisher.put(current, Ending(current.job, state, **facts))


def turn(finisher: Finisher) -> int:
    """One turn. Returns how many endings it had in hand."""
    batch = finisher._next()
    finisher._end(batch)
    return len(batch)


def states(held: list[Current]) -> list[str]:
    return [Job.objects.get(pk=current.job.pk).state for current in held]


def test_what_is_locked_is_tried_again_ever_more_seldom_and_told_once(clocks, holding, finisher, caplog):
    end(finisher, holding)
    waits, held = [], holding.everything()
    with in_the_way(held[0].job):
        for _ in range(9):
            turn(finisher)
            waits.append(finisher._aside[0].due - clocks.monotonic)
            clocks.go(waits[-1])
    for number, wait in enumerate(waits):
        longest = min(0.05 * 2**number, 2.0)
        assert longest / 2 <= wait <= longest
    assert caplog.text.count("is written later") == 1
    assert turn(finisher) == 1
    assert (states(held)[0], holding.everything()) == ("completed", held[1:])


def test_what_is_not_due_yet_waits_while_others_are_written(clocks, holding, finisher):
    first = holding.everything()[0]
    end(finisher, holding)
    with in_the_way(first.job):
        turn(finisher)
    end(finisher, holding, 2)
    assert turn(finisher) == 2
    clocks.go(0.05)
    assert turn(finisher) == 1


def test_what_stays_locked_is_given_up_when_its_time_is_over(clocks, holding, finisher, caplog):
    current = holding.everything()[0]
    end(finisher, holding)
    with in_the_way(current.job):
        clocks.go(current.deadline - clocks.monotonic - 1)
        turn(finisher)
        assert current in holding.everything()
        clocks.go(2)
        turn(finisher)
    assert current not in holding.everything()
    assert (holding.counts, states([current])) == (Counts(), ["running"])
    assert "its lease runs out" in caplog.text


def test_an_attempt_that_ended_at_its_deadline_is_given_half_a_minute(clocks, holding, finisher):
    current = holding.everything()[0]
    clocks.go(current.deadline - clocks.monotonic)
    end(finisher, holding)
    with in_the_way(current.job):
        clocks.go(29.5)
        turn(finisher)
        assert current in holding.everything()
        clocks.go(1)
        turn(finisher)
        assert current not in holding.everything()


def test_of_more_than_can_be_set_aside_the_one_that_has_the_least_time_is_given_up(
    clocks, holding, finisher, monkeypatch
):
    monkeypatch.setattr(finishing, "ASIDE_AT_MOST", 3)
    held = holding.everything()
    held[2].deadline -= 1
    end(finisher, holding, 4)
    with in_the_way(*(each.job for each in held)):
        turn(finisher)
    assert holding.everything() == [each for each in held if each is not held[2]]
    clocks.go(2)
    turn(finisher)
    assert states(held) == ["completed", "completed", "running", "completed", "running"]


def test_who_is_given_up_leaves_the_others_in_the_order_in_which_they_are_due(clocks, holding, finisher, monkeypatch):
    monkeypatch.setattr(finishing, "ASIDE_AT_MOST", 2)
    later, oldest, sooner = holding.everything()[:3]
    oldest.deadline -= 1
    with in_the_way(*(each.job for each in (later, oldest, sooner))):
        finisher.put(later, Ending(later.job, "completed"))
        for _ in range(5):
            turn(finisher)
            clocks.go(finisher._aside[0].due - clocks.monotonic)
        for each in (oldest, sooner):
            turn(finisher)
            clocks.go(0.024)
            finisher.put(each, Ending(each.job, "completed"))
        turn(finisher)
    clocks.go(0.06)
    assert turn(finisher) == 1
    assert states([later, oldest, sooner]) == ["running", "running", "completed"]


def test_only_so_many_are_in_hand_at_once(clocks, holding, finisher, monkeypatch):
    monkeypatch.setattr(finishing, "AT_ONCE", 2)
    held = holding.everything()
    end(finisher, holding, 5)
    assert [turn(finisher) for _ in range(3)] == [2, 2, 1]
    assert set(states(held)) == {"completed"}


def test_those_that_were_set_aside_are_as_many_as_others_at_most(clocks, holding, finisher, monkeypatch):
    monkeypatch.setattr(finishing, "AT_ONCE", 1)
    end(finisher, holding, 4)
    with in_the_way(*(each.job for each in holding.everything())):
        for _ in range(4):
            turn(finisher)
    clocks.go(2)
    end(finisher, holding, 1, "failed")
    assert [turn(finisher) for _ in range(3)] == [2, 2, 1]


def test_what_no_row_can_hold_fails_the_job_and_says_why(clocks, holding, finisher, caplog):
    job = holding.everything()[0].job
    end(finisher, holding, 1, "retrying", retry_at="soon")
    turn(finisher)
    clocks.go(0.05)
    turn(finisher)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error.split(":")[0]) == ("failed", "unwritable", "ValidationError")
    assert "can't be written" in caplog.text


def test_what_is_tried_again_wakes_its_worker_when_it_is_due(clocks, holding, finisher, woken):
    at = timezone.now() + timedelta(seconds=7)
    end(finisher, holding, 1, "retrying", retry_at=at)
    turn(finisher)
    assert (woken, len(holding.everything())) == ([at], 4)


def test_an_attempt_whose_row_says_already_how_it_ended_is_counted_and_let_go(clocks, holding, finisher):
    current = holding.everything()[0]
    current.ended_as = "failed"
    finisher.put(current, None)
    assert turn(finisher) == 1
    assert (len(holding.everything()), holding.counts) == (4, Counts(processed=1, failed=1))


def test_those_whose_rows_are_locked_are_handed_back_and_written_once_they_are_free(holding):
    written = [Ending(current.job, "failed", error_code="wrong") for current in holding.everything()]
    with in_the_way(*(each.job for each in written)):
        unwritten = endings.write(written)
    assert [ending for ending, _ in unwritten] == written
    assert endings.write(written) == []


def test_a_database_that_is_away_is_asked_for_one_and_the_others_wait_with_it(holding):
    written = [Ending(current.job, "failed", error_code="wrong") for current in holding.everything()]
    with away():
        unwritten = endings.write(written)
    assert [ending for ending, _ in unwritten] == written
    assert len({id(error) for _, error in unwritten}) == 1
    assert endings.write(written) == []


def test_one_that_no_row_can_hold_keeps_none_behind_it_from_being_written(holding):
    wrong, *others = (Ending(current.job, "failed", error_code="wrong") for current in holding.everything())
    wrong = Ending(wrong.job, "retrying", retry_at="soon")
    assert [ending for ending, _ in endings.write([wrong, *others])] == [wrong]
    assert states(holding.everything()) == ["running"] + ["failed"] * 4


def test_who_waits_for_a_lock_asks_every_few_milliseconds_for_a_second(clocks, monkeypatch):
    monkeypatch.setattr(time, "sleep", clocks.go)
    asked = []

    def locked() -> None:
        asked.append(clocks.monotonic)
        assert len(asked) <= 201
        raise OperationalError(1205, "Lock wait timeout exceeded")

    with pytest.raises(OperationalError):
        patiently(locked)
    assert all(0.0049 < later - earlier < 0.0501 for earlier, later in pairwise(asked))
    assert 1.0 <= asked[-1] - asked[0] < 1.06


def test_that_many_cannot_be_written_at_once_is_told(holding, caplog):
    with read_only():
        endings.write([Ending(current.job, "completed") for current in holding.everything()])
    assert "5 endings are written one by one" in caplog.text


MOVES = {
    "cancel": lambda job: jobs.cancel(job.pk),
    "retry": lambda job: jobs.retry(job.pk),
    "give back": claims.give_back,
    "lose": lambda job: reaper._lose(job),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_database_that_refuses_a_move_for_another_reason_than_a_lock_is_heard(holding, move):
    job = holding.everything()[0].job
    if move == "retry":
        attempts.end(Ending(job, "failed"))
    with read_only(), pytest.raises(OperationalError):
        MOVES[move](job)


def test_what_is_locked_is_given_back_later(holding):
    job = holding.everything()[0].job
    with in_the_way(job):
        assert not claims.give_back(job)
    assert claims.give_back(job)


def test_what_is_locked_is_taken_from_its_worker_later(holding, caplog):
    job = Job.objects.get(pk=holding.everything()[0].job.pk)
    with in_the_way(job):
        reaper._lose(job)
    assert "is locked" in caplog.text
    reaper._lose(job)
    assert Job.objects.get(pk=job.pk).state == "retrying"


@pytest.mark.parametrize("move", ["cancel", "retry"])
def test_who_asks_for_a_job_that_is_locked_is_told_to_ask_again(move):
    job = jobs.submit("sample.add", {"a": 1})
    if move == "retry":
        Job.objects.update(state="failed", lane=None)
    with in_the_way(job), pytest.raises(jobs.JobError) as busy:
        MOVES[move](job)
    assert (busy.value.code, busy.value.status) == ("job_busy", 409)
