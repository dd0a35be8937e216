"""Every rule of the catalogue: what it says of itself, live as in batch, and nothing known before its time."""

from collections import Counter

import numpy as np
from bokeh_sampledata import stocks

from analysis.conditions import texts
from analysis.conditions.evaluating import Condition
from analysis.conditions.tree import INDICATOR, Series
from analysis.conditions.truth import TRUE, UNKNOWN
from analysis.conditions.values import OWN, History, Live
from analysis.indicators.entry import PATTERN
from analysis.signals.catalogue import LANGUAGE, RULES
from analysis.signals.rating import AVERAGES, OSCILLATORS, Lately
from analysis.signals.rule import DOWN, NEITHER, UP, indicator
from analysis.signals.rule import OWN as OWN_INDICATORS

BARS = 3_000
CUTS = 5, 1_203, 2_751
LIVE_FROM = 2_860
HOLE = 2_500


def recorded() -> dict[str, np.ndarray]:
    """Real sessions as traded, of one of which the volume is not known."""
    found = {name: np.array(stocks.AAPL[name][:BARS], float) for name in ("open", "high", "low", "close", "volume")}
    found["volume"][HOLE] = np.nan
    return {**found, "session_date": np.array(stocks.AAPL["date"][:BARS], "datetime64[D]")}


COLUMNS = recorded()


def cut(columns: dict[str, np.ndarray], until: int) -> dict[str, np.ndarray]:
    return {name: each[:until] for name, each in columns.items()}


def fired(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Where each rule fires."""
    history = History({OWN: columns}, LANGUAGE)
    return {name: rule.condition.fires(rule.condition.over(history.of(rule.condition))) for name, rule in RULES.items()}


def values_of(*outputs: str, key: str = "rating", columns: dict[str, np.ndarray] = COLUMNS) -> list[np.ndarray]:
    return list(History({OWN: columns}, LANGUAGE).values([Series(INDICATOR, key, each) for each in outputs]).values())


def test_a_rule_says_all_that_is_needed_of_it_and_happens_now_and_then():
    whole = fired(COLUMNS)
    for name, rule in RULES.items():
        assert name == rule.name
        assert rule.title
        assert rule.source
        assert rule.direction in (UP, DOWN, NEITHER)
        assert rule.name.isidentifier()
        assert texts.read(rule.text, LANGUAGE.names) == rule.condition.node
        often = (whole[name] == TRUE).mean()
        assert (often > 0 or rule.of == PATTERN, often < 0.2 or rule.direction == NEITHER) == (True, True), name
    kinds = Counter(rule.of for rule in RULES.values())
    assert kinds == {"indicator": 35, "pattern": 84}
    assert len({rule.text.split()[0] for rule in RULES.values() if rule.of == PATTERN and "not" not in rule.text}) == 51


def test_cutting_the_future_off_changes_no_signal():
    whole = fired(COLUMNS)
    for until in CUTS:
        part = fired(cut(COLUMNS, until))
        assert [name for name in RULES if not np.array_equal(part[name], whole[name][:until])] == []


def test_bar_by_bar_every_rule_fires_as_over_all_bars():
    whole = fired(COLUMNS)
    history = History({OWN: cut(COLUMNS, LIVE_FROM)}, LANGUAGE)
    rules = {name: rule.condition for name, rule in RULES.items()}
    live = Live({series for rule in rules.values() for series in rule.series}, {OWN: cut(COLUMNS, LIVE_FROM)}, LANGUAGE)
    states = {
        name: rule.opened({series: each[:, None] for series, each in history.of(rule).items()})
        for name, rule in rules.items()
    }
    read = {**COLUMNS, "session_date": COLUMNS["session_date"].astype("datetime64[D]").astype(float)}
    for at in range(LIVE_FROM, BARS):
        bar = {name: each[at].item() for name, each in read.items()}
        peeked, now = live.peek(bar), live.update(bar)
        np.testing.assert_equal(peeked, now)
        values = {series: np.array([value]) for series, value in now.items()}
        for name, rule in rules.items():
            _, fires, states[name] = rule.step(states[name], values)
            assert (name, at, fires[0]) == (name, at, whole[name][at])


def test_the_rules_own_indicators_are_live_as_in_batch_over_many_pivots():
    wanted = [Series(INDICATOR, key, output) for key in OWN_INDICATORS for output in indicator(key).outputs]
    whole = np.array(list(History({OWN: COLUMNS}, LANGUAGE).values(wanted).values()))
    live = Live(wanted, {OWN: cut(COLUMNS, 190)}, LANGUAGE)
    read = {**COLUMNS, "session_date": COLUMNS["session_date"].astype("datetime64[D]").astype(float)}
    for at in range(190, 1_200):
        bar = {name: each[at].item() for name, each in read.items()}
        np.testing.assert_array_equal(list(live.peek(bar).values()), whole[:, at])
        np.testing.assert_array_equal(list(live.update(bar).values()), whole[:, at])
    assert (whole[:2, 190:1_200].sum(axis=1) > 3).all()  # divergences


def test_values_of_bars_before_stand_behind_those_of_the_bar():
    of = indicator("stoch_14_3_3").node
    node, columns = Lately(of, 2), cut(COLUMNS, 60)
    k, d, *before = node.over(columns)
    assert (node.inputs, node.lookback) == (of.inputs, of.lookback + 2)
    for found, series, bars in zip(before, (k, d, k, d), (1, 1, 2, 2), strict=True):
        np.testing.assert_array_equal(found, np.concatenate([np.full(bars, np.nan), series[:-bars]]))
    assert all(len(each) == 1 for each in node.over(cut(COLUMNS, 1)))
    np.testing.assert_array_equal(node.open(columns).value, [each[-1] for each in node.over(columns)])


def test_a_signal_fires_once_for_as_long_as_it_is_so():
    columns = {name: np.full(400, 10.0) for name in ("open", "high", "low", "close", "volume")}
    columns["session_date"] = np.datetime64("2020-01-01") + np.arange(400)
    columns["high"][370:] = 11 + np.arange(30)  # a new high on each bar
    columns["low"][380:382] = 12, 25  # and two gaps in a row
    columns["high"][380], columns["high"][381] = 24.0, 40.0
    columns["low"][379], columns["high"][379] = 9.0, 11.5
    found = {name: np.flatnonzero(each == TRUE).tolist() for name, each in fired(columns).items()}
    assert found["gap_up"] == [380, 381]
    assert found["year_high"] == [370, 380]


def test_a_price_that_stands_still_gives_no_signal_that_points_anywhere():
    random = np.random.default_rng(3)
    for level in (0.3, 7.77, 100.1, 123_456.7):
        moved = np.round(level * np.exp(random.normal(0, 0.02, 600).cumsum()), 2)
        close = np.concatenate([moved, np.full(1_000, level)])
        high, low = (np.concatenate([moved * by, close[600:]]) for by in (1.01, 0.99))
        columns = {"open": close, "high": high, "low": low, "close": close, "volume": np.full(1_600, 1e3),
                   "session_date": np.datetime64("2000-01-01") + np.arange(1_600)}  # fmt: skip
        found = {name: np.count_nonzero(each[1_000:] == TRUE) for name, each in fired(columns).items()}
        pointing = [name for name in RULES if RULES[name].direction != NEITHER and not name.startswith("rating")]
        assert [name for name in pointing if found[name]] == []
        # Nor is it above or below its own average, whatever its sum has left; an exponential one still comes near.
        for part in values_of(*(name for name in AVERAGES if name[:3] != "ema"), columns=columns):
            assert set(part[1_000:].tolist()) == {0.0}


def test_another_unit_changes_no_signal():
    """As a split does to what was before it: by two exactly; by seven but for what only rounding decides."""
    whole = fired(COLUMNS)
    for by, most in ((2.0, 0), (7.0, 30)):
        prices = {name: COLUMNS[name] / by for name in ("open", "high", "low", "close")}
        found = fired({**COLUMNS, **prices, "volume": COLUMNS["volume"] * by})
        assert sum(np.count_nonzero(found[name] != whole[name]) for name in RULES) <= most
        assert [name for name, rule in RULES.items() if rule.of != PATTERN and "divergence" not in name
                and not np.array_equal(found[name], whole[name])] == []  # fmt: skip


def test_the_rating_is_the_mean_of_two_means_of_parts_that_are_known():
    parts = dict(zip((*AVERAGES, *OSCILLATORS), values_of(*AVERAGES, *OSCILLATORS), strict=True))
    total, averages, oscillators = values_of("all", "averages", "oscillators")
    known = np.isfinite(total)
    assert 2_000 < known.sum() < BARS - 198
    assert (len(parts), {each for part in parts.values() for each in np.unique(part[known])}) == (26, {-1.0, 0.0, 1.0})
    for name in AVERAGES[:14]:
        (line,) = values_of(name.split("_")[0], key=name)
        # Behind the volume that is not known the rating begins anew, and with it averages that never forget.
        since = known & (np.arange(BARS) < HOLE)
        np.testing.assert_array_equal(parts[name][since], np.sign(COLUMNS["close"] - line)[since])
    for group, mean in ((AVERAGES, averages), (OSCILLATORS, oscillators)):
        np.testing.assert_allclose(mean[known], np.mean([parts[name][known] for name in group], axis=0), atol=1e-15)
    np.testing.assert_array_equal(total[known], ((averages + oscillators) / 2)[known])


def test_a_part_without_a_value_is_not_counted():
    columns = {**COLUMNS, "volume": np.zeros(BARS)}
    vwma, averages = values_of("vwma_20", "averages", columns=columns)
    others = values_of(*(name for name in AVERAGES if name != "vwma_20"), columns=columns)
    assert np.isnan(vwma).all()
    np.testing.assert_allclose(averages[200:], np.mean(others, axis=0)[200:], atol=1e-15)


def test_parts_of_the_rating_are_what_their_rules_say():
    says = {
        "rsi_14": ("rsi_14 < 30 and rsi_14 > rsi_14[1]", "rsi_14 > 70 and rsi_14 < rsi_14[1]"),
        "stoch_14_3_3": (
            "stoch_14_3_3.slowk < 20 and stoch_14_3_3.slowd < 20 and stoch_14_3_3.slowk > stoch_14_3_3.slowd"
            " and stoch_14_3_3.slowk[1] < stoch_14_3_3.slowd[1]",
            "stoch_14_3_3.slowk > 80 and stoch_14_3_3.slowd > 80 and stoch_14_3_3.slowk < stoch_14_3_3.slowd"
            " and stoch_14_3_3.slowk[1] > stoch_14_3_3.slowd[1]"),
        "cci_20": ("cci_20 < -100 and cci_20 > cci_20[1]", "cci_20 > 100 and cci_20 < cci_20[1]"),
        "adx_14": ("adx_14 > 20 and plusdi_14 > minusdi_14 and plusdi_14[1] < minusdi_14[1]",
                   "adx_14 > 20 and plusdi_14 < minusdi_14 and plusdi_14[1] > minusdi_14[1]"),
        "ao_5_34": ("ao_5_34 > 0 and (ao_5_34[1] <= 0 or ao_5_34 > ao_5_34[1] and ao_5_34[2] > ao_5_34[1])",
                    "ao_5_34 < 0 and (ao_5_34[1] >= 0 or ao_5_34 < ao_5_34[1] and ao_5_34[2] < ao_5_34[1])"),
        "mom_10": ("mom_10 > mom_10[1]", "mom_10 < mom_10[1]"),
        "macd_12_26_9": ("macd_12_26_9 > macd_12_26_9.macdsignal", "macd_12_26_9 < macd_12_26_9.macdsignal"),
        "willr_14": ("willr_14 < -80 and willr_14 > willr_14[1]", "willr_14 > -20 and willr_14 < willr_14[1]"),
        "eri_13": ("close > ema_50 and eri_13.bearpower < 0 and eri_13.bearpower > eri_13.bearpower[1]",
                   "close < ema_50 and eri_13.bullpower > 0 and eri_13.bullpower < eri_13.bullpower[1]"),
        "ultosc_7_14_28": ("ultosc_7_14_28 > 70", "ultosc_7_14_28 < 30"),
        "ichimoku_9_26_52": (
            "ichimoku_9_26_52.spana > ichimoku_9_26_52.spanb and close > ichimoku_9_26_52.spana"
            " and close > ichimoku_9_26_52.base and ichimoku_9_26_52.conversion > ichimoku_9_26_52.base",
            "ichimoku_9_26_52.spana < ichimoku_9_26_52.spanb and close < ichimoku_9_26_52.spana"
            " and close < ichimoku_9_26_52.base and ichimoku_9_26_52.conversion < ichimoku_9_26_52.base"),
    }  # fmt: skip
    history = History({OWN: COLUMNS}, LANGUAGE)
    for name, (buys, sells) in says.items():
        up, down = (
            condition.over(history.of(condition)) == TRUE
            for condition in (Condition(texts.read(text)) for text in (buys, sells))
        )
        (part,) = values_of(name)
        known = np.isfinite(part)
        np.testing.assert_array_equal(part[known], (up.astype(float) - down)[known], name)
        assert (np.count_nonzero(up[known]), np.count_nonzero(down[known])) > (0, 0)


def test_a_divergence_is_told_when_its_second_pivot_is_confirmed():
    (rsi,) = values_of("rsi", key="rsi_14")
    told = dict(zip(("bullish", "bearish"), values_of("bullish", "bearish", key="rsidivergence_14_5_5"), strict=True))
    for name, price, sign in (("bullish", COLUMNS["low"], 1), ("bearish", COLUMNS["high"], -1)):
        expected, last = [], None
        for at in range(24, BARS):  # by hand, bar by bar: the pivot is five bars back
            window, middle = rsi[at - 10 : at + 1] * sign, at - 5
            if (window[5] < np.delete(window, 5)).all():
                if (
                    last
                    and 5 <= middle - last <= 60
                    and (rsi[middle] - rsi[last]) * sign > 0 > ((price[middle] - price[last]) * sign)
                ):
                    expected.append(at)
                last = middle
        assert len(expected) > 5
        assert np.flatnonzero(told[name] == 1).tolist() == expected


def test_a_signal_is_an_operand_and_the_rules_own_indicators_stand_beside_the_catalogue():
    crossed = Condition(texts.read("golden_cross", LANGUAGE.names))
    told = crossed.over(History({OWN: COLUMNS}, LANGUAGE).of(crossed))
    np.testing.assert_array_equal(told, fired(COLUMNS)["golden_cross"])
    assert {TRUE, UNKNOWN} <= set(told.tolist())
    assert (indicator("rsi_14").key, indicator("magic")) == ("rsi_14", None)
