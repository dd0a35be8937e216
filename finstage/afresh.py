"""Starting prices afresh from another source: people, watchlists and rules stay, everything that was a price goes."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from analysis.models import IndicatorRow
from market import sources, symbols
from market.models import (
    Bar,
    BarRevision,
    Confirmation,
    CorporateAction,
    Coverage,
    DataSource,
    KeyFigures,
    MarkedBar,
    NewestRecord,
    PlayerWish,
    ProvisionalBar,
    QuarantinedBar,
    Record,
    Snapshot,
    SupersededAction,
    Symbol,
    WatchedSymbol,
)
from monitoring import redis
from realtime.models import Alert, AlertRule

PRICES = [
    Bar, BarRevision, ProvisionalBar, MarkedBar, QuarantinedBar, Confirmation, Coverage, Snapshot, CorporateAction,
    SupersededAction, Record, NewestRecord, KeyFigures, IndicatorRow, Alert,
]  # fmt: skip
# What is not about prices, and the epoch that the feed announced last: so it announces the new one.
KEPT = ("celery:", "heartbeats", "feed:epoch")
KEYS_AT_ONCE = 500


def begin(name: str, *, reason: str = "switched to by switch_source") -> None:
    """Make `name` the source of this database, all or nothing; where it is already, nothing."""
    now = datetime.now(UTC)
    with transaction.atomic():
        old = DataSource.objects.select_for_update().get(pk=1)
        if old.name == name:
            return
        for model in PRICES:
            model.objects.all().delete()
        _track(sources.about(name).seeds, instead_of=sources.about(old.name).seeds)
        facts = {"name": name, "reason": reason, "chosen_at": now, "epoch": old.epoch + 1}
        facts |= {"pass_number": old.pass_number + 1, "session": None}
        PlayerWish.objects.all().delete()
        DataSource.objects.filter(pk=1).update(**facts)


def forget_live(*, is_running: bool = False) -> None:
    """Drop what Redis holds of prices: quotes, forming bars, streams. is_running: also where we bring our own."""
    if settings.REDIS_EMBEDDED and not is_running:  # its files are all there is
        shutil.rmtree(settings.VAR / "valkey", ignore_errors=True)
        return
    client, prefix = redis.client(), redis.key("")
    kept = tuple((prefix + name).encode() for name in KEPT)
    found = [key for key in client.scan_iter(f"{prefix}*", count=KEYS_AT_ONCE) if not key.startswith(kept)]
    for start in range(0, len(found), KEYS_AT_ONCE):
        client.unlink(*found[start : start + KEYS_AT_ONCE])


def _track(seeds: Sequence[symbols.Seed], *, instead_of: Sequence[symbols.Seed]) -> None:
    """Follow the new source's first symbols, and no longer those that only came with the old one."""
    old = {symbol.pk for symbol in symbols.begun(seed.ticker for seed in instead_of).values()}
    new = {symbol.pk for symbol in symbols.ensure(seeds)}
    ruled = AlertRule.objects.exclude(symbol=None).values("symbol")
    watched = WatchedSymbol.objects.order_by().values("symbol")
    alone = Symbol.objects.filter(pk__in=old - new).exclude(pk__in=ruled).exclude(pk__in=watched)
    alone.update(is_active=False)
    Symbol.objects.filter(pk__in=new).update(is_active=True, last_session=None)
