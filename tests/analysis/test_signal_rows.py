"""Signals as rows: what fired over the held history, once, and what becomes of it when its bars move."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from bokeh_sampledata import stocks

from analysis.models import Signal, SignalSpan, UntoldSignal
from analysis.seen import fired, rows
from analysis.seen.rows import Seen
from market import bars, prices
from market.clock import passes
from market.models import DataSource, Symbol
from market.prices import CLOSED_BAR, FINAL, Bar
from monitoring.jobs.running.fan_out import NothingDone

pytestmark = [pytest.mark.django_db, pytest.mark.db]
DAYS = 407  # on the last one more fires than on most
AT = datetime(2002, 6, 1, 9, tzinfo=UTC)
NAMES = ("open", "high", "low", "close", "volume")
Key = tuple[date, str]


def bar(day: int, *, at: datetime = AT, state: str = FINAL, **values: float) -> Bar:
    """A real session as traded."""
    known = {name: stocks.AAPL[name][600 + day] for name in NAMES} | values
    known["high"], known["low"] = max(known[each] for each in NAMES[:4]), min(known[each] for each in NAMES[:4])
    opened = prices.midnight(date.fromisoformat(stocks.AAPL["date"][600 + day]))
    return Bar("AAPL", "1d", opened, **known, is_final=state == FINAL, state=state, source="replay", received_at=at)


@pytest.fixture(autouse=True)
def kept_long(settings) -> None:
    settings.SIGNAL_DAYS = 36_500


@pytest.fixture
def held(apple) -> Symbol:
    bars.upsert([bar(day) for day in range(DAYS)])
    return apple


def kept(**wanted) -> set[Key]:
    return set(Signal.objects.filter(**wanted).values_list("session_date", "rule"))


def batch() -> set[Key]:
    """What the rules say over the bars as they are held now."""
    columns = bars.columns("AAPL")
    found = fired.over("AAPL", columns).bars
    return {(columns["session_date"][place].item(), rule) for rule, places in found.items() for place in places}


def of(signal: Signal) -> Seen:
    names = ("rule", "opened_at", "session_date", "price", "values", "source", "received_at", "version")
    return Seen("AAPL", state=FINAL, **{name: getattr(signal, name) for name in names})


def test_the_history_is_filled_once_and_says_what_the_rules_say(held):
    assert rows.refresh(["AAPL"]) == {"done": ["AAPL"], "failed": {}}
    assert kept(state="confirmed", holds=True, seen_by="history") == kept() == batch()
    assert len(batch()) > 500
    assert not UntoldSignal.objects.exists()
    first = list(Signal.objects.order_by("pk").values())
    assert rows.refresh(["AAPL"])["done"] == []
    rows.store("AAPL", is_whole=True)
    assert list(Signal.objects.order_by("pk").values()) == first
    one = Signal.objects.filter(rule="macd_cross_up").first()
    assert (one.direction, one.source, one.received_at) == ("up", "replay", AT)
    assert one.values["macd_12_26_9"] > one.values["macd_12_26_9.macdsignal"]
    assert one.price == bars.history("AAPL", start=one.opened_at, end=one.opened_at, adjusted="raw")[0].close


def test_a_filling_that_was_cut_short_goes_on_and_ends_as_one_that_was_not(held, monkeypatch):
    monkeypatch.setattr(rows, "AT_ONCE", 50)
    insert, turns = rows._insert, iter(range(100))

    def breaks(*given) -> None:
        if next(turns) == 3:
            raise RuntimeError("the worker ended")
        insert(*given)

    monkeypatch.setattr(rows, "_insert", breaks)
    with pytest.raises(NothingDone):
        rows.refresh(["AAPL"])
    assert len(kept()) == 150
    assert not SignalSpan.objects.exists()
    rows.refresh(["AAPL"])
    assert kept(state="confirmed") == batch()


def test_a_new_bar_adds_its_own_signals_which_are_told_and_no_past_one_is_another(apple):
    bars.upsert([bar(day) for day in range(DAYS - 40)])
    rows.refresh(["AAPL"])
    for day in range(DAYS - 40, DAYS):
        before = list(Signal.objects.order_by("pk").values())
        bars.upsert([bar(day)])
        rows.refresh(["AAPL"])
        assert list(Signal.objects.order_by("pk").values())[: len(before)] == before
    assert kept(state="confirmed") == batch()
    told = set(UntoldSignal.objects.values_list("signal__session_date", "signal__rule"))
    assert told == {each for each in batch() if each[0] >= bar(DAYS - 40).session_date}


def test_a_signal_on_a_closed_bar_is_provisional_and_is_confirmed_or_withdrawn_when_that_settles(apple):
    bars.upsert([bar(day) for day in range(DAYS - 1)])
    rows.refresh(["AAPL"])
    last = bar(DAYS - 1)
    bars.upsert([bar(DAYS - 1, state=CLOSED_BAR, close=last.close * 0.7)])
    rows.refresh(["AAPL"])
    on_closed = kept(session_date=last.session_date)
    assert on_closed == kept(session_date=last.session_date, state="provisional")
    bars.upsert([bar(DAYS - 1, at=AT + timedelta(hours=1))])
    rows.refresh(["AAPL"])
    now = {each for each in batch() if each[0] == last.session_date}
    assert on_closed - now
    assert kept(session_date=last.session_date, state="withdrawn", holds=False) == on_closed - now
    assert kept(session_date=last.session_date, state="confirmed", holds=True) == now
    assert kept(holds=True) == batch()


def test_a_bar_that_is_corrected_revises_its_signals_and_fires_none_anew(held):
    rows.refresh(["AAPL"])
    before = {pk: (rule, session) for pk, rule, session in Signal.objects.values_list("pk", "rule", "session_date")}
    bars.upsert([bar(DAYS - 30, at=AT + timedelta(days=1), close=bar(DAYS - 30).close * 1.4)])
    rows.refresh(["AAPL"])
    assert kept(holds=True) == batch()
    assert kept(state="provisional") == set()
    revised = kept(state="revised")
    assert {session for session, _ in revised} >= {bar(DAYS - 30).session_date}
    assert kept(state="revised", holds=False)
    new = Signal.objects.exclude(pk__in=before)
    assert {row.state for row in new} == {"revised"}
    assert set(UntoldSignal.objects.values_list("signal__session_date", "signal__rule")) == revised
    assert {pk: (row.rule, row.session_date) for pk, row in Signal.objects.in_bulk(before).items()} == before


def test_what_was_seen_live_has_one_row_whoever_sees_it_again(held):
    rows.refresh(["AAPL"])
    last = list(Signal.objects.filter(session_date=bar(DAYS - 1).session_date))
    seen = [of(row) for row in last]
    assert rows.keep(seen, None) == 0
    Signal.objects.filter(pk__in=[row.pk for row in last]).delete()
    assert rows.keep(seen[1:], None) == rows.keep(seen, None) + len(seen) - 2 == len(seen) - 1
    assert {row.signal.rule for row in rows.untold()} == {each.rule for each in seen}
    rows.store("AAPL", is_whole=True)
    assert kept(session_date=bar(DAYS - 1).session_date, seen_by="live") == {
        (each.session_date, each.rule) for each in seen
    }
    rows.mark_told(rows.untold())
    assert rows.untold() == []


def test_a_pass_that_has_ended_writes_nothing_into_the_next(held):
    chosen = {"name": "replay", "reason": "asked", "chosen_at": AT, "pass_number": 2}
    DataSource.objects.create(pk=1, **chosen)
    rows.refresh(["AAPL"])
    one = of(Signal.objects.last())
    with pytest.raises(passes.Overtaken):
        rows.keep([one], 1)
    assert set(Signal.objects.values_list("pass_number", flat=True)) == {2}
    DataSource.objects.update(pass_number=3)
    assert not Signal.objects.running().exists()
    rows.refresh(["AAPL"])
    assert kept(pass_number=3) == kept(pass_number=2) == batch()
    DataSource.objects.update(pass_number=4)
    assert rows.forget_passes() == len(batch()) + 1
    assert set(SignalSpan.objects.values_list("pass_number", flat=True)) == {3}


def test_a_review_tells_what_live_had_otherwise(held):
    rows.refresh(["AAPL"])
    session = bar(DAYS - 1).session_date
    known = list(Signal.objects.filter(session_date=session).order_by("rule"))
    assert len(known) > 2
    Signal.objects.filter(session_date=session).delete()
    changed = of(known[0])
    wrong = Seen(**{name: getattr(changed, name) for name in Seen.__slots__} | {"rule": "golden_cross"})
    lower = Seen(**{name: getattr(changed, name) for name in Seen.__slots__} | {"price": 1.0})
    rows.keep([lower, wrong, *map(of, known[1:-1])], None)
    told = rows.review(["AAPL"])
    assert (told["symbols"], told["signals"], told["otherwise"]) == (1, len(known) + 1, 3)
    by_rule = {each["rule"]: each for each in told["told"]}
    assert (by_rule["golden_cross"]["live"], by_rule["golden_cross"]["state"]) == ("fired", "revised")
    assert by_rule[known[0].rule]["live"] == "other_values"
    assert by_rule[known[0].rule]["price"] == 1.0
    assert by_rule[known[-1].rule]["live"] == "not_seen"


def test_a_rule_that_breaks_costs_no_other(held, monkeypatch):
    real = fired._fires

    def breaks(rule, history):
        if rule.name == "golden_cross":
            raise ArithmeticError("broken")
        return real(rule, history)

    monkeypatch.setattr(fired, "_fires", breaks)
    rows.refresh(["AAPL"])
    assert kept() == {each for each in batch() if each[1] != "golden_cross"}
    assert len(kept()) > 500


def test_what_is_older_than_it_is_kept_is_neither_filled_nor_left(held, settings):
    first = bar(DAYS - 100).session_date
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=AT, session=bar(DAYS - 1).session_date)
    settings.SIGNAL_DAYS = (bar(DAYS - 1).session_date - first).days
    rows.refresh(["AAPL"])
    assert min(kept())[0] >= first
    assert len(kept()) > 100
    later = bar(DAYS - 50).session_date
    assert rows.forget_before(later) > 0
    assert min(kept())[0] >= later


def test_cutting_the_future_off_changes_no_row(apple):
    bars.upsert([bar(day) for day in range(DAYS - 60)])
    rows.refresh(["AAPL"])
    then = set(Signal.objects.values_list("session_date", "rule", "direction", "price"))
    bars.upsert([bar(day) for day in range(DAYS - 60, DAYS)])
    rows.store("AAPL", is_whole=True)
    now = set(Signal.objects.values_list("session_date", "rule", "direction", "price"))
    assert {each for each in now if each[0] < bar(DAYS - 60).session_date} == then
    assert np.isfinite([price for *_, price in now]).all()
