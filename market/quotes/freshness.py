"""How old a price is, in a word."""

from datetime import date, datetime, timedelta
from typing import Protocol

from django.conf import settings

from market import prices
from market.prices import Quote

LIVE = timedelta(minutes=2)
DELAYED = timedelta(minutes=30)  # exchanges that sell their prices are given to Yahoo up to 20 minutes late


class Opening(Protocol):
    """An exchange began to trade; `session_date` is that of the session that it began or went on with."""

    session_date: date
    at: datetime


class Openings(Protocol):
    """When an exchange opened last and opens next, as far as it is known."""

    last: Opening | None
    next: Opening | None


def of(quote: Quote, now: datetime, opened: Opening | None = None) -> str:
    """live, delayed, stale or closed.

    now: the wall's clock. opened: the last opening of the quote's exchange, None where it is not known. A close is one
    until the exchange opens again; from then on it is as late as that is past. A price that names only its session is
    as old as its receipt; one from the future is stale.
    """
    if quote.market_state != prices.OPEN:  # before and after hours too it is the close that others stand beside
        return _late(now - opened.at) if opened and _is_before(quote, opened) else "closed"
    if prices.is_ahead(max(quote.as_of, quote.received_at), now):
        return "stale"
    if quote.as_of_precision == prices.DAY:
        session = timedelta(seconds=settings.REPLAY_SESSION_SECONDS)
        return "live" if now - quote.received_at <= max(LIVE, 2 * session) else "stale"
    age = now - quote.as_of
    return "live" if age <= LIVE else _late(age)


def closed_until(quote: Quote, told: Openings | None) -> datetime | None:
    """When the exchange opens first after a price, until when a close is one; None where that is not known."""
    known = (told.last, told.next) if told else ()
    return next((each.at for each in known if each and _is_before(quote, each)), None)


def _is_before(quote: Quote, opened: Opening) -> bool:
    """Whether a price was made before the exchange opened; of a day nobody knows when in it."""
    is_dated = quote.as_of_precision == prices.DAY
    return quote.session_date < opened.session_date if is_dated else quote.as_of < opened.at


def _late(age: timedelta) -> str:
    return "delayed" if age <= DELAYED else "stale"
