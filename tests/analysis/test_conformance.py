"""The certificate of every indicator: measured here as it is told, and what it promises."""

import csv
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from analysis.conformance import kept, measuring
from analysis.conformance.certificates import measured
from analysis.conformance.formulas import FORMULAS
from analysis.indicators import catalogue
from analysis.indicators.catalogue import ENTRIES
from analysis.indicators.entry import MATHEMATICS, made
from analysis.indicators.series import CLOSE
from tests.analysis.twins import assert_each

SHEETS = Path(__file__).resolve().parents[3] / "shared" / "data" / "indicators"
needs_sheets = pytest.mark.skipif(not SHEETS.is_dir(), reason=f"the recorded sheets are not there: {SHEETS}")
# An angle is of a scale; of two patterns one bar is a tie that rounding decides.
OF_THEIR_UNIT = {"linearregangle", "cdllongline", "cdlspinningtop"} | {
    name for name, each in ENTRIES.items() if each.kind == MATHEMATICS
}
CATALOGUE = "/api/v2/technical-analysis/catalogue"


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    return measuring.bars()


def behaves_otherwise(name: str, now: dict[str, dict], told: dict[str, dict]) -> list[str]:
    found = []
    for series, each in now.items():
        if each["live_difference"]:
            found.append(f"live differs by {each['live_difference']} where it is {series}")
        counts = [count for count in ("bars", "with_value", "without") if each[count] != told[series][count]]
        found += [f"{series}: {count} {each[count]}, told {told[series][count]}" for count in counts]
        if name not in OF_THEIR_UNIT and (each["unit_difference"] or 0) > 1e-8:
            found.append(f"{series}: in another unit it differs by {each['unit_difference']}")
    return found


def test_live_is_batch_nothing_looks_ahead_and_the_certificate_says_what_is_measured(columns):
    certificates = kept.certificates()

    def wrong(each) -> str:
        now, told = asdict(measured(each, columns)), certificates[each.name]
        found = []
        if (now["live_difference"], now["looks_ahead"]) != (0, False):
            found.append(f"live differs by {now['live_difference']}, looks ahead: {now['looks_ahead']}")
        if now["first_value"] != told["first_value"]:
            found.append(f"first value {now['first_value']}, told {told['first_value']}")
        # On another processor sums may round otherwise: what follows from a bound may shift by some bars.
        for name in ("settled", "reference_difference"):
            if (now[name] is None) != (told[name] is None):
                found.append(f"{name} {now[name]}, told {told[name]}")
        if each.name in FORMULAS and not now["reference_difference"] < 1e-8:
            found.append(f"the second formula differs by {now['reference_difference']}")
        return "; ".join(found + behaves_otherwise(each.name, now["behaviour"], told["behaviour"]))

    assert_each([entry.with_defaults() for entry in ENTRIES.values()], wrong)


def test_most_of_the_menu_has_a_second_formula_and_the_rest_is_said_to_have_none():
    checked = {name for name, each in kept.certificates().items() if each["reference_difference"] is not None}
    assert (len(checked) >= 40, checked) == (True, set(FORMULAS))
    assert kept.certificates().keys() == ENTRIES.keys()


def test_a_formula_that_knows_tomorrow_is_found_out(columns):
    class Tomorrow:
        inputs, lookback, open = ("close",), 0, CLOSE.open

        def over(self, of):
            return (np.append(of["close"][1:], 0.0),)

    found = measured(made("tomorrow", lambda _: Tomorrow(), title="", source="").with_defaults(), columns)
    assert (found.looks_ahead, found.live_difference > 0) == (True, True)


def test_what_adds_up_since_the_first_bar_never_settles_and_a_window_does_at_once():
    told = kept.certificates()
    assert (told["obv"]["settled"], told["sma"]["settled"]) == (None, 19)
    assert 200 < told["rsi"]["settled"] < 400


def test_a_certificate_says_how_the_indicator_stands_what_markets_do():
    told = {name: each["behaviour"] for name, each in kept.certificates().items()}
    assert told["rsi"].keys() == {"flat", "tiny", "huge", "gapped", "without volume", "short"}
    lacking = lambda name: {series for series, each in told[name].items() if each["without"]}  # noqa: E731
    assert [lacking(name) for name in ("rsi", "stoch", "vwap", "bbands")] == [
        set(),
        {"flat"},
        {"without volume"},
        set(),
    ]
    # Of 150 bars that stand still the window of 14 has no reach from the 14th on; a smoothed one later by no bar.
    assert (told["willr"]["flat"]["without"], told["sma"]["short"]["with_value"]) == (137, 0)


@needs_sheets
@pytest.mark.parametrize(
    ("key", "file", "columns_of", "first"),
    [
        ("sma_20", "Sma__SMA_Close.csv", ["SMA"], 19),
        ("ema_20", "Ema__EMA.csv", ["ema"], 19),
        ("rsi_14", "Rsi__RSI.csv", ["RSI(14)"], 14),
        ("macd_12_26_9", "Macd__MACD.csv", ["MACD", "Signal", "Histo"], 250),
        ("bbands_20_2", "BollingerBands__Bollinger_Bands.csv", ["upper", "sma", "lower"], 19),
        ("percentb_20_2", "BollingerBands__Bollinger_Bands.csv", ["%b"], 19),
        ("atr_14", "Atr__ATR.csv", ["ATR"], 14),
        ("natr_14", "Atr__ATR.csv", ["ATR%"], 14),
    ],
)
def test_the_published_sheet_says_the_same(key, file, columns_of, first):
    with (SHEETS / file).open() as opened:
        rows = list(csv.DictReader(opened))
    quotes = {
        name: np.array([float(row[name]) for row in rows]) for name in ("close", "high", "low") if name in rows[0]
    }
    quotes["session_date"] = np.array([np.datetime64(row["date"][:10]) for row in rows])
    found = catalogue.named(key).over(quotes).values()
    for values, column in zip(found, columns_of, strict=True):
        expected = np.array([float(row[column] or "nan") for row in rows])
        assert np.isnan(values[:first]).all() or first == 250
        np.testing.assert_allclose(values[first:], expected[first:], rtol=1e-9)


@pytest.mark.django_db
def test_the_catalogue_tells_all_that_a_picker_needs(client):
    body = client.get(CATALOGUE).json()
    told = {each["name"]: each for each in body["indicators"]}
    assert (told.keys(), body["default"]) == (ENTRIES.keys(), list(catalogue.DEFAULTS))
    assert told["macd"]["parameters"][1] == {
        "name": "slow", "title": "Slow", "default": 26, "least": 2, "most": 1000, "is_whole": True,
    }  # fmt: skip
    assert told["sma"]["certificate"]["reference"] == "checked"
    assert told["mama"]["certificate"]["reference"] == kept.NOT_CHECKED
    assert client.get(CATALOGUE, {"nonsense": 1}).status_code == 400
    korean = {each["name"]: each for each in client.get(CATALOGUE, {"language": "ko"}).json()["indicators"]}
    assert (told["rsi"]["title"], korean["rsi"]["title"]) == ("Relative Strength Index", "상대강도지수(RSI)")
