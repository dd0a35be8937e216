"""The version of a symbol's bars: what depends on them keeps the one it came from, and compares.

Read it before the rows, never after: then rows may be newer than the version says, and are only read once too often.
"""

from collections.abc import Collection

from django.db import connection, transaction

from market.coverage import rows, signs
from market.intervals import DAY

NONE = ""  # of what has no bars and never had


def latest(tickers: Collection[str], *, interval: str = DAY.name) -> dict[str, str]:
    """The version of each ticker that there is, in one query. Equal versions are equal bars and actions."""
    if not tickers:
        return {}
    asked = signs.of_symbols(connection.vendor).format(tickers=signs.marks(tickers))
    with connection.cursor() as cursor:
        cursor.execute(asked, [interval] * 4 + list(tickers))
        found = cursor.fetchall()
    told = {ticker: version or NONE for ticker, _, version, _ in found}
    strange = {(pk, interval): ticker for ticker, pk, _, is_strange in found if is_strange}
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
