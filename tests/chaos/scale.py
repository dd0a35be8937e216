"""How often things are broken."""

import os

SCALE = float(os.environ.get("CHAOS_SCALE", "1"))


def times(full: int) -> int:
    """The full number, or a part of it while developing."""
    return max(2, round(full * SCALE))
