"""What a body may ask and say of itself: when it must stop, how far it is, what it came to."""

import time
import uuid

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.errors import Cancelled, DeadlineExceeded, InvalidProgress, InvalidResult
from monitoring.jobs.running.context import RESULT_BYTES, Current, checked
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

LARGEST = 2**31 - 1


@pytest.fixture
def current(db) -> Current:
    jobs.submit("sample.add", {"a": 1}, timeout=60)
    return Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0])


def saved() -> tuple:
    job = Job.objects.get()
    return job.progress_done, job.progress_total, job.progress_word


def test_a_body_whose_time_is_over_must_stop_and_is_told_why(clocks, current):
    clocks.go(59)
    current.checkpoint()
    assert (current.must_stop, current.stop_code) == (False, None)
    clocks.go(1)
    assert clocks.monotonic == current.deadline
    assert current.must_stop
    with pytest.raises(DeadlineExceeded):
        current.progress(1)
    assert current.stop_code == "deadline_exceeded"


def test_the_first_reason_to_stop_counts(current):
    current.stop("cancelled")
    current.stop("superseded")
    current.deadline = time.monotonic()
    assert current.must_stop
    with pytest.raises(Cancelled):
        current.checkpoint()


def test_a_job_has_the_time_that_it_was_given(current):
    assert 59 < current.deadline - time.monotonic() <= 60
    assert Current(None).deadline == float("inf")


@pytest.mark.db
def test_progress_is_written_once_for_each_time_that_it_is_said(current, django_assert_num_queries):
    current.save_progress()
    current.progress(1, 3, "first")
    current.save_progress()
    assert saved() == (1, 3, "first")
    with django_assert_num_queries(0):
        current.save_progress()
    current.progress(LARGEST, LARGEST, "x" * 101)
    current.save_progress()
    assert saved() == (LARGEST, LARGEST, "x" * 100)


@pytest.mark.parametrize(("done", "total"), [(0, 0), (1, None), (LARGEST, LARGEST)])
def test_numbers_of_parts_are_from_none_to_as_many_as_a_row_holds(done, total):
    Current(None).progress(done, total)


@pytest.mark.parametrize(("done", "total"), [(1, -1), (1, LARGEST + 1), (1, "2"), (None, 1), (-1, None)])
def test_other_numbers_of_parts_are_refused_by_what_is_wrong(done, total):
    with pytest.raises(InvalidProgress, match="done is" if done is None or done < 0 else "total is"):
        Current(None).progress(done, total)


def test_a_result_may_be_a_mebibyte_of_json_and_no_more():
    assert len(checked("x" * (2**20 - 2))) == RESULT_BYTES - 2
    with pytest.raises(InvalidResult, match="1048577 bytes of JSON; 1048576 are allowed"):
        checked("x" * (RESULT_BYTES - 1))


def test_no_rows_are_no_note():
    end = jobs.End()
    end.note(Job, 0)
    assert end.wrote == []


def test_a_body_outside_a_job_commits_plainly_and_has_nobody_before_it(db):
    here = jobs.current()
    with here.commit() as end:
        end.result = 1
    assert (here.ended_as, here.before()) == ("completed", [])
