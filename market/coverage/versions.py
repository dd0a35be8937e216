"""The version of a symbol's bars: what depends on them keeps the one it came from, and compares.

Read it before the rows, never after: then rows may be newer than the version says, and are only read once too often.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import FilteredRelation, Q

from market.coverage import rows, signs
from market.intervals import DAY
from market.models import Symbol

NONE = ""  # of what has no bars and never had


def latest(tickers: Collection[str], *, interval: str = DAY.name) -> dict[str, str]:
    """The version of each ticker that there is, in one query. Equal versions are equal bars and actions."""
    asked = Symbol.objects.filter(ticker__in=tickers).annotate(
        own=FilteredRelation("coverage", condition=Q(coverage__interval=interval))
    )
    kept = [f"own__{name}" for name in signs.KEPT]
    found = signs.seen(asked, "pk", interval).values_list("ticker", "pk", "own__version", *kept, *signs.SEEN)
    told, strange = {}, {}
    for ticker, pk, version, *facts in found:
        told[ticker] = version or NONE
        half = len(kept)
        if facts[:half] != facts[half:] if version else facts[half] is not None:
            strange[pk, interval] = ticker
    return told | (_renewed(strange) if strange else {})


def renew(symbols: Collection[int]) -> None:
    """Give all bars of these symbols, by their keys, a new version: what is told of them has changed otherwise.

    Call it in the transaction of the change.
    """
    with transaction.atomic():
        rows.renew_counted(rows.hold_all(symbols))


def _renewed(strange: dict[rows.Key, str]) -> dict[str, str]:
    """A version before has written beside these rows: holding them gives them their new version."""
    with transaction.atomic():
        return {strange[key]: row.version for key, row in rows.hold(list(strange)).items()}
