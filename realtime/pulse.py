"""The feed's sign of life, told from a thread of its own: it renews the lease and writes the heartbeat."""

import logging
import time
from datetime import UTC, datetime
from threading import Event, Thread

from redis.exceptions import RedisError

from market import prices
from monitoring import heartbeats
from realtime.lease import Lease

logger = logging.getLogger(__name__)

RENEW_SECONDS, BEAT_SECONDS = 1.0, 2.0


class Pulse:
    """Beats while the block lasts; sets `stop` where another process has taken the lease."""

    def __init__(self, name: str, source: str, lease: Lease, stop: Event) -> None:
        self._name, self._source, self._lease, self._stop = name, source, lease, stop
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
        beaten_at = -BEAT_SECONDS
        while not self._over.wait(RENEW_SECONDS if beaten_at > 0 else 0):
            try:
                if not self._lease.take():
                    self.is_lease_lost = True
                    self._stop.set()
                    return
                if time.monotonic() - beaten_at >= BEAT_SECONDS:
                    self._beat()
                    beaten_at = time.monotonic()
            except RedisError as away:
                logger.warning("No heartbeat: %s", away)

    def _beat(self) -> None:
        heartbeats.beat(self._name, source=self._source, last_message_at=self._last_message_at)
