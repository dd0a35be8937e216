"""The live indicators of the feed: equal to those on demand, one step a session."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from analysis import summary
from analysis.indicators import frames
from analysis.summary import Summary
from market import actions, bars, coverage
from market.bars import forming
from market.models import Bar as BarRow
from market.models import Coverage
from market.prices import Action, Named
from tests import recorded as recording

RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)
LATER = datetime(2026, 11, 22, tzinfo=UTC)
SESSION, NEXT = date(2012, 9, 27), date(2012, 9, 28)
CLOSE = recording.STEPS - 1
COVERED = [field.name for field in Coverage._meta.local_concrete_fields if field.name not in ("symbol", "interval")]

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(apple):
    """load(before): AAPL's recorded sessions before a date, and the splits that have taken effect."""

    def load(before: date) -> None:
        bars.upsert(recording.bars("AAPL", before, RECEIVED))
        for ex_date, value in recording.SPLITS["AAPL"].items():
            if ex_date <= before:
                split(apple, ex_date, value)

    return load


def split(symbol, ex_date: date, value: float) -> None:
    actions.keep(symbol, Named([Action(symbol.ticker, "split", ex_date, value)]), "replay")


def told(session: date, step: int = CLOSE, **fields):
    quote = replace(recording.quote("AAPL", session, step, RECEIVED), **fields)
    if quote.is_final:
        bars.upsert([forming.daily_bar(quote)])
    return quote


def on_demand() -> dict:
    return {key: series["latest"] for key, series in frames.indicators("AAPL")["indicators"].items()}


def test_values_at_the_close_equal_those_on_demand(load):
    load(SESSION)
    live = Summary()
    for session in (SESSION, NEXT, date(2012, 10, 1), date(2012, 10, 2)):
        (values,) = live.tick([told(session)])
        assert (values.values, values.is_final) == (on_demand(), True)


def test_values_of_the_forming_bar_equal_those_on_demand(load):
    load(SESSION)
    live = Summary()
    for step in range(CLOSE):
        quote = told(SESSION, step)
        forming.keep([forming.daily_bar(quote)])
        (values,) = live.tick([quote])
        assert (values.values, values.is_final) == (on_demand(), False)


def test_a_close_that_is_told_twice_counts_once(load):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION, 0)])
    (first,), (again,) = live.tick([told(SESSION)]), live.tick([told(SESSION)])
    assert first.values == again.values == on_demand()


def test_a_feed_that_starts_again_has_the_same_values(load):
    load(SESSION)
    (before,) = Summary().tick([told(SESSION)])
    (after,) = Summary().tick([told(SESSION)])
    assert before.values == after.values


def test_values_are_none_while_the_history_is_too_short(load):
    load(date(2000, 3, 14))
    (values,) = Summary().tick([told(date(2000, 3, 14))])
    assert {key: values.values[key] for key in ("sma_20", "rsi_14")} == {
        "sma_20": {"sma": None},
        "rsi_14": {"rsi": None},
    }


def test_a_split_restates_the_history_before_its_first_quote(load, apple):
    ex_date = date(2005, 2, 28)
    load(date(2005, 2, 25))
    live = Summary()
    (before,) = live.tick([told(date(2005, 2, 25))])
    split(apple, ex_date, 2.0)
    (values,) = live.tick([told(ex_date)])
    assert values.values == on_demand()
    assert values.values["sma_20"]["sma"] == pytest.approx(before.values["sma_20"]["sma"] / 2, rel=0.02)


def test_sessions_that_others_stored_are_not_missed(load):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION)])
    load(date(2012, 10, 5))
    (values,) = live.tick([told(date(2012, 10, 5))])
    assert values.values == on_demand()


def test_a_correction_is_noticed(load, monkeypatch):
    monkeypatch.setattr(summary, "LOOK_SECONDS", 0)
    load(NEXT)
    live = Summary()
    live.tick([told(NEXT, 0)])
    corrected = told(SESSION, price=690.0, high=700.0)
    assert corrected.price != recording.days("AAPL")[SESSION].close
    (values,) = live.tick([told(NEXT)])
    assert values.values == on_demand()


def test_an_older_history_that_arrives_is_noticed(load, monkeypatch):
    monkeypatch.setattr(summary, "LOOK_SECONDS", 0)
    recorded = recording.bars("AAPL", SESSION, RECEIVED)
    bars.upsert(recorded[-30:])
    live = Summary()
    live.tick([told(SESSION, 0)])
    bars.upsert(recorded)
    (values,) = live.tick([told(SESSION)])
    assert values.values == on_demand()


def test_a_quote_of_a_past_session_gives_no_values(load):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION)])
    assert live.tick([told(date(2012, 9, 26), 0)]) == []


def test_the_newest_values_are_kept_for_other_processes(load):
    load(SESSION)
    (values,) = Summary().tick([told(SESSION)])
    assert summary.latest(["AAPL", "IBM"]) == {"AAPL": values, "IBM": None}


def test_nothing_is_left_when_the_prices_begin_anew(load):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION)])
    live.reset()
    assert summary.latest(["AAPL"]) == {"AAPL": None}


def test_a_quote_of_an_open_series_asks_the_database_nothing(load, django_assert_num_queries):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION, 0)])
    with django_assert_num_queries(0):
        live.tick([told(SESSION, 1)])


def stored(live: Summary, session: date):
    """As the feed does: the close is stored, and the series told who wrote."""
    quote = recording.quote("AAPL", session, CLOSE, RECEIVED)
    bar = forming.daily_bar(quote)
    live.follow([bar], bars.upsert([bar]).versions)
    return quote


def test_values_say_the_version_of_the_bars_that_they_stand_upon(load):
    load(SESSION)
    live, before = Summary(), coverage.latest(["AAPL"])["AAPL"]
    (forming_ones,) = live.tick([told(SESSION, 0)])
    (values,) = live.tick([stored(live, SESSION)])
    assert (forming_ones.version, values.version) == (before, coverage.latest(["AAPL"])["AAPL"])
    assert live.version("AAPL") == values.version != before
    assert live.version("IBM") == ""


def closed(live: Summary, session: date):
    (values,) = live.tick([stored(live, session)])
    return values


def test_a_series_goes_on_over_its_own_closes(load, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(summary, "LOOK_SECONDS", 0)
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION, 0)])
    for session in (SESSION, SESSION, NEXT):
        quote = stored(live, session)
        with django_assert_num_queries(1):  # the look; to open a series takes more
            (values,) = live.tick([quote])
        assert values.values == on_demand()


@pytest.mark.parametrize("session", [SESSION, NEXT], ids=["before its close", "of an older session"])
def test_a_close_where_others_wrote_between_opens_the_series_again(load, session):
    load(date(2012, 9, 20))
    live = Summary()
    live.tick([told(date(2012, 9, 20), 0)])
    load(session)
    assert closed(live, NEXT).values == on_demand()


def test_an_older_close_that_comes_late_opens_the_series_again(load):
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION, 0)])
    BarRow.objects.filter(opened_at__gte=datetime(2012, 9, 20, tzinfo=UTC)).delete()
    live.tick([told(NEXT)])
    bar = forming.daily_bar(recording.quote("AAPL", date(2012, 9, 25), CLOSE, RECEIVED))
    live.follow([bar], bars.upsert([bar]).versions)
    assert closed(live, date(2012, 10, 1)).values == on_demand()


def test_bars_of_a_restored_backup_open_the_series_again(load, monkeypatch):
    monkeypatch.setattr(summary, "LOOK_SECONDS", 0)
    load(SESSION)
    live = Summary()
    live.tick([told(SESSION, 0)])
    [kept] = Coverage.objects.values(*COVERED)
    for session in (SESSION, NEXT):
        closed(live, session)
    BarRow.objects.filter(opened_at__gte=datetime(2012, 9, 27, tzinfo=UTC)).delete()
    Coverage.objects.update(**kept)
    for session, price in ((SESSION, 690.0), (NEXT, 691.0)):  # as many writes as there were, of other values
        told(session, price=price, high=710.0)
    (values,) = live.tick([told(date(2012, 10, 1), 0)])
    forming.keep([forming.daily_bar(recording.quote("AAPL", date(2012, 10, 1), 0, RECEIVED))])
    assert values.values == on_demand()


def test_however_many_corrections_none_hides_another(load, monkeypatch):
    load(SESSION)
    monkeypatch.setattr(summary, "LOOK_SECONDS", 0.0)
    live = Summary()
    live.tick([told(SESSION, 0)])
    newest = bars.history("AAPL", adjusted="raw", limit=300)
    bars.upsert([replace(bar, high=bar.high + 1, close=bar.close + 0.5, received_at=LATER) for bar in newest])
    (values,) = live.tick([told(SESSION)])
    assert values.values == on_demand()
