"""A symbol gets another ticker: its row and the alias change, and nothing that hangs on its key."""

from dataclasses import dataclass

from django.db import transaction

from market.coverage import rows as coverage
from market.coverage import telling
from market.models import Symbol, SymbolAlias
from market.symbols import names, spelling


class NameTaken(ValueError):
    """The ticker is another symbol's, or leads to one; two symbols do not become one."""

    code = "name_taken"
    temporary = False


class NameTooLong(ValueError):
    """A name that does not fit its column."""

    code = "name_too_long"
    temporary = False


@dataclass(frozen=True, slots=True)
class Renaming:
    """A symbol that was `old` and is `new`."""

    symbol: Symbol
    old: str
    new: str


@transaction.atomic
def rename(text: str, to: str, *, name: str = "", local_name: str = "") -> Renaming:
    """Give a symbol the ticker `to`, and names where they change too; the old ticker leads to it. Safe to run again.

    Raises UnknownSymbol, InvalidTicker, NameTaken, NameTooLong.
    """
    _require_short(name=name, local_name=local_name)
    new, key = spelling.ticker(to), names.resolve(text).pk
    covered = coverage.hold_all([key])  # first, as writers of bars have it, whose rows then name the symbol's
    symbol = Symbol.objects.select_for_update().get(pk=key)
    _require_free(new, symbol)
    old = symbol.ticker
    symbol.ticker, symbol.name, symbol.local_name = new, name or symbol.name, local_name or symbol.local_name
    symbol.save(update_fields=["ticker", "name", "local_name"])
    if old == new:
        return Renaming(symbol, spelling.folded(text), new)
    SymbolAlias.objects.filter(text=new).delete()
    SymbolAlias.objects.update_or_create(text=old, defaults={"symbol": symbol, "kind": SymbolAlias.Kind.FORMER})
    coverage.renew(covered, {(row.symbol_id, row.interval): coverage.whole(row, telling.RENAMED) for row in covered})
    return Renaming(symbol, old, new)


def _require_free(ticker: str, symbol: Symbol) -> None:
    """Nothing that people may mean by a ticker is another symbol: also a recording plays by a former one."""
    if other := Symbol.objects.filter(ticker__in=spelling.readings(ticker)).exclude(pk=symbol.pk).first():
        raise NameTaken(f"{ticker} is {other.name}; {symbol} can't have its ticker")
    named = SymbolAlias.objects.filter(text__in={*spelling.readings(ticker), *spelling.writings(ticker)})
    aliases = named.exclude(symbol=symbol).select_related("symbol").order_by("text")
    if alias := aliases.first():
        raise NameTaken(f"{alias.text} leads to {alias.symbol}; {symbol} can't have it as its ticker")


def _require_short(**said: str) -> None:
    """SQLite would keep any length, and no other database."""
    for field, text in said.items():
        longest = Symbol._meta.get_field(field).max_length
        if len(text) > longest:
            raise NameTooLong(f"a name has up to {longest} characters; {text[:40]!r}… has {len(text)}")
