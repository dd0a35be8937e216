"""When what is played is due, by the clock and by what staff want, which is looked at meanwhile."""

import logging
import threading
import time
from datetime import date

from django.db import InterfaceError, OperationalError, connection

from market.player import Clock, steering

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.25


class Pacing:
    """wanted: the date from which somebody wants it to go on, once it was found."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop, self.wanted = stop, None
        self._wish = steering.wish()
        self._clock = Clock(steering.speed(self._wish), time.monotonic())

    def begin(self) -> None:
        """What comes next is due at once."""
        self.wanted = None
        self._clock.begin(time.monotonic())

    def is_due(self, after: float) -> bool:
        """Wait for what comes so many seconds after its session began, in this session or the next. False where it
        is stopped before, or to go on elsewhere.
        """
        left = self._clock.wait(after, time.monotonic())
        while True:
            speed = self._clock.speed
            self.wanted = self._look()
            if self.stop.is_set() or self.wanted is not None:
                return False
            if speed != self._clock.speed:
                left *= speed / self._clock.speed
            if left <= 0 and not self._wish.paused:
                return True
            began = time.monotonic()
            self.stop.wait(LOOK_SECONDS if self._wish.paused else min(left, LOOK_SECONDS))
            if self._wish.paused:
                self._clock.begin(began + left)
            else:
                left -= time.monotonic() - began

    def _look(self) -> date | None:
        """What is wanted now; while the database is away, what was before."""
        try:
            self._wish = steering.wish()
        except (OperationalError, InterfaceError) as error:
            logger.warning("What is wanted of the player can't be read: %s", error)
            connection.close()
        if self._wish.source:  # another one: this feed ends, and changes
            self.stop.set()
        self._clock.speed = steering.speed(self._wish)
        return self._wish.date
