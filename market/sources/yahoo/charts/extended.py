"""A price of before or after a session, as the exchange's calendar has it. Pure.

Yahoo says of which hours a price is; the calendar must say the same. So nothing of an exchange without such hours, nor
the last price before an opening that is told after it, stands beside a close.
"""

from datetime import datetime

from market import prices
from market.calendars import facts, sessions
from market.calendars.table import Untold
from market.prices import PRE, Extended
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import Misshapen


def extended(symbol: Symbol, said: str, price: float, as_of: datetime, now: datetime) -> Extended:
    """A price in the symbol's own currency. said: PRE or POST. now: when it was received. Raises Misshapen."""
    table = sessions.known(symbol.exchange)
    if table is None or symbol.exchange not in facts.EXTENDED:
        raise Misshapen(f"a price of {said} hours, and we know of none at {symbol.exchange}")
    try:
        state, until = facts.state(symbol.exchange, table, as_of), table.next_open(as_of)
        today = as_of.astimezone(table.zone).date()
        beside = table.before(today) if said == PRE else table.of(today)
    except Untold as why:
        raise Misshapen(f"a price of {said} hours {why}") from why
    if state != said or beside is None or until is None:
        raise Misshapen(f"a price of {said} hours of {prices.instant(as_of)}, which is {state} by the calendar")
    return Extended(
        ticker=symbol.ticker,
        session=said,
        price=prices.kept(price, symbol.price_decimals),
        as_of=as_of,
        received_at=now,
        session_date=today,
        beside=beside.date,
        until=until,
    )
