"""Long work in slices of time, so that what else the loop has to do comes in between."""

import asyncio
import time

SLICE_SECONDS = 0.01  # of work in one piece; several take turns, and other work of the loop waits for all of them


class Breath:
    """One piece of long work."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.monotonic() + SLICE_SECONDS

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    async def taken(self) -> None:
        """Give way where the slice is over."""
        if self.is_over:
            await asyncio.sleep(0)
            self._until = time.monotonic() + SLICE_SECONDS
