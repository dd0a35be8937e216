"""Rules on bars that form and close: the same as over the history, once, within their share of the time."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analysis.seen import live, rows
from analysis.seen.live import Watch
from analysis.signals.catalogue import RULES
from market import bars
from market.models import Symbol
from market.prices import CLOSED_BAR, FORMING, Quote
from tests.analysis.test_signal_rows import DAYS, bar, batch

pytestmark = [pytest.mark.django_db, pytest.mark.db]
FROM = DAYS - 30


def quote(day: int, *, ticker: str = "AAPL", state: str = FORMING, **values) -> Quote:
    """Of a session's bar as it is at its end."""
    told = bar(day)
    return Quote(
        ticker=ticker, price=told.close, previous_close=bar(day - 1).close, open=told.open, high=told.high,
        low=told.low, volume=told.volume, session_date=told.session_date, as_of=told.opened_at, as_of_precision="day",
        received_at=told.received_at, source="replay", is_final=False, state=state, market_state="open", **values,
    )  # fmt: skip


@pytest.fixture
def watch(apple, monkeypatch) -> Watch:
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.0)
    bars.upsert([bar(day) for day in range(FROM)])
    return Watch(spent=lambda: 0.0)


def store(watch: Watch, *quotes: Quote) -> list:
    """Their closes, as the feed stores them before it tells the watch."""
    closes = [replace(bar(day(each)), ticker=each.ticker, state=CLOSED_BAR, is_final=False) for each in quotes]
    watch.follow(closes, bars.upsert(closes).versions)
    return watch.closed([replace(each, state=CLOSED_BAR) for each in quotes])


def day(quote: Quote) -> int:
    return next(each for each in range(DAYS) if bar(each).session_date == quote.session_date)


def keys(seen) -> set:
    return {(each.session_date, each.rule) for each in seen}


def test_what_forms_and_what_closes_fires_as_the_history_says(watch):
    formed, closed = set(), set()
    for number in range(FROM, DAYS):
        watch.hear([quote(number)])
        formed |= keys(watch.look())
        assert watch.look() == []  # once
        watch.hear([quote(number)])
        assert watch.look() == []
        closed |= keys(store(watch, quote(number)))
    assert watch.opened == 1
    said = {each for each in batch() if each[0] >= bar(FROM).session_date}
    assert formed == said
    assert closed == set()  # all was told as it formed


def test_a_close_that_nobody_saw_form_fires_at_once_and_no_second_time(watch):
    watch.hear([quote(FROM)])
    watch.look()
    found = set()
    for number in range(FROM, DAYS):
        seen = store(watch, quote(number))
        found |= keys(seen)
        assert watch.closed([quote(number, state=CLOSED_BAR)]) == []
        assert {each.state for each in seen} <= {CLOSED_BAR}
    assert found == {each for each in batch() if each[0] > bar(FROM).session_date}


def test_after_a_restart_what_was_seen_has_its_row_and_gets_no_other(watch):
    watch.hear([quote(FROM)])
    seen = watch.look()
    assert rows.keep(seen, None) == len(seen) > 0
    other = Watch(spent=lambda: 0.0)
    other.hear([quote(FROM)])
    again = other.look()
    assert keys(again) == keys(seen)
    assert rows.keep(again, None) == 0


def test_what_others_wrote_opens_a_symbol_anew(watch, monkeypatch):
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.0)
    watch.hear([quote(FROM)])
    watch.look()
    bars.upsert([bar(FROM - 1, at=bar(0).received_at + timedelta(hours=1), close=bar(FROM - 1).close * 1.5)])
    bars.upsert([bar(number) for number in range(FROM, DAYS - 1)])
    watch.hear([quote(DAYS - 1)])
    seen = keys(watch.look())
    assert seen == {each for each in batch_with(DAYS - 1) if each[0] == bar(DAYS - 1).session_date}


def batch_with(number: int) -> set:
    bars.upsert([bar(number)])
    return batch()


def test_a_rule_or_a_symbol_that_breaks_costs_no_other(watch, monkeypatch):
    Symbol.objects.create(ticker="IBM", name="IBM", exchange="XNYS", currency="USD", time_zone="America/New_York")
    bars.upsert([replace(bar(number), ticker="IBM") for number in range(FROM)])
    expected = {each for each in batch_with(FROM) if each[0] == bar(FROM).session_date}
    broken = next(rule for _, rule in sorted(expected))
    monkeypatch.setattr(type(RULES[broken].condition), "step", stepping(type(RULES[broken].condition).step, broken))
    watch.hear([quote(FROM, ticker="IBM")])
    assert {each.rule for each in watch.look()} == {rule for _, rule in expected} - {broken}


def stepping(step, broken: str):
    def stepped(self, state, values):
        if self is RULES[broken].condition:
            raise ArithmeticError("broken")
        return step(self, state, values)

    return stepped


def test_looks_take_no_more_than_their_share(apple, monkeypatch):
    bars.upsert([bar(number) for number in range(FROM)])
    spent, now = iter(np.arange(0.0, 100.0, 1.0)), [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    watch = Watch(spent=lambda: next(spent))  # each look takes a second
    watch.hear([quote(FROM)])
    assert watch.look()
    watch.hear([quote(FROM)])
    now[0] += 1 / live.SHARE - 0.1
    assert list(watch._due) == ["AAPL"]
    watch.look()
    assert list(watch._due) == ["AAPL"]
    now[0] += 0.2
    watch.look()
    assert not watch._due


def test_many_symbols_are_opened_a_few_at_a_look_and_none_is_left_out(apple, monkeypatch):
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.0)
    names = [f"S{number}" for number in range(5)]
    for name in names:
        Symbol.objects.create(ticker=name, name=name, exchange="XNYS", currency="USD", time_zone="America/New_York")
        bars.upsert([replace(bar(number), ticker=name) for number in range(260)])
    watch = Watch(spent=lambda: 0.0)
    watch.hear([quote(260, ticker=name) for name in names])
    found = []
    for number in range(1, len(names) + 1):
        found += [each.ticker for each in watch.look()]
        assert watch.opened == number * live.OPENED_AT_ONCE
    assert set(found) == set(names)
    assert not watch._due
