"""A symbol's indicators over a period, from stored bars."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from analysis import periods
from analysis.indicators import catalogue, frames
from market import bars, prices
from market.bars import forming
from market.models import CorporateAction
from tests import recorded as recording

RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
LAST = date(2012, 9, 28)

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(apple):
    """AAPL's recorded sessions up to LAST, with its splits."""
    bars.upsert(bar for bar in recording.bars("AAPL", LAST, RECEIVED))
    for ex_date, value in recording.SPLITS["AAPL"].items():
        CorporateAction.objects.create(
            symbol=apple, kind="split", ex_date=ex_date, value=value, source="replay", received_at=RECEIVED
        )


def test_the_shape_is_the_contracts(recorded):
    answer = frames.indicators("AAPL", period="5d", names=["sma"])
    series = answer["indicators"]["sma_20"]
    assert (answer["symbol"], answer["interval"], answer["period"], answer["adjustment"]) == (
        "AAPL",
        "1d",
        "5d",
        "split",
    )
    assert answer["times"] == [prices.midnight(date(2012, 9, day)) for day in (21, 24, 25, 26, 27)]
    assert (series["name"], series["parameters"]) == ("sma", {"period": 20})
    assert series["latest"]["sma"] == series["values"]["sma"][-1]


def test_every_answer_says_where_it_came_from(recorded):
    answer = frames.indicators("AAPL", period="5d")
    assert (answer["source"], answer["received_at"]) == ("replay", RECEIVED)
    assert (answer["as_of"], answer["as_of_precision"]) == (answer["times"][-1], "day")
    assert answer["session_date"] == date(2012, 9, 27)


@pytest.mark.parametrize("period", [period for period in periods.PERIODS if period != "max"])
def test_a_bar_has_one_value_whatever_the_period(recorded, period):
    whole, part = frames.indicators("AAPL", period="max"), frames.indicators("AAPL", period=period)
    for key, series in part["indicators"].items():
        for output, values in series["values"].items():
            assert len(values) == len(part["times"])
            assert values == whole["indicators"][key]["values"][output][-len(values) :]


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("1d", date(2012, 9, 27)), ("5d", date(2012, 9, 21)), ("1mo", date(2012, 8, 27)), ("1y", date(2011, 9, 27)),
        ("ytd", date(2012, 1, 3)), ("10y", date(2002, 9, 27)), ("max", date(2000, 3, 1)),
    ],
)  # fmt: skip
def test_a_period_counts_back_from_the_last_bar(recorded, period, first):
    assert frames.indicators("AAPL", period=period)["times"][0].date() == first


def test_months_end_where_the_earlier_month_does():
    assert frames.months_before(date(2012, 3, 31), 1) == date(2012, 2, 29)
    assert frames.months_before(date(2012, 1, 15), 13) == date(2010, 12, 15)


def test_the_warm_up_is_null_and_nothing_else(recorded):
    for key, series in frames.indicators("AAPL", period="max")["indicators"].items():
        warm_up = catalogue.DEFAULTS[key].warm_up
        for values in series["values"].values():
            assert values[:warm_up] == [None] * warm_up
            assert None not in values[warm_up:]


@pytest.mark.parametrize(("adjusted", "is_smooth"), [("split", True), ("raw", False)])
def test_a_split_is_no_step_in_the_average(recorded, adjusted, is_smooth):
    answer = frames.indicators("AAPL", period="max", names=["sma"], adjusted=adjusted)
    split = answer["times"].index(prices.midnight(date(2005, 2, 28)))
    average = np.array(answer["indicators"]["sma_20"]["values"]["sma"][split - 5 : split + 25])
    assert (np.abs(np.diff(np.log(average))).max() < 0.02) == is_smooth


def test_the_forming_bar_is_the_last_one(recorded):
    before = frames.indicators("AAPL", period="max", names=["sma"])
    forming.keep([forming.daily_bar(recording.quote("AAPL", LAST, 1, RECEIVED))])
    now = frames.indicators("AAPL", period="max", names=["sma"])
    assert (now["is_final"], now["times"][-1]) == (False, prices.midnight(LAST))
    assert now["indicators"]["sma_20"]["values"]["sma"][:-1] == before["indicators"]["sma_20"]["values"]["sma"]


def test_a_symbol_without_bars_has_an_empty_answer(apple):
    answer = frames.indicators("AAPL")
    assert (answer["times"], answer["as_of"], answer["source"]) == ([], None, None)
    assert answer["indicators"]["rsi_14"]["latest"] == {"rsi": None}


def test_too_short_a_history_is_null(apple):
    bars.upsert(recording.bars("AAPL", date(2000, 3, 14), RECEIVED))
    answer = frames.indicators("AAPL", period="max")
    assert answer["indicators"]["sma_20"]["values"]["sma"] == [None] * 9


def test_an_unknown_period_is_told_what_there_is():
    with pytest.raises(frames.UnknownPeriod, match="'7d'; there are 1d, 5d, 1mo"):
        frames.indicators("AAPL", period="7d")
