"""A database that the main before this one filled comes up whole, and that main still works on it.

Every change of tables is held to this: expand, then contract. tests/used/make.py makes the databases.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analysis.technical import rows
from market import bars, coverage, quotes
from market.coverage import held
from market.models import Bar, CorporateAction, Coverage, DataSource, Record, Symbol
from market.prices import FORMING
from monitoring.jobs import declaration, schedules
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job, ScheduleSlot
from realtime import alerts
from realtime.models import Alert, AlertRule
from tests.used import database, dump
from tests.used.dump import Dump

pytestmark = pytest.mark.db
COVERAGE = "market_coverage"
TOLD_OF_SCHEDULES = "django_celery_beat_periodictasks"  # when schedules changed, for beat: a version adds some


@pytest.fixture(scope="module", params=dump.SOURCES)
def came_up(request, django_db_blocker) -> Iterator[tuple[Dump, dict, dict]]:
    """The dump, and the rows of its tables before this version's `prepare` and after it."""
    with django_db_blocker.unblock(), database.used(request.param) as found:
        dump.into_redis(found)
        before = database.rows(found)
        database.prepare()
        yield found, before, database.rows(found)


@pytest.fixture
def found(came_up) -> Dump:
    """The dump whose database is there, with what lay in Redis."""
    dump.into_redis(came_up[0])
    return came_up[0]


def test_no_row_is_lost_or_changed(came_up):
    found, before, after = came_up
    assert {table: len(rows) for table, rows in before.items()} == {name: len(found.rows(name)) for name in before}
    lost = {table: rows - after[table] for table, rows in before.items() if rows - after[table]}
    # A recording is a whole history, which versions before this did not write down.
    assert lost.keys() <= ({TOLD_OF_SCHEDULES, COVERAGE} if found.source == "replay" else {TOLD_OF_SCHEDULES})
    columns = list(found.tables[COVERAGE])
    same = ("symbol_id", "interval", "version", "held", "first_held", "last_held")
    if found.source == "replay":  # which is loaded whole: it has more, behind the market's clock
        same = ("symbol_id", "interval", "first_held")
    kept = [columns.index(name) for name in same]
    facts = [{tuple(row[place] for place in kept) for row in rows[COVERAGE]} for rows in (before, after)]
    assert facts[0] == facts[1]


def test_every_table_of_ours_has_something_to_lose(came_up):
    found, *_ = came_up
    ours = ("finstage_", "market_", "monitoring_", "realtime_", "django_celery_beat_periodictask", "django_session")
    assert [name for name in found.tables if name.startswith(ours) and not found.rows(name)] == []


def test_its_prices_are_there(found):
    told = found.tables["market_bar"]
    source = DataSource.objects.get()
    assert Bar.objects.count() >= len(told["close"]) > 1000
    assert (source.name, source.pass_number) == (found.source, source.epoch)
    history = bars.history("AAPL", adjusted="raw")
    symbol = Symbol.objects.get(ticker="AAPL")
    columns = ("close", "symbol_id", "interval", "opened_at")
    closes = [
        close
        for close, pk, interval, day in zip(*(told[name] for name in columns), strict=True)
        if (pk, interval) == (symbol.pk, "1d") and (source.session is None or day[:10] < str(source.session))
    ]
    assert sorted(bar.close for bar in history if bar.is_final) == sorted(closes)


def test_its_records_are_those_of_its_pass(found):
    told = found.tables["market_record"]
    columns = ("symbol_id", "scope", "high", "low")
    number = DataSource.objects.get().pass_number
    kept = Record.objects.filter(pass_number=number)
    assert set(kept.values_list(*columns)) == set(zip(*(told[name] for name in columns), strict=True)) != set()


def test_each_of_its_bars_has_its_session(found):
    assert not Bar.objects.filter(session_date=None).exists()
    told = list(Bar.objects.values_list("opened_at", "session_date"))
    assert all(opened_at.date() == session for opened_at, session in told)


def test_its_last_quotes_are_told_and_its_waiting_snapshots_written(found):
    answer = Client().get("/api/v2/symbols/AAPL/quote/")
    assert answer.status_code == 200
    assert answer.json()["current_price"] == quotes.latest(["AAPL"])["AAPL"].price
    kind, waiting = found.redis["finstage:snapshots"]
    assert kind == "list"
    assert quotes.flush(timezone.now()) == len(waiting) > 0


def test_its_pages_and_paths_answer(found):
    for path in ("/", "/symbols/AAPL/", "/api/v2/symbols/AAPL/bars/", "/api/v2/watchlists/default/"):
        assert Client().get(path).status_code == 200, path


def test_its_people_come_in_with_their_old_passwords_and_cookies(found):
    assert Client().login(username="jean", password="a long password")
    assert Client().login(username="admin", password="the admin's password")
    jean = get_user_model().objects.get(username="jean")
    assert (jean.last_name, jean.groups.get().name) == ("Ørsted-김", "readers")
    browser = Client()
    browser.cookies["sessionid"] = found.tables["django_session"]["session_key"][0]
    assert browser.get("/api/tasks/tasks").status_code == 200


def test_its_people_have_the_houses_list_and_make_it_their_own(found):
    browser, path = Client(), "/api/v2/watchlists/"
    browser.force_login(get_user_model().objects.get(username="jean"))
    [house] = browser.get(path).json()["results"]
    assert (house["is_own"], "AAPL" in house["symbols"]) == (False, True)
    mine = browser.delete(f"{path}default/symbols/AAPL/").json()
    assert (mine["is_own"], mine["symbols"]) == (True, [ticker for ticker in house["symbols"] if ticker != "AAPL"])


def test_what_it_had_revised_is_told(found):
    told = Client().get("/api/v2/restatements/?limit=1000").json()["results"]
    count = Counter(each["what"] for each in told)
    tables = {"bar": "market_barrevision", "action": "market_supersededaction"}
    assert count == {what: len(found.rows(table)) for what, table in tables.items()}
    assert not [each for each in told if each["what"] == "bar" and each["after"] is None]


def test_its_newest_indicators_are_asked_for_and_computed(found):
    assert Job.objects.filter(name="analysis.indicators").exists()
    told = rows.refresh(None)
    assert "AAPL" in told["done"]
    newest, last = rows.latest(["AAPL"])["AAPL"], bars.history("AAPL", adjusted="split", limit=2)
    assert newest.session_date == [bar.session_date for bar in last if bar.state != FORMING][-1]
    assert newest.values["sma_200"]["sma"] > 0


def test_its_rules_ring(found, quote):
    rule = AlertRule.objects.get(owner__username="jean", is_active=True)
    assert AlertRule.objects.filter(is_active=False).exists()
    told = found.tables["realtime_alert"]
    waiting = [pk for pk, at in zip(told["id"], told["published_at"], strict=True) if at is None]
    assert sorted(alert.pk for alert in alerts.unpublished()) == sorted(waiting) != []
    day = {"session_date": datetime(2030, 1, 2).date()}  # noqa: DTZ001
    before, now = quote(rule.symbol.ticker, rule.level - 1, **day), quote(rule.symbol.ticker, rule.level + 1, **day)
    assert [alert.rule for alert in alerts.check({before.ticker: before}, [now])] == [rule]
    assert Alert.objects.filter(owner=rule.owner, price=now.price).exists()


def test_its_waiting_jobs_run_and_those_in_the_future_wait(found):
    declaration.discover()
    get_user_model().objects.filter(username="jean").update(is_staff=True)  # only staff may have these run
    waits = Job.objects.get(key="waits")
    while claimed := claims.claim(uuid.uuid4(), 50, timezone.now()):
        for job in claimed:
            if ending := body.run(Current(job)):
                attempts.end(ending)
    waits.refresh_from_db()
    assert (waits.state, waits.error) == ("completed", "")
    assert waits.owner.username == "jean"
    assert Job.objects.get(key="in a year").state == "pending"
    assert not Job.objects.filter(then__isnull=False).exclude(state="completed").exists()


def test_its_schedules_tick(found):
    mine = PeriodicTask.objects.get(name="mine")
    assert mine.enabled
    assert mine.interval.every == 6
    first = mine.slots.get().slot
    with transaction.atomic():  # what ticks here runs in no other test
        for hours in (6, 12):  # its plan begins to count, and then a slot of it is due
            schedules.run_due(first + timedelta(hours=hours, seconds=1))
        outcome = mine.slots.order_by("slot").last().outcome
        transaction.set_rollback(True)
    assert outcome == ScheduleSlot.Outcome.SUBMITTED


def test_the_code_before_still_reads_and_writes_it_and_its_writes_change_the_version(found):
    before = coverage.latest(["AAPL"])
    assert database.faults_of_the_code_before(found.source) == []
    assert coverage.latest(["AAPL"]) != before
    assert "" not in before.values()


def test_no_change_of_a_model_lacks_its_migration(found):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


OLDER = [
    "UPDATE market_bar SET session_date = NULL",
    "UPDATE market_corporateaction SET value = 1e0 / 3, numerator = NULL, denominator = NULL WHERE kind = 'split'",
    "DELETE FROM market_coverage WHERE {interval} = '1m'",
    "UPDATE market_coverage SET held = held + 1, unbroken_until = '2024-06-28'",
]


def test_what_older_versions_left_is_filled_in_and_counted_at_the_first_start(django_db_blocker):
    with django_db_blocker.unblock(), database.used("yahoo"):
        with connection.cursor() as cursor:
            for statement in OLDER:
                cursor.execute(statement.format(interval=connection.ops.quote_name("interval")))
            cursor.execute("SELECT version FROM market_coverage")
            before = {version for (version,) in cursor.fetchall()}
        database.prepare()
        assert not Bar.objects.filter(session_date=None).exists()
        splits = CorporateAction.objects.filter(kind="split").values_list("numerator", "denominator")
        assert set(splits) == {(1, 3)}
        assert held.differences(Symbol.objects.all()) == []
        assert not Coverage.objects.filter(version__in=before).exists()
        assert not Coverage.objects.exclude(unbroken_until=None).exists()
        assert Coverage.objects.filter(interval="1m", held=60).count() == 4


@pytest.fixture
def yahoos(django_db_blocker) -> Iterator[Dump]:
    """A database of its own, to be broken."""
    with django_db_blocker.unblock(), database.used("yahoo") as found:
        database.prepare()
        yield found


def apply(app: str, *operations: migrations.operations.base.Operation) -> None:
    """Migrate as a file with these operations would."""
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state()
    migration = type("Migration", (migrations.Migration,), {"operations": list(operations)})("later", app)
    with connection.schema_editor() as editor:
        migration.apply(state, editor)


@pytest.mark.parametrize(
    ("bad", "sign"),
    [
        (migrations.RemoveField("bar", "revision"), "revision"),
        (migrations.AddField("snapshot", "venue", models.CharField(max_length=8, default="XNAS")), "venue"),
    ],
)
def test_a_migration_that_the_code_before_cannot_live_with_is_noticed(yahoos, bad, sign):
    apply("market", bad)
    assert sign in " ".join(database.faults_of_the_code_before("yahoo"))
