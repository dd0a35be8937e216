"""The original service's paths and shapes, asked for over the wire as its users' scripts of 2025 do it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore

from market import bars, prices, quotes
from market.models import DataSource
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True)]

NOWHERE = "0" * 8 + "-0000-7000-8000-" + "0" * 12
GETS = [
    "/api/v2/technical-analysis/indicators/AAPL?period=1mo&indicators=all",
    "/api/v2/technical-analysis/prices/batch?symbols=AAPL,GOOGL",
    "/async/symbols/batch?symbols=AAPL,GOOGL",
    "/api/tasks/status",
    "/api/tasks/workers",
    "/api/tasks/dashboard",
    f"/api/tasks/task/{NOWHERE}",
    f"/api/tasks/task/{NOWHERE}/result",
    "/metrics",
]
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


def slashed(path: str) -> str:
    place, mark, query = path.partition("?")
    return f"{place}/{mark}{query}"


@pytest.mark.parametrize("path", GETS)
def test_a_read_answers_the_same_with_and_without_a_closing_slash(script, stocked, path):
    plain, other = script.get(path), script.get(slashed(path))
    assert plain.status_code == other.status_code == (404 if NOWHERE in path else 200)
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
