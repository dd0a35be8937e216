"""GET /technical-analysis/{symbol}: what is kept at once, else one job for each symbol and bar."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.core.cache.backends.redis import RedisCache
from django.utils import timezone

from analysis.api import technical
from analysis.indicators import frames
from analysis.reports import remarks
from market import bars, prices
from market.bars import forming
from market.models import Symbol
from market.prices import FORMING, Bar
from monitoring import caches, jobs
from monitoring.caches import shared
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.limits import Limit
from monitoring.models import Job

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/technical-analysis/AAPL"
FIRST, DAYS = date(2012, 3, 1), 60
AT = datetime(2012, 9, 3, 21, tzinfo=UTC)


def bar(day: int, *, at: datetime = AT, **facts) -> Bar:
    close = 100.0 + day % 13
    values = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1000, "is_final": True}
    opened = prices.midnight(np.busday_offset(FIRST, day).item())
    return Bar(**{"ticker": "AAPL", "interval": "1d", "opened_at": opened, "source": "replay", "received_at": at,
                  **values, **facts})  # fmt: skip


@pytest.fixture(autouse=True)
def held(apple, monkeypatch) -> Symbol:
    caches.technical_analysis.front.clear()
    monkeypatch.setattr(technical, "_asking", Limit("analysis", 100))
    bars.upsert([bar(day) for day in range(DAYS)])
    return apple


def work() -> None:
    """As a worker does."""
    for job in claims.claim(uuid.uuid4(), 50, timezone.now()):
        if ending := body.run(Current(job)):
            attempts.end(ending)


def test_it_is_computed_by_a_job_and_told_at_once_from_then_on(client):
    first = client.get(PATH)
    asked = first.json()
    assert first.status_code == 202
    assert asked == {
        "task_id": str(Job.objects.get().pk), "status": "processing", "estimated_time": None,
        "result_url": f"/api/tasks/task/{asked['task_id']}/result",
    }  # fmt: skip
    assert client.get(PATH.replace("AAPL", "aapl")).json() == asked
    assert client.get(asked["result_url"]).status_code == 202
    work()
    told = client.get(PATH)
    state, values = told.json(), frames.indicators("AAPL", "1d")
    assert told.status_code == 200
    assert state["indicators"] == {key: each["latest"] for key, each in values["indicators"].items()}
    assert (state["session_date"], state["close"], state["state"]) == ("2012-05-23", 107.0, "final")
    assert state["change_percent"] == pytest.approx((107 / 106 - 1) * 100, abs=1e-4)
    assert state["summary"] == [each.as_json() for each in remarks.of(107.0, state["indicators"])] != []
    assert 0 <= state["age_seconds"] < 60
    result = client.get(asked["result_url"]).json()["result"]
    assert result["indicators"] == state["indicators"]
    assert Job.objects.count() == 1


def test_a_bar_that_forms_says_nothing_and_one_that_is_revised_makes_a_new_job(client):
    client.get(PATH)
    work()
    forming.keep([bar(DAYS, close=101.0, is_final=False, state=FORMING)])
    assert client.get(PATH).json()["session_date"] == "2012-05-23"
    bars.upsert([bar(DAYS - 1, at=AT + timedelta(hours=1), close=107.5)])
    again = client.get(PATH)
    assert (again.status_code, again.json()["estimated_time"]) == (202, "1 second")
    work()
    assert client.get(PATH).json()["close"] == 107.5
    assert Job.objects.count() == 2


def test_where_no_cache_keeps_it_any_more_the_job_says_what_it_found(client, redis):
    client.get(PATH)
    work()
    kept = client.get(PATH).json()
    caches.technical_analysis.front.clear()
    redis.flushall()
    told = client.get(PATH)
    assert told.status_code == 200
    assert {**told.json(), "age_seconds": 0} == {**kept, "age_seconds": 0}


def test_it_is_told_while_what_processes_share_is_away(client, monkeypatch):
    away = RedisCache(["redis://127.0.0.1:1"], {"OPTIONS": {"serializer": shared.Bytes}})
    monkeypatch.setattr(shared, "backend", lambda: away)
    assert client.get(PATH).status_code == 202
    work()
    caches.technical_analysis.front.clear()
    assert client.get(PATH).status_code == 200
    shared._away_until = 0.0


def test_one_address_begins_so_many_and_is_told_those_that_others_have_asked_for(client, monkeypatch):
    monkeypatch.setattr(technical, "_asking", Limit("analysis", 1))
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    for ticker in ("IBM", "GE"):
        Symbol.objects.create(ticker=ticker, name=ticker, **facts)
        bars.upsert([replace(bar(day), ticker=ticker) for day in range(3)])
    paths = [PATH.replace("AAPL", ticker) for ticker in ("AAPL", "IBM", "GE")]
    assert client.get(paths[0]).status_code == 202
    refused = client.get(paths[1])
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_tasks")
    assert int(refused["Retry-After"]) > 0
    assert client.get(paths[1], REMOTE_ADDR="192.0.2.7").status_code == 202
    assert [client.get(path).status_code for path in paths] == [202, 202, 429]


def test_a_job_that_came_to_nothing_is_said_so_and_begun_again_later(client):
    client.get(PATH)
    [job] = claims.claim(uuid.uuid4(), 1, timezone.now())
    endings.write([attempts.Ending(job, "failed", error_code="KeyError", error="KeyError: 1")])
    failed = client.get(PATH)
    assert (failed.status_code, failed.json()["code"], failed["Retry-After"]) == (503, "analysis_failed", "60")
    Job.objects.update(finished_at=timezone.now() - timedelta(seconds=61))
    assert client.get(PATH).status_code == 202
    assert Job.objects.get().state == Job.State.PENDING


def test_what_has_no_bars_and_what_is_no_symbol_is_a_typed_404(client, db):
    Symbol.objects.create(ticker="NEW", name="New", exchange="XNAS", currency="USD", time_zone="America/New_York")
    told = [client.get(PATH.replace("AAPL", ticker)) for ticker in ("NEW", "NOPE")]
    assert [(each.status_code, each.json()["code"]) for each in told] == [(404, "no_bars"), (404, "unknown_symbol")]
    assert not Job.objects.exists()


def test_reads_that_need_a_login_need_one_here_too(client, settings):
    settings.MARKET_DATA_OPEN = False
    assert client.get(PATH).status_code == 401
    assert jobs.Job.objects.count() == 0
