"""Yahoo Finance as a source: the streamer first, polling where it is silent, history by jobs.

source          what the feed and the jobs see
asking          what is asked of Yahoo, and the only module that imports yfinance
reading         what is made of an answer
known           what we hold of a symbol, to judge an answer by
http            a paced session, and what its answers mean
charts          what an answer says, as our values (pure); with fields
figures         market value, earnings, dividends and dates
stream          the price streamer
polling         asks where the streamer is silent
seeds           the symbols it begins with
"""

from datetime import timedelta

from django.conf import settings

from market.sources.contract import About, Reach
from market.sources.pace import Pace
from market.sources.yahoo.seeds import SEEDS

_MONTHS = Reach(back=timedelta(days=60))
# Yahoo refuses what goes beyond. Weeks and months have no as-traded prices across a split; they are made from days.
REACH = {
    "1m": Reach(back=timedelta(days=30), longest=timedelta(days=7)),
    "5m": _MONTHS,
    "15m": _MONTHS,
    "30m": _MONTHS,
    "1h": Reach(back=timedelta(days=730)),
    "1d": Reach(),
}


def pace() -> Pace:
    return Pace("yahoo", settings.YAHOO_RATE)


ABOUT = About(
    name="yahoo",
    title="Yahoo",
    loaded_from="market.sources.yahoo.source.Yahoo",
    can=frozenset({"history", "quotes", "live", "figures"}),
    seeds=SEEDS,
    reach=REACH,
    pace=pace,
)
