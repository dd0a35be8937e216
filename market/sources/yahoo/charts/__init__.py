"""What Yahoo's charts and lists say, as our values. Pure: a parsed answer goes in, bars, actions and quotes come out.

Yahoo's prices and dividends are split-adjusted as of today, and some in pence. Bars and dividends leave here as traded
and as paid, in the symbol's own currency; quotes are today's and so already as traded.

identity        whether an answer is what was asked for
units           pence and their like
candles         the rows as they were written
days            which session a row or a price is of, and whether it is over
columns         the rows as columns of bars
history         all that an answer says: the bars, and what the company did
events/         splits and payments, and what is to be believed of them
quotes          the last price
extended        a price of before or after a session
precision       how exactly a price is told
listed          what must be known of a symbol
"""

from market.sources.yahoo.charts.candles import left_out, rows
from market.sources.yahoo.charts.columns import SOURCE
from market.sources.yahoo.charts.days import next_session
from market.sources.yahoo.charts.events import NOTHING, Held
from market.sources.yahoo.charts.extended import extended
from market.sources.yahoo.charts.history import History, read
from market.sources.yahoo.charts.precision import decimals
from market.sources.yahoo.charts.quotes import listed_extended, listed_quote, quote

__all__ = [
    "NOTHING",
    "SOURCE",
    "Held",
    "History",
    "decimals",
    "extended",
    "left_out",
    "listed_extended",
    "listed_quote",
    "next_session",
    "quote",
    "read",
    "rows",
]
