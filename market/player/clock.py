"""When what is played is due. Pure: who asks says what time it is."""

SESSION_SECONDS = 6.5 * 3600  # that a session plays at speed 1, whatever lies between it and the next
BEHIND_SECONDS = 0.5  # what could not be told in time is not made up for in a burst


class Clock:
    """speed: seconds of a session in one of the wall's; None: as fast as it goes. now: by a clock that nobody sets."""

    __slots__ = ("_after", "_due", "_free", "speed")

    def __init__(self, speed: float | None, now: float) -> None:
        self.speed, self._free = speed, now
        self.begin(now)

    def begin(self, now: float) -> None:
        """What comes next is due at once: the clock stood still, or stands elsewhere."""
        self._due, self._after = now, None

    def wait(self, after: float, now: float, *, takes: float = 0.0) -> float:
        """How long to wait for what comes so many seconds after its session began, in this session or the next.

        takes: seconds of the wall for which it leaves no room for more, whatever the speed.
        """
        passed = 0.0 if self._after is None else _passed(self._after, after)
        self._after = after
        self._due = max(self._due, now - BEHIND_SECONDS) + (passed / self.speed if self.speed else 0.0)
        self._free = max(self._free, now - BEHIND_SECONDS)
        wait = max(0.0, self._due - now, self._free - now)
        self._free += takes
        return wait


def _passed(before: float, after: float) -> float:
    """What is earlier than the one before it is of the next session."""
    return after - before if after >= before else max(0.0, SESSION_SECONDS - before) + after
