"""How long something takes: counted by each process, told of all."""

import math

import pytest
from prometheus_client import REGISTRY

from monitoring import latencies, metrics, redis
from monitoring.latencies import BOUNDS, Latency, Told, quantile


@pytest.fixture
def latency(redis):
    made = Latency("finstage_of_a_test_seconds", "Of a test.", ["way"])
    yield made
    REGISTRY.unregister(made)


def test_what_two_processes_count_is_told_together_by_label_and_as_a_histogram(latency):
    other = object.__new__(Latency)
    other.__dict__ |= {**latency.__dict__, "_counted": type(latency._counted)()}
    latency.observe(0.3, ("polled",))
    other.observe(30.0, ("polled",))
    other.observe(0.3, ("streamer",))
    latency.write()
    other.write()
    told = latency.last()
    assert {labels: each.count for labels, each in told.items()} == {("polled",): 2, ("streamer",): 1}
    text = metrics.exposition().decode()
    assert 'finstage_of_a_test_seconds_bucket{le="0.5",way="polled"} 1.0' in text
    assert 'finstage_of_a_test_seconds_count{way="polled"} 2.0' in text
    assert 'finstage_of_a_test_seconds_sum{way="polled"} 30.3' in text


def test_less_than_no_time_is_counted_apart_and_is_no_time(latency):
    latency.observe(-0.2, ("polled",))
    latency.write()
    assert latency.last() == {("polled",): Told(count=0, p50=None, p99=None, ahead=1)}
    assert 'finstage_of_a_test_ahead_total{way="polled"} 1.0' in metrics.exposition().decode()


def test_of_the_last_minutes_older_ones_are_not_told_and_the_histogram_keeps_them(latency, monkeypatch):
    now = [1_800_000_000.0]
    monkeypatch.setattr(latencies.time, "time", lambda: now[0])
    latency.observe(1.0, ("polled",))
    latency.write()
    now[0] += latencies.MINUTES * 60
    assert latency.last() == {}
    assert 'finstage_of_a_test_seconds_count{way="polled"} 1.0' in metrics.exposition().decode()


def test_what_could_not_be_written_waits(latency, monkeypatch):
    latency.observe(1.0, ("polled",))
    with monkeypatch.context() as away:
        away.setattr(latencies.redis, "client", _away)
        latency.write()
    latency.write()
    assert latency.last()["polled",].count == 1


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({"8": 100}, 0.5, 0.375),
        ({"8": 99, "11": 1}, 0.99, 0.5),
        ({"8": 98, "11": 2}, 0.99, 3.75),
        ({str(len(BOUNDS) - 1): 1}, 0.5, BOUNDS[-2]),
    ],
)
def test_a_share_is_read_between_the_bounds(counts, share, seconds):
    found = quantile(counts, share)
    assert found == seconds if seconds is None else math.isclose(found, seconds)


def _away():
    raise redis.AWAY[0]("away")
