"""Whom a writer of bars keeps waiting: those of the same bars, and nobody else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from market import bars, symbols
from market.coverage import rows
from market.models import Coverage, Snapshot, Symbol
from tests.market.test_bars import bar

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
BLOCKED = 1205


@pytest.fixture
def held(apple) -> Iterator[Symbol]:
    """While this test runs somebody writes AAPL's days."""
    bars.upsert([bar(1)])
    with transaction.atomic():
        rows.hold([(apple.pk, "1d")])
        yield apple


def beside(work: Callable[[], Any]) -> Any:
    """What another connection gets, which waits for no lock for long."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(_alone, work).result()


def _alone(work: Callable[[], Any]) -> Any:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET innodb_lock_wait_timeout = 1")
        with transaction.atomic():
            return work()
    finally:
        connection.close()


def refused(work: Callable[[], Any]) -> bool:
    with pytest.raises(OperationalError) as told:
        beside(work)
    return told.value.args[0] == BLOCKED


@pytest.mark.rows
def test_a_row_that_names_the_symbol_is_added_beside_a_writer(held):
    now = datetime.now(UTC)
    facts = {"as_of": now, "as_of_precision": "day", "received_at": now, "source": "replay"}
    beside(lambda: Snapshot.objects.create(symbol=held, price=1.0, session_date=date(2024, 1, 1), **facts))
    assert Snapshot.objects.count() == 1


@pytest.mark.rows
def test_another_interval_is_written_beside_it(held):
    assert beside(lambda: bars.upsert([bar(1, interval="1wk")])).inserted == 1


@pytest.mark.rows
def test_a_second_writer_of_the_same_bars_waits(held):
    assert refused(lambda: bars.upsert([bar(2)]))


@pytest.mark.rows
def test_the_symbol_itself_is_locked_by_nobody_who_writes_no_new_bars(held):
    assert beside(lambda: Symbol.objects.select_for_update().get(pk=held.pk)) == held


@pytest.mark.rows
def test_who_renames_the_symbol_waits_before_it_locks_what_new_bars_need(held):
    assert refused(lambda: symbols.rename("AAPL", "APPL"))
    assert bars.upsert([bar(2)]).inserted == 1


@pytest.mark.rows
def test_a_version_is_read_beside_it_without_waiting(held):
    assert beside(lambda: Coverage.objects.get(symbol=held).version)
