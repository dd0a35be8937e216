"""Indicators of one symbol against another: at each bar with what was over by then, wherever the other is traded."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.core.management import call_command

from analysis.against import compared
from market import bars, coverage, prices
from market.bars import forming
from market.models import Symbol
from market.prices import FORMING, Bar
from monitoring import caches
from realtime import naming

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
PATH = "/api/v2/technical-analysis/indicators/AAPL"
AT = datetime(2024, 5, 1, tzinfo=UTC)
DAYS = [date(2024, 1, 2) + timedelta(days=each) for each in range(100)]
HOMES = {
    "AAPL": ("XNAS", "America/New_York"),
    "^GSPC": ("XNYS", "America/New_York"),
    "005930.KS": ("XKRX", "Asia/Seoul"),
}
SHUT = {  # of these days
    "XNAS": {"2024-01-15", "2024-02-19", "2024-03-29"}, "XNYS": {"2024-01-15", "2024-02-19", "2024-03-29"},
    "XKRX": {"2024-02-09", "2024-02-12", "2024-03-01", "2024-04-10"},
}  # fmt: skip


def held(ticker: str) -> list[Bar]:
    exchange, _ = HOMES[ticker]
    days = [day for day in DAYS if day.weekday() < 5 and str(day) not in SHUT[exchange]]
    closes = 100 * np.exp(np.random.default_rng(len(ticker)).normal(0, 0.02, len(days)).cumsum())
    return [
        Bar(ticker, "1d", prices.midnight(day), close, close + 1, close - 1, close, 1000, True, "replay", AT)
        for day, close in zip(days, closes.round(2).tolist(), strict=True)
    ]


@pytest.fixture(autouse=True)
def three(db) -> None:
    caches.technical_analysis.front.clear()
    for ticker, (exchange, zone) in HOMES.items():
        Symbol.objects.create(ticker=ticker, name=ticker, exchange=exchange, currency="USD", time_zone=zone)
        bars.upsert(held(ticker))


def beside(ticker: str, other: str) -> dict[str, float]:
    """By the day of the one the other's close."""
    series = bars.series(ticker)
    closes = compared.read(series, [other])[other].closes
    return dict(zip(map(str, series.columns["session_date"]), closes.tolist(), strict=True))


def close(ticker: str, day: str) -> float:
    return next(bar.close for bar in held(ticker) if str(bar.session_date) == day)


def test_a_day_of_seoul_has_new_yorks_day_before_and_new_yorks_has_seouls_own():
    seoul, new_york = beside("005930.KS", "AAPL"), beside("AAPL", "005930.KS")
    assert seoul["2024-01-02"] != seoul["2024-01-02"]  # NaN: nothing of New York was over yet
    assert seoul["2024-01-04"] == close("AAPL", "2024-01-03")
    assert seoul["2024-01-16"] == close("AAPL", "2024-01-12")  # New York's Monday was a holiday
    assert new_york["2024-01-03"] == close("005930.KS", "2024-01-03")
    assert new_york["2024-02-12"] == close("005930.KS", "2024-02-08")
    assert beside("AAPL", "^GSPC")["2024-02-12"] == close("^GSPC", "2024-02-12")


def test_weeks_count_by_their_last_session_and_what_is_long_past_tells_nothing():
    weeks = bars.series("005930.KS", interval="1wk")
    closes = compared.read(weeks, ["AAPL"])["AAPL"].closes
    at = [str(each) for each in weeks.columns["opened_at"].astype("datetime64[D]")].index("2024-01-15")
    assert closes[at] == close("AAPL", "2024-01-12")  # of Seoul's week, over on Friday morning, New York's week before
    later = [replace(bar, opened_at=bar.opened_at + timedelta(days=200)) for bar in held("AAPL")[:3]]
    bars.upsert([replace(bar, session_date=bar.opened_at.date()) for bar in later])
    assert np.isnan(compared.read(bars.series("AAPL"), ["^GSPC"])["^GSPC"].closes[-1])


@pytest.mark.parametrize(("ticker", "other"), [("AAPL", "005930.KS"), ("005930.KS", "AAPL"), ("AAPL", "^GSPC")])
def test_what_comes_later_of_either_changes_nothing_that_was_told(client, ticker, other):
    asked = {"indicators": "beta_5,correl_5,relativestrength", "against": other, "period": "max"}
    path = f"/api/v2/technical-analysis/indicators/{ticker}"

    def told() -> dict[str, dict]:
        answer = client.get(path, asked).json()
        values = {key: each["values"][each["name"]] for key, each in answer["indicators"].items()}
        return {at: {key: each[place] for key, each in values.items()} for place, at in enumerate(answer["times"])}

    whole = told()
    # At noon of the 20th, by UTC: Seoul's day is over, New York's is not.
    days = {"XKRX": "2024-03-20", "XNAS": "2024-03-19", "XNYS": "2024-03-19"}
    for each in (ticker, other):
        last = np.datetime64(days[HOMES[each][0]]).item()
        bars.upsert([replace(bar, close=bar.close + 0.5, received_at=AT + timedelta(days=1))
                     for bar in held(each) if bar.session_date > last])  # fmt: skip
    past = [at for at in whole if at[:10] <= days[HOMES[ticker][0]]]
    now = told()
    assert len(past) > 40
    assert {at: now[at] for at in past} == {at: whole[at] for at in past}
    assert now != whole


def test_the_others_version_is_in_the_tag_and_in_what_is_kept(client):
    asked = {"indicators": "beta", "against": "^gspc", "period": "3mo"}
    first = client.get(PATH, asked)
    body = first.json()
    assert list(body["indicators"]) == ["beta_20~^GSPC"]
    assert body["indicators"]["beta_20~^GSPC"]["against"] == "^GSPC"
    assert body["against"]["^GSPC"]["version"] == coverage.latest(["^GSPC"])["^GSPC"]
    assert client.get(PATH, asked, headers={"if-none-match": first["ETag"]}).status_code == 304
    newest = held("^GSPC")[-1]
    bars.upsert([replace(newest, close=newest.close + 0.5, received_at=AT + timedelta(days=2))])
    then = client.get(PATH, asked, headers={"if-none-match": first["ETag"]})
    assert then.status_code == 200
    assert then.json()["indicators"] != body["indicators"]
    assert then.json()["version"] == body["version"]


def test_while_both_form_the_value_is_of_both(client):
    asked = {"indicators": "relativestrength", "against": "^GSPC", "period": "5d"}
    for ticker, price in (("AAPL", 50.0), ("^GSPC", 200.0)):
        last = held(ticker)[-1]
        opened = last.opened_at + timedelta(days=1)
        forming.keep([replace(last, opened_at=opened, session_date=opened.date(), open=price, high=price, low=price,
                              close=price, is_final=False, state=FORMING)])  # fmt: skip
    assert client.get(PATH, asked).json()["indicators"]["relativestrength~^GSPC"]["latest"] == {
        "relativestrength": 0.25
    }


@pytest.mark.parametrize(
    ("said", "field", "part"),
    [
        ("indicators=beta", "indicators", "against another symbol"),
        ("indicators=rsi&against=^GSPC", "against", "beta"),
        ("indicators=rsi_14~^GSPC", "indicators", "against no other"),
        ("indicators=beta&against=NOBODY", "against", "NOBODY"),
        ("indicators=beta_0&against=^GSPC", "indicators", "from 2 to 1000"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_can(client, said, field, part):
    answer = client.get(f"{PATH}?{said}")
    assert answer.status_code == 400
    assert part in answer.json()["errors"][field][0]


def test_several_at_once_are_told_to_ask_one_by_one(client):
    body = {"symbols": ["AAPL"], "indicators": ["beta_20~^GSPC"]}
    answer = client.post("/api/v2/technical-analysis/batch/indicators", body, content_type="application/json")
    assert (answer.status_code, "^GSPC" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("name", ["beta", "beta_20", "beta_20~^GSPC"])
def test_a_stream_is_refused_with_where_it_is_told(name):
    with pytest.raises(naming.Refused, match="REST tells it"):
        naming.extra([name], 1)


def test_the_command_line_says_the_same(client, capsys):
    call_command("indicators", "AAPL", "beta_20", "--against", "^GSPC", "--json")
    printed = capsys.readouterr().out
    latest = client.get(PATH, {"indicators": "beta_20~^GSPC"}).json()["indicators"]["beta_20~^GSPC"]["latest"]
    assert f'"beta": {latest["beta"]}' in printed
