"""What the versions before wrote of a bar's session into its opening alone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import migrations, models
from django.db.models.functions import Cast

WHOLE = ("1d", "1wk", "1mo")  # their openings are midnight UTC of their dates
WITHIN = ("1m", "5m", "15m", "30m", "1h")  # named, so that the key finds them: most databases hold none


def fill_days(apps, _editor) -> None:
    """One statement a symbol: some ten thousand rows at most are locked at once."""
    bar, opening = apps.get_model("market", "Bar"), Cast("opened_at", models.DateField())
    for symbol in apps.get_model("market", "Symbol").objects.order_by("pk").values_list("pk", flat=True):
        bar.objects.filter(symbol_id=symbol, interval__in=WHOLE, session_date=None).update(session_date=opening)


def fill_hours(apps, _editor) -> None:
    """Of bars within a session the date where they are at home; one statement a day."""
    bar = apps.get_model("market", "Bar")
    for symbol, zone in apps.get_model("market", "Symbol").objects.order_by("pk").values_list("pk", "time_zone"):
        waiting = bar.objects.filter(symbol_id=symbol, interval__in=WITHIN, session_date=None)
        home, days = _zone(zone), {}
        for interval, opened_at in waiting.values_list("interval", "opened_at").iterator(2000):
            days.setdefault((interval, opened_at.astimezone(home).date()), []).append(opened_at)
        for (interval, day), openings in days.items():
            waiting.filter(interval=interval, opened_at__range=_span(openings)).update(session_date=day)


def _span(openings: list[datetime]) -> tuple[datetime, datetime]:
    return min(openings), max(openings)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


class Migration(migrations.Migration):
    # Each statement is its own transaction, so that writers beside it wait for one symbol alone; safe to run again.
    atomic = False
    dependencies = [("market", "0003_bar_session_date")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop) for fill in (fill_days, fill_hours)]
