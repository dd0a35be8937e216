"""What is kept under a version or tagged with it is what the bars were then, also where a backup comes back."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import md5

import pytest
from django.db import connection, transaction

from analysis.summary import Summary
from market import bars, coverage
from market.bars import wire
from market.bars.columns import store
from market.models import Bar, BarRevision, Coverage
from tests.market.test_api_bars import daily, ten_days  # noqa: F401 - a fixture
from tests.market.test_bars import later
from tests.market.test_tags import BARS, again, both

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("ten_days")]
MODELS = (Bar, BarRevision, Coverage)
WIDE = {"high": 190.0, "received_at": later()}


@pytest.fixture(autouse=True)
def empty_store() -> None:
    store.clear()
    wire.store.clear()


@contextmanager
def before_rows(happen: Callable[[], object], times: int = 1) -> Iterator[None]:
    """Have something happen just before bars are read, once their version was."""
    left, is_happening = times, False

    def watch(execute, sql, *rest):
        nonlocal left, is_happening
        if left and not is_happening and re.search(r"FROM .market_bar\b.*ORDER BY", sql, re.DOTALL):
            left, is_happening = left - 1, True
            happen()
            is_happening = False
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield


def backup() -> list[tuple]:
    return [(model, list(model.objects.all())) for model in MODELS]


def restore(saved: list[tuple]) -> None:
    with transaction.atomic():
        for model, rows in saved:
            model.objects.all().delete()
            model.objects.bulk_create(rows)


def two_states() -> tuple[list[tuple], list[tuple]]:
    """The ten days, and the same with a correction, which is what the tables hold now."""
    first = backup()
    bars.upsert([replace(daily(9), close=150.0, **WIDE)])
    return first, backup()


def correct() -> None:
    """Another value of the last day, which is new each time."""
    row = Bar.objects.latest("opened_at")
    bars.upsert([replace(daily(9), close=row.close + 1, high=190.0, received_at=later(int(row.close)))])


@pytest.mark.parametrize("adjusted", ["raw", "split", "split_dividend"])
def test_columns_of_a_backup_are_not_kept_for_what_was_there_before(adjusted):
    old, new = two_states()
    with before_rows(lambda: restore(old)):
        found = bars.series("AAPL", adjusted=adjusted)
    assert (found.columns["close"][-1], found.version) == (109.5, coverage.latest(["AAPL"])["AAPL"])
    restore(new)
    assert bars.columns("AAPL", adjusted=adjusted)["close"][-1] == 150.0


@both
def test_an_answer_has_the_tag_of_what_it_says(client, path):
    old, new = two_states()
    with before_rows(lambda: restore(old)):
        during = client.get(path)
    assert during.content == client.get(path).content
    assert during["ETag"] == client.get(path)["ETag"]
    restore(new)
    assert again(client, path, during["ETag"]) == 200


@both
def test_what_changes_each_time_that_it_is_read_has_no_version_and_the_tag_of_its_content(client, path):
    with before_rows(correct, times=coverage.versions.TRIES):
        answer = client.get(path)
    assert answer["ETag"] == f'"{md5(answer.content).hexdigest()}"'  # Django's
    body = answer.json()
    assert {bar["version"] for bar in body.get("results", [body])} == {""}


def test_what_changes_each_time_that_it_is_read_is_not_kept():
    with before_rows(correct, times=coverage.versions.TRIES):
        bars.columns("AAPL")
    assert store.bytes == 0
    bars.columns("AAPL")
    assert store.bytes > 0


def test_what_changes_once_is_read_again(client):
    with before_rows(correct):
        last = client.get(BARS).json()["results"][-1]
    assert (last["close"], last["version"]) == (110.5, coverage.latest(["AAPL"])["AAPL"])


def test_of_many_only_those_are_read_again_that_changed():
    reads = []
    with before_rows(lambda: reads.append(correct() if not reads else None), times=9):
        bars.of_many(["AAPL", "NOPE"])
    assert len(reads) == 2


def test_live_indicators_that_opened_while_others_wrote_open_again(quote, monkeypatch):
    monkeypatch.setattr("analysis.summary.LOOK_SECONDS", 0)
    live, price = Summary(), quote("AAPL", 111.0)
    with before_rows(correct, times=coverage.versions.TRIES):
        (values,) = live.tick([price])
    assert values.version == ""
    (values,) = live.tick([price])
    assert values.version == coverage.latest(["AAPL"])["AAPL"]
