"""Nothing grows for ever: each table is cut at its age, some rows at a time, and the job says how many went."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models import F

from market import bars, coverage, quotes
from market.bars import removal
from market.models import Bar, BarRevision, Coverage, ProvisionalBar, Snapshot, Symbol
from market.quotes import snapshots
from market.tasks.retention import retain
from monitoring import jobs
from monitoring.jobs.errors import Cancelled
from monitoring.jobs.running import context
from monitoring.models import Job
from tests.market.test_bars import bar

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("apple")]
NOW = datetime.now(UTC).replace(microsecond=0)


def minute(days: float, close: float = 101.0, *, after: int = 9, **fields):
    """A bar of a minute so many days ago, as it was told so many minutes later."""
    opened = (NOW - timedelta(days=days)).replace(second=0)
    facts = {"session_date": opened.date(), "interval": "1m", "received_at": opened + timedelta(minutes=after)}
    return bar(1, close, opened_at=opened, source="yahoo", **facts, **fields)


def told(quote, days: float) -> None:
    at = NOW - timedelta(days=days)
    quotes.store([quote("AAPL", 100.0, received_at=at, as_of=at, session_date=at.date())])


def test_quotes_are_kept_as_long_as_the_setting_says(quote, monkeypatch):
    monkeypatch.setattr(snapshots, "AT_ONCE", 2)
    for days in (30, 20, 10, 9, settings.SNAPSHOT_DAYS - 0.1, 0):
        told(quote, days)
    assert retain()["deleted"]["snapshots"] == 4
    assert Snapshot.objects.count() == 2


def test_bars_of_a_minute_go_with_all_that_is_kept_of_them_and_the_coverage_says_so(monkeypatch):
    monkeypatch.setattr(removal, "AT_ONCE", 2)
    bars.upsert([minute(days) for days in (450, 449, 448, 401, 399, 2)])
    bars.upsert([minute(450, 99.0, after=2_000)])
    before = coverage.latest(["AAPL"], interval="1m")
    assert retain()["deleted"]["minutes"] == 4
    row = Coverage.objects.get(interval="1m")
    assert (row.held, Bar.objects.count(), row.first_held) == (2, 2, minute(399).opened_at)
    assert not BarRevision.objects.exists()
    assert coverage.latest(["AAPL"], interval="1m") != before
    assert retain()["deleted"]["minutes"] == 0


def test_days_are_kept_for_good_and_so_is_what_they_were():
    bars.upsert([bar(2)])
    bars.upsert([bar(2, 105, received_at=bar(2).received_at + timedelta(days=1))])
    retain()
    assert (Bar.objects.count(), BarRevision.objects.count()) == (1, 1)


def test_what_bars_within_a_session_were_before_they_settled_goes_after_a_month():
    for days in (40, 2):
        bars.upsert([minute(days, state="closed", is_final=False)])
        bars.upsert([minute(days, 101.5, after=99)])
    assert ProvisionalBar.objects.count() == 2
    assert retain()["deleted"]["provisional"] == 1
    assert ProvisionalBar.objects.get().opened_at == minute(2).opened_at


def test_a_table_that_fails_does_so_alone(quote, monkeypatch):
    told(quote, 30)
    monkeypatch.setattr(removal.coverage, "renew_counted", None)
    bars.upsert([minute(450)])
    answer = retain()
    assert (answer["deleted"]["snapshots"], list(answer["failed"])) == (1, ["minutes"])


def test_a_symbol_whose_bars_cannot_go_keeps_nobody_elses(monkeypatch):
    Symbol.objects.create(ticker="PEAR", name="Pear", exchange="XNAS", currency="USD", time_zone="America/New_York")
    bars.upsert(replace(minute(days), ticker=ticker) for ticker in ("AAPL", "PEAR") for days in (450, 2))
    worst, forget = min(Coverage.objects.values_list("symbol_id", flat=True)), removal._forget_oldest

    def broken(symbol: int, interval: str, instant: datetime) -> int:
        if symbol == worst:
            raise OperationalError("its page is damaged")
        return forget(symbol, interval, instant)

    monkeypatch.setattr(removal, "_forget_oldest", broken)
    why = retain()["failed"]["minutes"]
    assert "1 bars went; those of 1 symbols did not" in why
    assert "damaged" in why
    assert sorted(Coverage.objects.order_by("symbol_id").values_list("held", flat=True)) == [1, 2]


def test_what_a_wrong_clock_dated_ahead_keeps_nothing_else_alive(quote, monkeypatch):
    monkeypatch.setattr(snapshots, "AT_ONCE", 2)
    told(quote, 0)
    told(quote, 0.1)
    told(quote, 0.2)
    Snapshot.objects.update(received_at=F("received_at") + timedelta(days=400))
    for days in (30, 20, 10):
        told(quote, days)
    assert retain()["deleted"]["snapshots"] == 3
    assert Snapshot.objects.count() == 3


def test_it_ends_between_two_turns_where_it_must(quote, monkeypatch):
    monkeypatch.setattr(snapshots, "AT_ONCE", 1)
    for days in (30, 20, 10):
        told(quote, days)
    running = context.Current(Job(name="market.retention", timeout_seconds=60))
    running.stop("cancelled")
    with context.entered(running), pytest.raises(Cancelled):
        retain()
    assert Snapshot.objects.count() == 2


def test_the_settings_are_the_defaults_of_the_job():
    assert jobs.everything()["market.retention"].arguments.defaults == {
        "snapshot_days": settings.SNAPSHOT_DAYS,
        "minute_days": settings.MINUTE_DAYS,
        "provisional_days": settings.PROVISIONAL_DAYS,
    }
