"""Operands over bars, and the same bar by bar: of one's own, of longer intervals and of other symbols."""

import numpy as np
import pytest

from analysis.conditions import reading, texts, values
from analysis.conditions.evaluating import Condition
from analysis.conditions.tree import AT, FIELD, INDICATOR, RECORD, SIGNAL, Series
from analysis.conditions.values import OWN, History, Language, Live
from analysis.conditions.vocabulary import FIELDS, RECORDS, Vocabulary

DAY_SECONDS, NAN = 86_400.0, np.nan
WEEK = ("", "1wk")
RULE = Condition(texts.read("close crosses_up sma_5"))
STATE = Condition(texts.read("rsi_5 > 50 and change_percent > 0"))
LANGUAGE = Language(Vocabulary(signals=("up", "strong")), {"up": RULE, "strong": STATE})
OWN_SERIES = [
    *(Series(FIELD, name) for name in FIELDS),
    *(Series(RECORD, name) for name in RECORDS),
    *(Series(INDICATOR, key, output) for key, output in [
        ("sma_5", "sma"), ("rsi_5", "rsi"), ("obv", "obv"), ("bbands_20_2", "upperband"),
        ("bbands_20_2", "lowerband")]),
    Series(SIGNAL, "up"), Series(SIGNAL, "strong"), AT,
]  # fmt: skip
OTHERS = [
    Series(FIELD, "close", interval="1wk"), Series(INDICATOR, "sma_5", "sma", interval="1wk"),
    Series(FIELD, "close", symbol="SPY"), Series(SIGNAL, "up", symbol="SPY"), Series(RECORD, "high_all", "", "SPY"),
]  # fmt: skip


def bars(seed: int, count: int, *, days: int = 1, first: int = 16_000) -> dict[str, np.ndarray]:
    """Of which some prices and volumes are not known."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(random.normal(0, 0.02, count).cumsum()), 1)
    dates = first + np.arange(count) * days
    volume = random.integers(0, 5, count).astype(float)
    volume[random.random(count) < 0.03] = NAN
    close[random.random(count) < 0.004] = NAN
    return {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": volume,
            "session_date": dates.astype("datetime64[D]"), "closes_at": (dates + 0.9) * DAY_SECONDS}  # fmt: skip


FRAMES = {
    OWN: bars(1, 700), WEEK: {**bars(2, 100, days=7), "closes_at": (16_004.9 + 7 * np.arange(100)) * DAY_SECONDS},
    ("SPY", ""): bars(3, 500, first=16_100),
}  # fmt: skip


def upto(at: float) -> dict:
    """All bars that had closed by then."""
    return {place: {name: each[: np.searchsorted(columns["closes_at"], at, side="right")]
                    for name, each in columns.items()} for place, columns in FRAMES.items()}  # fmt: skip


def bar(columns: dict[str, np.ndarray], at: int) -> dict[str, float]:
    return {name: (each.astype("datetime64[D]").astype(float) if name == "session_date" else each)[at].item()
            for name, each in columns.items()}  # fmt: skip


def test_bar_by_bar_they_are_as_over_all_bars_and_a_bar_that_forms_changes_nothing():
    wanted = [*OWN_SERIES, *OTHERS]
    whole = History(FRAMES, LANGUAGE).values(wanted)
    own = FRAMES[OWN]
    for first in (0, 300):
        start = own["closes_at"][first - 1] if first else 0.0
        live, told = Live(wanted, upto(start), LANGUAGE), {place: 0 for place in FRAMES}
        for place, columns in FRAMES.items():
            told[place] = int(np.searchsorted(columns["closes_at"], start, side="right"))
        for at in range(first, len(own["close"]), 1):
            for place in (WEEK, ("SPY", "")):
                columns = FRAMES[place]
                while told[place] < len(columns["close"]) and (
                    columns["closes_at"][told[place]] <= own["closes_at"][at]
                ):
                    live.update(bar(columns, told[place]), symbol=place[0], interval=place[1])
                    told[place] += 1
            peeked, now = live.peek(bar(own, at)), live.update(bar(own, at))
            expected = np.array([whole[each][at] for each in wanted])
            np.testing.assert_array_equal(np.array(list(now.values())), expected)
            np.testing.assert_array_equal(np.array(list(peeked.values())), expected)
            assert live.values() == pytest.approx(now, nan_ok=True)


def test_cutting_the_future_off_changes_no_value():
    wanted = [*OWN_SERIES, *OTHERS]
    whole = History(FRAMES, LANGUAGE).values(wanted)
    for bars_held in (1, 6, 250, 500):
        part = History(upto(FRAMES[OWN]["closes_at"][bars_held - 1]), LANGUAGE).values(wanted)
        for series in wanted:
            np.testing.assert_array_equal(part[series], whole[series][:bars_held])


def test_of_a_longer_interval_only_bars_that_have_closed_count():
    week = {name: each[:2] for name, each in FRAMES[WEEK].items()}
    days = {name: each[:12] for name, each in FRAMES[OWN].items()}
    found = History({OWN: days, WEEK: week}).values([OTHERS[0]])[OTHERS[0]]
    first, second = week["close"]
    # The first week closes with its fifth day, at that very instant, and the second seven days later.
    np.testing.assert_array_equal(found, [NAN] * 4 + [first] * 7 + [second])


def test_fields_and_records_by_hand():
    days = np.array([0, 1, 2, 364, 365, 366], "datetime64[D]")
    close = np.array([10.0, 12, 9, -1, 5, 6])
    columns = {"open": close, "high": close, "low": close, "close": close, "volume": close, "session_date": days}

    def told(kind: str, name: str) -> list[float]:
        return History({OWN: columns}).values([Series(kind, name)])[Series(kind, name)].tolist()

    np.testing.assert_array_equal(told(FIELD, "price"), close)
    np.testing.assert_array_equal(told(FIELD, "change"), [NAN, 2, -3, -10, 6, 1])
    # Nothing is a part of what is not above zero.
    np.testing.assert_allclose(told(FIELD, "change_percent"), [NAN, 20, -25, -1000 / 9, NAN, 20], rtol=1e-14)
    np.testing.assert_array_equal(told(RECORD, "high_all"), [10, 12, 12, 12, 12, 12])
    np.testing.assert_array_equal(told(RECORD, "low_all"), [10, 10, 9, -1, -1, -1])
    # Of 52 weeks only once as many are held, and without the day that is 364 days ago.
    np.testing.assert_array_equal(told(RECORD, "high_52w"), [NAN, NAN, NAN, 12, 9, 6])
    np.testing.assert_array_equal(told(RECORD, "low_52w"), [NAN, NAN, NAN, -1, -1, -1])


def test_records_of_a_year_are_those_of_its_days_one_by_one():
    random = np.random.default_rng(4)
    days = np.cumsum(random.integers(1, 4, 900)).astype("datetime64[D]")
    close = random.normal(0, 1, 900).cumsum()
    columns = {name: close for name in ("open", "high", "low", "close", "volume")} | {"session_date": days}
    wanted = [Series(RECORD, "high_52w"), Series(RECORD, "low_52w")]
    high, low = History({OWN: columns}).values(wanted).values()
    first = next(at for at in range(900) if days[at] - np.timedelta64(364, "D") >= days[0])
    spans = [close[: at + 1][days[: at + 1] > days[at] - np.timedelta64(364, "D")] for at in range(first, 900)]
    assert np.isnan(high[:first]).all()
    np.testing.assert_array_equal(high[first:], [span.max() for span in spans])
    np.testing.assert_array_equal(low[first:], [span.min() for span in spans])
    live = Live(wanted, {OWN: {name: each[:400] for name, each in columns.items()}})
    for at in range(400, 900):
        assert list(live.peek(bar(columns, at)).values()) == [high[at], low[at]]
        assert list(live.update(bar(columns, at)).values()) == [high[at], low[at]]


def test_an_indicator_is_computed_once_whoever_asks(monkeypatch):
    asked = []
    computed = values._over
    monkeypatch.setattr(values, "_over", lambda indicator, of: asked.append(indicator.key) or computed(indicator, of))
    history = History(FRAMES, LANGUAGE)
    for text in ("bbands_20_2.upperband > close", "close < bbands_20_2.lowerband", "bbands_20_2.upperband@1wk > 1"):
        history.of(Condition(texts.read(text)))
    assert sorted(asked) == ["bbands_20_2", "bbands_20_2", "close"]


def test_without_bars_nothing_has_a_value():
    nothing = {place: {name: each[:0] for name, each in columns.items()} for place, columns in FRAMES.items()}
    found = Live([*OWN_SERIES, *OTHERS], nothing, LANGUAGE).values()
    assert all(np.isnan(each) for each in found.values())
    condition = Condition(reading.read({"kind": "new_high"}))
    assert len(condition.over(History(nothing).of(condition))) == 0
