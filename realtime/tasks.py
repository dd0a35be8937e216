"""What is done in the background where all that is told must go along."""

from market.symbols import tickers
from monitoring.jobs import current, job
from realtime import renaming


@job("market.rename", timeout=120, about="symbol", spelled=tickers)
def rename_symbol(symbol: str, to: str, name: str = "", local_name: str = "") -> dict:
    """Give a symbol another ticker: its history, rules and streams go on under it, and the old name leads to it."""
    done = renaming.rename(symbol, to, name=name, local_name=local_name)
    with current().commit() as end:
        end.result = {"symbol": done.new, "was": done.old, "name": done.symbol.name}
    return end.result
