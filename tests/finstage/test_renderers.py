"""Answers as bytes: JSON and CSV."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from django.utils.translation import gettext_lazy

from finstage.renderers import encoded, table

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


def test_a_negative_number_stays_a_number():
    assert table([{"change": -1.25, "volume": -3}]) == b"change,volume\r\n-1.25,-3\r\n"


def test_a_nested_value_gets_dotted_columns_and_truth_is_a_word():
    assert table([{"a": {"b": 1, "c": {"d": True}}, "e": None}]) == b"a.b,a.c.d,e\r\n1,true,\r\n"


def test_rows_may_differ_in_their_columns():
    assert table([{"a": 1}, {"b": 2}], ["a"]) == b"a,b\r\n1,\r\n,2\r\n"
