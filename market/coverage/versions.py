"""The version of a symbol's bars: what depends on them keeps the one it came from, and compares.

Read it before the rows, never after: then rows may be newer than the version says, and are only read once too often.
"""

from collections.abc import Collection

from django.db import connection

from market.intervals import DAY
from market.models import Coverage, Symbol

NONE = ""  # of what has no bars and never had


def latest(tickers: Collection[str], *, interval: str = DAY.name) -> dict[str, str]:
    """The version of each ticker that there is, in one query. Equal versions are equal bars and actions."""
    if not tickers:
        return {}
    quoted = connection.ops.quote_name
    # Written out, as it is read with every answer: to build it of querysets takes longer than to ask it.
    asked = f"""SELECT named.ticker, COALESCE(covered.version, %s) FROM {quoted(Symbol._meta.db_table)} named
        LEFT JOIN {quoted(Coverage._meta.db_table)} covered
        ON covered.symbol_id = named.id AND covered.{quoted("interval")} = %s
        WHERE named.ticker IN ({", ".join(["%s"] * len(tickers))})"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [NONE, interval, *tickers])
        return dict(cursor.fetchall())
