"""Signals as they are asked for, and what their prices did afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db.models import QuerySet

from analysis.models import Signal
from analysis.summary import ADJUSTMENT
from market import bars, intervals, prices
from market.prices import midnight

AFTER_BARS = 20
RECENT_DAYS, MOST_RECENT = 30, 50
_APART = timedelta(days=2)  # an opening is so near to its session, wherever its exchange is


def found(
    *,
    symbols: Iterable[int] | None = None,
    rules: Iterable[str] | None = None,
    start: date | None = None,
    end: date | None = None,
    **equal: str,
) -> QuerySet[Signal]:
    """Those of the pass that runs. equal: direction, interval, state."""
    rows = Signal.objects.running().filter(**equal).select_related("symbol")
    if symbols is not None:
        rows = rows.filter(symbol_id__in=symbols)
    if rules is not None:
        rows = rows.filter(rule__in=rules)
    if start is not None:
        rows = rows.filter(session_date__gte=start, opened_at__gte=midnight(start) - _APART)
    if end is not None:
        rows = rows.filter(session_date__lte=end, opened_at__lte=midnight(end) + _APART)
    return rows


def fields(row: Signal) -> dict:
    """A signal as it is told everywhere, before it has a record."""
    return {
        "id": row.pk,
        "symbol": row.symbol.ticker,
        "interval": row.interval,
        "rule": row.rule,
        "direction": row.direction,
        "state": row.state,
        "holds": row.holds,
        "as_of": prices.instant(row.opened_at),
        "as_of_precision": intervals.named(row.interval).precision,
        "session_date": str(row.session_date),
        "price": row.price,
        "values": row.values,
        "live": row.live,
        "seen_by": row.seen_by,
        "seen_at": prices.instant(row.seen_at),
        "changed_at": prices.instant(row.changed_at),
        "source": row.source,
        "received_at": prices.instant(row.received_at),
        "version": row.version,
        "record": None,
    }


def moves(rows: Sequence[Signal]) -> dict[int, float | None]:
    """By the key of each how far the close went in the 20 bars after its bar, in percent; None while they are not
    there, or of a price that is not above zero.
    """
    told: dict[int, float | None] = {}
    for interval in {row.interval for row in rows}:
        some = [row for row in rows if row.interval == interval]
        columns = bars.of_many(sorted({row.symbol.ticker for row in some}), interval=interval, adjusted=ADJUSTMENT)
        told |= {row.pk: _move(columns[row.symbol.ticker], row.opened_at) for row in some}
    return told


def recent(tickers: Iterable[str], interval: str) -> dict[str, list[dict]]:
    """Those on each ticker's bars of the thirty days up to its newest signal, the newest first, fifty at most."""
    told: dict[str, list[dict]] = {ticker: [] for ticker in tickers}
    rows = Signal.objects.running().filter(symbol__ticker__in=told, interval=interval)
    newest = rows.order_by("-opened_at").values_list("opened_at", flat=True).first()
    if newest is None:
        return told
    since = newest - timedelta(days=RECENT_DAYS)
    for row in rows.filter(opened_at__gte=since).select_related("symbol").order_by("-opened_at", "rule"):
        if len(told[row.symbol.ticker]) < MOST_RECENT:
            told[row.symbol.ticker].append(fields(row))
    return told


def _move(columns: Mapping[str, np.ndarray], opened_at: datetime) -> float | None:
    at = np.datetime64(opened_at.astimezone(UTC).replace(tzinfo=None))
    place = int(np.searchsorted(columns["opened_at"], at))
    if place + AFTER_BARS >= len(columns["close"]) or columns["opened_at"][place] != at:
        return None
    before, after = columns["close"][place].item(), columns["close"][place + AFTER_BARS].item()
    return round((after / before - 1) * 100, 4) if before > 0 else None
