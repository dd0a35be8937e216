"""The lists of a person, and what is on them. Whose a list is stands in every query."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from market.models import Symbol, SymbolQuerySet, WatchedSymbol, Watchlist

DEFAULT = "default"  # what everybody calls their own default list
NAME = "Default"  # how it is told; in its row it has none
_LONGEST = 18  # digits of a key


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it is told. id: DEFAULT, or its row's key. row: None of the house's, which is nobody's own."""

    id: str
    name: str
    changed_at: datetime | None
    row: int | None
    symbols: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        return self.row is not None

    @property
    def order(self) -> int:
        """The default one is told first, then they follow by their age."""
        return 0 if self.id == DEFAULT else self.row


HOUSE = Listed(DEFAULT, NAME, None, None)


class Unknown(LookupError):
    """There is no such list, or it is not theirs."""

    code = "unknown_watchlist"


def owned(owner_id: int | None, *, with_symbol: int | None = None) -> list[Listed]:
    """All that somebody has, in their order and without what is on them; who is not logged in has the house's alone.

    with_symbol: only those on which this symbol is, by its key.
    """
    found = [told(row) for row in _of(owner_id)]
    if not any(each.id == DEFAULT for each in found):
        found.append(HOUSE)
    if with_symbol is not None:
        rows = [each.row for each in found]
        having = set(
            WatchedSymbol.objects.filter(watchlist__in=rows, symbol=with_symbol).values_list("watchlist", flat=True)
        )
        if None in rows and Symbol.objects.tracked().filter(pk=with_symbol).exists():
            having.add(None)
        found = [each for each in found if each.row in having]
    return sorted(found, key=lambda each: each.order)


def filled(lists: Collection[Listed]) -> list[Listed]:
    """The same with what is on them, in its order; a query, and one of the house's."""
    tickers: dict[int | None, list[str]] = defaultdict(list)
    watched = WatchedSymbol.objects.filter(watchlist__in=[each.row for each in lists if each.is_own])
    ordered = watched.order_by("watchlist_id", "place", "symbol_id")
    for row, ticker in ordered.values_list("watchlist_id", "symbol__ticker"):
        tickers[row].append(ticker)
    if not all(each.is_own for each in lists):
        tickers[None] = list(Symbol.objects.tracked().values_list("ticker", flat=True))
    return [replace(each, symbols=tuple(tickers[each.row])) for each in lists]


def opened(owner_id: int | None, name: str) -> tuple[Listed, SymbolQuerySet]:
    """The list that somebody calls so, and apart what is on it, in its order. Raises Unknown."""
    row = row_of(owner_id, name)
    return (HOUSE if row is None else told(row)), on(row)


def row_of(owner_id: int | None, name: str) -> Watchlist | None:
    """The row of a list; None of the default one that is still the house's. Raises Unknown."""
    mine = _of(owner_id)
    if name == DEFAULT:
        return mine.filter(name="").first()
    is_key = name.isascii() and name.isdigit() and len(name) <= _LONGEST
    row = mine.exclude(name="").filter(pk=int(name)).first() if is_key else None
    if row is None:
        raise Unknown(f"There is no watchlist {name[:40]}, or it is not yours.")
    return row


def on(row: Watchlist | None) -> SymbolQuerySet:
    """The symbols of a row in their order, or of the house's list."""
    if row is None:
        return Symbol.objects.tracked()
    return Symbol.objects.filter(watched__watchlist=row).order_by("watched__place", "pk")


def told(row: Watchlist) -> Listed:
    return Listed(*((str(row.pk), row.name) if row.name else (DEFAULT, NAME)), row.changed_at, row.pk)


def _of(owner_id: int | None) -> QuerySet[Watchlist]:
    return Watchlist.objects.none() if owner_id is None else Watchlist.objects.filter(owner_id=owner_id)
