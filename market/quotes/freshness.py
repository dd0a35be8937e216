"""How old a price is, in a word."""

from datetime import datetime, timedelta

from django.conf import settings

from market import prices
from market.prices import Quote

LIVE = timedelta(minutes=2)
DELAYED = timedelta(minutes=30)  # exchanges that sell their prices are given to Yahoo up to 20 minutes late


def of(quote: Quote, now: datetime) -> str:
    """live, delayed, stale or closed.

    now: the wall's clock. A price that names only its session is as old as its receipt; one from the future is stale.
    """
    if quote.market_state == "closed":
        return "closed"
    if prices.is_ahead(max(quote.as_of, quote.received_at), now):
        return "stale"
    if quote.as_of_precision == prices.DAY:
        session = timedelta(seconds=settings.REPLAY_SESSION_SECONDS)
        return "live" if now - quote.received_at <= max(LIVE, 2 * session) else "stale"
    age = now - quote.as_of
    return "live" if age <= LIVE else "delayed" if age <= DELAYED else "stale"
