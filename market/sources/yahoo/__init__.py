"""Yahoo Finance as a source: the streamer first, polling where it is silent, history in the background.

source          what the feed and the jobs see
asking          what is asked of Yahoo, and the only module that imports yfinance
reading         what is made of an answer
known           what we hold of a symbol, to judge an answer by
http            a paced session, and what its answers mean
charts          what an answer says, as our values (pure); with fields
stream          the price streamer
polling         asks where the streamer is silent
seeds           the symbols it begins with
"""

from market.sources.contract import About
from market.sources.yahoo.seeds import SEEDS

ABOUT = About(
    name="yahoo",
    title="Yahoo",
    loaded_from="market.sources.yahoo.source.Yahoo",
    can=frozenset({"history", "quotes", "live"}),
    seeds=SEEDS,
)
