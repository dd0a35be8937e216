"""0/0 has no value, in batch and live alike; what is defined has one."""

import numpy as np
import pytest

from analysis.indicators import catalogue
from analysis.indicators.catalogue import ENTRIES
from tests.analysis.twins import Columns, apart, apart_in, assert_each, over, walk

# Each with the bars of one price, at the end of sixty that move, from which its denominator is 0. The close of the
# last that moves is theirs.
WINDOWS = {
    "percentb_5_2": 4, "cci_5": 5, "willr_5": 5, "stochf_5_3": 5, "stoch_5_3_3": 5, "kdj_5_3_3": 5, "bop": 1,
    "ultosc_3_5_7": 3, "vortex_5": 5, "er_5": 5, "vhf_5": 5, "cmou_5": 5, "imi_5": 5, "mfi_5": 5, "cmf_5": 5,
    "vwma_5": 5, "vwap_5": 5, "marketfi": 1, "rvol_5": 6,
}  # fmt: skip
# Those that divide by what moved since the first bar: one price is none, and a price that stands still again is.
EVER = [
    "rsi_5", "cmo_5", "tsi_5_3", "smi_5_2_3_2", "adx_5", "adxr_5", "dx_5", "plusdi_5", "minusdi_5", "rvi_5_3",
    "pvo_3_5", "htdcphase", "httrendmode", "htsine",
]  # fmt: skip


def each_of(keys) -> list:
    return [catalogue.named(key) for key in keys]


def moving_then_still(bars: int, moving: int = 60) -> Columns:
    columns = walk(1, moving + bars, 100.0)
    random = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, moving)))
    for name, factor in (("close", 1.0), ("open", 1.003), ("high", 1.013), ("low", 0.99)):
        columns[name] = np.append(close * factor, np.full(bars, close[-1] if moving else 7.3))
    columns["volume"] = np.append(np.full(moving, 1000.0) + np.arange(moving), np.zeros(bars))
    return columns


def test_there_is_no_value_exactly_from_the_bar_on_where_it_divides_by_nothing():
    columns = moving_then_still(30)

    def wrong(each) -> str:
        first = next(iter(each.over(columns).values()))
        undefined = (np.flatnonzero(np.isnan(first[40:])) + 40).tolist()
        expected = list(range(60 + WINDOWS[each.key] - 1, 90))
        return "" if undefined == expected else f"no value at {undefined}, expected at {expected}"

    assert_each(each_of(WINDOWS), wrong)


def test_one_price_since_the_first_bar_is_no_value_and_one_that_moved_before_is():
    never, once = moving_then_still(90, 0), moving_then_still(30)

    def wrong(each) -> str:
        told = [name for name, values in each.over(never).items() if not np.isnan(values).all()]
        lacking = [name for name, values in each.over(once).items() if not np.isfinite(values[70:]).all()]
        return f"told of one price: {told}; lacking after it moved: {lacking}" if told or lacking else ""

    assert_each(each_of(EVER), wrong)


def test_live_has_none_where_batch_has_none():
    cases = [(columns, at) for columns in (moving_then_still(30), moving_then_still(90, 0)) for at in (0, 61, 75)]
    assert_each(each_of([*WINDOWS, *EVER]), lambda each: apart_in(each, cases))


def test_after_a_rise_sixty_bars_that_stand_still_are_100():
    close = np.append(np.linspace(10, 20, 30), np.full(60, 20.0))
    assert catalogue.named("rsi_14").over({"close": close})["rsi"][-1] == 100
    assert catalogue.named("cmo_14").over({"close": close})["cmo"][-1] == 100


def test_an_average_of_what_has_no_value_has_none_while_it_reads_it():
    columns = moving_then_still(5)
    columns = {name: np.append(column, column[30:40]) for name, column in columns.items()}
    found = catalogue.named("stoch_5_2_3").over(columns)
    undefined = {name: np.flatnonzero(np.isnan(values[40:])) + 40 for name, values in found.items()}
    assert (undefined["slowk"].tolist(), undefined["slowd"].tolist()) == ([64, 65], [64, 65, 66, 67])


def test_what_is_smoothed_without_end_goes_on_from_where_it_stood_behind_what_has_no_value():
    columns = moving_then_still(12)
    columns = {name: np.append(column, column[20:50]) for name, column in columns.items()}
    told, raw = catalogue.named("kdj_5_3_3").over(columns)["k"], catalogue.named("stochf_5_3").over(columns)["fastk"]
    assert np.flatnonzero(np.isnan(told[40:])).tolist() == list(range(24, 32))
    assert told[72] == pytest.approx(told[63] + (raw[72] - told[63]) / 3)
    for history in (0, 64, 70, 71, 75):
        assert not apart(catalogue.named("kdj_5_3_3"), columns, history)


def test_rsi_of_two_bars_over_a_thousand_that_stand_still_has_no_value_and_after_a_rise_is_100():
    still = np.full(1000, 7.0)
    assert np.isnan(catalogue.named("rsi_2").over({"close": still})["rsi"]).all()
    risen = catalogue.named("rsi_2").over({"close": np.append([5.0, 6.0], still)})["rsi"]
    assert (np.isnan(risen[:2]).all(), set(risen[2:])) == (True, {100.0})
    fallen = catalogue.named("rsi_2").over({"close": np.append([9.0, 8.0], still)})["rsi"]
    assert set(fallen[2:]) == {0.0}


def test_what_moved_so_long_ago_that_no_number_holds_it_has_no_value_rather_than_an_extreme():
    columns = moving_then_still(1300)
    for key in ("rsi_2", "cmo_2", "tsi_3_2", "smi_5_2_3_2", "adx_2", "dx_2", "plusdi_2", "rvi_2_3", "cvi_2_3"):
        for name, values in catalogue.named(key).over(columns).items():
            told = values[61:][np.isfinite(values[61:])]
            assert len(told) > 500, key
            assert np.isnan(values[-1]), key
            assert np.abs(np.diff(told[60:])).max() < 1e-3 * max(1, np.abs(told).max()), (key, name)
        assert not apart(catalogue.named(key), columns, 1000)


@pytest.mark.parametrize("scale", [1e-5, 1e-9, 1e9])
def test_bands_stay_apart_whatever_the_unit(scale):
    columns = walk(5, 200, 50.0)
    scaled = {**columns, **{name: columns[name] * scale for name in ("open", "high", "low", "close")}}
    for key in ("bbands_20_2", "percentb_20_2", "rsi_14", "cci_20", "stoch_14_3_3", "adx_14", "keltner_20_10_2"):
        indicator = catalogue.named(key)
        unit = scale if indicator.pane == "price" else 1
        for one, other in zip(indicator.over(columns).values(), indicator.over(scaled).values(), strict=True):
            np.testing.assert_allclose(other, one * unit, rtol=1e-6, atol=1e-9 * unit)


def test_nothing_that_is_no_number_leaves_an_indicator():
    usual = walk(2, 150, 20.0)
    prices = ("open", "high", "low", "close")
    kinds = {
        "flat": (usual | {each: np.full(150, 20.0) for each in prices}, 0),
        "tiny": (walk(2, 150, 1e-9), 60), "huge": (walk(2, 150, 1e300), 60),
        "gapped": (usual | {each: np.where(np.arange(150) < 90, usual[each], usual[each] * 50) for each in prices}, 60),
        "nothing traded": (usual | {"volume": np.zeros(150)}, 0),
    }  # fmt: skip

    def wrong(each) -> str:
        infinite = [kind for kind, (columns, _) in kinds.items() if np.isinf(over(each, columns)).any()]
        differing = {kind: found for kind, case in kinds.items() if (found := apart(each, *case))}
        return f"infinite: {infinite}; {differing}" if infinite or differing else ""

    assert_each([entry.with_defaults() for entry in ENTRIES.values()], wrong)


def test_bars_that_only_fall_have_a_direction_and_bars_that_reach_as_far_both_ways_have_none():
    fall, wider = np.linspace(90, 60, 40), np.arange(40.0)
    falling = {"high": fall + 1, "low": fall - 1, "close": fall}
    assert catalogue.named("dx_5").over(falling)["dx"][-1] == 100
    both = {"high": 100 + wider, "low": 100 - wider, "close": np.full(40, 100.0)}
    assert np.isnan(catalogue.named("dx_5").over(both)["dx"]).all()


def test_what_still_reads_a_bar_without_range_has_no_value_live_either():
    columns = moving_then_still(60, 0)
    columns["high"][30:] += np.linspace(0.1, 0.7, 30)
    for history in (32, 34, 36, 40):
        assert not apart(catalogue.named("massi_3_12"), columns, history)


def test_a_price_of_nothing_is_no_whole_of_which_there_is_a_part():
    columns = walk(4, 40, 10.0)
    columns["low"][20] = 0.0
    assert np.isnan(catalogue.named("distance_5").over(columns)["low"][20:25]).all()
    for history in (0, 21, 23):
        assert not apart(catalogue.named("distance_5"), columns, history)
