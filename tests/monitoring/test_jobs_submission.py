"""What is refused before anything is queued, and by which words."""

import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Annotated, Literal

import pytest

from monitoring import jobs
from monitoring.jobs import declaration
from monitoring.jobs.arguments import Arguments, Between, understood
from monitoring.jobs.errors import InvalidArguments, KeyReused, UnknownJob
from monitoring.models import Job
from tests.monitoring import sample_jobs


def every_kind(
    text: str,
    number: int,
    ratio: float = 1.0,
    flag: bool = False,
    names: list[str] | None = None,
    mode: Literal["fast", "slow"] = "fast",
    title: str = "",
    free: dict | None = None,
    share: Annotated[float, Between(0, 1)] = 0.5,
    days: Annotated[int, Between(1, 30)] | None = None,
) -> None: ...


RIGHT = {"text": "a", "number": 1}


@pytest.mark.parametrize(
    "values",
    [
        RIGHT,
        {**RIGHT, "ratio": 2, "flag": True, "names": ["a", "b"], "mode": "slow", "free": {"deep": [1, None]}},
        {**RIGHT, "names": None, "title": "", "free": {}},
        {**RIGHT, "share": 0, "days": 30},
        {**RIGHT, "share": 1.0, "days": None},
    ],
)
def test_values_of_the_declared_kinds_are_accepted(values):
    assert Arguments(every_kind).errors(values) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 1),
        ("text", "x" * 2001),
        ("text", None),
        ("text", ""),
        ("text", " \n"),
        ("number", True),
        ("number", 1.0),
        ("number", 2**63),
        ("ratio", "1"),
        ("ratio", math.nan),
        ("ratio", math.inf),
        ("ratio", 10**400),
        ("flag", 1),
        ("names", "AAPL"),
        ("names", ["AAPL", 1]),
        ("names", ["A"] * 2001),
        ("names", []),
        ("names", ["AAPL", " "]),
        ("title", " "),
        ("mode", "medium"),
        ("free", [1]),
        ("free", {"n": math.nan}),
        ("free", {"a": "\ud800"}),
        ("free", {"a": {1, 2}}),
        ("free", {"a": "x" * 70_000}),
        ("share", 1.01),
        ("share", "0"),
        ("days", 0),
        ("days", 31),
        ("days", 1.0),
        ("more", 1),
    ],
)
def test_another_value_is_refused_by_its_field(field, value):
    assert list(Arguments(every_kind).errors({**RIGHT, field: value})) == [field]


def test_what_is_missing_is_named():
    assert set(Arguments(every_kind).errors({})) == {"text", "number"}


def test_what_may_not_be_empty_is_described():
    told = {each["name"]: each.get("least_length") for each in Arguments(every_kind).described()}
    assert (told["text"], told["names"], told["title"], told["number"]) == (1, 1, 0, None)


def test_what_may_be_left_out_is_refused_empty_with_what_it_means_then():
    told = Arguments(every_kind).errors({**RIGHT, "names": []})
    assert told == {"names": ["must have at least one item; leave it out to mean null"]}


def test_the_bounds_of_a_number_are_described():
    told = {each["name"]: each for each in Arguments(every_kind).described()}
    assert (told["share"]["kind"], told["share"]["least"], told["share"]["most"]) == ("a number", 0, 1)
    assert Arguments(every_kind).errors({**RIGHT, "share": 7}) == {"share": ["must be a number from 0 to 1"]}


def test_words_of_a_bounded_number_are_read_as_one():
    kinds = Arguments(every_kind).kinds
    assert [understood(kinds["share"], "0.5"), understood(kinds["days"], "3")] == [0.5, 3]


def test_endless_nesting_is_refused():
    deep: dict = {}
    for _ in range(100_000):
        deep = {"d": deep}
    assert list(Arguments(every_kind).errors({**RIGHT, "free": deep})) == ["free"]


@pytest.mark.parametrize("values", [None, [], "a", 1])
def test_arguments_that_are_no_object_are_refused(values):
    assert list(Arguments(every_kind).errors(values)) == ["args"]


def test_an_annotation_that_json_cannot_carry_is_refused_when_declared():
    def impossible(when: set) -> None: ...

    with pytest.raises(TypeError, match="when"):
        Arguments(impossible)


def test_an_unknown_job_is_refused_by_name():
    with pytest.raises(UnknownJob) as refused:
        jobs.submit("sample.nothing")
    assert list(refused.value.errors) == ["task"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", "urgent"), ("timeout", 0), ("timeout", "10"), ("timeout", 10**6), ("max_attempts", 0), ("key", "")],
)
def test_a_wrong_option_is_refused_by_its_field(field, value):
    with pytest.raises(InvalidArguments) as refused:
        jobs.submit("sample.add", {"a": 1}, **{field: value})
    assert list(refused.value.errors) == [field]


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
