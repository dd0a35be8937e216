"""What a source begins with, before people add to it."""

from dataclasses import dataclass

NEW_YORK, SEOUL = "America/New_York", "Asia/Seoul"


@dataclass(frozen=True, slots=True)
class Seed:
    """The facts of a symbol that a source begins with."""

    ticker: str
    name: str
    exchange: str
    currency: str = "USD"
    time_zone: str = NEW_YORK
    asset_type: str = "equity"
    price_decimals: int = 2


# The recording has prices to a hundredth of a cent, and none of them is rounded away.
RECORDED = [
    Seed("AAPL", "Apple Inc.", "XNAS", price_decimals=4),
    Seed("FB", "Facebook, Inc.", "XNAS", price_decimals=4),
    Seed("GOOG", "Google Inc.", "XNAS", price_decimals=4),
    Seed("IBM", "International Business Machines Corporation", "XNYS", price_decimals=4),
    Seed("MSFT", "Microsoft Corporation", "XNAS", price_decimals=4),
]

# Exchanges without a MIC bear Yahoo's own code: CCY for currencies, CCC for coins.
WELL_KNOWN = [
    Seed("AAPL", "Apple Inc.", "XNAS"),
    Seed("MSFT", "Microsoft Corporation", "XNAS"),
    Seed("NVDA", "NVIDIA Corporation", "XNAS"),
    Seed("GOOGL", "Alphabet Inc.", "XNAS"),
    Seed("AMZN", "Amazon.com, Inc.", "XNAS"),
    Seed("TSLA", "Tesla, Inc.", "XNAS"),
    Seed("005930.KS", "Samsung Electronics Co., Ltd.", "XKRX", "KRW", SEOUL, price_decimals=0),
    Seed("000660.KS", "SK hynix Inc.", "XKRX", "KRW", SEOUL, price_decimals=0),
    Seed("035420.KS", "NAVER Corporation", "XKRX", "KRW", SEOUL, price_decimals=0),
    Seed("^GSPC", "S&P 500", "XNYS", asset_type="index"),
    Seed("EURUSD=X", "EUR/USD", "CCY", "USD", "Europe/London", "currency", 5),
    Seed("BTC-USD", "Bitcoin USD", "CCC", "USD", "UTC", "crypto"),
]
