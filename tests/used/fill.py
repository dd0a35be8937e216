"""Fills the database of the code in the current folder as people and time would. Run by make.py, under that code."""

import os
import sys
import uuid
from datetime import UTC, date, datetime, timedelta

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: E402

from market import actions, bars, quotes  # noqa: E402
from market.models import Symbol, SymbolAlias  # noqa: E402
from market.prices import Action, Bar, Named, Quote, midnight  # noqa: E402
from monitoring import jobs  # noqa: E402
from monitoring.jobs import declaration  # noqa: E402
from monitoring.jobs.claiming import claims  # noqa: E402
from monitoring.jobs.ending import attempts  # noqa: E402
from monitoring.jobs.running import body  # noqa: E402
from monitoring.jobs.running.context import Current  # noqa: E402
from monitoring.models import Job, JobAttempt, JobTemplate, ScheduleSlot, Worker  # noqa: E402
from realtime import alerts  # noqa: E402
from realtime.models import AlertRule  # noqa: E402

SOURCE = sys.argv[1]
SESSIONS = 260
NOW = timezone.now()


def main() -> None:
    declaration.discover()
    jean = people()
    if SOURCE == "yahoo":
        tickers = list(Symbol.objects.tracked().values_list("ticker", flat=True))[:4]
        for number, ticker in enumerate(tickers):
            prices(ticker, 100.0 * (number + 1))
    else:
        tickers = ["AAPL", "IBM"]
    correct(tickers[0])
    names_and_actions(tickers[0])
    rules(jean, tickers)
    count_records()
    work(jean)
    quotes.flush(timezone.now())
    assert quotes.keep([quotes.latest(tickers[:1])[tickers[0]]])  # waits in Redis for the next flush


def people():
    users = get_user_model().objects
    jean = users.create_user("jean", "jean@example.org", "a long password", first_name="Jean", last_name="Ørsted-김")
    readers = Group.objects.create(name="readers")
    readers.permissions.add(Permission.objects.get(codename="view_alert"))
    jean.groups.add(readers)
    jean.user_permissions.add(Permission.objects.get(codename="view_bar"))
    browser = Client()
    assert browser.login(username="jean", password="a long password")
    session = browser.session
    session.set_expiry(timedelta(days=36_500))  # the dump is older each time that it is loaded
    session.save()
    return jean


def prices(ticker: str, level: float) -> None:
    """A year of days, an hour of minutes, a split, a dividend and the last quote."""
    last = datetime(2024, 7, 1, tzinfo=UTC)
    days = [day for back in range(SESSIONS * 7 // 5) if (day := last - timedelta(days=back)).weekday() < 5]
    bars.upsert(bar(ticker, "1d", day, level + day.toordinal() % 17) for day in days)
    opening = last.replace(hour=13, minute=30)
    bars.upsert(bar(ticker, "1m", opening + timedelta(minutes=n), level + n / 100) for n in range(60))
    ex_date = days[100].date()
    told = [Action(ticker, "split", ex_date, 4.0, 4.0, 1.0), Action(ticker, "dividend", ex_date, 0.24)]
    actions.keep(Symbol.objects.get(ticker=ticker), Named(told), SOURCE)
    quotes.keep([quote(ticker, level + n / 10, n) for n in range(30)])
    quotes.flush(NOW)


def bar(ticker: str, interval: str, opened_at: datetime, level: float) -> Bar:
    values = {"open": level, "high": level + 1.25, "low": level - 0.5, "close": level + 0.1, "volume": 1_000_000}
    place = {"ticker": ticker, "interval": interval, "opened_at": opened_at, "session_date": opened_at.date()}
    return Bar(**place, **values, is_final=True, source=SOURCE, received_at=NOW)


def quote(ticker: str, price: float, seconds: int) -> Quote:
    at = datetime(2024, 7, 1, 19, 59, tzinfo=UTC) + timedelta(seconds=seconds)
    session = {"session_date": at.date(), "as_of": at, "as_of_precision": "second", "received_at": at}
    day = {"previous_close": price - 1, "open": price, "high": price + 1, "low": price - 1, "volume": 12_345}
    return Quote(ticker=ticker, price=price, **day, **session, source=SOURCE, market_state="open")


def correct(ticker: str) -> None:
    """The source told another volume, and then the first one again."""
    row = bars.history(ticker, adjusted="raw", end=midnight(NOW.date()))[3]
    told = [getattr(row, name) for name in ("open", "high", "low", "close")]
    for volume in ((row.volume or 0) + 1, row.volume):
        known = dict(zip(("open", "high", "low", "close"), told, strict=True))
        again = bar(ticker, row.interval, row.opened_at, 1.0)
        changed = {name: getattr(again, name) for name in ("ticker", "interval", "opened_at", "is_final", "source")}
        bars.upsert([Bar(**changed, **known, volume=volume, received_at=timezone.now())], reason="told otherwise")


def names_and_actions(ticker: str) -> None:
    """Another spelling, and a dividend that was told once and is none any more."""
    symbol = Symbol.objects.get(ticker=ticker)
    SymbolAlias.objects.create(symbol=symbol, text="A SPELLING")
    day = date(1999, 1, 4)
    actions.keep(symbol, Named([Action(ticker, "dividend", day, 0.05)]), SOURCE)
    actions.keep(symbol, Named(whole=frozenset({"dividend"}), start=day, end=day), SOURCE)


def rules(jean, tickers: list[str]) -> None:
    alerts.prepare()
    first = Symbol.objects.get(ticker=tickers[0])
    AlertRule.objects.create(owner=jean, symbol=first, kind="price_above", level=10.5, severity="critical")
    AlertRule.objects.create(owner=jean, symbol=first, kind="price_above", level=11.5, is_active=False)
    AlertRule.objects.create(kind="plunge", level=-7.0, symbol=Symbol.objects.get(ticker=tickers[1]))
    low, high = quote(tickers[0], 10.0, 1), quote(tickers[0], 11.0, 2)
    rung = alerts.check({tickers[0]: low}, [high])
    assert rung
    alerts.mark_published(rung, NOW)
    alerts.mark_seen([high])
    falls = quote(tickers[1], 10.0, 3)
    assert alerts.check({tickers[1]: quote(tickers[1], 12.0, 2)}, [fallen(falls)])  # not published yet


def fallen(last: Quote) -> Quote:
    return Quote(**{name: getattr(last, name) for name in last.__slots__} | {"previous_close": last.price * 2})


def count_records() -> None:
    """As a worker does."""
    jobs.submit("market.records")
    for job in claims.claim(uuid.uuid4(), 50, timezone.now()):
        if ending := body.run(Current(job)):
            attempts.end(ending)


def work(jean) -> None:
    """Jobs in every state that can be found at a start, a template, a schedule of one's own with a taken slot."""
    ended = jobs.submit("market.records", owner=jean)
    facts = {"state": "completed", "lane": None, "attempt": 1, "result": {"symbols": 5}, "finished_at": NOW}
    Job.objects.filter(pk=ended.pk).update(**facts, started_at=NOW, progress_done=5, progress_total=5)
    failed = jobs.submit("market.records")
    facts = {"state": "failed", "lane": None, "attempt": 1, "error_code": "KeyError", "error": "KeyError: 'AAPL'"}
    Job.objects.filter(pk=failed.pk).update(**facts, started_at=NOW, finished_at=NOW)
    JobAttempt.objects.create(
        job=failed, number=1, started_at=NOW, ended_at=NOW, outcome="failed", error_code="KeyError"
    )
    jobs.submit("market.records", {"symbols": ["AAPL", "IBM"]}, key="waits", owner=jean)
    jobs.submit("market.records", key="waits longer", priority="low", only_if={"name": "market.is_open"})
    jobs.submit("market.records", key="in a year", not_before=NOW + timedelta(days=36_500))
    jobs.chain([jobs.Step("market.records"), jobs.Step("market.records", {"symbols": ["AAPL"]})], owner=jean)
    jobs.cancel(jobs.submit("market.records").pk)
    JobTemplate.objects.create(name="mine", submission={"task": "market.records"}, owner=jean)
    hours = IntervalSchedule.objects.create(every=6, period="hours")
    mine = PeriodicTask.objects.create(
        name="mine", task="monitoring.tick", interval=hours, kwargs='{"job": "market.records"}', start_time=NOW
    )
    ScheduleSlot.objects.create(schedule=mine, slot=NOW, outcome="submitted", job=ended, claimed_at=NOW)
    if not Worker.objects.exists():
        where = {"host": "laptop", "pid": 4242, "place": "p" * 32, "birth": 12345.5, "concurrency": 8}
        Worker.objects.create(id=ended.pk, **where, started_at=NOW, heartbeat_at=NOW, stopped_at=NOW, processed=7)


main()
