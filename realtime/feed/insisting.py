"""What a feed stands on may be away: it tries again, so that nothing is dropped, while the lease is its own."""

import logging
from collections.abc import Callable, Sequence
from threading import Event
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from monitoring import redis
from monitoring.loops import Loop
from realtime.lease import Lease, LeaseLost

logger = logging.getLogger(__name__)
Answer, Element = TypeVar("Answer"), TypeVar("Element")

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 2.0
AWAY = (*redis.AWAY, OperationalError, InterfaceError)


class Stopped(Exception):
    """Told to stop while waiting for what is away."""


ENDS = (Stopped, LeaseLost)


class Insisting:
    """Takes steps for a feed, from any of its threads."""

    def __init__(self, lease: Lease, stop: Event) -> None:
        self.lease, self._stop = lease, stop

    def __call__(self, step: Callable[[], Answer], *, is_ours: bool = True) -> Answer:
        """The step's answer, however long the database or Redis is away. Raises Stopped, LeaseLost."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                if is_ours:
                    self.lease.require()
                return step()
            except AWAY as error:
                logger.warning("Trying again in %.1f s: %s", wait, error)
            connection.close()
            if self._stop.wait(wait):
                raise Stopped
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def each_apart(
    batch: Sequence[Element],
    take: Callable[[Sequence[Element]], object],
    take_alone: Callable[[Element], object],
    loop: Loop,
) -> None:
    """Take a batch; where it breaks, each of its elements alone, so that one of them costs no other."""
    try:
        take(batch)
    except ENDS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are not to blame
        logger.warning("A batch of %d broke on %r: its quotes are taken one by one", len(batch), error)
        for element in batch:
            with loop.one(element):
                take_alone(element)
