"""A feed without one of its defences: `python -m tests.chaos.stream_weakened`."""

import runpy
import sys

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from market.sources import Jump, Tick
from realtime.feed import Feed, left
from realtime.lease import Lease
from realtime.pulse import Pulse
from tests.chaos.defences import put, take_away


def without_lanes() -> None:
    """A batch is done with when it has its rows, as it was before there were two lanes."""
    tell = Feed.tell

    def take_whole(self: Feed, event: Tick | Jump) -> None:
        tell(self, event)
        self._rows.catch_up(self._loop)

    put(Feed, "tell", take_whole)


def without_legacy() -> None:
    """What has no rows yet is in the feed's memory alone."""
    put(left, "keep", lambda taken: None)


def without_fence() -> None:
    """Nobody asks, before a step or inside it, whether the lease is still held, and the beat does not hear that."""

    def renew(self: Pulse) -> None:
        while not self._over.wait(1.0):
            self._lease.take()

    put(Lease, "require", lambda self: None)
    put(Lease, "fence", property(lambda self: ("", "")))
    put(Pulse, "_beat_on", renew)


if __name__ == "__main__":
    take_away(globals())
    sys.argv = ["manage.py", "feed"]
    runpy.run_path("manage.py", run_name="__main__")
