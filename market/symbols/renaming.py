"""A symbol gets another ticker: its row and the alias change, and nothing that hangs on its key."""

from dataclasses import dataclass

from django.db import transaction

from market import coverage
from market.models import Symbol, SymbolAlias
from market.symbols import names, spelling


class NameTaken(ValueError):
    """The ticker belongs to another symbol; two symbols do not become one."""

    code = "name_taken"
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

    Raises UnknownSymbol, InvalidTicker, NameTaken.
    """
    new, key = spelling.ticker(to), names.resolve(text).pk
    symbol = Symbol.objects.select_for_update().get(pk=key)
    if other := Symbol.objects.filter(ticker=new).exclude(pk=key).first():
        raise NameTaken(f"{new} is {other.name}; {symbol} can't have its ticker")
    old = symbol.ticker
    symbol.ticker, symbol.name, symbol.local_name = new, name or symbol.name, local_name or symbol.local_name
    symbol.save(update_fields=["ticker", "name", "local_name"])
    if old == new:
        return Renaming(symbol, spelling.folded(text), new)
    SymbolAlias.objects.filter(text=new).delete()
    SymbolAlias.objects.update_or_create(text=old, defaults={"symbol": symbol, "kind": SymbolAlias.Kind.FORMER})
    coverage.renew([key])
    return Renaming(symbol, old, new)
