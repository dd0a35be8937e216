"""The version of a symbol's bars: another one after each write that changed a value, in the same transaction."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.db import transaction

from market import actions, bars, coverage, symbols
from market.coverage import tokens
from market.models import Symbol
from market.prices import Action, Named
from tests.market.test_bars import bar, later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple"), pytest.mark.db]
SPLIT = Action("AAPL", "split", date(2024, 1, 4), 2.0)


def version(ticker: str = "AAPL", interval: str = "1d") -> str:
    return coverage.latest([ticker], interval=interval)[ticker]


def name_split(*named: Action) -> None:
    actions.keep(Symbol.objects.get(ticker="AAPL"), Named(named), "replay")


def test_a_token_is_never_given_twice_and_sorts_by_time():
    given = [tokens.new() for _ in range(1000)]
    assert len(set(given)) == 1000
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in given)
    assert [each[:12] for each in given] == sorted(each[:12] for each in given)


def test_what_has_no_bars_has_no_version_and_what_is_unknown_is_not_told():
    assert coverage.latest(["AAPL", "NOPE"]) == {"AAPL": ""}


@pytest.mark.parametrize(
    "write",
    [
        lambda: bars.upsert([bar(3)]),
        lambda: bars.upsert([bar(2, 102, received_at=later())]),
        lambda: name_split(SPLIT),
        lambda: bars.forget_before("1d", datetime(2024, 1, 2, tzinfo=UTC), tell=print),
        lambda: symbols.rename("AAPL", "APPL"),
    ],
    ids=["another bar", "a correction", "an action", "the oldest go", "a rename"],
)
def test_a_write_that_changes_a_value_changes_the_version(write):
    bars.upsert([bar(1), bar(2)])
    before = version()
    write()
    assert version(Symbol.objects.get().ticker) not in ("", before)


def test_a_write_that_changes_nothing_leaves_the_version():
    bars.upsert([bar(1), bar(2, 102)])
    name_split(SPLIT)
    before = version()
    bars.upsert([bar(1, received_at=later()), bar(2, 102)])
    name_split(SPLIT)
    bars.forget_before("1d", datetime(2024, 1, 1, tzinfo=UTC), tell=print)
    assert (bars.forget_future("AAPL"), version()) == (0, before)


def test_a_version_that_is_taken_back_with_its_write_is_not_given_again():
    bars.upsert([bar(1)])
    before, kept = version(), []
    for close in (102, 103):
        with transaction.atomic():
            bars.upsert([bar(1, close, received_at=later())])
            kept.append(version())
            transaction.set_rollback(True)
    assert version() == before
    assert len({before, *kept}) == 3


def test_upsert_tells_the_versions_before_and_after():
    first = bars.upsert([bar(1)]).versions["AAPL", "1d"]
    then = bars.upsert([bar(day) for day in (1, 2)]).versions["AAPL", "1d"]
    again = bars.upsert([bar(2)]).versions["AAPL", "1d"]
    assert first[1] == then[0] != then[1] == version()
    assert again == (then[1], then[1])


def test_another_interval_and_another_symbol_keep_theirs():
    Symbol.objects.create(ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD", time_zone="UTC")
    bars.upsert([bar(1), bar(1, ticker="MSFT"), bar(1, interval="1wk")])
    before = version("MSFT"), version(interval="1wk")
    bars.upsert([bar(2)])
    assert (version("MSFT"), version(interval="1wk")) == before


def test_an_action_changes_the_version_of_every_interval():
    bars.upsert([bar(1), bar(1, interval="1wk")])
    before = version(), version(interval="1wk")
    name_split(SPLIT)
    name_split(replace(SPLIT, value=3.0))
    assert not {version(), version(interval="1wk")} & set(before)


def test_versions_of_many_cost_one_query(django_assert_num_queries):
    bars.upsert([bar(1)])
    with django_assert_num_queries(1):
        coverage.latest(["AAPL", "NOPE"])
