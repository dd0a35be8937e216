"""Indicators over HTTP are kept for all nodes by the version of their bars, and are never wrong by that."""

import json
import urllib.request
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.indicators import frames
from market import actions, bars, prices
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
    with django_assert_num_queries(2):  # the symbol, and what is held of it
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
