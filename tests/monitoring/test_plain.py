"""Rows that are read and added without the ORM's way to SQL are those that it reads and adds."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction

from market.coverage import rows as coverage
from market.models import CorporateAction, Coverage, Symbol
from monitoring import plain

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NOW = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)


def _actions(symbol: Symbol, many: int) -> list[CorporateAction]:
    told = {"kind": "dividend", "source": "yahoo", "received_at": NOW, "disputed": "it says 100 % and 'so'"}
    days = [date.fromordinal(date(2020, 1, 1).toordinal() + each) for each in range(many)]
    return [CorporateAction(symbol=symbol, ex_date=day, value=0.1 + place, **told) for place, day in enumerate(days)]


def _values(rows: list) -> list[list]:
    return [[getattr(row, field.attname) for field in row._meta.concrete_fields] for row in rows]


def test_rows_are_added_and_read_as_the_orm_reads_them(apple):
    plain.add(made := _actions(apple, 120))  # more than go into a statement
    kept = list(CorporateAction.objects.order_by("ex_date"))
    assert [row[1:] for row in _values(kept)] == [row[1:] for row in _values(made)]
    asked = f"{plain.among('symbol_id', 2)} AND ex_date > %s ORDER BY ex_date"
    found = plain.read(CorporateAction, asked, [apple.pk, 0, date(2020, 1, 3)])
    assert _values(found) == _values(kept[3:])
    assert plain.read(CorporateAction, plain.among("symbol_id", 0), []) == []


def test_a_row_with_a_key_of_two_is_read_whole_and_can_be_stored(apple):
    facts = {"last_held": NOW, "first_wanted": date(2000, 1, 3), "version": "a", "held": 3}
    Coverage.objects.create(symbol=apple, interval="1d", **facts)
    [found] = coverage.read([apple.pk], ["1d", "1h"])
    assert _values([found]) == _values(list(Coverage.objects.all()))
    found.held = 4
    coverage.store([found])
    assert Coverage.objects.get(symbol=apple).held == 4


@pytest.mark.django_db(transaction=True)
def test_rows_are_held_within_a_transaction_alone(apple):
    with pytest.raises(transaction.TransactionManagementError):
        coverage.hold([(apple.pk, "1d")])
    with transaction.atomic():
        assert list(coverage.hold([(apple.pk, "1d")])) == [(apple.pk, "1d")]
    assert not connection.in_atomic_block
