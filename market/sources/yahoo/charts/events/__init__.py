"""What a company did, as a chart tells it: splits and payments, and what is to be believed of it. Pure.

told            splits and payments as they were written
held            what we hold of a symbol, by which an answer is judged
restating       which splits are in the prices, and what would change ours by one ratio
cash            what was paid in fact, and what is disputed of it
"""

from market.sources.yahoo.charts.events.held import NOTHING, Held
from market.sources.yahoo.charts.events.told import ALL_KNOWN, Events, Split

__all__ = ["ALL_KNOWN", "NOTHING", "Events", "Held", "Split"]
