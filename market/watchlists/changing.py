"""Lists are made, changed and deleted here alone, within bounds that hold also where two ask at once.

The first change of the default list makes it its owner's: it has what the house's had then.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Max

from market.models import Symbol, WatchedSymbol, Watchlist
from market.watchlists import reading
from market.watchlists.reading import DEFAULT, NAME, Listed, Unknown

MOST = 100  # lists of one person, beside the default one
MOST_SYMBOLS = 500  # of one list


class Refused(Exception):
    """What can't be, for the reason `code`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@transaction.atomic
def make(owner_id: int, name: str, symbols: Iterable[Symbol]) -> Listed:
    """A new list. Raises Refused."""
    _hold(owner_id)
    if Watchlist.objects.filter(owner_id=owner_id).exclude(name="").count() >= MOST:
        raise Refused("too_many_watchlists", f"You have {MOST} watchlists: delete one that you do not need.")
    _require_free(owner_id, name)
    row = _new(owner_id, name)
    _put(row, symbols)
    return _told(row)


@transaction.atomic
def change(owner_id: int, which: str, *, name: str | None = None, symbols: Iterable[Symbol] | None = None) -> Listed:
    """Another name, or other symbols in their order; None leaves it. Raises Unknown and Refused."""
    row = _held(owner_id, which)
    if name is not None and name != _name(row):
        if which == DEFAULT:
            raise Refused("default_watchlist", f"The default list is always called {NAME}; make another one.")
        _require_free(owner_id, name)
        row.name = name
        row.save(update_fields=["name"])
        _touch(row)
    if symbols is not None:
        row = row or _new(owner_id, "")
        WatchedSymbol.objects.filter(watchlist=row).delete()
        _put(row, symbols)
        _touch(row)
    return _told(row)


@transaction.atomic
def delete(owner_id: int, which: str) -> None:
    """Delete it; the default one is the house's again. Raises Unknown."""
    if (row := _held(owner_id, which)) is not None:
        row.delete()


@transaction.atomic
def add(owner_id: int, which: str, symbol: Symbol) -> Listed:
    """Have a symbol on a list, at its end unless it is there. Safe to run again. Raises Unknown and Refused."""
    row = _held(owner_id, which)
    if not reading.on(row).filter(pk=symbol.pk).exists():
        row = row or _own_default(owner_id)
        if reading.on(row).count() >= MOST_SYMBOLS:
            raise Refused("too_many_symbols", f"{MOST_SYMBOLS} symbols are the most of one list: take some away.")
        last = WatchedSymbol.objects.filter(watchlist=row).aggregate(last=Max("place"))["last"]
        WatchedSymbol.objects.create(watchlist=row, symbol=symbol, place=0 if last is None else last + 1)
        _touch(row)
    return _told(row)


@transaction.atomic
def remove(owner_id: int, which: str, symbol: Symbol) -> Listed:
    """Have a symbol on a list no more. Safe to run again. Raises Unknown and Refused."""
    row = _held(owner_id, which)
    if reading.on(row).filter(pk=symbol.pk).exists():
        row = row or _own_default(owner_id)
        WatchedSymbol.objects.filter(watchlist=row, symbol=symbol).delete()
        _touch(row)
    return _told(row)


def _hold(owner_id: int) -> None:
    """One at a time for each person, until the transaction ends."""
    people = get_user_model()._base_manager.select_for_update()
    if not people.filter(pk=owner_id).values_list("pk").first():
        raise Unknown("There is no such person any more.")


def _held(owner_id: int, which: str) -> Watchlist | None:
    _hold(owner_id)
    return reading.row_of(owner_id, which)


def _require_free(owner_id: int, name: str) -> None:
    if name.casefold() == NAME.casefold() or Watchlist.objects.filter(owner_id=owner_id, name=name).exists():
        raise Refused("name_taken", f"You have a watchlist {name} already; choose another name.")


def _own_default(owner_id: int) -> Watchlist:
    """The default list as a row, with what it had until now."""
    tracked = list(Symbol.objects.tracked()[: MOST_SYMBOLS + 1])
    if len(tracked) > MOST_SYMBOLS:
        raise Refused(
            "too_many_symbols",
            f"The house's list has more than the {MOST_SYMBOLS} symbols that one of your own may have: say which of "
            f"them yours has, by PATCH of its `symbols`.",
        )
    row = _new(owner_id, "")
    _put(row, tracked)
    return row


def _new(owner_id: int, name: str) -> Watchlist:
    now = datetime.now(UTC)
    return Watchlist.objects.create(owner_id=owner_id, name=name, created_at=now, changed_at=now)


def _put(row: Watchlist, symbols: Iterable[Symbol]) -> None:
    keys = list(dict.fromkeys(symbol.pk for symbol in symbols))
    if len(keys) > MOST_SYMBOLS:
        raise Refused("too_many_symbols", f"{MOST_SYMBOLS} symbols are the most of one list; these are {len(keys)}.")
    WatchedSymbol.objects.bulk_create(
        WatchedSymbol(watchlist=row, symbol_id=key, place=place) for place, key in enumerate(keys)
    )


def _touch(row: Watchlist) -> None:
    row.changed_at = datetime.now(UTC)
    row.save(update_fields=["changed_at"])


def _name(row: Watchlist | None) -> str:
    return NAME if row is None or not row.name else row.name


def _told(row: Watchlist | None) -> Listed:
    return reading.filled([reading.HOUSE if row is None else reading.told(row)])[0]
