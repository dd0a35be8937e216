"""Runs the row lane in a thread of its own, with its own connection."""

from threading import Event, Thread

from django.db import connections

from monitoring.loops import Loop
from realtime.feed.rows import RowLane

IDLE_SECONDS = 0.5  # between two looks, where nothing waits, at what is due


class Following:
    """Follows while the block lasts, and ends when all that waits has its rows.

    Where it has to end before, or breaks, it sets `stop`: a price lane alone would tell prices that nothing follows.
    """

    def __init__(self, lane: RowLane, loop: Loop, stop: Event) -> None:
        self._lane, self._loop, self._stop = lane, loop, stop
        self._over = Event()
        self._end: BaseException | None = None
        self._thread = Thread(target=self._go_on, name="feed-rows", daemon=True)

    def __enter__(self) -> "Following":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def require(self) -> None:
        """Raises why it ended before it was told to."""
        if self._end:
            raise self._end

    def _go_on(self) -> None:
        try:
            with self._loop:
                while not self._over.is_set():
                    with self._loop.turn():
                        self._lane.follow(self._loop, IDLE_SECONDS)
                        continue
                    self._over.wait(IDLE_SECONDS)  # the turn broke, and the next one may break at once
                with self._loop.turn():
                    self._lane.catch_up(self._loop)
        except BaseException as end:  # noqa: BLE001 - told to who plays, in whose thread it is raised again
            self._end = end
            self._stop.set()
        finally:
            connections.close_all()
