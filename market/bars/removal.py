"""Bars that are taken back: what a wrong clock dated into the future, what is kept no longer."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from market import prices
from market.coverage import rows as coverage
from market.coverage import telling
from market.intervals import ALL
from market.models import Bar, BarRevision, Confirmation, MarkedBar, ProvisionalBar, QuarantinedBar
from monitoring import refusals, turns

logger = logging.getLogger(__name__)

AT_ONCE = 2_000
_BESIDE = (BarRevision, ProvisionalBar, MarkedBar, QuarantinedBar)


class LeftBehind(Exception):
    """What should have been deleted of some symbols is there still; that of the others is gone."""


def forget_future(ticker: str, last: datetime | None = None) -> int:
    """Delete bars of sessions that are still to come, which a wrong clock once wrote; returns how many. last: the
    opening of the newest, where that is known.
    """
    since = datetime.now(UTC) + prices.DAY_AHEAD
    if last and last <= since:
        return 0
    gone = _delete(Bar.objects.filter(symbol__ticker=ticker, opened_at__gt=since), reason=telling.REVISION)
    if gone:
        refusals.note("bars", ticker, f"bars of sessions after {since:%Y-%m-%d}, which are still to come", times=gone)
    return gone


def forget_before(interval: str, instant: datetime, *, tell: Callable[[int], object]) -> int:
    """Delete the bars of an interval that opened before, and what else is kept of them, some at a time. Returns how
    many; tell: hears how many so far. Raises LeftBehind at the end where some symbol's could not go.
    """
    deleted, faults = 0, []
    for row in coverage.older(interval, instant):
        try:
            while some := _forget_oldest(row.symbol_id, interval, instant):
                deleted += some
                tell(deleted)
        except DatabaseError as error:
            logger.warning("%s: its old bars stay", row, exc_info=True)
            faults.append(f"{row}: {error}")
    if faults:
        raise LeftBehind(f"{deleted} bars went; those of {len(faults)} symbols did not, as {faults[0]}")
    return deleted


def forget_provisional(instant: datetime, *, tell: Callable[[int], object]) -> int:
    """Delete what bars within sessions were before they settled, of those that opened before. As above."""
    deleted = 0
    for row in [row for each in ALL.values() if not each.is_whole for row in coverage.older(each.name, instant)]:
        told = ProvisionalBar.objects.filter(symbol=row.symbol_id, interval=row.interval, opened_at__lt=instant)
        before = deleted
        deleted += turns.delete(told, AT_ONCE, tell=lambda more, before=before: tell(before + more))
    return deleted


def _forget_oldest(symbol: int, interval: str, instant: datetime) -> int:
    """In one transaction with the coverage that says so."""
    bars = Bar.objects.filter(symbol=symbol, interval=interval)
    with turns.taken():
        covered = coverage.hold([(symbol, interval)])
        old = bars.filter(opened_at__lt=instant).order_by("opened_at")
        openings = list(old.values_list("opened_at", flat=True)[:AT_ONCE])
        if openings:
            for model in (*_BESIDE, Bar):
                model.objects.filter(symbol=symbol, interval=interval, opened_at__lte=openings[-1]).delete()
            coverage.renew_counted(covered.values(), reason=None)
    return len(openings)


def _delete(bars: QuerySet[Bar], *others: QuerySet, reason: str | None) -> int:
    """Delete rows, and have the coverage of those symbols say what is left; returns how many bars.

    reason: as coverage tells it.
    """
    keys = set(bars.order_by().values_list("symbol_id", "interval").distinct())
    if not keys:
        return 0
    with transaction.atomic():
        covered = coverage.hold(keys)
        for rows in others:
            rows.delete()
        # By these a late telling finds its place among those of one bar, which is none any more.
        Confirmation.objects.filter(symbol_id__in={symbol for symbol, _ in keys}).delete()
        gone = bars.delete()[0]
        coverage.renew_counted(covered.values(), reason=reason)
    return gone
