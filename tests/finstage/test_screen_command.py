"""`manage.py screen`: which symbols a condition holds for, and why it is not known of others."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from analysis import screener
from market import bars, prices
from market.models import Symbol

pytestmark = [pytest.mark.django_db, pytest.mark.db]
FRIDAY = date(2012, 8, 31)
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}


@pytest.fixture
def four(db) -> None:
    """One that rises by 1 a session, one that falls, one with three bars and one with none; a fifth is not tracked."""
    for ticker in ("DOWN", "NEW", "NONE", "OFF", "UP"):
        Symbol.objects.create(ticker=ticker, name=ticker, is_active=ticker != "OFF", **FACTS)
    sessions = [day for back in range(200, -1, -1) if (day := FRIDAY - timedelta(days=back)).weekday() < 5]
    for ticker, step, days in (
        ("UP", 1, sessions),
        ("OFF", 1, sessions),
        ("DOWN", -1, sessions),
        ("NEW", 1, sessions[-3:]),
    ):
        bars.upsert(
            prices.Bar(ticker, "1d", prices.midnight(day), *[500.0 + step * at] * 4, 1000, True, "replay",
                       datetime(2012, 9, 1, tzinfo=UTC))
            for at, day in enumerate(days)
        )  # fmt: skip


def screen(line: str, **options) -> dict:
    found = screener.screen(screener.read_text(line), **options)
    return {"rows": [row["symbol"] for row in found.rows], "unknown": found.unknown, "asked": found.asked}


@pytest.mark.usefixtures("four")
def test_it_tells_the_symbols_with_their_values_and_what_it_does_not_know(capsys):
    call_command("screen", "close > sma_20 and rsi_14 >= 100", json=True)
    told = json.loads(capsys.readouterr().out)
    (row,) = told["rows"]
    assert (row["symbol"], row["session_date"], row["source"]) == ("UP", "2012-08-31", "replay")
    assert row["values"] == {"close": 644.0, "sma_20": 634.5, "rsi_14": 100.0}
    assert told["unknown"] == {"NEW": "no value yet of sma_20, rsi_14", "NONE": "no bars are held"}
    assert (told["asked"], told["where"]["all"][0]["operator"]) == (4, "gt")


@pytest.mark.usefixtures("four")
def test_a_reader_gets_a_line_a_symbol_and_counts_that_add_up(capsys):
    call_command("screen", "close > 400", symbols=["up", "DOWN", "OFF"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["OFF 2012-08-31 close 644", "UP 2012-08-31 close 644",
                     "It holds for 2 of 3, not for 1, and 0 unknown."]  # fmt: skip


@pytest.mark.usefixtures("four")
def test_other_symbols_and_times_are_read_beside_ones_own():
    assert screen('close > "OFF".close * 0.99')["rows"] == ["UP"]
    assert screen('"OFF".close[1] < 644 and "OFF".close = 644')["rows"] == ["DOWN", "NEW", "UP"]
    assert screen("close rises_by 2 within 5d and close > 400")["rows"] == ["NEW", "UP"]
    assert screen("pattern_doji and close < 400")["rows"] == ["DOWN"]


@pytest.mark.usefixtures("four")
def test_of_a_longer_interval_the_bar_that_runs_is_not_known():
    tuesday = prices.midnight(FRIDAY + timedelta(days=4))  # the Monday is no session
    bars.upsert([prices.Bar("UP", "1d", tuesday, *[700.0] * 4, 1000, True, "replay", datetime(2012, 9, 5, tzinfo=UTC))])
    assert screen("close = 700 and close@1wk = 644 and close@1mo = 644")["rows"] == ["UP"]


@pytest.mark.usefixtures("four")
def test_many_symbols_are_read_in_as_few_queries_as_few(django_assert_max_num_queries):
    condition = screener.read_text("close > sma_20")
    screener.screen(condition, ["UP"])
    with django_assert_max_num_queries(12):
        assert len(screener.screen(condition, ["DOWN", "NEW", "NONE", "OFF", "UP"]).rows) == 2


@pytest.mark.parametrize(
    ("line", "options", "status", "why"),
    [
        ("close >", {}, 2, r"missing.\n  close >\n         \^"), ("magic_3 > 1", {}, 2, "no indicator 'magic_3'"),
        ('"NOPE1".close > 1', {}, 2, "NOPE1"), ("close > 1", {"symbols": ["nope1"]}, 2, "(?i)nope1"),
    ],
)  # fmt: skip
def test_what_it_cannot_tell_it_says_with_its_status(db, line, options, status, why):
    with pytest.raises(CommandError, match=why) as refused:
        call_command("screen", line, **options)
    assert refused.value.returncode == status
