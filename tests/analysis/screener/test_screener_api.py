"""/api/v2/screener/: the same question by a query, a line, a tree and a kept screen; and what can't be asked."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from analysis.api.screener import asking as api
from analysis.screener import saving
from market.models import Symbol
from monitoring.jobs import Job
from tests.analysis.screener.conftest import FACTS, GOT_AT, keep

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("five")]
PATH, JSON = "/api/v2/screener/", "application/json"


def ask(query: str = "", **headers) -> dict:
    answer = Client().get(f"{PATH}?{query}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(told: dict) -> list[str]:
    return [row["symbol"] for row in told["results"]]


def test_conditions_of_a_query_a_line_and_a_tree_ask_the_same():
    by_query = ask("rsi_14.gt=50&close.between=600,750&sort=-close&fields=high_52w,macd_12_26_9.macdsignal")
    tree = by_query["where"]
    by_line = ask("where=rsi_14>50 and close between 600 and 750&sort=-close&fields=high_52w,macd_12_26_9.macdsignal")
    body = {"where": tree, "sort": ["-close"], "fields": ["high_52w", "macd_12_26_9.macdsignal"]}
    by_tree = Client().post(PATH, body, content_type=JSON).json()
    by_json = ask(f"where={json.dumps(tree)}&sort=-close&fields=high_52w,macd_12_26_9.macdsignal")
    assert names(by_query) == ["TURN"]
    for other in (by_line, by_tree, by_json):
        assert {**other, "timestamp": 0} == {**by_query, "timestamp": 0}
    (row,) = by_query["results"]
    assert set(row["values"]) == {"rsi_14", "close", "high_52w", "macd_12_26_9.macdsignal"}
    assert (row["name"], row["session_date"], row["source"], row["currency"]) == ("TURN Inc.", "2012-08-31", "replay",
                                                                                  "USD")  # fmt: skip
    assert (by_query["asked"], by_query["matched"], by_query["unknown"]) == (5, 1, 1)
    assert by_query["reasons"]["NONE"] == "no bars are held"


def test_without_a_condition_all_are_ranked_a_page_at_a_time():
    first = ask("sort=-close&fields=close&limit=2")
    second = Client().get(first["next"]).json()
    assert names(first) + names(second) == ["UP", "TURN", "DOWN", "NEW"]
    assert Client().get(second["previous"]).json()["results"] == first["results"]
    assert first["matched"] == 4


def test_a_table_has_a_column_for_each_value():
    answer = Client().get(f"{PATH}?close.gt=700&fields=rsi_14&sort=symbol&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["symbol"], float(row["values.close"])) for row in rows] == [("TURN", 740.0), ("UP", 800.0)]
    empty = Client().get(f"{PATH}?close.gt=7e9&format=csv").content.decode()
    assert empty.strip().endswith("has_entered,values.close")
    parquet = Client().get(f"{PATH}?close.gt=700&fields=rsi_14&format=parquet")
    assert (parquet.status_code, parquet.content[:4]) == (200, b"PAR1")
    assert b"values.rsi_14" in parquet.content


def test_a_question_can_be_put_to_some_symbols_alone():
    assert names(ask("close.gt=1&symbols=up,OFF")) == ["OFF", "UP"]
    assert ask("close.gt=1&symbols=UP")["asked"] == 1
    assert names(ask("close.gt=1&watchlist=default")) == ["DOWN", "NEW", "TURN", "UP"]


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("rsi_14.lt=abc", 400, "invalid_condition", "rsi_14.lt"), ("rsi_14=3", 400, "invalid_condition", "rsi_14"),
        ("magic_3.lt=1", 400, "invalid_condition", "magic_3.lt"),
        ("close.gt=NaN", 400, "invalid_condition", "close.gt"),
        ("where=close>", 400, "invalid_condition", "where"),
        ('where={"all":[]}', 400, "invalid_condition", "where.all"),
        ("where={", 400, "invalid_condition", "where"), ("close.gt=1&where=close>1", 400, "invalid_condition", "where"),
        ("fields=nope", 400, "invalid_condition", "fields.0"), ("sort=nope", 400, "invalid_condition", "sort.0"),
        ("interval=2d", 400, "invalid_interval", "interval"), ("close.gt=1&interval=1d&interval=1wk", 400, None,
                                                                "interval"),
        ("symbols=NOPE&close.gt=1", 400, "unknown_symbol", "symbols"), ('where="NOPE".close>1', 400, "unknown_symbol",
                                                                        "where"),
        ("symbols=UP&watchlist=default", 400, "invalid_condition", "watchlist"),
        ("watchlist=99", 404, "unknown_watchlist", None), ("screen=99", 404, "unknown_screen", None),
        ("screen=abc", 404, "unknown_screen", None), ("cursor=x&close.gt=1", 400, "invalid_cursor", "cursor"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_its_name(query, status, code, field):
    answer = Client().get(f"{PATH}?{query}")
    told = answer.json()
    assert answer.status_code == status, told
    assert code is None or told["code"] == code
    assert field is None or field in told["errors"]


def deep(levels: int) -> dict:
    node = {"left": {"field": "close"}, "operator": "gt", "right": 1}
    for _ in range(levels):
        node = {"not": node}
    return node


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ({"all": [{"left": {"field": "close"}, "operator": "gt", "right": 1}] * 10_000}, "where"),
        (deep(33), "where"), ({"left": {"field": "close"}, "operator": "gt", "right": "1"}, "where.right"),
        ({"all": [{"left": {"indicator": "gone_7"}, "operator": "gt", "right": 1}]}, "where.all.0.left"), (7, "where"),
        ([], "where"),
    ],
)  # fmt: skip
def test_a_tree_that_can_be_none_is_refused_at_its_node(where, path):
    body = json.dumps({"where": where})
    answer = Client().post(PATH, body, content_type=JSON)
    assert answer.status_code in (400, 413), answer.content
    if answer.status_code == 400:
        assert any(name.startswith(path) for name in answer.json()["errors"])


def test_a_tree_a_thousand_deep_is_refused():
    answer = Client().post(PATH, json.dumps({"where": deep(900)}), content_type=JSON)
    assert answer.status_code == 400


def test_what_takes_longer_than_an_answer_is_a_job_of_all_who_ask(monkeypatch):
    monkeypatch.setattr(api, "MOST_COMPUTED", 3)
    first = Client().get(f"{PATH}?sma_51.gt=1&sort=-close&fields=close")
    second = Client().get(f"{PATH}?sma_51.gt=1&sort=-close&fields=close")
    assert (first.status_code, first.json()) == (202, second.json())
    assert first.json()["symbols"] == 5
    assert (first.json()["done"], first.json()["total"]) == (0, None)
    job = Job.objects.get(pk=first.json()["task_id"])
    told = saving.run(**job.arguments)
    Job.objects.update(state=Job.State.COMPLETED, result=told)
    done = ask("sma_51.gt=1&sort=-close&fields=close&limit=2")
    assert (names(done), done["matched"], done["where"]["right"]) == (["UP", "TURN"], 3, 1)
    assert names(Client().get(done["next"]).json()) == ["DOWN"]
    keep("UP", [801.0], GOT_AT + timedelta(hours=1))
    assert Client().get(f"{PATH}?sma_51.gt=1&sort=-close&fields=close").json()["task_id"] != first.json()["task_id"]
    assert [row["symbol"] for row in told["rows"]] == ["UP", "TURN", "DOWN"]
    assert (told["matched"], told["asked"], told["left"]) == (3, 5, [])


def test_an_answer_of_a_job_is_of_the_bars_of_all_that_it_reads(monkeypatch):
    monkeypatch.setattr(api, "MOST_COMPUTED", 0)
    path = f'{PATH}?symbols=DOWN&where=close > "UP".sma_51'
    first = Client().get(path).json()["task_id"]
    assert Client().get(path).json()["task_id"] == first
    keep("UP", [801.0], GOT_AT + timedelta(hours=1))  # which is not among those that are judged
    assert Client().get(path).json()["task_id"] != first


def test_one_address_begins_a_few_large_screens(monkeypatch):
    monkeypatch.setattr(api, "MOST_COMPUTED", 1)
    monkeypatch.setattr(api, "_asking", api.Limit("screens", 2))
    told = [Client().get(f"{PATH}?sma_5{at}.gt=1").status_code for at in range(4)]
    assert told == [202, 202, 429, 429]


def test_the_queries_do_not_grow_with_the_symbols(django_assert_max_num_queries):
    for at in range(30):
        Symbol.objects.create(ticker=f"S{at:02}", name="S", **FACTS)
        keep(f"S{at:02}", [20.0 + day for day in range(10)])
    ask("close.gt=1")
    with django_assert_max_num_queries(16):
        assert ask("close.gt=1&fields=market_cap&limit=10")["matched"] == 34


def test_a_job_that_came_to_nothing_is_said_and_begun_again_after_a_while(monkeypatch):
    monkeypatch.setattr(api, "MOST_COMPUTED", 1)
    told = Client().get(f"{PATH}?sma_51.gt=1").json()
    Job.objects.update(state=Job.State.FAILED, error="no disk", finished_at=timezone.now())
    refused = Client().get(f"{PATH}?sma_51.gt=1")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "screen_failed", "60")
    Job.objects.update(finished_at=timezone.now() - timedelta(seconds=61))
    assert Client().get(f"{PATH}?sma_51.gt=1").json()["task_id"] == told["task_id"]
    assert Job.objects.get().state != Job.State.FAILED
