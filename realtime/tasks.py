"""What is done in the background where all that is told must go along."""

from market.symbols import tickers
from monitoring.jobs import job


@job("market.rename", timeout=120, about="symbol", spelled=tickers, body="realtime.renaming.renamed")
def rename_symbol(symbol: str, to: str, name: str = "", local_name: str = "") -> dict:
    """Give a symbol another ticker: its history, rules and streams go on under it, and the old name leads to it."""
