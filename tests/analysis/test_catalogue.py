"""What there is, and the names that a client may ask for."""

from collections import Counter

import pytest

from analysis.indicators import catalogue
from analysis.indicators.catalogue import DEFAULTS, ENTRIES
from analysis.indicators.talib import functions

SET = [
    "sma_5",
    "sma_10",
    "sma_20",
    "sma_50",
    "sma_200",
    "ema_5",
    "ema_10",
    "ema_20",
    "ema_50",
    "ema_200",
    "rsi_14",
    "macd_12_26_9",
    "bbands_20_2",
    "atr_14",
    "stoch_14_3_3",
    "adx_14",
    "obv",
    "vwap_20",
]
# What a chart's menu holds.
MENU = set(
    [
        "sma",
        "ema",
        "wma",
        "rma",
        "dema",
        "tema",
        "trima",
        "hma",
        "kama",
        "t3",
        "zlema",
        "vwma",
        "mama",
        "httrendline",
        "linearreg",
        "tsf",
        "midpoint",
        "midprice",
        "avgprice",
        "medprice",
        "typprice",
        "wclprice",
        "ha",
        "envelope",
        "disparity",
        "bbands",
        "percentb",
        "bandwidth",
        "accbands",
        "donchian",
        "keltner",
        "supertrend",
        "sar",
        "chandelier",
        "rsi",
        "stoch",
        "stochf",
        "stochrsi",
        "kdj",
        "willr",
        "cci",
        "cmo",
        "macd",
        "apo",
        "ppo",
        "mom",
        "roc",
        "trix",
        "tsi",
        "smi",
        "ultosc",
        "ao",
        "ac",
        "bop",
        "coppock",
        "dpo",
        "eri",
        "fosc",
        "imi",
        "qstick",
        "mfi",
        "percentrank",
        "psychological",
        "adx",
        "adxr",
        "dx",
        "plusdi",
        "minusdi",
        "aroon",
        "aroonosc",
        "vortex",
        "vhf",
        "er",
        "linearregslope",
        "fractal",
        "atr",
        "natr",
        "adr",
        "stddev",
        "var",
        "cvi",
        "massi",
        "rvi",
        "obv",
        "ad",
        "adosc",
        "cmf",
        "efi",
        "marketfi",
        "nvi",
        "pvi",
        "pvo",
        "pvt",
        "rvol",
        "wad",
        "volumesma",
        "vwap",
        "vwapsession",
        "ichimoku",
        "pivots",
        "pivotsfibonacci",
        "camarilla",
        "distance",
        "relativestrength",
        "beta",
        "correl",
    ]
)
# The same as another, or counted from an array's start.
LEFT_OUT = set(
    [
        "MA",
        "MACDEXT",
        "MACDFIX",
        "MAVP",
        "SAREXT",
        "MAXINDEX",
        "MININDEX",
        "MINMAXINDEX",
        "ACOS",
        "ASIN",
        "COSH",
        "SINH",
    ]
)


def test_it_holds_what_a_charts_menu_would_and_more_counted_apart():
    kinds = Counter(entry.kind for entry in ENTRIES.values())
    indicators = {name for name, entry in ENTRIES.items() if entry.kind == "indicator"}
    assert (len(MENU) >= 80, MENU - indicators) == (True, set())
    assert (kinds["pattern"], kinds["mathematics"] >= 20) == (61, True)


def test_every_function_of_the_library_is_there_or_said_to_be_left_out():
    used = {entry.library for entry in ENTRIES.values()} | {"VWAP"}
    assert set(functions.get_functions()) - used == LEFT_OUT


def test_an_entry_says_all_that_is_needed_of_it():
    for name, entry in ENTRIES.items():
        assert name == entry.name.lower()
        assert name.isalnum()
        assert entry.title
        assert entry.source
        assert entry.outputs
        assert entry.pane in {"price", "volume", "own"}
        assert entry.unit in {"price", "percent", "volume", "index"}
        assert {each.style for each in entry.outputs} <= {
            "line", "dashed", "steps", "dots", "histogram", "upper", "lower", "cloud", "direction", "candle", "marker"
        }  # fmt: skip
        assert len({each.name for each in entry.outputs}) == len(entry.outputs)
        assert all(each.least <= each.default <= each.most for each in entry.parameters.values())
        own = entry.with_defaults("MSFT" if entry.is_compared else "")
        assert catalogue.named(own.key).parameters == own.parameters


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["all"], SET), (["rsi"], ["rsi_14"]), (["RSI_14", " sma_20"], ["sma_20", "rsi_14"]), ([], []),
        (["sma"], SET[:5]), (["supertrend"], ["supertrend_10_3"]),
        (["ichimoku", "rsi"], ["rsi_14", "ichimoku_9_26_52"]),
        (["sma_100", "macd_5_35_5"], ["sma_100", "macd_5_35_5"]), (["sma_100", "all"], [*SET, "sma_100"]),
    ],
)  # fmt: skip
def test_indicators_are_chosen_by_key_by_name_or_all(names, keys):
    assert [indicator.key for indicator in catalogue.chosen(names)] == keys


def test_within_a_session_its_average_price_is_the_sessions():
    assert [each.key for each in catalogue.chosen(["all"], "5m")] == [*SET[:-1], "vwapsession"]
    assert [each.key for each in catalogue.chosen(["all"], "1wk")] == SET == list(DEFAULTS)


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(
        catalogue.UnknownIndicator,
        match=r"'magic', 'nonsense' \(did you mean .*\?\); there are all, .*rsi, sma, .* in the catalogue",
    ):
        catalogue.chosen(["sma", "nonsense", "magic"])


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("sma_1", "sma has period from 2 to 1000: sma_20"), ("sma_1001", "from 2 to 1000"), ("sma_0100", "sma_20"),
        ("sma_20.0", "sma_20"), ("sma_", "sma_20"), ("sma_20_3", "sma_20"), ("sma_٣", "sma_20"), ("macd_12", "fast"),
        ("bbands_20_2.00", "deviations from 0.1 to 10"), ("bbands_20_2.00001", ""), ("bbands_20_nan", ""),
        ("obv_3", "obv has no parameters"), ("bbands_20_1e1", ""), ("bbands_20_0", ""),
    ],
)  # fmt: skip
def test_parameters_are_within_their_ranges_and_written_one_way(key, allowed):
    with pytest.raises(catalogue.UnknownIndicator, match=allowed):
        catalogue.named(key)


@pytest.mark.parametrize("key", ["sma_2", "bbands_20_2.5", "t3_5_0.7", "mama_0.5_0.05", "cdlmorningstar_0.3", "obv"])
def test_a_key_is_read_as_it_is_written(key):
    assert catalogue.named(key).key == key


def test_the_library_knows_the_inputs_outputs_and_warm_up_of_an_entry():
    found = catalogue.named("macd_5_35_5")
    assert (found.inputs, found.outputs, found.warm_up) == (("close",), ("macd", "macdsignal", "macdhist"), 38)
    assert [each.style for each in found.entry.outputs] == ["line", "dashed", "histogram"]
    assert (found.pane, catalogue.named("sma_20").pane) == ("own", "price")


def test_every_key_is_its_indicators_own():
    assert all(key == indicator.key for key, indicator in DEFAULTS.items())
