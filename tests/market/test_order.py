"""Order is no fact: the same tellings once, twice, shuffled and in overlapping windows leave the same tables."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market import bars
from market.bars.writing import door
from market.models import Bar, BarRevision, Confirmation, Coverage, ProvisionalBar
from market.prices import Bar as Value
from tests.market.test_bars import RECEIVED, bar, later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple"), pytest.mark.db]
TABLES = {
    Bar: (),
    BarRevision: ("id",),
    ProvisionalBar: ("id",),
    Confirmation: ("id",),
    Coverage: ("version",),
}
CLOSED = {"is_final": False, "state": "closed"}
VOLUMES = st.sampled_from([1000, 1003, 1006, 2000])
FEW = {"max_examples": 30, "deadline": None, "suppress_health_check": list(HealthCheck)}


def tables() -> dict[str, list[tuple]]:
    """All that is held of bars, ids and versions apart."""
    found = {}
    for model, apart in TABLES.items():
        names = [field.attname for field in model._meta.local_concrete_fields if field.attname not in apart]
        rows = model.objects.order_by().values_list(*names)
        found[model.__name__] = sorted([tuple(map(_plain, row)) for row in rows], key=repr)
    return found


def _plain(value: object) -> object:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def ingest(*answers: Iterable[Value]) -> dict[str, list[tuple]]:
    """The tables after these answers, one after the other, into an empty database."""
    for model in TABLES:
        model.objects.all().delete()
    for answer in answers:
        assert not bars.upsert(answer, reason="told").refused
    return tables()


@st.composite
def told(draw, volumes=VOLUMES) -> list[Value]:
    """Tellings of two days at few times, with few values, so that many confirm, return and tie."""
    return [
        bar(
            draw(st.integers(1, 2)),
            draw(st.sampled_from([100.0, 101.0, 102.0])),
            received_at=later(draw(st.integers(0, 6))),
            volume=draw(volumes),
            **draw(st.sampled_from([{}, {}, CLOSED])),
        )
        for _ in range(draw(st.integers(1, 9)))
    ]


@given(told(), st.randoms(use_true_random=False))
@settings(**FEW)
def test_the_same_in_any_order_leaves_the_same(tellings, chance):
    whole = ingest(tellings)
    in_order = sorted(tellings, key=lambda each: each.received_at)
    assert ingest(*([each] for each in in_order)) == whole
    shuffled = chance.sample(tellings, len(tellings))
    assert ingest(*([each] for each in shuffled)) == whole
    assert ingest(shuffled, tellings) == whole
    half = len(tellings) // 2
    assert ingest(shuffled[half:], shuffled[: half + 2], shuffled[:1]) == whole


@pytest.mark.parametrize(
    "tellings",
    [
        [(3, 101, 1000), (0, 101, 1006), (3, 101, 1003), (3, 100, 1006)],
        [(0, 101, 1000), (0, 100, 1006), (0, 101, 1003), (6, 100, 2000)],
        [(0, 100, 1000), (3, 100, 1003), (3, 100, 1002), (6, 101, 1000)],
    ],
)
def test_of_several_tellings_of_one_receipt_one_counts_in_any_order(tellings):
    told = [bar(1, close, received_at=later(minutes), volume=volume) for minutes, close, volume in tellings]
    whole = ingest(told)
    assert len({each.received_at for each in revisions()} | {Bar.objects.get().received_at}) == len(revisions()) + 1
    for shuffled in permutations(told):
        assert ingest(*([each] for each in shuffled)) == whole
        assert ingest(shuffled, told) == whole


@given(st.lists(st.sampled_from([1000, 1003, 2000, None]), max_size=8), st.randoms(use_true_random=False))
@settings(**FEW)
def test_volumes_that_are_not_told_are_those_before_in_any_order(volumes, chance):
    tellings = [
        bar(1, chance.choice([100.0, 101.0]), received_at=later(time), volume=volume)
        for time, volume in enumerate(volumes)
    ]
    whole = ingest(*([each] for each in tellings))
    shuffled = chance.sample(tellings, len(tellings))
    assert ingest(*([each] for each in shuffled)) == whole


@given(told(volumes=st.just(1000)))
@settings(**FEW)
def test_what_was_known_at_any_time_is_what_was_told_last_until_then(tellings):
    ingest(*([each] for each in tellings))
    for minutes in range(7):
        assert known_at(later(minutes)) == last_told(tellings, later(minutes))


def known_at(at: datetime) -> dict[date, tuple]:
    """What the tables say that was known at a moment, by day; oldest first, so that the last one counts."""
    found = {}
    for model, state in ((ProvisionalBar, "closed"), (BarRevision, "final"), (Bar, None)):
        for row in model.objects.filter(received_at__lte=at).order_by("opened_at", "received_at", "close"):
            if (held := getattr(row, "replaced_at", None)) is None or held > at:
                found[row.opened_at.date()] = (state or row.state, row.close)
    return found


def last_told(tellings: list[Value], at: datetime) -> dict[date, tuple]:
    known = sorted(
        (each for each in tellings if each.received_at <= at),
        key=lambda each: (each.session_date, each.is_final, each.received_at, each.close),
    )
    days = groupby(known, key=lambda each: each.session_date)
    return {day: [(each.state, each.close) for each in group][-1] for day, group in days}


def test_revisions_are_counted_by_their_receipt_and_end_when_the_next_was_received():
    closes = {0: 100, 1: 101, 2: 101, 3: 102, 4: 100, 5: 100}
    for minutes in (3, 1, 5, 0, 4, 2):
        bars.upsert([bar(close=closes[minutes], received_at=later(minutes))], reason="told")
    former = [(old.revision, old.close, old.received_at, old.confirmed_at, old.replaced_at) for old in revisions()]
    assert former == [
        (0, 100, RECEIVED, None, later(1)),
        (1, 101, later(1), later(2), later(3)),
        (2, 102, later(3), None, later(4)),
    ]
    row = Bar.objects.get()
    assert (row.close, row.revision, row.received_at, row.confirmed_at) == (100, 3, later(4), later(5))


def revisions() -> list[BarRevision]:
    return list(BarRevision.objects.order_by("opened_at", "revision"))


def test_a_history_in_windows_and_parts_that_overlap_is_the_history(monkeypatch):
    first = [bar(day, 100 + day / 10) for day in range(1, 31)]
    again = [replace(each, close=each.close + day % 2, received_at=later()) for day, each in enumerate(first)]
    whole = ingest(first, again)
    monkeypatch.setattr(door, "AT_ONCE", 7)
    windows = [part[start : start + 13] for part in (again, first) for start in range(0, 30, 9)]
    assert ingest(*random.Random(1).sample(windows, len(windows))) == whole


def test_what_confirmed_a_bar_a_month_ago_is_forgotten():
    for days in (0, 1, 31, 32):
        bars.upsert([bar(received_at=RECEIVED + timedelta(days=days))])
    assert [row.received_at for row in Confirmation.objects.order_by("received_at")] == [
        RECEIVED + timedelta(days=days) for days in (31, 32)
    ]
