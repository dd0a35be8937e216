"""Indicators over HTTP are kept for all nodes by the version of their bars, and are never wrong by that."""

import json
import urllib.request
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.indicators import frames
from market import actions, bars, prices, symbols
from market.bars import forming
from market.prices import FORMING, Action, Bar, Named
from monitoring import caches, metrics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
PATH = "/api/v2/technical-analysis/indicators/AAPL?period=3mo"
FIRST, DAYS, HOLE = date(2012, 6, 1), 90, 40
AT = datetime(2012, 9, 3, 21, tzinfo=UTC)


def bar(day: int, close: float | None = None) -> Bar:
    close = 100.0 + day if close is None else close
    opened = prices.midnight(FIRST + timedelta(days=day))
    return Bar("AAPL", "1d", opened, close, close, close, close, 1000, True, "replay", AT)


@pytest.fixture(autouse=True)
def held(apple) -> None:
    caches.technical_analysis.front.clear()
    bars.upsert([bar(day) for day in range(DAYS) if day != HOLE])


def test_a_revision_a_split_and_a_repaired_gap_change_the_answer_at_once_on_every_node(client, live_web, apple, redis):
    def nodes() -> list[dict]:
        with urllib.request.urlopen(live_web.url + PATH) as answer:
            return [client.get(PATH).json(), json.loads(answer.read())]

    changes = (
        lambda: bars.upsert([replace(bar(DAYS - 2, 500.0), received_at=AT + timedelta(hours=1))]),
        lambda: actions.keep(apple, Named([Action("AAPL", "split", FIRST + timedelta(days=80), 2.0, 2, 1)]), "replay"),
        lambda: bars.upsert([bar(HOLE)]),
    )
    before = nodes()
    for change in changes:
        change()
        now, again = nodes(), nodes()
        assert now == again
        assert now[0] == now[1]
        assert now[0]["version"] != before[0]["version"]
        assert now[0]["indicators"] != before[0]["indicators"]
        assert now[0]["indicators"]["sma_50"]["latest"] == frames.indicators("AAPL")["indicators"]["sma_50"]["latest"]
        before = now


def test_what_one_node_computed_another_tells_without_reading_bars(client, live_web, django_assert_num_queries):
    with urllib.request.urlopen(live_web.url + PATH) as answer:
        told = answer.read()
    with django_assert_num_queries(1):  # what is held of the symbol
        assert client.get(PATH).content == told


def test_with_a_bar_that_forms_nothing_is_kept(client, redis):
    forming.keep([replace(bar(DAYS, 150.0), is_final=False, state=FORMING)])
    reads = [metrics.CACHE_READS.labels("technical_analysis", how)._value for how in ("computed", "front", "shared")]
    before = [each.get() for each in reads]
    first = client.get(PATH).json()
    forming.keep([replace(bar(DAYS, 151.0), is_final=False, state=FORMING)])
    second = client.get(PATH).json()
    assert [each["indicators"]["sma_5"]["latest"]["sma"] for each in (first, second)] == [180.0, 180.2]
    assert [each.get() for each in reads] == before
    assert not redis.keys("*technical_analysis*")


def test_the_bytes_that_are_kept_say_what_the_values_say():
    series = bars.series("AAPL")
    told = json.loads(frames.encoded(series, "max"))
    values = frames.over(series, "max")
    assert told["times"] == [prices.instant(at) for at in values.pop("times")]
    assert told["indicators"] == json.loads(json.dumps(values["indicators"]))
    assert told["as_of"] == prices.instant(values["as_of"])


def test_what_is_told_at_once_is_what_the_whole_way_tells(client):
    whole = {"accept": "application/json, text/plain"}  # which has to be weighed, and so goes the whole way
    tag = client.get(PATH, headers=whole)["ETag"]
    for more in ({}, {"if-none-match": tag}, {"if-none-match": '"another"'}):
        long, short = (client.get(PATH, headers={**way, **more}) for way in (whole, {}))
        assert (short.status_code, short.content) == (long.status_code, long.content)
        assert _heads(short) == _heads(long)


def _heads(response) -> dict:
    """What it varies by in any order; all others but the request's own id, and how many more it may send."""
    own = {"X-Request-ID": "", "RateLimit": response["RateLimit"].partition(";")[0]}
    return {**response.headers, **own, "Vary": set(response["Vary"].split(", "))}


def test_what_was_open_is_not_told_at_once_where_reading_needs_a_login(client, settings):
    assert client.get(PATH).status_code == 200
    settings.MARKET_DATA_OPEN = False
    assert client.get(PATH).status_code == 401


def test_of_a_renamed_symbol_another_is_told_under_its_former_ticker(client):
    before = client.get(PATH).json()
    symbols.rename("AAPL", "APPLE")
    now = client.get(PATH).json()
    assert now["symbol"] == "APPLE"
    assert now["indicators"] == before["indicators"]


@pytest.mark.parametrize("said", ["period=7w", "indicators=nope", "format=csv", "period=1y&period=1y", "typo=1"])
def test_what_is_refused_is_so_also_beside_what_is_told_at_once(client, said):
    client.get(PATH)
    assert client.get(f"{PATH.partition('?')[0]}?{said}").status_code in (400, 406)
