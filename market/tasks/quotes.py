"""Prices: asked for where nobody tells them, and the last closes."""

from django.utils.translation import gettext_lazy as _

from market import monitor
from market.symbols import named, tickers
from monitoring.jobs import Schedule, job


@job(
    "market.price_monitor",
    timeout=60,
    schedules=(Schedule("*/2 * * * *"),),
    title=_("Watch for silent prices"),
    says=_("Finds symbols without a price, or without a new one for two minutes in trading hours, and asks for it."),
)
def look_for_silence() -> dict:
    """Find symbols that have no price, or none for two minutes though their exchange is open, and ask for it."""
    return monitor.look()


@job(
    "market.quotes",
    timeout=120,
    isolated=True,
    about="symbols",
    spelled=tickers,
    title=_("Ask for prices"),
    says=_("Asks the source for the last price of some symbols."),
)
def ask_for_prices(symbols: list[str]) -> dict:
    """Ask the source for the last price of some symbols."""
    return monitor.ask(symbols)


@job(
    "market.previous_close",
    timeout=300,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("15 * * * *"),),
    title=_("Keep the closes"),
    says=_("Keeps the last close of every tracked symbol, and shows it where there is no newer price."),
)
def keep_closes(symbols: list[str] | None = None) -> dict:
    """Keep the last close of every tracked symbol, and show it where there is no newer price."""
    return monitor.keep_closes(named(symbols))
