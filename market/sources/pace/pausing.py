"""People pause a pace: for so long nobody asks. It is the breaker, opened by hand, and no failure of the provider."""

from market.sources.pace import scripts
from market.sources.pace.shared import LONGEST_COOL_DOWN_SECONDS, Pace

WHY = "paused by staff"
_LONGEST = LONGEST_COOL_DOWN_SECONDS * 1000


def pause(pace: Pace, seconds: float) -> None:
    """Leave the provider alone from now on for so long, at the least for as long as it wants to be itself."""
    pace.run(scripts.PAUSE, ["breaker"], [int(min(seconds * 1000, _LONGEST)), _LONGEST, WHY])


def resume(pace: Pace) -> bool:
    """End a pause, if there is one; the breaker is as it was before. Returns whether there was."""
    return bool(pace.run(scripts.RESUME, ["breaker"], [_LONGEST]))
