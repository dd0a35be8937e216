"""What the half-hourly analysis found is told once: of each symbol on its stream, of the market on `system`."""

import uuid
from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson
import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from analysis import summary
from analysis.reports import runs
from market import bars, prices
from market.models import DataSource, Symbol
from market.prices import Bar
from monitoring import jobs, redis
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.loops import Loop
from realtime import findings, relay
from realtime.lease import Lease
from realtime.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
LAST = date(2012, 9, 6)
AT = datetime(2012, 9, 4, 21, tzinfo=UTC)


@pytest.fixture
def told(apple, quote) -> None:
    """AAPL stands at a high after 40 days that rose, which a feed has told; of IBM no feed has told anything."""
    source = {"name": "replay", "reason": "asked", "chosen_at": AT, "pass_number": 3, "session": LAST + timedelta(1)}
    DataSource.objects.update_or_create(pk=1, defaults=source)
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="IBM", name="IBM", **facts)
    for ticker, step in (("AAPL", 1.0), ("IBM", -0.5)):
        days = np.busday_offset(LAST, range(-39, 1)).tolist()
        closes = [100.0 + step * number for number in range(40)]
        bars.upsert(
            Bar(ticker, "1d", prices.midnight(day), close, close, close, close, 1000, True, "replay", AT)
            for day, close in zip(days, closes, strict=True)
        )
    summary.Summary().tick([quote("AAPL", 139.0, session_date=LAST)])


def run(**asked) -> jobs.Job:
    """The job, as a worker does it."""
    job = jobs.submit("analysis.market", **asked)
    for each in claims.claim(uuid.uuid4(), 50, timezone.now()):
        if ending := body.run(Current(each)):
            attempts.end(ending)
    assert runs.LIST.flush(20)
    return jobs.Job.objects.get(pk=job.pk)


def pass_on(loop: Loop | None = None) -> int:
    lease = Lease("feed", 60)
    redis.client().delete(redis.key("lease", "feed"))
    lease.take()
    return findings.pass_on(loop or Loop("relay", away=relay.AWAY), lease)


def published(stream: str) -> list[dict]:
    return [orjson.loads(entry[b"b"]) for _, entry in redis.client().xrange(redis.key("stream", f"history:{stream}"))]


def test_a_run_is_told_once_on_the_streams_of_the_symbols_and_on_system(told):
    job = run()
    line = redis.client().lindex(runs.LIST.key, 0)
    assert pass_on() == 1
    redis.client().rpush(runs.LIST.key, line)  # a feed that died after it had told
    assert [pass_on(), pass_on()] == [1, 0]
    [system] = published("system")
    market = system["market"]
    assert system["message"].startswith("Of 2 symbols 1 rise and 1 fall; 1 are overbought and 1 oversold; 1 stand at")
    assert (market["overbought"], market["oversold"]) == (["AAPL"], ["IBM"])
    assert (market["new_high"], market["new_low"]) == (["AAPL"], ["IBM"])
    assert (market["breadth"]["rising"], market["source"], market["pass"]) == (1, "replay", 3)
    [indicators] = published("indicators:AAPL")
    assert indicators["values"] == summary.latest(["AAPL"])["AAPL"].values
    assert indicators["analysis"] == {
        "session_date": "2012-09-06", "close": 139.0, "change_percent": indicators["analysis"]["change_percent"],
        "trend": "above_sma_20", "momentum": "overbought", "new_high": True, "new_low": False,
    }  # fmt: skip
    assert published("indicators:IBM") == []  # a feed says its values first
    assert orjson.loads(Event.objects.get(stream="system").body)["market"] == market
    assert job.result["new_high"] == ["AAPL"]


def test_what_people_ask_for_and_what_is_of_some_symbols_is_told_to_nobody_else(told):
    run(owner=get_user_model().objects.create_user("jean"))
    run(arguments={"symbols": ["AAPL"]})
    assert pass_on() == 0


def test_what_a_pass_that_is_over_found_is_left_out_and_counted(told):
    run()
    DataSource.objects.update(pass_number=4)
    loop = Loop("relay", away=relay.AWAY)
    assert [pass_on(loop), pass_on(loop)] == [1, 0]
    assert (loop.skipped, published("system"), published("indicators:AAPL")) == (1, [], [])


def test_a_line_that_is_no_run_holds_up_nobody(told):
    redis.client().rpush(runs.LIST.key, b'{"lost":1}', b"[]")
    run()
    loop = Loop("relay", away=relay.AWAY)
    assert [pass_on(loop) for _ in range(4)] == [1, 1, 1, 0]
    assert (loop.skipped, len(published("system"))) == (2, 1)


def test_a_live_source_has_no_pass(told):
    DataSource.objects.update(session=None, pass_number=5)
    run()
    pass_on()
    [system] = published("system")
    assert "pass" not in system["market"]
