"""Which values a job's arguments may have, and how the others are refused."""

import math
from typing import Annotated, Literal

import pytest

from monitoring.jobs.arguments import Arguments, Between, describe, is_list, understood


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


@pytest.mark.parametrize(
    ("kind", "said", "meant"),
    [
        (bool, "true", True),
        (bool, "false", False),
        (bool, "yes", "yes"),
        (int, "-3", -3),
        (int, "1_000", "1_000"),
        (int, "٣", "٣"),
        (int, "9" * 5_000, "9" * 5_000),
        (float, ".5", 0.5),
        (float, "1e3", 1000.0),
        (float, "nan", "nan"),
        (str, "true", "true"),
        (list[str], "AAPL, MSFT,", ["AAPL", "MSFT"]),
        (list[int] | None, "1,2", [1, 2]),
        (int | None, "7", 7),
        (int, 7, 7),
    ],
)
def test_a_word_of_a_query_is_read_as_its_kind_and_what_is_none_stays_to_be_refused(kind, said, meant):
    assert understood(kind, said) == meant
    assert type(understood(kind, said)) is type(meant)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Annotated[int, Between(1, 30)], "a whole number from 1 to 30"),
        (Literal["fast", "slow"], "one of fast, slow"),
        (list[str], "a list, each a string"),
        (list[str] | None, "a list, each a string or null"),
        (int | str, "a whole number or a string"),
    ],
)
def test_a_kind_is_described_as_a_person_would_say_it(kind, told):
    assert describe(kind) == told


def test_which_kinds_are_lists_is_known():
    assert [is_list(kind) for kind in (list[str], list[str] | None, str, str | None)] == [True, True, False, False]


def test_arguments_may_have_64_kibibytes_of_json_together():
    check, left = Arguments(every_kind).errors, 64 * 1024 - len('"a"' + "1" + '{"d": ""}')
    assert check({**RIGHT, "free": {"d": "x" * left}}) == {}
    refused = check({**RIGHT, "free": {"d": "x" * (left + 1)}})
    assert refused == {"free": ["makes the arguments larger than 65536 bytes"]}


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
