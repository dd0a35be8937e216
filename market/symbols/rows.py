"""Which symbols there are, and which of them are tracked."""

from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models import Q

from market.models import Symbol, SymbolAlias
from market.symbols import spelling
from market.symbols.seed import Seed

_FACTS = ["name", "local_name", "exchange", "currency", "time_zone", "asset_type", "price_decimals"]
# Of a symbol that answers are about: when it was made is asked for where it is told.
_READ = [field.attname for field in Symbol._meta.concrete_fields if field.attname != "created_at"]


def ensure(seeds: Iterable[Seed]) -> list[Symbol]:
    """Have a row for each seed, with its facts; whether it is tracked stays as people set it. Safe to run again.

    A seed whose symbol has another ticker now changes nothing of it, nor of one that got its ticker by a renaming.
    """
    asked = {spelling.ticker(seed.ticker): seed for seed in seeds}
    settled = _given_up(asked).keys() | _taken(asked)
    facts = {ticker: {name: getattr(seed, name) for name in _FACTS} for ticker, seed in asked.items()}
    rows = [Symbol(ticker=ticker, **values) for ticker, values in facts.items() if ticker not in settled]
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["ticker"]
    Symbol.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)
    found = begun(asked)
    _ensure_spellings({symbol.ticker: symbol for symbol in found.values()}, asked)
    return sorted(found.values(), key=lambda symbol: symbol.ticker)


def learn_decimals(symbol: Symbol) -> None:
    """Keep to how many decimals the prices of a symbol are told."""
    Symbol.objects.filter(pk=symbol.pk).update(price_decimals=symbol.price_decimals)


def of_tickers(tickers: Collection[str]) -> list[Symbol]:
    """The symbols that have one of these tickers now."""
    quoted = connection.ops.quote_name
    # Written out, as it is asked with every answer: to build it of querysets takes longer than to ask it.
    asked = f"""SELECT {", ".join(map(quoted, _READ))} FROM {quoted(Symbol._meta.db_table)}
        WHERE ticker IN ({", ".join(["%s"] * len(tickers))})"""
    with connection.cursor() as cursor:
        cursor.execute(asked, list(tickers))
        rows = [dict(zip(_READ, row, strict=True)) for row in cursor.fetchall()]
    told = [{**row, "is_active": bool(row["is_active"])} for row in rows]  # MariaDB says 1
    return [Symbol.from_db(connection.alias, _READ, row.values()) for row in told]


def begun(tickers: Iterable[str]) -> dict[str, Symbol]:
    """The symbol that came with each of a source's tickers, whatever it is called now and whoever has that ticker."""
    asked = list(map(spelling.ticker, tickers))
    given_up = _given_up(asked)
    mine = Symbol.objects.filter(Q(ticker__in=set(asked) - given_up.keys()) | Q(pk__in=given_up.values()))
    by_ticker, by_key = {symbol.ticker: symbol for symbol in mine}, {symbol.pk: symbol for symbol in mine}
    found = {each: by_key.get(given_up[each]) if each in given_up else by_ticker.get(each) for each in asked}
    return {ticker: symbol for ticker, symbol in found.items() if symbol}


def tracked() -> list[Symbol]:
    """The symbols that are collected, by ticker."""
    return list(Symbol.objects.tracked())


def tracked_values() -> list[tuple]:
    """What `tracked` reads as plain values, a tenth of the work: while they are equal so are the symbols."""
    return list(Symbol.objects.tracked().values_list())


def negative(symbols: Iterable[Symbol]) -> frozenset[str]:
    """The tickers of those that may cost less than nothing."""
    return frozenset(symbol.ticker for symbol in symbols if symbol.may_be_negative)


def former() -> dict[str, str]:
    """Today's ticker of each former one that is nobody's now."""
    given_up = SymbolAlias.objects.filter(kind=SymbolAlias.Kind.FORMER)
    taken = given_up.exclude(text__in=Symbol.objects.order_by().values("ticker"))
    return dict(taken.values_list("text", "symbol__ticker"))


def homes(symbols: Iterable[Symbol]) -> list[tuple[str, list[str]]]:
    """The exchanges where these are at home, each with its tickers; the one of most of them first."""
    by_exchange: dict[str, list[str]] = {}
    for symbol in symbols:
        by_exchange.setdefault(symbol.exchange, []).append(symbol.ticker)
    return sorted(by_exchange.items(), key=lambda item: (-len(item[1]), item[0]))


def _given_up(tickers: Iterable[str]) -> dict[str, int]:
    """The key of the symbol that had a ticker before, whoever has it now."""
    aliases = SymbolAlias.objects.filter(kind=SymbolAlias.Kind.FORMER, text__in=list(tickers))
    return dict(aliases.values_list("text", "symbol_id"))


def _taken(tickers: Iterable[str]) -> set[str]:
    """Those that a symbol has since a renaming."""
    renamed = Symbol.objects.filter(aliases__kind=SymbolAlias.Kind.FORMER, ticker__in=list(tickers))
    return set(renamed.values_list("ticker", flat=True))


def _ensure_spellings(symbols: dict[str, Symbol], asked: dict[str, Seed]) -> None:
    """Have what others call them; what a text already means stays."""
    spelled = {text: symbols[ticker] for ticker in symbols.keys() & asked for text in asked[ticker].spellings}
    aliases = [SymbolAlias(text=text, symbol=symbol) for text, symbol in spelled.items()]
    SymbolAlias.objects.bulk_create(aliases, ignore_conflicts=True)
