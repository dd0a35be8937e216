"""What the market has done in the background."""

from dataclasses import asdict

from celery import shared_task

from market import records, symbols


@shared_task(name="market.records")
def refresh_records() -> dict:
    """Compute the highs and lows of every tracked symbol; says which it could and why not the others."""
    return asdict(records.refresh(symbol.ticker for symbol in symbols.tracked()))
