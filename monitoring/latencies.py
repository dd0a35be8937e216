"""How long something takes on its way through processes: counted by each, told of all together, as refusals are.

Counts lie in Redis, those since it is and those of the last minutes. Nobody waits for them: a process writes what it
counted every few seconds, aside. What takes less than no time was timed by two clocks that are apart: it is counted for
itself, and as no time of any length.
"""

import logging
import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import REGISTRY, CounterMetricFamily, HistogramMetricFamily
from redis.exceptions import RedisError

from monitoring import redis

logger = logging.getLogger(__name__)

# Seconds: to the sockets it is milliseconds, from exchanges that give their prices late twenty minutes.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 300, 1200, math.inf)
MINUTES = 15  # that are told of as the last ones
WRITE_SECONDS = 5.0
ANSWER_SECONDS = 30  # counts are not asked for again so soon after Redis did not give them
AHEAD, SUM = "ahead", "sum"  # beside the places of the bounds; the sum is of milliseconds

Labels = tuple[str, ...]
Counts = Mapping[str, int]  # by the place of a bound, how many took so long and not the one before; AHEAD and SUM


@dataclass(frozen=True, slots=True)
class Told:
    """Of the last minutes. p50, p99: seconds, between the bounds as if they were spread evenly; None of none. ahead:
    how many took less than no time.
    """

    count: int
    p50: float | None
    p99: float | None
    ahead: int


NONE = Told(0, None, None, 0)


class Latency:
    """One way, and what is told of it: `name` ends in _seconds. Labels are words of ours, never symbols or people."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name, self._text, self._labels = name, text, labels
        self._lock = threading.Lock()
        self._counted: Counter[tuple[Labels, str]] = Counter()
        self._write_at: float | None = None
        self._held: dict[Labels, Counts] = {}
        self._not_before = 0.0
        REGISTRY.register(self)

    def observe(self, seconds: float, labels: Labels = ()) -> None:
        """Count one; safe in several threads, and nobody waits."""
        with self._lock:
            if seconds < 0:
                self._counted[labels, AHEAD] += 1
            else:
                place = next(place for place, bound in enumerate(BOUNDS) if seconds <= bound)
                self._counted[labels, str(place)] += 1
                self._counted[labels, SUM] += round(seconds * 1000)
            now = time.monotonic()
            if self._write_at is None:
                self._write_at = now + WRITE_SECONDS
            is_due = now >= self._write_at
            self._write_at = now + WRITE_SECONDS if is_due else self._write_at
        if is_due:
            threading.Thread(target=self.write, name="latencies", daemon=True).start()

    def write(self) -> None:
        """Add what was counted here to what all have; what can't be written waits for the next time."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        try:
            with redis.client().pipeline() as pipe:
                minute = self._minute(int(time.time() // 60))
                for (labels, what), count in counted.items():
                    for key in (self._all(), minute):
                        pipe.hincrby(key, ":".join((*labels, what)), count)
                pipe.expire(minute, (MINUTES + 1) * 60)
                pipe.execute()
        except RedisError as away:
            logger.warning("%s: %d counts wait: %s", self.name, counted.total(), away)
            with self._lock:
                self._counted += counted

    def last(self) -> dict[Labels, Told]:
        """What is told of the last minutes, by labels. Raises redis' errors."""
        now = int(time.time() // 60)
        with redis.client().pipeline(transaction=False) as pipe:
            for minute in range(now - MINUTES + 1, now + 1):
                pipe.hgetall(self._minute(minute))
            summed: Counter[bytes] = Counter()
            for found in pipe.execute():
                summed.update({name: int(count) for name, count in found.items()})
        return {labels: _told(counts) for labels, counts in sorted(_by_labels(summed).items())}

    def describe(self) -> list[Metric]:
        return list(self._families())

    def collect(self) -> list[Metric]:
        if time.monotonic() >= self._not_before:
            try:
                self._held = _by_labels(redis.client().hgetall(self._all()))
            except RedisError as away:
                self._not_before = time.monotonic() + ANSWER_SECONDS
                logger.warning("%s: the counts are those of before: %s", self.name, away)
        took, ahead = self._families()
        for labels, counts in sorted(self._held.items()):
            took.add_metric(list(labels), _cumulated(counts), counts.get(SUM, 0) / 1000)
            ahead.add_metric(list(labels), counts.get(AHEAD, 0))
        return [took, ahead]

    def _families(self) -> Iterator[Metric]:
        yield HistogramMetricFamily(self.name, self._text, labels=list(self._labels))
        name = f"{self.name.removesuffix('_seconds')}_ahead"
        yield CounterMetricFamily(
            name, "Those of it that took less than no time: clocks are apart.", None, self._labels
        )

    def _all(self) -> str:
        return redis.key("latency", self.name)

    def _minute(self, minute: int) -> str:
        return redis.key("latency", self.name, minute)


def quantile(counts: Counts, share: float) -> float | None:
    """Seconds within which this share is; None of none. Beyond the last bound but one it is that bound. Pure."""
    number, passed = share * _count(counts), 0
    for place, bound in enumerate(BOUNDS):
        here = counts.get(str(place), 0)
        if here and passed + here >= number:
            first = BOUNDS[place - 1] if place else 0.0
            return first if math.isinf(bound) else first + (bound - first) * (number - passed) / here
        passed += here
    return None


def _told(counts: Counts) -> Told:
    return Told(_count(counts), quantile(counts, 0.5), quantile(counts, 0.99), counts.get(AHEAD, 0))


def _count(counts: Counts) -> int:
    return sum(counts.get(str(place), 0) for place in range(len(BOUNDS)))


def _cumulated(counts: Counts) -> list[tuple[str, float]]:
    found, total = [], 0
    for place, bound in enumerate(BOUNDS):
        total += counts.get(str(place), 0)
        found.append(("+Inf" if math.isinf(bound) else str(bound), total))
    return found


def _by_labels(found: Mapping[bytes, bytes | int]) -> dict[Labels, Counts]:
    told: dict[Labels, dict[str, int]] = defaultdict(dict)
    for name, count in found.items():
        *labels, what = name.decode().split(":")
        told[tuple(labels)][what] = int(count)
    return told
