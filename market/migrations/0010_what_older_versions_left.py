"""What versions before coverage, sessions and exact ratios may have left beside them is filled in and counted, once."""

import secrets
import time
from fractions import Fraction
from importlib import import_module

from django.db import migrations, transaction
from django.db.models import Count, Max, Min

sessions = import_module("market.migrations.0004_fill_session_date")
LARGEST_DENOMINATOR = 10_000


def fill_ratios(apps, _editor) -> None:
    for name in ("CorporateAction", "SupersededAction"):
        splits = apps.get_model("market", name).objects.filter(kind="split", numerator=None)
        for pk, value in splits.values_list("pk", "value"):
            near = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
            new, old = (near.numerator, near.denominator) if float(near) == value else (value, 1)
            splits.filter(pk=pk).update(numerator=new, denominator=old)


def count(apps, _editor) -> None:
    """Where a row of coverage does not say what its bars do, or is none: only those are locked."""
    said = apps.get_model("market", "Coverage").objects.order_by()
    told = {row[:2]: row[2:] for row in said.values_list("symbol_id", "interval", "held", "first_held", "last_held")}
    found = {row[:2]: row[2:] for row in _counted(apps)}
    for key in sorted(told.keys() | found.keys()):
        if told.get(key) != found.get(key, (0, None, None)):
            _count(apps, *key)


def _counted(apps):
    bars = apps.get_model("market", "Bar").objects.order_by().values_list("symbol_id", "interval")
    return bars.annotate(Count("opened_at"), Min("opened_at"), Max("opened_at"))


@transaction.atomic
def _count(apps, symbol: int, interval: str) -> None:
    """Hold its row, as every writer of bars does, and have it say what they do, with a new version."""
    model = apps.get_model("market", "Coverage")
    version = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
    made = model(symbol_id=symbol, interval=interval, version=version)
    model.objects.bulk_create([made], ignore_conflicts=True)
    own = model.objects.filter(symbol_id=symbol, interval=interval)
    complete_since = own.select_for_update().get().complete_since
    counted = next(iter(_counted(apps).filter(symbol_id=symbol, interval=interval)), None)
    held, first, last = counted[2:] if counted else (0, None, None)
    own.update(
        version=version,
        held=held,
        first_held=first,
        last_held=last,
        unbroken_until=None,
        complete_since=complete_since if held else None,
    )


class Migration(migrations.Migration):
    # Each statement is its own transaction, so that writers beside it wait for one symbol alone; safe to run again.
    atomic = False
    dependencies = [("market", "0009_bars_settle")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop)
        for fill in (sessions.fill_days, sessions.fill_hours, fill_ratios, count)
    ]
