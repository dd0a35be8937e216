"""`manage.py indicators`: what a symbol's indicators are, as the interface tells them."""

import json
import re

import pytest
from django.core.management import CommandError, call_command
from redis.exceptions import ConnectionError

from market.bars import forming
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
    assert lines[0] == "AAPL 1d as of 2012-09-03, from replay"  # a day is told by its date
    assert lines[1].startswith("macd_12_26_9 7")
    assert "sma_100 too few bars" in lines
    assert "bop 0/0: nothing moved that it divides by" in lines


@pytest.mark.usefixtures("sixty_days")
def test_values_keep_the_digits_that_tell_them_and_say_what_they_mean(capsys):
    call_command("indicators", "AAPL", "sma_20,obv", "ad", "rsi")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"sma_20 149.5000", "obv 60,000.0000"} <= set(lines)
    assert lines[-2:] == [
        "The close, 159.00, is above its average of 20 bars, 149.50.",
        "RSI is 100.0: overbought.",
    ]


@pytest.mark.parametrize(
    ("words", "status", "code", "why"),
    [
        (["nope"], 1, "unknown_symbol", "do not know the symbol nope"),
        (["APPL"], 1, "unknown_symbol", "Did you mean AAPL?"),
        (["AAPL", "sma_1"], 2, "unknown_indicator", "period from 2 to 1000"),
        (["AAPL", "magic"], 2, "unknown_indicator", "no indicator 'magic'"),
        (["AAPL", "smaa_20"], 2, "unknown_indicator", "did you mean sma"),
        (["AAPL", ""], 2, "unknown_indicator", "no indicator ''"),
        (["AAPL", "sma_100", "ema_61"], 1, "too_short_history", "60 bars of AAPL at 1d, and ema_61 takes 61"),
        (["AAPL", "--interval", "5m"], 1, "no_bars", "no bars of AAPL at 5m"),
    ],
)
@pytest.mark.usefixtures("sixty_days")
def test_what_it_cannot_tell_it_says_with_its_status_to_people_and_programs(capsys, words, status, code, why):
    with pytest.raises(CommandError, match=re.escape(why)) as refused:
        call_command("indicators", *words, "--json")
    assert refused.value.returncode == status
    told = json.loads(capsys.readouterr().out)
    assert (told["code"], told["detail"]) == (code, str(refused.value))
    with pytest.raises(CommandError):
        call_command("indicators", *words)
    assert capsys.readouterr().out == ""


def test_a_command_line_that_names_nothing_is_wrong():
    with pytest.raises(CommandError, match="which symbol") as refused:
        call_command("indicators")
    assert refused.value.returncode == 2


def test_without_redis_it_says_so(apple, monkeypatch, capsys):
    monkeypatch.setattr(forming, "latest", away)
    with pytest.raises(CommandError, match="Redis did not answer") as refused:
        call_command("indicators", "AAPL", "--json")
    assert refused.value.returncode == 1
    assert json.loads(capsys.readouterr().out)["code"] == "no_redis"


def away(*_: object, **__: object) -> None:
    raise ConnectionError("nobody listens")
