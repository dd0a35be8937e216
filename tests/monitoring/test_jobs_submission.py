"""What is refused before anything is queued, and by which words; what is queued, and how often."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from django.db import transaction

from monitoring import jobs
from monitoring.jobs import declaration
from monitoring.jobs.errors import Busy, InvalidArguments, KeyReused, UnknownJob, WrongState
from monitoring.models import Job
from tests.monitoring import sample_jobs


def test_an_unknown_job_is_refused_by_name():
    with pytest.raises(UnknownJob) as refused:
        jobs.submit("sample.nothing")
    assert list(refused.value.errors) == ["task"]


def test_of_an_unknown_name_that_is_long_the_refusal_tells_the_beginning():
    with pytest.raises(UnknownJob, match=f"no job '{'x' * 100}'"):
        jobs.submit("x" * 200)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "urgent"),
        ("timeout", 0),
        ("timeout", "10"),
        ("timeout", 86_401),
        ("max_attempts", 0),
        ("max_attempts", 101),
        ("key", ""),
        ("key", "k" * 201),
    ],
)
def test_a_wrong_option_is_refused_by_its_field(field, value):
    with pytest.raises(InvalidArguments) as refused:
        jobs.submit("sample.add", {"a": 1}, **{field: value})
    assert list(refused.value.errors) == [field]


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"timeout": 86_400, "max_attempts": 100}, {"key": "k" * 200}, {"key": "k"}])
def test_an_option_may_be_as_large_and_as_small_as_is_said(options):
    jobs.submit("sample.add", {"a": 1}, **options)


@pytest.mark.django_db
def test_the_same_key_is_the_same_job():
    first, second = (jobs.submit("sample.add", {"a": 1}, key="once") for _ in range(2))
    assert first.pk == second.pk
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_a_key_with_other_arguments_is_refused():
    jobs.submit("sample.add", {"a": 1}, key="once")
    with pytest.raises(KeyReused, match=r"args\.a"):
        jobs.submit("sample.add", {"a": 2}, key="once")
    with pytest.raises(KeyReused, match="task"):
        jobs.submit("sample.count", {"name": "n"}, key="once")


OPEN = {"name": "sample.open", "arguments": {"exchange": "XOPEN"}}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "value", "other"),
    [
        ("priority", "high", "low"),
        ("timeout", 300, 60),
        ("max_attempts", 3, None),
        ("not_before", None, LATER),
        ("only_if", OPEN, {"name": "sample.open", "arguments": {"exchange": "XSHUT"}}),
    ],
)
def test_a_key_with_another_option_is_refused_by_its_name(option, value, other):
    first = jobs.submit("sample.add", {"a": 1}, key="once", **{option: value})
    assert jobs.submit("sample.add", {"a": 1}, key="once", **{option: value}).pk == first.pk
    with pytest.raises(KeyReused, match=option):
        jobs.submit("sample.add", {"a": 1}, key="once", **{option: other})


@pytest.mark.django_db
@pytest.mark.parametrize("said", [{"priority": "normal"}, {"timeout": 300, "max_attempts": 4}])
def test_to_say_what_goes_without_saying_is_the_same_submission(said):
    first = jobs.submit("sample.add", {"a": 1}, key="unsaid")
    assert jobs.submit("sample.add", {"a": 1, "b": 1}, key="unsaid", **said).pk == first.pk
    first = jobs.submit("sample.add", {"a": 1, "title": ""}, key="said", **said)
    assert jobs.submit("sample.add", {"a": 1}, key="said").pk == first.pk
    with pytest.raises(KeyReused, match=r"args\.b, timeout"):
        jobs.submit("sample.add", {"a": 1, "b": 2}, key="unsaid", timeout=299)


@pytest.mark.django_db
def test_the_same_submission_is_the_same_job_however_far_that_came():
    options = {"priority": "low", "max_attempts": 3, "not_before": LATER - timedelta(days=1), "only_if": OPEN}
    first = jobs.submit("sample.add", {"a": 1}, key="once", **options)
    Job.objects.update(max_attempts=9, not_before=LATER, priority=0)  # given back, tried again
    assert jobs.submit("sample.add", {"a": 1}, key="once", **options).pk == first.pk


@pytest.mark.django_db
def test_a_key_of_the_version_before_is_asked_for_its_arguments_only():
    first = jobs.submit("sample.add", {"a": 1}, key="once")
    Job.objects.update(asked_with=None)
    assert jobs.submit("sample.add", {"a": 1}, key="once", priority="high").pk == first.pk


@pytest.mark.django_db
def test_a_condition_that_can_never_hold_is_refused_by_what_is_wrong_with_it():
    with pytest.raises(InvalidArguments) as refused:
        jobs.submit("sample.add", {"a": 1}, only_if={"name": "sample.open", "arguments": {"exchange": "NOPE"}})
    assert refused.value.errors == {"only_if.arguments.exchange": ["NOPE is unknown; there is XOPEN"]}


@pytest.mark.django_db
def test_a_submission_is_one_insert(django_assert_num_queries):
    with django_assert_num_queries(1):
        jobs.submit("sample.add", {"a": 1})


@pytest.mark.django_db
def test_many_submissions_are_few_inserts(django_assert_max_num_queries):
    with django_assert_max_num_queries(7):  # SQLite takes 999 values a statement
        jobs.submit_many("sample.add", [{"a": number} for number in range(100)])


@pytest.mark.django_db
def test_a_job_says_what_it_is_about():
    assert jobs.submit("sample.add", {"a": 1, "title": "AAPL"}).about == "AAPL"


def test_a_job_that_says_nothing_of_itself_has_five_minutes_four_attempts_and_waits_two_seconds():
    rules = sample_jobs.add.rules
    assert (rules.timeout_seconds, rules.max_attempts, rules.backoff_seconds, rules.priority) == (300, 4, 2.0, 1)
    assert (rules.isolated, rules.audience, rules.quick, rules.schedules) == (False, "staff", {}, ())


def test_an_argument_that_there_is_not_is_nothing_to_be_about():
    with pytest.raises(TypeError, match="there is no argument symbol"):
        declaration.job("sample.about_nothing", about="symbol")(lambda: None)


def test_a_refusal_is_told_by_its_sentence_alone():
    with pytest.raises(InvalidArguments) as refused:
        jobs.submit("sample.add", {"a": "1"})
    assert str(refused.value) == "sample.add: a must be a whole number"


@pytest.mark.parametrize("refusal", [KeyReused, Busy, WrongState])
def test_what_another_moment_may_allow_is_a_conflict_over_http(refusal):
    assert (refusal("").status, InvalidArguments("").status) == (409, 400)


def test_a_declared_job_called_as_a_function_does_its_work_without_a_row():
    assert sample_jobs.add(a=1, b=2) == 3
    assert sample_jobs.add_async(a=1, b=2) == 3


def test_a_declared_job_called_as_a_function_refuses_what_a_submission_would():
    with pytest.raises(InvalidArguments):
        sample_jobs.add(a="1")


def test_the_same_name_in_two_modules_is_refused():
    def other() -> None: ...

    other.__module__ = "elsewhere"
    with pytest.raises(TypeError, match="declared twice"):
        declaration.job("sample.add")(other)


def test_declarations_are_read_without_the_heavy_modules_of_their_bodies():
    heavy = "{'pandas', 'yfinance', 'exchange_calendars', 'talib'}"
    code = f"import django, sys; django.setup(); print({heavy} & set(sys.modules))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "finstage.settings"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def nested(depth: int) -> list:
    return reduce(lambda inner, _: [inner], range(depth - 1), [])


@pytest.mark.db
@pytest.mark.django_db
@pytest.mark.parametrize("only_if", [None, {"name": "sample.any", "arguments": {"value": {"a": nested(19)}}}])
def test_arguments_are_as_deep_as_every_database_holds_and_deeper_ones_are_refused_by_name(only_if):
    jobs.submit("sample.deep", {"value": {"a": nested(19)}}, only_if=only_if)
    with pytest.raises(InvalidArguments) as refused:
        jobs.submit("sample.deep", {"value": {"a": nested(20)}})
    assert refused.value.errors == {"value": ["is nested deeper than 20 lists and objects"]}
    assert Job.objects.get().arguments == {"value": {"a": nested(19)}}


@pytest.mark.django_db
def test_who_waits_for_a_job_that_does_not_end_is_told_what_became_of_it():
    asked = jobs.submit("sample.add", {"a": 1})
    with pytest.raises(TimeoutError, match=r"sample.add .* is pending after 0\.02 s"):
        jobs.wait(asked.pk, 0.02)


@pytest.mark.db
@pytest.mark.django_db
def test_a_rolled_back_submission_leaves_nothing():
    with transaction.atomic():
        jobs.submit("sample.add", {"a": 1})
        transaction.set_rollback(True)
    assert not Job.objects.exists()
