"""What the recording begins with, before people add to it."""

from market.symbols import Seed

# The recording has prices to a hundredth of a cent, and none of them is rounded away.
SEEDS = (
    Seed("AAPL", "Apple Inc.", "XNAS", price_decimals=4),
    Seed("FB", "Facebook, Inc.", "XNAS", price_decimals=4),
    Seed("GOOG", "Google Inc.", "XNAS", price_decimals=4),
    Seed("IBM", "International Business Machines Corporation", "XNYS", price_decimals=4),
    Seed("MSFT", "Microsoft Corporation", "XNAS", price_decimals=4),
)
