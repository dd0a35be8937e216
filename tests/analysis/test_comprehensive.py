"""POST analysis/comprehensive: indicators, what they say, and the job that saves them."""

import pytest
from django.utils import translation

from analysis import wording
from analysis.api.comprehensive import JOB
from analysis.indicators import frames
from analysis.models import IndicatorRow
from analysis.reports import remarks
from analysis.technical import comprehensive
from market import symbols
from market.models import Symbol
from monitoring.models import Job
from tests.analysis.test_api import INDICATORS, sixty_days  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/api/v2/technical-analysis/analysis/comprehensive"


@pytest.fixture
def person(client, django_user_model):
    user = django_user_model.objects.create_user("person")
    client.force_login(user)
    return user


def ask(client, headers=None, **body):
    return client.post(PATH, body, content_type="application/json", headers=headers)


def test_it_tells_indicators_and_what_they_say_and_saves_what_came(client, person, sixty_days):  # noqa: F811
    answer = ask(client, symbols=["aapl", "APPL"]).json()
    told = answer["results"]["AAPL"]
    assert told["indicators"] == client.get(INDICATORS).json()
    assert [each["kind"] for each in told["summary"]][:3] == ["above_average", "above_average", "overbought"]
    assert told["summary"][0]["values"] == {"close": 159.0, "average": 149.5, "bars": 20}
    assert (answer["results"]["APPL"], answer["errors"]["APPL"]["code"]) == (None, "unknown_symbol")
    assert (answer["analyzed_count"], answer["success_rate"]) == (1, 50.0)
    job = Job.objects.get()
    assert (str(job.pk), job.name, job.owner) == (answer["task_id"], JOB, person)
    assert job.arguments["symbols"] == ["AAPL"]
    assert answer["result_url"] == f"/api/tasks/task/{job.pk}/result"
    saved = comprehensive.save(**job.arguments)["symbols"]["AAPL"]
    assert saved["summary"] == told["summary"]
    newest = {key: each["latest"] for key, each in told["indicators"]["indicators"].items()}
    assert (saved["indicators"], saved["version"]) == (newest, told["indicators"]["version"])


def test_the_job_keeps_the_newest_values_of_each_symbol_as_rows(person, sixty_days):  # noqa: F811
    comprehensive.save(["AAPL", "GONE"], "1d", "split", ["rsi_14"])
    row = IndicatorRow.objects.get(symbol__ticker="AAPL", interval="1d")
    newest = frames.indicators("AAPL")
    assert row.version == newest["version"]
    assert row.sma_50 == newest["indicators"]["sma_50"]["latest"]["sma"]  # the default set, whatever was asked for


def test_nothing_is_saved_where_nobody_wants_it_or_nothing_came(client, person, sixty_days):  # noqa: F811
    for body in ({"symbols": ["AAPL"], "save_results": False}, {"symbols": ["APPL"]}):
        answer = ask(client, **body).json()
        assert (answer["task_id"], answer["result_url"]) == (None, None)
    assert not Job.objects.exists()


def test_what_is_asked_twice_with_a_key_is_saved_once(client, person, sixty_days):  # noqa: F811
    first, second = (ask(client, {"Idempotency-Key": "mine"}, symbols=["AAPL"]).json() for _ in range(2))
    assert first["task_id"] == second["task_id"]
    other = ask(client, {"Idempotency-Key": "mine"}, symbols=["AAPL"], interval="1wk")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


def test_it_needs_a_login_as_it_writes(client, sixty_days):  # noqa: F811
    assert ask(client, symbols=["AAPL"]).status_code == 401
    assert not Job.objects.exists()


def test_what_cannot_be_is_refused_with_what_is_allowed(client, person, sixty_days):  # noqa: F811
    for body, field, allowed in (
        ({"symbols": [f"S{number}" for number in range(101)]}, "symbols", "no more than 100"),
        ({"symbols": ["AAPL"], "save_results": "yes"}, "save_results", "true or false"),
        ({"symbols": ["AAPL"], "save_results": 1}, "save_results", "true or false"),
        ({"symbols": ["AAPL"], "batch_size": 5}, "batch_size", "there are symbols, period"),
    ):
        answer = ask(client, **body)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field]), body
        assert allowed in answer.json()["errors"][field][0]
    assert not Job.objects.exists()


def test_a_symbol_that_went_since_fails_alone_in_the_job(sixty_days):  # noqa: F811
    assert symbols.resolve("AAPL") == Symbol.objects.get()
    told = comprehensive.save(["AAPL", "GONE"], "1d", "split", None)
    assert (list(told["symbols"]), list(told["failed"])) == (["AAPL"], ["GONE"])


CASES = {
    "above_average": (11.0, {"sma_20": {"sma": 10.0}}),
    "below_average": (9.0, {"sma_20": {"sma": 10.0}}),
    "overbought": (1.0, {"rsi_14": {"rsi": 70.0}}),
    "oversold": (1.0, {"rsi_14": {"rsi": 30.0}}),
    "balanced": (1.0, {"rsi_14": {"rsi": 69.9}}),
    "macd_above_signal": (1.0, {"macd_12_26_9": {"macd": 0.2, "macdsignal": 0.1}}),
    "macd_below_signal": (1.0, {"macd_12_26_9": {"macd": -0.2, "macdsignal": 0.1}}),
    "above_bands": (12.0, {"bbands_20_2": {"upperband": 11.0, "lowerband": 9.0}}),
    "below_bands": (8.0, {"bbands_20_2": {"upperband": 11.0, "lowerband": 9.0}}),
    "trending": (1.0, {"adx_14": {"adx": 25.0}}),
    "without_trend": (1.0, {"adx_14": {"adx": 19.9}}),
}


def test_each_kind_is_found_and_worded_in_both_languages_and_what_has_no_value_says_nothing():
    for kind, (close, latest) in CASES.items():
        [found] = remarks.of(close, latest)
        assert found.kind == kind
        said = wording.says(found.kind, found.values, 2)
        assert "{" not in said
        with translation.override("ko"):
            assert "{" not in wording.says(found.kind, found.values, 2) != said
    assert wording.says("above_average", {"close": 1234.5, "average": 10.0, "bars": 20}, 2) == (
        "The close, 1,234.50, is above its average of 20 bars, 10.00."
    )
    for close, latest in (
        (10.0, {"sma_20": {"sma": 10.0}}), (10.0, {"sma_20": {"sma": None}, "rsi_14": {"rsi": None}}),
        (10.0, {"bbands_20_2": {"upperband": 11.0, "lowerband": 9.0}, "adx_14": {"adx": 22.0}}), (10.0, {}),
    ):  # fmt: skip
        assert remarks.of(close, latest) == []
