"""Signals over HTTP: filters, pages, what a price did afterwards, the rules, and the rating with its parts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation

from analysis import wording
from analysis.indicators.entry import PATTERN
from analysis.models import Signal
from analysis.seen import rated, rows
from analysis.signals.catalogue import RULES
from market import bars
from market.bars import forming
from market.prices import FORMING
from tests.analysis.test_signal_rows import AT, DAYS, bar

pytestmark = [pytest.mark.django_db, pytest.mark.db]
WHERE = "/api/v2/signals/"


@pytest.fixture
def filled(apple, settings) -> list[Signal]:
    settings.SIGNAL_DAYS = 36_500
    bars.upsert([bar(day) for day in range(DAYS)])
    rows.refresh(["AAPL"])
    return list(Signal.objects.order_by("-opened_at", "-pk"))


def told(client, **query) -> list[dict]:
    return client.get(WHERE, query).json()["results"]


def test_signals_are_listed_newest_first_with_where_they_came_from(client, filled, django_assert_num_queries):
    first, last = told(client)[0], filled[0]
    assert [each["id"] for each in told(client, limit=5)] == [row.pk for row in filled[:5]]
    assert (first["symbol"], first["rule"], first["state"], first["record"]) == ("AAPL", last.rule, "confirmed", None)
    assert (first["source"], first["version"], first["price"]) == ("replay", last.version, last.price)
    assert first["session_date"] == str(bar(DAYS - 1).session_date)
    assert first["values"] == last.values
    page = client.get(WHERE, {"limit": 3}).json()
    second = client.get(page["next"]).json()["results"]
    assert [each["id"] for each in second] == [row.pk for row in filled[3:6]]


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ({"rule": "macd_cross_up"}, lambda row: row.rule == "macd_cross_up"),
        ({"direction": "none"}, lambda row: row.direction == "none"),
        ({"state": "withdrawn"}, lambda row: row.state == "withdrawn"),
        ({"interval": "1wk"}, lambda row: row.interval == "1wk"),
        (
            {"symbol": "aapl", "start": str(bar(100).session_date), "end": str(bar(120).session_date)},
            lambda row: bar(100).session_date <= row.session_date <= bar(120).session_date,
        ),
    ],
)
def test_a_filter_leaves_those_alone_that_it_means(client, filled, query, keeps):
    Signal.objects.filter(pk=filled[7].pk).update(state="withdrawn")
    filled[7].state = "withdrawn"
    expected = [row.pk for row in filled if keeps(row)]
    assert [each["id"] for each in told(client, **query, limit=1000)] == expected[:1000]


def test_what_a_price_did_in_the_twenty_bars_after_is_told_once_they_are_there(client, filled):
    columns = bars.columns("AAPL")
    places = {day.item(): place for place, day in enumerate(columns["session_date"])}
    some = told(client, limit=1000)
    for each in some:
        place = places[Signal.objects.get(pk=each["id"]).session_date] if each is some[-1] else None
        if place is not None:
            expected = round((columns["close"][place + 20] / columns["close"][place] - 1) * 100, 4)
            assert each["after"] == {"bars": 20, "move_percent": pytest.approx(expected)}
    assert some[0]["after"] == {"bars": 20, "move_percent": None}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("rule=no_such", 400, "invalid_rule"),
        ("direction=sideways", 400, "invalid_direction"),
        ("state=maybe", 400, "invalid_state"),
        ("start=2012-03-02&end=2012-03-01", 400, "invalid_range"),
        ("start=soon", 400, "invalid_start"),
        ("symbol=NOPE", 404, "unknown_symbol"),
        ("sorted=yes", 400, None),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_name(client, apple, query, status, code):
    answer = client.get(f"{WHERE}?{query}")
    assert answer.status_code == status
    assert code in (None, answer.json()["code"])


def test_a_list_takes_as_many_statements_however_long_it_is(client, filled, django_assert_max_num_queries):
    told(client)
    with django_assert_max_num_queries(8):
        told(client, limit=1000)


def test_the_rules_are_told_with_their_titles_in_both_languages(client, db):
    english = client.get(f"{WHERE}rules/").json()["rules"]
    korean = client.get(f"{WHERE}rules/", {"language": "ko"}).json()["rules"]
    assert [each["name"] for each in english] == [each["name"] for each in korean] == list(RULES)
    assert english[0] | {"note": ""} == {
        "name": "golden_cross", "title": "Golden Cross", "direction": "up", "kind": "indicator",
        "text": "sma_50 crosses_up sma_200", "every": False, "source": RULES["golden_cross"].source, "note": "",
    }  # fmt: skip
    assert korean[0]["title"] != english[0]["title"]


def test_a_rating_is_told_with_its_26_parts(client, filled):
    answer = client.get("/api/v2/technical-analysis/rating/AAPL").json()
    assert len(answer["parts"]) == 26
    assert [part["group"] for part in answer["parts"]] == ["averages"] * 15 + ["oscillators"] * 11
    for group in ("averages", "oscillators"):
        said = [part["says"] for part in answer["parts"] if part["group"] == group and part["says"] is not None]
        assert answer[group] == pytest.approx(sum(said) / len(said))
    assert answer["all"] == pytest.approx((answer["averages"] + answer["oscillators"]) / 2)
    assert answer["rating"] == rated.word(answer["all"])
    assert answer["session_date"] == str(bar(DAYS - 1).session_date)
    assert client.get("/api/v2/technical-analysis/rating/NOPE").status_code == 404


def test_a_rating_of_too_few_bars_is_none(client, apple):
    assert client.get("/api/v2/technical-analysis/rating/AAPL").json()["code"] == "no_bars"
    bars.upsert([bar(day) for day in range(5)])
    answer = client.get("/api/v2/technical-analysis/rating/AAPL").json()
    assert (answer["rating"], answer["all"], {part["says"] for part in answer["parts"]}) == (None, None, {None})


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.51, "strong_buy"), (0.5, "buy"), (0.1, "neutral"), (-0.1, "neutral"), (-0.11, "sell"), (-0.5, "sell"),
     (-0.51, "strong_sell"), (None, None)],
)  # fmt: skip
def test_a_rating_is_called_as_its_source_does(value, word):
    assert rated.word(value) == word


def test_an_analysis_of_several_has_their_recent_signals(client, filled, django_user_model):
    client.force_login(django_user_model.objects.create_user("jean"))
    body = {"symbols": ["AAPL"], "save_results": False}
    answer = client.post("/api/v2/technical-analysis/analysis/comprehensive", body, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    found = answer.json()["results"]["AAPL"]["signals"]
    since = bar(DAYS - 1).session_date - timedelta(days=30)
    assert {each["id"] for each in found} <= {row.pk for row in filled if row.session_date >= since}
    assert found[0]["session_date"] == str(bar(DAYS - 1).session_date)
    assert AT.isoformat()[:10] == found[0]["received_at"][:10]


def test_a_rating_is_of_the_last_bar_of_which_all_is_known(client, filled):
    told = replace(bar(DAYS), is_final=False, state=FORMING, volume=None)
    forming.keep([told])
    answer = client.get("/api/v2/technical-analysis/rating/AAPL").json()
    assert (answer["session_date"], answer["state"]) == (str(bar(DAYS - 1).session_date), "final")
    assert answer["rating"] is not None
    forming.keep([replace(told, volume=1_000_000)])
    answer = client.get("/api/v2/technical-analysis/rating/AAPL").json()
    assert (answer["session_date"], answer["state"]) == (str(bar(DAYS).session_date), "forming")


def test_a_chart_is_told_what_points_somewhere_and_holds_and_no_more(client, filled):
    pointing = [row for row in filled if row.direction != "none" and RULES[row.rule].of != PATTERN]
    Signal.objects.filter(pk=pointing[0].pk).update(holds=False)
    answer = client.get("/api/v2/symbols/aapl/signals/marks/", {"language": "ko"}).json()
    wanted = [(str(row.session_date), row.direction, row.rule) for row in pointing[1:]]
    marks = [(each["session_date"], each["direction"], each["rule"]) for each in answer["marks"]]
    assert sorted(marks, reverse=True) == sorted(wanted, reverse=True)[: len(marks)]
    assert (len(marks), answer["symbol"]) == (min(500, len(wanted)), "AAPL")
    assert [day for day, *_ in marks] == sorted((day for day, *_ in marks), reverse=True)
    with translation.override("ko"):
        assert answer["marks"][0]["title"] == wording.rule(RULES[marks[0][2]])
    assert client.get("/api/v2/symbols/NOPE/signals/marks/").status_code == 404
