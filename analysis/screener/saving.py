"""A screen of which more has to be computed than an answer can wait for: the body of its job."""

from typing import Any

from analysis import screener
from analysis.screener.asking import Asked
from analysis.screener.screening import Screened
from market import prices
from monitoring import jobs

MOST_ROWS = 500  # of a job's result; `matched` counts all
MOST_REASONS = 50  # that are told; `unknown` counts all

Told = dict[str, Any]


def run(where: str, interval: str, fields: list[str] | None, sort: list[str] | None, symbols: list[str] | None) -> Told:
    """The screen as it is when the job runs. Raises Invalid, UnknownSymbol."""
    asked = screener.read(where, interval=interval, fields=fields or (), sort=sort or ())
    found = screener.screen(
        asked, symbols, progress=lambda done, total: jobs.current().progress(done, total, "symbols")
    )
    answer = told(asked, found)
    return {**answer, "rows": answer["rows"][:MOST_ROWS]}


def told(asked: Asked, found: Screened) -> Told:
    """An answer, ready for JSON: what is told of it as a whole, and its `rows`."""
    return {
        **asked.as_json(),
        "asked": found.asked,
        "matched": len(found.rows),
        "entered": sum(row["has_entered"] is True for row in found.rows),
        "left": found.left[:MOST_ROWS],
        "unknown": len(found.unknown),
        "reasons": dict(list(found.unknown.items())[:MOST_REASONS]),
        "rows": [_plain(row) for row in found.rows],
    }


def _plain(row: dict) -> Told:
    """A row with its instants and dates as text."""
    return {
        **row,
        "as_of": prices.instant(row["as_of"]),
        "session_date": str(row["session_date"]),
        "received_at": row["received_at"] and prices.instant(row["received_at"]),
    }
