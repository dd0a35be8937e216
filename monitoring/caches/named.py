"""One cache: a small front in the process, bytes that all processes share, and one computation for all who ask."""

import struct
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import blake2b

from monitoring import metrics
from monitoring.caches import shared
from monitoring.caches.flights import Flights
from monitoring.caches.store import Store

FORMAT = 1  # raise it where the same bytes would mean something else
LEASE_SECONDS = 2  # a process that computes and dies frees the others then
LOOK_SECONDS = 0.01  # between two looks at what another process computes
_HEAD = struct.Struct("<16sdd")
_OVERHEAD = 200  # bytes of what is kept, beside its body

FRONT, SHARED, WAITED, COMPUTED = "front", "shared", "waited", "computed"


@dataclass(frozen=True, slots=True)
class Made:
    """What was computed. version: that of what it was computed from; None: of several, and nobody keeps it."""

    body: bytes
    version: Hashable


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. version: see `Made`. made_at: seconds since 1970. seconds: how long it took."""

    body: bytes
    version: Hashable
    made_at: float
    seconds: float

    @property
    def bytes(self) -> int:
        return len(self.body) + _OVERHEAD

    @property
    def age_seconds(self) -> float:
        """By our clock, which may be behind that of the process that computed it."""
        return max(0.0, time.time() - self.made_at)


class Cache:
    """Answers by key, each as long as it has the version that is asked for, and `ttl_seconds` at most.

    A key is a tuple of what an answer depends on, each with a `repr` that says all of it.
    """

    def __init__(self, name: str, ttl_seconds: int) -> None:
        self.name, self.ttl_seconds = name, ttl_seconds
        self.front = Store[Kept]("CACHES_BYTES")
        self._flights = Flights[Kept]()
        self._read = {how: metrics.CACHE_READS.labels(name, how) for how in (FRONT, SHARED, WAITED, COMPUTED)}
        self._saved = metrics.CACHE_SAVED.labels(name)
        metrics.CACHE_BYTES.labels(name).set_function(lambda: self.front.bytes)

    def answer(self, key: tuple, version: Hashable, compute: Callable[[], Made]) -> Kept:
        """What is kept of a key, if it has this version; else what is computed, once for all who ask meanwhile.

        It is kept as what it is of, also where that moved since. Raises what computing it raises.
        """
        if found := self._in_front(key, version):
            return self._told(found, FRONT)
        name = _digest((FORMAT, self.name, key)).hex()
        waits_at = f"{name}:{_digest(version).hex()}"
        (found, how), is_mine = self._flights.share(waits_at, lambda: self._found(name, key, version, compute))
        return self._told(found, how if is_mine else WAITED)

    def look(self, key: tuple, version: Hashable) -> Kept | None:
        """What is kept of a key, if it has this version; nothing is computed."""
        found = self._in_front(key, version)
        if found is None and (found := self._shared(_digest((FORMAT, self.name, key)).hex(), version)):
            self.front.keep(key, found)
            return self._told(found, SHARED)
        return found and self._told(found, FRONT)

    def _told(self, found: Kept, how: str) -> Kept:
        self._read[how].inc()
        if how != COMPUTED:
            self._saved.inc(found.seconds)
        return found

    def _in_front(self, key: tuple, version: Hashable) -> Kept | None:
        found = self.front.get(key, version)
        return found if found is not None and time.time() - found.made_at < self.ttl_seconds else None

    def _found(self, name: str, key: tuple, version: Hashable, compute: Callable[[], Made]) -> tuple[Kept, str]:
        """Of this process one asks at a time."""
        found, how = self._in_front(key, version), FRONT  # whom the flight before this one has left it
        if found is None:
            found, how = self._among_all(name, version, compute)
            if found.version is not None:
                self.front.keep(key, found)
        return found, how

    def _among_all(self, name: str, version: Hashable, compute: Callable[[], Made]) -> tuple[Kept, str]:
        """Of all processes one computes; who waits for longer than its lease no longer waits for it."""
        lease = f"{self.name}:{name}:{_digest(version).hex()}:lease"
        until = time.monotonic() + LEASE_SECONDS
        while True:
            if found := self._shared(name, version):
                return found, SHARED
            taken_at, is_mine = time.monotonic(), shared.take(lease, LEASE_SECONDS)
            if is_mine is False and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
                continue
            try:
                if is_mine and (found := self._shared(name, version)):  # kept between the two questions
                    return found, SHARED
                return self._computed(name, version, compute), COMPUTED
            finally:
                if is_mine and time.monotonic() - taken_at < LEASE_SECONDS:  # else it may be another's by now
                    shared.give_back(lease)

    def _computed(self, name: str, version: Hashable, compute: Callable[[], Made]) -> Kept:
        began = time.perf_counter()
        made = compute()
        kept = Kept(made.body, made.version, time.time(), time.perf_counter() - began)
        if made.version is not None:
            head = _HEAD.pack(_digest(made.version), kept.made_at, kept.seconds)
            shared.keep(self.name, f"{self.name}:{name}", head + kept.body, self.ttl_seconds)
        return kept

    def _shared(self, name: str, version: Hashable) -> Kept | None:
        text = shared.get(f"{self.name}:{name}")
        if text is None or len(text) < _HEAD.size:
            return None
        digest, made_at, seconds = _HEAD.unpack_from(text)
        is_of_version = digest == _digest(version)
        return Kept(text[_HEAD.size :], version, made_at, seconds) if is_of_version else None


def _digest(value: object) -> bytes:
    """The same in every process."""
    return blake2b(repr(value).encode(), digest_size=16).digest()
