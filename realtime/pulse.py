"""The feed's sign of life, told from a thread of its own: it renews the lease and writes the heartbeat.

With it goes whether the source answers, so that who reads it knows whether prices can come.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread

from redis.exceptions import RedisError

from market import prices
from market.sources import SOURCES, Source
from monitoring import formats, heartbeats, place, redis
from monitoring.loops import Loop
from realtime import streams
from realtime.lease import Lease, Process

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 2.5  # without a sign for so long the feed is away, and at once where its process is gone


@dataclass(frozen=True, slots=True)
class Sign:
    """What others read in the feed's sign of life.

    place, birth: with the pid, which process it is. source: its name. trouble: of the source. late: what is behind the
    prices.
    """

    at: float
    pid: int
    place: str | None = None
    birth: float | None = None
    source: str | None = None
    trouble: str | None = None
    late: str | None = None


_SIGN = formats.Format(Sign)


class Pulse:
    """Beats while the block lasts; sets `stop` where another process has taken the lease.

    late: says what is behind the prices, None where all is in time.
    """

    def __init__(
        self, name: str, source: Source, lease: Lease, stop: Event, *, late: Callable[[], str | None] = lambda: None
    ) -> None:
        self._name, self._source, self._lease, self._stop = name, source, lease, stop
        self._late = late
        self.is_lease_lost = False
        self._over = Event()
        self._last_message_at: str | None = None
        self._thread = Thread(target=self._beat_on, name=f"{name}-pulse", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        try:
            heartbeats.end(self._name)
            self._lease.release()
        except RedisError as away:
            logger.warning("The lease of %s is left to expire: %s", self._name, away)

    def heard(self) -> None:
        """The source has said something that is now published."""
        self._last_message_at = prices.instant(datetime.now(UTC))

    def _beat_on(self) -> None:
        wait = 0.0
        with Loop(f"{self._name} pulse", every_seconds=BEAT_SECONDS, away=redis.AWAY) as loop:
            while not self._over.wait(wait):
                wait = BEAT_SECONDS
                with loop.turn():
                    if not self._lease.take():
                        self.is_lease_lost = True
                        self._stop.set()
                        return
                    self._beat()
                    streams.settle()

    def _beat(self) -> None:
        heartbeats.beat(
            self._name,
            source=self._source.name,
            trouble=self._trouble(),
            late=self._late(),
            last_message_at=self._last_message_at,
            place=place.here(),
            birth=place.birth(),
        )

    def _trouble(self) -> str | None:
        try:
            return self._source.trouble()
        except Exception as error:  # the lease and the heartbeat do not hang on what a source says of itself
            logger.exception("%s can't say how it is", self._source.name)
            return f"{self._source.name} can't say how it is: {type(error).__name__}"


def service(sign: bytes | None) -> dict[str, bool | str | None]:
    """What the feed's last sign of life says: `feed`, `source`, and `detail` of what has trouble or is late."""
    told = _SIGN.unpack(sign)
    if told is None or abs(time.time() - told.at) >= SILENCE_SECONDS or _is_gone(told):
        return {"feed": False, "source": False, "detail": None}
    return {"feed": True, "source": told.trouble is None, "detail": told.trouble or told.late}


def is_recorded(sign: bytes | None) -> bool | None:
    """Whether what it plays is a recording; None where it does not say."""
    told = _SIGN.unpack(sign)
    found = SOURCES.get(told.source) if told and told.source else None
    return found and found.is_recorded


def _is_gone(told: Sign) -> bool:
    if told.place is None or told.birth is None:
        return False
    return Process(told.place, told.pid, told.birth).is_gone()
