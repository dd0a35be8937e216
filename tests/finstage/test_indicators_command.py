"""`manage.py indicators`: what a symbol's indicators are, as the interface tells them."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests.analysis.test_api import INDICATORS, sixty_days  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("sixty_days")
def test_it_tells_what_the_interface_does(client, capsys):
    call_command("indicators", "aapl", "rsi_14", "sma_30", "supertrend", json=True)
    told = json.loads(capsys.readouterr().out)
    asked = client.get(INDICATORS, {"period": "5d", "indicators": "rsi_14,sma_30,supertrend"}).json()
    assert told["indicators"] == asked["indicators"]
    assert told["indicators"].keys() == {"rsi_14", "sma_30", "supertrend_10_3"}


@pytest.mark.usefixtures("sixty_days")
def test_a_reader_gets_a_line_for_each_value_and_why_there_is_none(capsys):
    call_command("indicators", "AAPL", "sma_100", "bop", "macd")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "AAPL 1d as of 2012-09-03 00:00 UTC, from replay"
    assert lines[1].startswith("macd_12_26_9 7")
    assert "sma_100 too few bars" in lines
    assert "bop 0/0: nothing moved that it divides by" in lines


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["nope"], 1, "no symbol 'nope'"), (["AAPL", "sma_1"], 2, "period from 2 to 1000"),
        (["AAPL", "magic"], 2, "no indicator 'magic'"), ([], 2, "which symbol"),
    ],
)  # fmt: skip
def test_what_it_cannot_tell_it_says_with_its_status(apple, words, status, why):
    with pytest.raises(CommandError, match=why) as refused:
        call_command("indicators", *words)
    assert refused.value.returncode == status


@pytest.mark.usefixtures("apple")
def test_no_bars_are_said_to_be_none(capsys):
    call_command("indicators", "AAPL", interval="1wk")
    assert capsys.readouterr().out.strip() == "AAPL 1wk: no bars are held."
