"""Which symbols there are, and which of them are tracked."""

from collections.abc import Iterable
from dataclasses import asdict

from django.db import connection

from market.models import Symbol
from market.symbols import spelling
from market.symbols.seed import Seed
from market.symbols.spelling import UnknownSymbol

_FACTS = ["name", "exchange", "currency", "time_zone", "asset_type", "price_decimals"]


def ensure(seeds: Iterable[Seed]) -> list[Symbol]:
    """Have a row for each seed, with its facts; whether it is tracked stays as people set it. Safe to run again."""
    rows = [Symbol(**{**asdict(seed), "ticker": spelling.ticker(seed.ticker)}) for seed in seeds]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["ticker"]
    Symbol.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)
    return list(Symbol.objects.filter(ticker__in=[row.ticker for row in rows]).order_by("ticker"))


def tracked() -> list[Symbol]:
    """The symbols that are collected, by ticker."""
    return list(Symbol.objects.tracked())


def known(ticker: str) -> Symbol:
    """The symbol of that ticker. Raises UnknownSymbol."""
    symbol = Symbol.objects.filter(ticker=ticker).first()
    if symbol is None:
        raise UnknownSymbol(f"there is no symbol {ticker!r} here")
    return symbol


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
