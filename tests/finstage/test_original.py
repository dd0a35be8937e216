"""The original service's paths and shapes, asked for over the wire as its users' scripts of 2025 do it."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from websockets.sync.client import connect

from market import bars, prices, quotes
from market.models import DataSource
from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.models import Job, Worker
from realtime import messages, streams
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True)]

PROCESS = {"host": "h", "pid": 1, "place": "p", "birth": 1.0, "concurrency": 4}
NOWHERE = "0" * 8 + "-0000-7000-8000-" + "0" * 12
GETS = [
    "/api/v2/technical-analysis/indicators/AAPL?period=1mo&indicators=all",
    "/api/v2/technical-analysis/prices/batch?symbols=AAPL,GOOGL",
    "/technical-analysis/AAPL",
    "/api/v2/technical-analysis/prices/monitor?symbols=AAPL,GOOGL&alerts_only=false",
    "/async/symbols/batch?symbols=AAPL,GOOGL",
    "/api/tasks/status",
    "/api/tasks/workers",
    "/api/tasks/dashboard",
    f"/api/tasks/task/{NOWHERE}",
    f"/api/tasks/task/{NOWHERE}/result",
    "/metrics",
]
WAITING = ["/technical-analysis/AAPL"]  # of what is computed first
POSTS = {
    "/api/tasks/submit": {"task": "analysis.market", "args": {"symbols": ["AAPL"]}},
    "/api/tasks/quick/dataset-processing": {"symbol": "AAPL"},
    "/api/tasks/quick/daily-report": {"symbols": ["AAPL"]},
    "/api/tasks/quick/market-analysis": {"symbols": ["AAPL"]},
    f"/api/tasks/task/{NOWHERE}/cancel": None,
}


class Script(requests.Session):
    """A script of somebody of the staff, who has a login's cookie."""

    def __init__(self, url: str, user) -> None:
        super().__init__()
        self.trust_env = False
        self.url = url
        login = SessionStore()
        login.update({"_auth_user_id": str(user.pk), "_auth_user_backend": settings.AUTHENTICATION_BACKENDS[0]})
        login["_auth_user_hash"] = user.get_session_auth_hash()
        login.save()
        self.cookies.update({settings.SESSION_COOKIE_NAME: login.session_key, "csrftoken": "c" * 32})
        self.headers["X-CSRFToken"] = "c" * 32

    def request(self, method: str, path: str, **options) -> requests.Response:
        return super().request(method, self.url + path, timeout=30, **options)


@pytest.fixture
def script(live_web) -> Iterator[Script]:
    with Script(live_web.url, get_user_model().objects.create_user("script", is_staff=True)) as session:
        yield session


@pytest.fixture
def stocked(apple, quote) -> None:
    """Apple has a bar and a price."""
    at = datetime(2012, 9, 4, 21, tzinfo=UTC)
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=at)
    bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(at.date()), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", at)])
    quotes.keep([quote("AAPL", 1.5, previous_close=1.2)])


@pytest.fixture
def queue() -> None:
    """Three jobs completed, one failed, one timed out, one waits and one waits to be tried again; a worker ran four."""
    jobs.submit_many("sample.add", [{"a": 1}] * 7)
    for state in ("completed", "completed", "completed", "failed", "timed_out"):
        end(state)
    end("retrying", retry_at=timezone.now() + timedelta(hours=1))
    counts = {"processed": 4, "failed": 1}
    Worker.objects.create(id=uuid.uuid4(), started_at=timezone.now(), heartbeat_at=timezone.now(), **PROCESS, **counts)


def end(state: str, **facts) -> None:
    """What a worker does with the next job."""
    [job] = claims.claim(uuid.uuid4(), 1, timezone.now())
    endings.write([attempts.Ending(job, state, **facts)])


def slashed(path: str) -> str:
    place, mark, query = path.partition("?")
    return f"{place}/{mark}{query}"


@pytest.mark.parametrize("path", GETS)
def test_a_read_answers_the_same_with_and_without_a_closing_slash(script, stocked, path):
    plain, other = script.get(path), script.get(slashed(path))
    assert plain.status_code == other.status_code == (404 if NOWHERE in path else 202 if path in WAITING else 200)
    assert plain.headers["Content-Type"] == other.headers["Content-Type"]
    assert not other.history
    assert "not_found" not in plain.text + other.text


@pytest.mark.parametrize("path", POSTS)
def test_what_is_posted_arrives_with_and_without_a_closing_slash(script, path):
    plain, other = (script.post(each, json=POSTS[path]) for each in (path, slashed(path)))
    if POSTS[path] is None:
        assert plain.json()["code"] == other.json()["code"] == "unknown_task"
        return
    first, second = (Job.objects.get(pk=each.json()["task_id"]) for each in (plain, other))
    assert first.arguments == second.arguments
    assert (first.arguments.get("symbols") or [first.arguments["symbol"]]) == ["AAPL"]


def test_a_path_stands_in_the_documents_once(script):
    paths = script.get("/api/schema/?format=json").json()["paths"]
    assert len({path.rstrip("/") for path in paths}) == len(paths)
    assert {"/api/tasks/status", "/api/tasks/submit", "/api/v2/technical-analysis/indicators/{symbol}"} <= set(paths)


def test_the_status_of_the_queue_is_what_scripts_read(script, queue):
    told = script.get("/api/tasks/status").json()
    stats, [worker] = told["queue_stats"], told["worker_stats"]
    assert (stats["pending_tasks"], stats["total_submitted"], stats["total_completed"]) == (2, 7, 3)
    assert stats["success_rate"] == 60.0  # of completed and failed alone, as a time-out is a failure
    assert {"worker_id", "processed_tasks", "success_rate", "current_task_id"} <= worker.keys()
    assert (worker["processed_tasks"], worker["success_rate"], worker["current_task_id"]) == (4, 75.0, None)
    counts = told["status_counts"]
    assert [counts[state] for state in ("pending", "running", "completed", "failed")] == [1, 0, 3, 1]
    assert counts.keys() == set(Job.State.values)
    assert sum(counts.values()) == stats["total_submitted"]


def test_a_queue_in_which_nothing_has_ended_has_no_success_rate(script):
    jobs.submit("sample.add", {"a": 1})
    Worker.objects.create(id=uuid.uuid4(), started_at=timezone.now(), heartbeat_at=timezone.now(), **PROCESS)
    told = script.get("/api/tasks/status").json()
    assert told["queue_stats"]["success_rate"] is told["worker_stats"][0]["success_rate"] is None


def test_the_workers_and_the_dashboard_tell_the_same_as_the_status(script, queue):
    status, workers, dashboard = (
        script.get(f"/api/tasks/{name}").json() for name in ("status", "workers", "dashboard")
    )
    assert {name: dashboard[name] for name in status} == status
    assert workers["workers"] == status["worker_stats"]


def test_a_task_is_followed_from_its_submission_to_its_result(script):
    """As `submit`, `get_task_progress` and `wait_for_task` did."""
    asked = {"task": "analysis.market", "args": {"symbols": ["AAPL"]}, "priority": "high", "max_retries": 3}
    task_id = script.post("/api/tasks/submit", json=asked).json()["task_id"]
    task = script.get(f"/api/tasks/task/{task_id}").json()
    assert (task["status"], task["execution_time"], task["priority"]) == ("pending", None, "high")
    assert task["max_attempts"] == 4
    assert script.get(f"/api/tasks/task/{task_id}/result").status_code == 202
    end("completed", result={"AAPL": 1})
    task = script.get(f"/api/tasks/task/{task_id}").json()
    assert task["status"] == "completed"
    assert 0 <= task["execution_time"] < 60
    told = script.get(f"/api/tasks/task/{task_id}/result")
    assert (told.status_code, told.json()["status"], told.json()["result"]) == (200, "completed", {"AAPL": 1})


def test_a_task_is_cancelled(script):
    task_id = script.post("/api/tasks/quick/daily-report").json()["task_id"]
    assert script.post(f"/api/tasks/task/{task_id}/cancel").json()["status"] == "cancelled"
    assert script.get(f"/api/tasks/task/{task_id}").json()["status"] == "cancelled"


def test_prices_are_null_where_there_is_none_at_both_their_paths(script, stocked):
    for path in ("/api/v2/technical-analysis/prices/batch", "/async/symbols/batch"):
        told = script.get(path, params={"symbols": "AAPL, GOOGL"}).json()
        assert told["timestamp"].endswith("Z")
        assert told["prices"] == {"AAPL": 1.5, "GOOGL": None}


def test_indicators_say_of_when_they_are_and_where_they_came_from(script, stocked):
    told = script.get(
        "/api/v2/technical-analysis/indicators/AAPL", params={"period": "1mo", "indicators": "all"}
    ).json()
    expected = {
        "symbol": "AAPL", "interval": "1d", "period": "1mo", "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day",
        "received_at": "2012-09-04T21:00:00Z", "source": "replay", "adjustment": "split",
        "times": ["2012-09-04T00:00:00Z"],
    }  # fmt: skip
    assert expected.items() <= told.items()
    average = {"name": "sma", "parameters": {"period": 20}, "values": {"sma": [None]}, "latest": {"sma": None}}
    assert average.items() <= told["indicators"]["sma_20"].items()


def test_many_symbols_are_analysed_and_one_that_fails_is_null(script, stocked):
    """As `analyze_multiple_symbols_async` answered, and the comprehensive analysis, which saves in the background."""
    asked = {"symbols": ["AAPL", "GOOGL"], "period": "1mo", "batch_size": 5}
    for path in ("/api/v2/technical-analysis/batch/indicators", "/api/v2/technical-analysis/batch/indicators/"):
        told = script.post(path, json=asked).json()
        assert (told["results"]["AAPL"]["symbol"], told["results"]["GOOGL"]) == ("AAPL", None)
        assert (told["analyzed_count"], told["success_rate"]) == (1, 50.0)
        assert told["errors"]["GOOGL"]["code"] == "unknown_symbol"
    path = "/api/v2/technical-analysis/analysis/comprehensive"
    told = script.post(path, json={"symbols": ["AAPL"], "period": "1mo", "save_results": True}).json()
    assert told["results"]["AAPL"].keys() == {"indicators", "summary", "signals"}
    assert script.get(f"/api/tasks/task/{told['task_id']}").json()["status"] == "pending"


def test_a_bar_and_a_quote_say_of_when_they_are_and_where_they_came_from(script, stocked):
    [bar] = script.get("/api/v2/symbols/AAPL/bars/").json()["results"]
    told = {"session_date": "2012-09-04", "adjustment": "split", "is_final": True, "revision": 0, "source": "replay"}
    as_of = {"as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", "received_at": "2012-09-04T21:00:00Z"}
    assert (told | as_of).items() <= bar.items()
    quote = script.get("/api/v2/symbols/AAPL/quote/").json()
    values = {"symbol": "AAPL", "current_price": 1.5, "previous_close": 1.2, "change": 0.3, "change_percent": 25.0}
    assert values.items() <= quote.items()
    assert (quote["source"], quote["as_of_precision"], quote["market_state"]) == ("replay", "second", "open")
    assert quote["freshness"] in ("live", "delayed", "stale", "closed")
    assert {"timestamp", "received_at", "volume"} <= quote.keys()


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("/api/v2/symbols/AAPL/bars/?interval=3d", 400, "invalid_interval", "interval"),
        ("/api/v2/technical-analysis/indicators/AAPL?period=7d", 400, "invalid_period", "period"),
        ("/async/symbols/batch", 400, "invalid_symbols", "symbols"),
        ("/api/v2/technical-analysis/indicators/GOOGL", 404, "unknown_symbol", None),
    ],
)
def test_an_error_says_what_why_and_what_is_allowed(script, stocked, path, status, code, field):
    answer = script.get(path)
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert all(told[name] for name in ("type", "title", "detail", "request_id"))
    assert list(told.get("errors", {})) == ([field] if field else [])


def test_the_metrics_have_the_names_that_dashboards_read(script):
    script.get("/api/tasks/status")
    text = script.get("/metrics").text
    for line in (
        "finstage_requests_total{",
        "finstage_request_duration_seconds_bucket{",
        "finstage_system_cpu_percent ",
    ):
        assert f"\n{line}" in text
    for name, kind in (("requests_total", "counter"), ("request_duration_seconds", "histogram")):
        assert f"# TYPE finstage_{name} {kind}" in text


def test_a_page_of_2025_subscribes_and_reads_its_messages(live_web, stocked, quote):
    with connect(f"{live_web.ws_url}/ws/realtime", proxy=None) as socket:
        said = partial(heard, socket)
        socket.send(json.dumps({"action": "subscribe", "type": "prices", "symbols": ["AAPL", "GOOGL", "MSFT"]}))
        assert said("error")["symbols"] == ["GOOGL", "MSFT"]  # the recording has no GOOGL, and this test no MSFT
        assert list(said("subscribed")["streams"]) == ["prices:AAPL"]
        socket.send(json.dumps({"action": "subscribe", "type": "alerts"}))
        assert "alerts:AAPL" in said("subscribed")["streams"]
        socket.send(json.dumps({"action": "get_current_prices", "symbols": ["AAPL"]}))
        assert said("current_prices")["prices"]["AAPL"]["current_price"] == 1.5
        streams.publish([messages.price(quote("AAPL", 1.6, previous_close=1.2))])
        update = said("price_update")
        assert (update["symbol"], update["current_price"], update["change_percent"]) == ("AAPL", 1.6, 33.3333)


def heard(socket, kind: str) -> dict:
    """The next message of a kind; the others are for others."""
    while (message := json.loads(socket.recv(timeout=10)))["type"] != kind:
        assert message["type"] != "error" or message["code"] == "unknown_symbol", message
    return message
