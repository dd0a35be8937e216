"""The version of a symbol's bars: what depends on them keeps the one it came from, and compares.

Read it before the rows, never after: then rows may be newer than the version says, and are only read once too often.
What is kept under a version, or tagged with it, compares it again after the rows: only where it is still the same do
they belong together, as a restored backup may bring older rows. `steady` does both.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TypeVar

from django.db import connection

from market import clock
from market.coverage import tokens
from market.intervals import DAY
from market.models import Coverage, Symbol

NONE = ""  # of what has no bars and never had
TRIES = 3  # of reading between two equal versions

Answer = TypeVar("Answer")
Versions = tuple[str, ...]  # of each interval that counts


def latest(tickers: Collection[str], *, interval: str = DAY.name) -> dict[str, str]:
    """The version of each ticker that there is, in one query. Equal versions are equal bars and actions,
    also up to the market's clock.
    """
    if not tickers:
        return {}
    quoted = connection.ops.quote_name
    # Written out, as it is read with every answer: to build it of querysets takes longer than to ask it.
    asked = f"""SELECT named.ticker, COALESCE(covered.version, %s), {clock.asked()}
        FROM {quoted(Symbol._meta.db_table)} named
        LEFT JOIN {quoted(Coverage._meta.db_table)} covered
        ON covered.symbol_id = named.id AND covered.{quoted("interval")} = %s
        WHERE named.ticker IN ({", ".join(["%s"] * len(tickers))})"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [NONE, interval, *tickers])
        return {ticker: cut(version, session) for ticker, version, session in cursor.fetchall()}


def cut(version: str, session: date | str | None) -> str:
    """As it is told while a session runs, of which a database may tell the text; None: of a live source."""
    return version if session is None else tokens.cut(version, session)


def of(tickers: Collection[str], intervals: Collection[str]) -> dict[str, Versions]:
    """The versions of each ticker, one for each interval; a query for each of these."""
    found = [latest(tickers, interval=name) for name in intervals]
    return {ticker: tuple(each.get(ticker, NONE) for each in found) for ticker in tickers}


def steady(
    read: Callable[[Mapping[str, Versions]], tuple[dict[str, Answer], Collection[str]]],
    versions: Mapping[str, Versions],
    intervals: Collection[str],
) -> dict[str, tuple[Answer, Versions | None]]:
    """What `read` gives of each ticker, with the versions that were true before it and after.

    versions: as `of` gave them before. read: is given those still to be read, and tells which of them it did read, as
    what was kept needs no second look. Where others wrote meanwhile it reads again; None where they did so each time.
    """
    found: dict[str, tuple[Answer, Versions | None]] = {}
    left = dict(versions)
    for _ in range(TRIES):
        answers, were_read = read(left)
        now = of(were_read, intervals) if were_read else {}
        found |= {ticker: (answer, left[ticker]) for ticker, answer in answers.items()}
        left = {ticker: now[ticker] for ticker in were_read if now[ticker] != left[ticker]}
        if not left:
            return found
    return found | {ticker: (found[ticker][0], None) for ticker in left}
