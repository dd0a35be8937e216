"""Health: named, bounded, and honest about what is missing."""

import asyncio
import json
import time

import pytest

from finstage import diagnosis, health
from finstage.health import Readiness
from monitoring import heartbeats
from tests.server import running


def fine() -> dict:
    return {"ok": True}


def broken() -> dict:
    raise ConnectionError("password of the server")


def report(**checks) -> tuple[int, dict]:
    usual = {"database": fine, "redis": fine, "feed": fine, "source": fine, "worker": fine, "beat": fine}
    return asyncio.run(Readiness({**usual, **checks}).report())


def test_all_is_well():
    status, body = report()
    assert (status, body["status"]) == (200, "ready")
    assert body["dependencies"].keys() == {"database", "redis", "feed", "source", "worker", "beat"}


@pytest.mark.parametrize("name", ["database", "redis"])
def test_without_what_we_stand_on_we_are_not_ready(name):
    status, body = report(**{name: broken})
    assert (status, body["status"]) == (503, "unavailable")
    assert body["dependencies"][name] == {"ok": False, "detail": "ConnectionError"}


@pytest.mark.parametrize("name", ["feed", "source", "worker", "beat"])
def test_without_the_feed_its_source_or_the_worker_we_are_degraded_and_serve(name):
    status, body = report(**{name: lambda: {"ok": False, "detail": "never seen"}})
    assert (status, body["status"]) == (200, "degraded")


def test_a_frozen_database_is_named_and_asked_only_once():
    asked = []

    def frozen() -> dict:
        asked.append(1)
        time.sleep(3)
        return fine()

    async def twice() -> dict:
        readiness = Readiness({"database": frozen, "redis": fine})
        await readiness.report()
        return (await readiness.report())[1]["dependencies"]

    dependencies = asyncio.run(twice())
    assert dependencies["database"] == {"ok": False, "detail": "no answer within 1 s"}
    assert dependencies["redis"]["ok"]
    assert len(asked) == 1


def test_a_process_that_beats_is_well_and_one_that_never_did_is_not():
    heartbeats.beat("feed")
    assert health.CHECKS["feed"]()["ok"]
    assert health.CHECKS["worker"]() == {"ok": False, "detail": "never seen"}


def test_a_feed_whose_rows_are_late_is_degraded_and_says_so():
    late = "Bars, indicators and alerts wait for the database"
    heartbeats.beat("feed", late=late)
    assert health.CHECKS["feed"]() == {"ok": False, "detail": late}
    with pytest.raises(diagnosis.Broken, match=late):
        diagnosis.feed()
    heartbeats.beat("feed", late=None)
    assert health.CHECKS["feed"]()["ok"]
    assert diagnosis.feed().startswith("seen")


def test_a_feed_that_ends_while_it_is_asked_about_is_no_fault_of_the_check(monkeypatch):
    heartbeats.beat("feed", late=None)
    age = heartbeats.age

    def then_it_ends(name: str) -> float | None:
        found = age(name)
        heartbeats.end(name)
        return found

    monkeypatch.setattr(heartbeats, "age", then_it_ends)
    assert health.CHECKS["feed"]()["ok"]


def test_a_source_that_gives_nothing_is_degraded_and_says_why():
    assert health.CHECKS["source"]() == {"ok": False, "detail": "no feed that could tell"}
    heartbeats.beat("feed", trouble="Yahoo does not answer: no route")
    assert health.CHECKS["source"]() == {"ok": False, "detail": "Yahoo does not answer: no route"}
    heartbeats.beat("feed", trouble=None)
    assert health.CHECKS["source"]() == {"ok": True}


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_the_real_database_and_redis_answer():
    assert report(**health.CHECKS)[0] == 200


def test_live_needs_nothing_and_ready_says_what_is_missing():
    with running("manage.py", "web", REDIS_URL="redis://127.0.0.1:1/0") as web:
        assert web.get("/health/live")[0] == 200
        status, headers, body = web.get("/health/ready")
    assert status == 503
    assert headers["content-type"] == "application/json"
    assert not json.loads(body)["dependencies"]["redis"]["ok"]
    assert json.loads(body)["dependencies"]["database"]["ok"]
