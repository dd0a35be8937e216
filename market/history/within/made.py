"""Bars within sessions that are made of shorter ones: those of sessions that a source tells no more."""

from datetime import date, timedelta

from market import bars, intervals
from market.bars import UpsertResult, resampling
from market.coverage import loading as coverage
from market.coverage import told
from market.history import gaps
from market.intervals import Interval
from market.models import Bar as BarRow
from market.models import Symbol
from market.prices import FINAL, Bar, midnight

_BEFORE = timedelta(days=31)  # looked at too: of the first session that is, half is enough to be held


def fill(symbol: Symbol, interval: str, before: date) -> UpsertResult:
    """Make the bars of the sessions before one that are not held and whose parts are. What is held stays as it is."""
    asked = intervals.named(interval)
    parts = coverage.row(symbol, asked.filled_from) if asked.filled_from else None
    if parts is None or parts.first_held is None or parts.first_held >= midnight(before):
        return bars.summed([])  # as of nearly all symbols: years of bars are not looked through for that each night
    held = _sessions(symbol, interval, since=parts.first_held.date())
    lacking = sorted(session for session in set(gaps.sessions_held(parts)) - held if session < before)
    return bars.summed([bars.upsert(_made(symbol, asked, session)) for session in lacking])


def _sessions(symbol: Symbol, interval: str, *, since: date) -> set[date]:
    row = coverage.row(symbol, interval)
    return set() if row is None or row.first_held is None else set(gaps.sessions_held(row, since - _BEFORE))


def _made(symbol: Symbol, interval: Interval, session: date) -> list[Bar]:
    """Those of a session that are not there yet."""
    ticker, source = symbol.ticker, interval.filled_from
    parts = bars.history(ticker, interval=source, start=session, end=session, adjusted="raw")
    known = resampling.known(told.held([ticker], source))[ticker]
    over = (session + timedelta(days=1) - date(1970, 1, 1)).days
    found = resampling.of_bars(parts, interval, known, over)
    there = BarRow.objects.filter(symbol=symbol, interval=interval.name, session_date=session)
    openings = set(there.filter(opened_at__gte=found[0].opened_at).values_list("opened_at", flat=True))
    return [bar for bar in found if bar.state == FINAL and bar.opened_at not in openings]
