"""What the market has done in the background."""

from dataclasses import asdict

from market import records, symbols
from monitoring.jobs import Schedule, job


@job("market.records", timeout=600, schedules=(Schedule("0 * * * *"),))
def refresh_records() -> dict:
    """Compute the highs and lows of every tracked symbol; says which it could and why not the others."""
    return asdict(records.refresh(symbol.ticker for symbol in symbols.tracked()))
