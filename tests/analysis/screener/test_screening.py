"""Which symbols a condition holds for: what is kept and what is computed say the same."""

import math
from datetime import timedelta

import pytest

from analysis import screener
from analysis.conditions.reading import Invalid
from analysis.models import IndicatorRow
from analysis.screener import TooMany, screening
from analysis.technical import rows
from market.models import KeyFigures, Symbol
from tests.analysis.screener.conftest import GOT_AT, keep

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("five")]
LINES = (
    "rsi_14 > 50 and close > sma_200", "close crosses_up sma_20", "macd_12_26_9 > macd_12_26_9.macdsignal",
    "change_percent > 1 or change < 0", "not (close > ema_50)", "close crosses_up sma_20 within 5",
    "rsi_14 rises_by 1 within 3", "close > close[1] * 1.01", "volume > 1000", "close > sma_300", "open < close[2]",
    "close > 1",
)  # fmt: skip


def told(line: str, interval: str = "1d", **options) -> dict:
    found = screener.screen(screener.read(line, interval=interval, fields=["obv", "high"], sort=["-close"]), **options)
    return {
        "rows": {row["symbol"]: {**row, "values": {name: value and round(value, 9) for name, value in
                                                     row["values"].items()}} for row in found.rows},
        "left": found.left, "unknown": found.unknown, "asked": found.asked,
    }  # fmt: skip


@pytest.mark.parametrize("interval", ["1d", "1wk"])
@pytest.mark.parametrize("line", LINES)
def test_rows_that_are_kept_tell_what_the_bars_tell(line, interval):
    computed = told(line, interval)
    assert not IndicatorRow.objects.exists()
    rows.refresh(None)
    kept = told(line, interval)
    for ticker, row in kept["rows"].items():
        if row["has_entered"] is None:  # the rows have two bars, which do not always tell
            row["has_entered"] = computed["rows"][ticker]["has_entered"]
    assert kept["rows"] == computed["rows"]
    assert (kept["unknown"], kept["asked"]) == (computed["unknown"], 5)
    assert set(kept["left"]) <= set(computed["left"])


def test_what_rows_tell_alone_is_read_without_bars():
    rows.refresh(None)
    without = told("rsi_14 > 50 and close > sma_50 and change > 0", most=2)  # NEW's row lacks, NONE has no row
    assert set(without["rows"]) == {"UP", "TURN"}
    with pytest.raises(TooMany) as refused:
        told("close > sma_51", most=4)
    assert refused.value.count == 5


def test_bars_that_are_made_on_reading_count_for_more():
    assert told("close > sma_51", most=5)["asked"] == 5
    with pytest.raises(TooMany):
        told("close > sma_51@1wk", most=5 * screening.MADE)
    assert told("close > sma_51@1wk", most=5 * (1 + screening.MADE))["asked"] == 5


def test_a_row_that_its_bars_have_left_behind_is_not_read():
    rows.refresh(None)
    IndicatorRow.objects.filter(symbol__ticker="DOWN").update(close=10_000.0, sma_20=1.0)
    assert "DOWN" in told("close > sma_20")["rows"]
    keep("DOWN", [580.0], GOT_AT + timedelta(hours=1))
    assert "DOWN" not in told("close > sma_20")["rows"]


def test_it_tells_who_entered_and_who_left():
    found = told("close between 715 and 750")
    assert found["rows"]["TURN"]["has_entered"] is False
    found = told("close between 730 and 750")
    assert found["rows"]["TURN"]["has_entered"] is True
    assert told("close between 715 and 730")["left"] == ["TURN"]
    assert told("close crosses_up 735")["rows"]["TURN"]["has_entered"] is True


def test_the_order_is_total_and_what_has_no_value_stands_last():
    asked = screener.read("", fields=[], sort=["-rsi_14"])
    assert [row["symbol"] for row in screener.screen(asked).rows] == ["UP", "TURN", "DOWN", "NEW"]
    asked = screener.read("", sort=["rsi_14", "-symbol"])
    assert [row["symbol"] for row in screener.screen(asked).rows][-1] == "NEW"
    asked = screener.read(None, sort=["-symbol"])
    assert [row["symbol"] for row in screener.screen(asked).rows] == ["UP", "TURN", "NEW", "DOWN"]


def test_symbols_without_bars_are_named_with_the_reason():
    assert told("")["unknown"] == {"NONE": "no bars are held"}
    assert told("rsi_14 > 1")["unknown"] == {"NEW": "no value yet of rsi_14", "NONE": "no bars are held"}


def test_key_figures_are_asked_as_they_are_today(monkeypatch):
    monkeypatch.setattr("market.sources.can", lambda what: what == "figures")
    for ticker, value in (("UP", 5e9), ("DOWN", None), ("TURN", 2e9)):
        KeyFigures.objects.create(symbol=Symbol.objects.get(ticker=ticker), currency="USD", market_cap=value,
                                  as_of=GOT_AT, received_at=GOT_AT, source="yahoo")  # fmt: skip
    for _ in ("computed", "kept"):
        asked = screener.read("market_cap > 1e9 and close > 1", sort=["-market_cap"])
        found = screener.screen(asked)
        assert [(row["symbol"], row["values"]["market_cap"]) for row in found.rows] == [("UP", 5e9), ("TURN", 2e9)]
        assert set(found.unknown) == {"DOWN", "NEW", "NONE"}
        alone = screener.screen(screener.read("market_cap > 3e9"))
        assert ([row["symbol"] for row in alone.rows], alone.left) == (["UP"], [])
        rows.refresh(None)


@pytest.mark.parametrize(
    "line", ["market_cap crosses_up 5", "market_cap rises_by 5%", "market_cap[1] > 5", "market_cap > 5 within 3",
             '"UP".market_cap > 5', "close > market_cap[2]"],
)  # fmt: skip
def test_of_a_key_figure_no_past_is_asked(line):
    with pytest.raises(Invalid, match="known of today"):
        screener.read(line)


def test_what_is_asked_comes_back_as_it_is_read():
    asked = screener.read("rsi_14 < 30 and macd_12_26_9.macdsignal > 0 or golden_cross", fields=["sma_50@1wk"],
                          sort=["-close", "symbol"], interval="1wk")  # fmt: skip
    assert screener.read(**asked.as_json()) == asked


def test_faults_are_named_by_their_paths():
    with pytest.raises(Invalid) as refused:
        screener.read({"all": [{"left": {"field": "clos"}, "operator": "gt", "right": 1}]}, fields=["close", "nope_1"],
                      sort=["-", "close*2"])  # fmt: skip
    assert set(refused.value.errors) == {"where.all.0.left", "fields.1", "sort.0", "sort.1"}
    with pytest.raises(Invalid) as refused:
        screener.read("", fields=["close"] * 31, sort=["close"] * 6)
    assert set(refused.value.errors) == {"fields", "sort"}


def test_progress_is_told_of_what_is_computed(monkeypatch):
    monkeypatch.setattr(screening, "AT_ONCE", 2)
    heard = []
    screener.screen(screener.read("sma_51 > 1"), progress=lambda done, total: heard.append((done, total)))
    assert heard == [(2, 5), (4, 5), (5, 5)]


def test_no_answer_has_what_is_no_number():
    for row in told("close > 1")["rows"].values():
        assert all(value is None or math.isfinite(value) for value in row["values"].values())
