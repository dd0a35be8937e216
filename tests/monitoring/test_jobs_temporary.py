"""Which failures another attempt can help: a database that is away or locked, not one that refuses what it is told."""

import uuid

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import declaration
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


@pytest.mark.parametrize("code", [1205, 1213, 1040, 2006, 2013])
def test_a_lock_or_a_lost_connection_is_worth_another_attempt(code):
    assert declaration.is_temporary(OperationalError(code, "as MariaDB says it"))
    assert declaration.is_temporary(InterfaceError(0, ""))


@pytest.mark.parametrize("kind", [IntegrityError, DataError, ProgrammingError, OperationalError])
def test_what_the_database_refuses_for_good_is_not(kind):
    assert not declaration.is_temporary(kind(1054, "as MariaDB says it"))


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
