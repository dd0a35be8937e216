"""Bars that are taken back: what was played, and what a wrong clock dated into the future."""

from datetime import UTC, date, datetime

from django.db import transaction
from django.db.models import QuerySet

from market import prices
from market.bars import forming
from market.coverage import rows as coverage
from market.coverage import telling
from market.models import Bar, BarRevision, Confirmation, MarkedBar, ProvisionalBar, QuarantinedBar
from monitoring import refusals


def delete_played(start: date, source: str) -> int:
    """Delete a source's bars from a session on, what else is kept of them and all forming ones; returns how many."""
    since = {"opened_at__gte": prices.midnight(start), "source": source}
    forming.forget()
    others = (model.objects.filter(**since) for model in (BarRevision, ProvisionalBar, MarkedBar, QuarantinedBar))
    return _delete(Bar.objects.filter(**since), *others, reason=None)


def forget_future(ticker: str) -> int:
    """Delete bars of sessions that are still to come, which a wrong clock once wrote; returns how many."""
    since = datetime.now(UTC) + prices.DAY_AHEAD
    gone = _delete(Bar.objects.filter(symbol__ticker=ticker, opened_at__gt=since), reason=telling.REVISION)
    if gone:
        refusals.note("bars", ticker, f"bars of sessions after {since:%Y-%m-%d}, which are still to come", times=gone)
    return gone


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
