"""The names that a client may ask for."""

import pytest

from analysis.indicators import catalogue


@pytest.mark.parametrize(
    ("names", "keys"),
    [(["all"], ["sma_20", "rsi_14"]), (["rsi"], ["rsi_14"]), (["RSI_14", " sma_20"], ["sma_20", "rsi_14"]), ([], [])],
)
def test_indicators_are_chosen_by_key_by_name_or_all(names, keys):
    assert [indicator.key for indicator in catalogue.chosen(names)] == keys


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(catalogue.UnknownIndicator, match="'macd'; there are all, rsi, rsi_14, sma, sma_20"):
        catalogue.chosen(["sma", "macd"])


def test_every_key_is_its_indicators_own():
    assert all(key == indicator.key for key, indicator in catalogue.CATALOGUE.items())
