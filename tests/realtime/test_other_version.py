"""What another version left in Redis ends no request, no socket and no loop: of it this one reads what it knows."""

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import pytest
from django.test import Client

from analysis import summary
from analysis.summary import IndicatorValues
from finstage import health
from market import quotes
from market.bars import forming
from market.calendars import clock
from market.models import Snapshot
from monitoring import heartbeats
from monitoring.jobs.telling import changes
from monitoring.loops import Loop
from realtime import alerts, pulse, relay, streams
from realtime.lease import Lease

pytestmark = pytest.mark.django_db
AT = datetime(2012, 9, 4, tzinfo=UTC)
PATHS = [
    "/", "/symbols/AAPL/", "/api/v2/symbols/", "/api/v2/symbols/AAPL/", "/api/v2/symbols/AAPL/quote/",
    "/api/v2/symbols/AAPL/bars/", "/api/v2/watchlists/default/", "/api/v2/technical-analysis/indicators/AAPL",
]  # fmt: skip
OTHERS = {
    "a field more": lambda text: orjson.dumps(orjson.loads(text) | {"of_the_next_version": {"deep": [1, None]}}),
    "other names": lambda text: orjson.dumps({f"{name}_2": value for name, value in orjson.loads(text).items()}),
    "other types": lambda text: orjson.dumps({name: [value] for name, value in orjson.loads(text).items()}),
    "no object": lambda text: orjson.dumps([text.decode()]),
    "no JSON": lambda text: b"\x80\x04\x95 {" + text,
}


@pytest.fixture(autouse=True)
def filled(apple, quote) -> None:
    """All that a feed and a worker keep in Redis."""
    now = quote("AAPL", 101.5)
    quotes.keep([now])
    alerts.mark_seen([now])
    forming.keep([forming.daily_bar(now)])
    summary._keep([IndicatorValues("AAPL", "1d", AT, "day", "split", False, {"sma_20": {"sma": 99.5}}, "replay", AT)])
    clock.keep(clock.by_quotes("XNAS", [now]))
    heartbeats.beat("feed", source="replay", trouble=None)
    changes.LIST._append([{"task_id": "1", "state": "running"}])


def rewrite(redis, other: Callable[[bytes], bytes]) -> None:
    """Every JSON object in Redis, as another version would have it."""
    for key in redis.keys("finstage:*"):
        match redis.type(key):
            case b"hash":
                redis.hset(key, mapping={name: _as(other, text) for name, text in redis.hgetall(key).items()})
            case b"list":
                for place, text in enumerate(redis.lrange(key, 0, -1)):
                    redis.lset(key, place, _as(other, text))
            case b"string":
                redis.set(key, _as(other, redis.get(key)))


def _as(other: Callable[[bytes], bytes], text: bytes) -> bytes:
    head, brace, rest = text.partition(b"{")
    return head + other(brace + rest) if brace and text != b"{}" else text


def told(redis) -> dict:
    """All that is read of it."""
    return {
        "quote": quotes.latest(["AAPL"])["AAPL"],
        "seen": alerts.seen(),
        "forming": forming.latest(["AAPL"])["AAPL"],
        "indicators": summary.latest(["AAPL"])["AAPL"],
        "feed": pulse.service(redis.hget(heartbeats.key(), "feed"))["feed"],
        "changes": relay.merged(redis.lrange(changes.LIST.key, 0, -1), Loop("relay")),
    }


def test_a_field_more_hides_nothing(redis):
    before = told(redis)
    rewrite(redis, OTHERS["a field more"])
    after = told(redis)
    assert after.pop("changes")[0].items() > before.pop("changes")[0].items()
    assert after == before
    assert all(before.values())


@pytest.mark.parametrize("other", sorted(OTHERS.keys() - {"a field more"}))
def test_what_cannot_be_read_is_as_if_it_were_not_there(redis, other):
    rewrite(redis, OTHERS[other])
    assert not any(told(redis).values())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("other", OTHERS)
def test_no_request_ends_with_an_error_of_ours(client: Client, redis, path, other):
    rewrite(redis, OTHERS[other])
    assert client.get(path).status_code < 500


@pytest.mark.parametrize("other", OTHERS)
def test_health_answers(redis, other):
    rewrite(redis, OTHERS[other])
    assert health.heartbeat("feed")()["ok"] is (other == "a field more")
    assert "ok" in health.source()


@pytest.mark.parametrize("other", OTHERS)
def test_the_prices_move_on(redis, quote, other):
    rewrite(redis, OTHERS[other])
    assert quotes.keep([later := quote("AAPL", 102.5)])
    assert quotes.latest(["AAPL"])["AAPL"] == later
    quotes.flush(AT)
    assert Snapshot.objects.filter(price=102.5).exists()


def test_a_quote_without_its_instant_before_it_is_replaced(redis, quote):
    redis.hset("finstage:quotes", "AAPL", '{"another": "shape"}')
    assert quotes.latest(["AAPL"]) == {"AAPL": None}
    assert quotes.keep([quote("AAPL", 102.5)])


def test_a_clock_that_lacks_what_it_must_say_tells_nothing(redis):
    redis.hset("finstage:clock", "phase", "lunch")
    assert "phase" not in clock.latest()
    redis.hdel("finstage:clock", "session")
    assert clock.latest() == {}


def test_flags_and_columns_of_the_live_channel_that_we_do_not_know_mean_nothing():
    text = b'prices:AAPL\tab12\t7\tkcz\t{"seq":7}\tzstd\t9'
    assert list(streams.lines(text, {"prices:AAPL"})) == [streams.Line("prices:AAPL", "ab12", 7, "kcz", b'{"seq":7}')]


@pytest.mark.parametrize("odd", [b"", b"prices:AAPL\tab12", b"a\tb\tseven\tk\t{}", b"\xff\xfe\tb\t7\tk\t{}"])
def test_a_line_of_the_live_channel_that_is_none_is_left_out_alone(odd):
    good = b'prices:AAPL\tab12\t7\tk\t{"seq":7}'
    assert [line.seq for line in streams.lines(odd + b"\n" + good, {"prices:AAPL"})] == [7]


@pytest.mark.parametrize("holder", ["elsewhere", "a b c d", "place 12 x token", "a b c d e"])
def test_a_lease_whose_holder_is_named_in_another_way_is_waited_for(redis, holder):
    redis.set("finstage:lease:feed", holder)
    assert Lease("feed", 3.0).take() is False
