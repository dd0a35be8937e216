"""Which symbols there are, and which of them are tracked: rows, which these lists only begin."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import connection

from market.models import Symbol

# As Yahoo writes them: AAPL, BRK-B, 005930.KS, ^GSPC, EURUSD=X, GC=F. Upper case, so that a ticker has one spelling.
TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.&=-]{0,30}")
NEW_YORK, SEOUL = "America/New_York", "Asia/Seoul"


class InvalidTicker(ValueError):
    """Not what a ticker looks like; the text says what does."""


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

_FACTS = ["name", "exchange", "currency", "time_zone", "asset_type", "price_decimals"]


def ensure(seeds: Iterable[Seed]) -> list[Symbol]:
    """Have a row for each seed, with its facts; whether it is tracked stays as people set it. Safe to run again."""
    rows = [Symbol(**{**asdict(seed), "ticker": ticker(seed.ticker)}) for seed in seeds]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["ticker"]
    Symbol.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)
    return list(Symbol.objects.filter(ticker__in=[row.ticker for row in rows]).order_by("ticker"))


def tracked() -> list[Symbol]:
    """The symbols that are collected, by ticker."""
    return list(Symbol.objects.tracked())


def named(tickers: Iterable[str] | None) -> list[str]:
    """The named tickers as we write them, each once; those of all tracked symbols for None."""
    if tickers is None:
        return [symbol.ticker for symbol in tracked()]
    return list(dict.fromkeys(ticker.strip().upper() for ticker in tickers))


def home(symbols: Iterable[Symbol]) -> tuple[str, list[str]] | None:
    """The exchange where most of these are at home, and their tickers; None where there are none."""
    by_exchange: dict[str, list[str]] = {}
    for symbol in symbols:
        by_exchange.setdefault(symbol.exchange, []).append(symbol.ticker)
    return max(by_exchange.items(), key=lambda item: len(item[1]), default=None)


def ticker(text: str) -> str:
    """A ticker as we write it, from a person's spelling; raises InvalidTicker."""
    found = text.strip().upper()
    if not TICKER.fullmatch(found):
        raise InvalidTicker(f"{text[:40]!r} is no ticker; one looks like AAPL, BRK-B, 005930.KS, ^GSPC or EURUSD=X")
    return found
