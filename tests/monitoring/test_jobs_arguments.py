"""Which values a job's arguments may have, and how the others are refused."""

import math
from typing import Annotated, Literal

import pytest

from monitoring.jobs.arguments import Arguments, Between, understood


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
    either: int | str = 0,
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
        {**RIGHT, "either": 1},
        {**RIGHT, "either": "one"},
        {**RIGHT, "text": "x" * 2000, "number": 2**63 - 1, "ratio": 2**63 - 1, "names": ["A"] * 2000},
        {**RIGHT, "number": -(2**63), "share": 1, "days": 1},
        {**RIGHT, "free": {"a": "x" * 65_000}},
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
        ("number", -(2**63) - 1),
        ("ratio", "1"),
        ("ratio", 2**63),
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
        ("share", -0.01),
        ("either", 1.5),
        ("either", None),
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
