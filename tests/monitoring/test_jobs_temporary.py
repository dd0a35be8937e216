"""Which failures another attempt can help: a database that is away or locked, not one that refuses what it is told."""

import sqlite3
import uuid

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import database, declaration
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import InvalidResult
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current, checked
from monitoring.models import JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def run(name: str, arguments: dict) -> Ending:
    jobs.submit(name, arguments)
    return body.run(Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0]))


def test_a_row_that_the_database_refuses_fails_the_job_at_once():
    JobTemplate.objects.create(name="taken", submission={})
    ending = run("sample.save", {"name": "taken"})
    assert (ending.state, ending.error_code) == ("failed", "IntegrityError")


PASSING = {
    "changed": [1020],
    "full": [1021, 1028],
    "the storage": [1030],
    "too many connections": [1040, 1129, 1203, 1226],
    "shutting down": [1053, 1152, 1184],
    "the network": [1158, 1159, 1160, 1161],
    "locked": [1205, 1213, 3572],
    "read-only": [1290, 1836],
    "killed": [1317, 1927, 1969, 3024],
    "too much at once": [1637],
    "the client's own": [2000, 2006, 2013, 2999],
}


@pytest.mark.parametrize("codes", PASSING.values(), ids=PASSING)
def test_a_lock_or_a_lost_connection_is_worth_another_attempt(codes):
    assert all(declaration.is_temporary(OperationalError(code, "as MariaDB says it")) for code in codes)
    assert declaration.is_temporary(InterfaceError(0, ""))


@pytest.mark.parametrize("code", [1019, 1022, 1044, 1045, 1054, 1062, 1146, 1157, 1162, 1999, 3000])
def test_what_the_database_refuses_for_good_is_not(code):
    for kind in (IntegrityError, DataError, ProgrammingError, OperationalError):
        assert not declaration.is_temporary(kind(code, "as MariaDB says it"))


@pytest.mark.parametrize(
    ("code", "is_locked"), [(1205, True), (1213, True), (3572, True), (1040, False), (2006, False), (1054, False)]
)
def test_a_lock_is_told_from_a_connection_that_is_lost(code, is_locked):
    assert database.is_locked(OperationalError(code, "as MariaDB says it")) is is_locked
    assert not database.is_locked(InterfaceError(code, "as MariaDB says it"))


BUSY, LOCKED, SNAPSHOT = 5, 6, 5 | 2 << 8


@pytest.mark.parametrize(
    ("code", "is_locked", "may_pass"),
    [(BUSY, True, True), (LOCKED, True, True), (SNAPSHOT, True, True), (1, False, False), (19, False, False)]
    + [(code, False, True) for code in (8, 9, 10, 13, 14, 15)],
)
def test_what_sqlite_says_is_read_by_its_primary_code(code, is_locked, may_pass):
    error = OperationalError("as SQLite says it")
    error.__cause__ = sqlite3.OperationalError("as SQLite says it")
    error.__cause__.sqlite_errorcode = code
    assert (database.is_locked(error), database.may_pass(error)) == (is_locked, may_pass)


def test_an_error_that_says_no_more_than_its_name_is_for_good():
    assert not database.may_pass(OperationalError())


def test_a_column_that_is_not_there_does_not_come_by_waiting():
    with pytest.raises(OperationalError) as raised, connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM monitoring_job")
    assert not declaration.is_temporary(raised.value)


def test_an_item_that_met_a_lock_is_worth_another_attempt_of_those_that_none_succeeded():
    def locked(item: str) -> None:
        raise OperationalError(1213, "Deadlock found when trying to get lock")

    assert jobs.fan_out(["AAPL"], locked, parallel=1).is_temporary


def test_a_result_that_one_of_the_databases_cannot_hold_is_refused_on_all():
    deep: list = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(InvalidResult, match="nested deeper than 20"):
        checked(deep)
