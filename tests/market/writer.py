"""What a process does that writes bars one by one while others do."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from market import bars, prices
from market.prices import Bar

BARS = 60
SAME = 0  # the version of those who all write alike


def versions(version: int) -> list[Bar]:
    """The bars of one version; a later version has other prices and was received later."""
    first, received_at = date(2024, 1, 1), datetime(2024, 6, 1, 0, version, tzinfo=UTC)
    made = Bar(
        "AAPL", "1d", prices.midnight(first), 100.0, 110.0, 90.0, 101.0 + version, 1000, True, "replay", received_at
    )
    days = [first + timedelta(days=number) for number in range(BARS)]
    return [replace(made, opened_at=prices.midnight(day), session_date=day) for day in days]


def write(seed: int, version: int) -> None:
    for bar in random.Random(seed).sample(versions(version), BARS):
        bars.upsert([bar], reason=f"version {version}")
