"""ETags of bars and of indicators: known by two reads, and equal only of equal answers."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import transaction
from django.test import Client

from market import actions, bars, coverage, symbols
from market.api import tags
from market.bars import forming
from market.calendars import clock
from market.models import Bar, Coverage, Symbol
from market.prices import Action, Named
from tests.market.test_api_bars import daily, ten_days  # noqa: F401 - a fixture
from tests.market.test_bars import later

BARS, INDICATORS = "/api/v2/symbols/AAPL/bars/", "/api/v2/technical-analysis/indicators/AAPL"
CALLS = "cmdstat_hmget"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_days")]
both = pytest.mark.parametrize("path", [BARS, INDICATORS])


def again(client: Client, path: str, tag: str) -> int:
    return client.get(path, headers={"If-None-Match": tag}).status_code


def moves(close: float) -> None:
    forming.keep([replace(daily(10), close=close, is_final=False, state="forming")])


def split() -> None:
    actions.keep(Symbol.objects.get(ticker="AAPL"), Named([Action("AAPL", "split", date(2012, 3, 4), 2.0)]), "replay")


def opens() -> None:
    clock.keep(clock.Clock("XNAS", "open", date(2012, 3, 11)))


@both
def test_what_has_not_changed_is_a_304_with_its_tag(client, path):
    tag = client.get(path)["ETag"]
    answer = client.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer["ETag"], answer.content) == (304, tag, b"")


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda: bars.upsert([daily(10)]),
        lambda: bars.upsert([replace(daily(2), close=109.25, high=120.0, received_at=later())]),
        split,
        opens,
        lambda: moves(109.5),
        lambda: setattr(tags, "FORMAT", tags.FORMAT + 1),
    ],
    ids=["another bar", "a correction", "a split", "the market opens", "the forming bar moves", "another format"],
)
def test_what_has_changed_is_told(client, path, change, monkeypatch):
    monkeypatch.setattr(tags, "FORMAT", tags.FORMAT)
    moves(109.0)
    tag = client.get(path)["ETag"]
    change()
    assert again(client, path, tag) == 200


def test_each_question_and_each_way_of_writing_has_its_own_tag(client):
    asked = ["", "?limit=3", "?interval=1wk", "?adjusted=raw", "?format=csv", "?end=2012-03-05"]
    assert len({client.get(BARS + query)["ETag"] for query in asked}) == len(asked)


def test_a_page_of_the_past_keeps_its_tag_while_the_newest_bar_moves(client):
    path = f"{BARS}?end=2012-03-05"
    tag = client.get(path)["ETag"]
    moves(109.0)
    assert again(client, path, tag) == 304


def test_what_a_client_has_costs_two_queries_and_one_read_of_redis(client, redis, django_assert_num_queries):
    tag = client.get(BARS)["ETag"]
    redis.config_resetstat()
    with django_assert_num_queries(2):  # the symbol, and its version
        assert again(client, BARS, tag) == 304
    counted = redis.info("commandstats")
    assert counted[CALLS]["calls"] == 2  # the clock and the forming bar, of one pipeline


def test_a_whole_answer_takes_five_queries(client, django_assert_num_queries):
    with django_assert_num_queries(5):  # the symbol, its version, its actions, the bars, and the version again
        client.get(BARS)


@both
def test_after_a_restored_backup_a_tag_of_what_is_lost_matches_nothing(client, path):
    backup = [list(model.objects.all()) for model in (Bar, Coverage)]
    of_then = client.get(path)["ETag"]
    bars.upsert([daily(10)])
    lost = client.get(path)["ETag"]
    with transaction.atomic():
        for model, rows in zip((Bar, Coverage), backup, strict=True):
            model.objects.all().delete()
            model.objects.bulk_create(rows)
    assert (again(client, path, of_then), again(client, path, lost)) == (304, 200)
    bars.upsert([replace(daily(10), close=110.25, high=120.0)])  # the same write, of another value
    assert again(client, path, lost) == 200


@both
def test_in_another_database_no_tag_of_the_first_matches(client, path):
    tag = client.get(path)["ETag"]
    Bar.objects.all().delete()
    Coverage.objects.all().delete()
    bars.upsert(replace(daily(day), high=150.0) for day in range(10))  # as many writes
    assert again(client, path, tag) == 200
    assert coverage.latest(["AAPL"])["AAPL"]


def test_a_symbol_without_bars_has_another_tag_by_its_new_name(client):
    Symbol.objects.create(ticker="QQA", name="Qqa", exchange="XNAS", currency="USD", time_zone="America/New_York")
    path = INDICATORS.replace("AAPL", "QQA")
    tag = client.get(path)["ETag"]
    symbols.rename("QQA", "QQB")
    assert client.get(path).json()["symbol"] == "QQB"
    assert again(client, path, tag) == 200
