"""Answers as bytes: JSON and CSV."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.utils.translation import gettext_lazy
from hypothesis import example, given
from hypothesis import strategies as some

from finstage.renderers import CSVRenderer, encoded, table

NUMBERS_THAT_ARE_NONE = [float("nan"), float("inf"), float("-inf"), np.float64("nan")]


@pytest.mark.parametrize("value", NUMBERS_THAT_ARE_NONE)
def test_a_number_that_is_none_is_null_on_the_wire(value):
    assert encoded({"price": value, "more": [value]}) == b'{"price":null,"more":[null]}'


@pytest.mark.parametrize("value", NUMBERS_THAT_ARE_NONE)
def test_a_number_that_is_none_is_an_empty_cell(value):
    assert table([{"price": value, "volume": 5}]) == b"price,volume\r\n,5\r\n"


def test_an_instant_is_told_in_utc_with_z():
    assert encoded(datetime(2012, 9, 4, 20, tzinfo=UTC)) == b'"2012-09-04T20:00:00Z"'


def test_what_django_brings_can_be_encoded():
    assert encoded({"text": gettext_lazy("share"), 3: date(2012, 9, 4)}) == (b'{"text":"share","3":"2012-09-04"}')


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_run_is_prefixed(text):
    assert f"'{text}" in table([{"name": text}]).decode()


SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−‐‑‒–—﹘﬩"
UNSEEN = some.text(
    some.characters(
        categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"], include_characters="\u115f\u2800\u3164\uffa0"
    )
)


def cells(rows: list[dict]) -> list[list[str]]:
    """A table as a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(table(rows).decode(), newline="")))


@given(UNSEEN, some.sampled_from(SIGNS), some.text(some.characters(exclude_categories=["Cs"])))
@example("\n", "=", "1+1")
@example(" ", "=", "1+1")
@example("\ufeff", "=", "1+1")
@example("\u200b\u202e\u00a0", "＝", "1+1")
@example("\u2061", "@", "SUM(A1)")
def test_a_formula_is_no_formula_in_a_cell_nor_in_the_head_whatever_stands_before_it(before, sign, rest):
    text = before + sign + rest
    for value in (text, gettext_lazy(text)):
        assert cells([{text: value}]) == [[f"'{text}"], [f"'{value}"]]
    assert cells([{"a": {text: 1}}])[0] == [f"a.{text}"]


@given(some.text(some.characters(categories=["L", "Nd"], exclude_characters="﬩\u115f\u1160\u3164\uffa0"), min_size=1))
@example("Berkshire Hathaway - B")
@example("005930.KS")
@example("^GSPC")
def test_a_text_that_begins_with_a_letter_or_digit_stays_as_it_is(text):
    assert cells([{"name": text}]) == [["name"], [text]]


@given(some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.decimals("-9", "9", places=2))
@example(-1.5)
@example(np.float64(-1.5))
@example(Decimal("-1.5"))
def test_a_number_stays_a_number(number):
    [_, [cell]] = cells([{"change": number}])
    assert type(number)(cell) == number


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (None, b""),
        ([], b"\r\n"),
        ([{"a": 1}], b"a\r\n1\r\n"),
        (["AAPL", "=1+1"], b"value\r\nAAPL\r\n'=1+1\r\n"),
        ({"results": [{"a": "\ud800"}]}, b"a\r\n?\r\n"),
    ],
)
def test_any_answer_can_be_a_table(answer, written):
    assert CSVRenderer().render(answer) == written


def test_a_negative_number_stays_a_number():
    assert table([{"change": -1.25, "volume": -3}]) == b"change,volume\r\n-1.25,-3\r\n"


def test_a_nested_value_gets_dotted_columns_and_truth_is_a_word():
    assert table([{"a": {"b": 1, "c": {"d": True}}, "e": None}]) == b"a.b,a.c.d,e\r\n1,true,\r\n"


def test_rows_may_differ_in_their_columns():
    assert table([{"a": 1}, {"b": 2}], ["a"]) == b"a,b\r\n1,\r\n,2\r\n"
