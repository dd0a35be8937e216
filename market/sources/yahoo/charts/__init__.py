"""What Yahoo's charts and lists say, as our values. Pure: a parsed answer goes in, bars, actions and quotes come out.

Yahoo's prices and dividends are split-adjusted as of today, and some in pence. Bars and dividends leave here as traded
and as paid, in the symbol's own currency; quotes are today's and so already as traded.

identity        whether an answer is what was asked for
units           pence and their like
candles         the rows as they were written
days            which session a row or a price is of, and whether it is over
history         the rows as bars, and actions
events          splits and dividends as they were written
cash            what was paid in fact, and what is disputed of it
quotes          the last price
listed          what must be known of a symbol
"""

from datetime import datetime

from market.sources.yahoo.charts import candles, days, events
from market.sources.yahoo.charts.candles import rows
from market.sources.yahoo.charts.history import GIVEN, SOURCE, actions, bars
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.charts.quotes import listed_quote, quote
from market.sources.yahoo.fields import Misshapen, zone

__all__ = [
    "GIVEN",
    "SOURCE",
    "actions",
    "bars",
    "differences",
    "left_out",
    "listed_quote",
    "next_session",
    "quote",
    "rows",
]


def left_out(chart: dict, symbol: Symbol) -> list[str]:
    """What of a chart is misshapen and so left out, a few words each; rows that say nothing are none of it."""
    try:
        unread = events.read(chart, days.of_chart(chart, symbol)).left_out
    except Misshapen as error:
        unread = [str(error)]
    return candles.left_out(chart) + unread


def differences(chart: dict, symbol: Symbol) -> list[str]:
    """Where the source trades otherwise than the exchange's calendar says: it is right, our table lacks it."""
    known = days.of_chart(chart, symbol)
    traded = {known.of_row(row.at, is_last=row.is_last) for row in rows(chart)}
    strange = [session for session in sorted(traded) if known.is_none(session)]
    return [f"it traded on {session}, no session of the calendar" for session in strange] + known.other_hours()


def next_session(chart: dict) -> datetime | None:
    """When the exchange's running session began, or its next begins, in its own zone; None where it is not told."""
    period = days.regular(chart["meta"], zone(chart["meta"]))
    return period and period[0]
