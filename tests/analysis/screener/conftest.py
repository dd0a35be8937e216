"""Four symbols to screen, and one that is not tracked."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import bars, prices
from market.models import DataSource, Symbol

FRIDAY = date(2012, 8, 31)
GOT_AT = datetime(2012, 9, 1, tzinfo=UTC)
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
SESSIONS = [day for back in range(420, -1, -1) if (day := FRIDAY - timedelta(days=back)).weekday() < 5]


def keep(ticker: str, closes: list[float], at: datetime = GOT_AT) -> None:
    days = SESSIONS[-len(closes) :]
    bars.upsert(
        prices.Bar(ticker, "1d", prices.midnight(day), close - 1, close + 2, close - 2, close, 1000 + place, True,
                   "replay", at)
        for place, (day, close) in enumerate(zip(days, closes, strict=True))
    )  # fmt: skip


@pytest.fixture
def five(db) -> None:
    """UP rises by 1 a session, DOWN falls, TURN turned up three sessions ago, NEW has three bars and NONE none."""
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=GOT_AT)
    for ticker in ("DOWN", "NEW", "NONE", "OFF", "TURN", "UP"):
        Symbol.objects.create(ticker=ticker, name=f"{ticker} Inc.", is_active=ticker != "OFF", **FACTS)
    count = len(SESSIONS)
    keep("UP", [500.0 + at for at in range(count)])
    keep("OFF", [500.0 + at for at in range(count)])
    keep("DOWN", [900.0 - at for at in range(count)])
    keep("TURN", [900.0 - at for at in range(count - 3)] + [700.0, 720.0, 740.0])
    keep("NEW", [10.0, 11.0, 12.0])
