"""One pace for every process that asks a provider, kept in Redis. It slows down where the provider does.

shared          a slot of the token bucket, the breaker, and what is told of how the provider answers
pausing         people leave a provider alone for a while
abreast         several questions at once
scripts         what of it happens in Redis, at once
state           how it stands now, for people
measured        the same for Prometheus
"""

from market.sources.pace.shared import (
    BURST,
    FAILURES_TO_OPEN,
    LONGEST_COOL_DOWN_SECONDS,
    SLOW_SECONDS,
    NoSlot,
    Pace,
    pause,
)
from market.sources.pace.state import BREAKER, CLOSED, HALF_OPEN, OPEN, State

__all__ = [
    "BREAKER",
    "BURST",
    "CLOSED",
    "FAILURES_TO_OPEN",
    "HALF_OPEN",
    "LONGEST_COOL_DOWN_SECONDS",
    "OPEN",
    "SLOW_SECONDS",
    "NoSlot",
    "Pace",
    "State",
    "pause",
]
