"""Key figures: one row a symbol that is never emptied by a failure, and the job that asks for them each day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from finstage import afresh
from market import figures
from market.figures.values import NO_DIVIDEND, NOT_COME, NOT_TOLD, UNCLEAR
from market.models import DataSource, KeyFigures, Symbol
from market.sources import ProviderError
from market.sources.yahoo import asking
from market.sources.yahoo.figures.asked import UNLISTED
from monitoring import jobs
from monitoring.jobs.running.context import Current as Attempt
from monitoring.jobs.running.context import entered
from monitoring.jobs.running.fan_out import NotAllDone, NothingDone
from monitoring.models import Job
from tests.market.yahoo_charts import made_chart
from tests.monitoring.ledger import claim

pytestmark = [pytest.mark.django_db, pytest.mark.db]

NOW = datetime(2025, 2, 15, 12, tzinfo=UTC)
WHOLE = figures.Figures(
    ticker="AAPL", currency="USD", reporting_currency="USD", as_of=NOW - timedelta(hours=15), received_at=NOW,
    source="yahoo", missing={"earnings_per_share": NOT_TOLD},
    values={"market_cap": 3.6e12, "price_earnings": 38.7, "dividend_yield_percent": 0.41,
            "earnings_date": date(2025, 4, 30), "earnings_date_to": date(2025, 5, 5),
            "is_earnings_date_estimated": True, "ex_dividend_date": date(2025, 2, 10)},
)  # fmt: skip
APPLE = {"marketCap": 400_000_000_000, "dividendRate": 10.6, "dividendYield": 2.46}


def later(**changes: object) -> figures.Figures:
    return replace(WHOLE, received_at=NOW + timedelta(days=1), as_of=NOW + timedelta(hours=9), **changes)


def without(name: str, **changes: object) -> figures.Figures:
    return later(values={key: value for key, value in WHOLE.values.items() if not key.startswith(name)}, **changes)


def row() -> KeyFigures:
    return KeyFigures.objects.get()


def run(name: str, *arguments: object) -> dict:
    return jobs.everything()[name](*arguments)


@pytest.fixture
def wired(wire, apple, hold):
    """Two companies that the source knows."""
    hold("yahoo")
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM")}
    wire.figures |= {"AAPL": APPLE, "IBM": {"marketCap": 5_000_000_000}}
    wire.summaries["AAPL"] = {"calendarEvents": {"exDividendDate": 1739145600}}
    made("IBM")
    return wire


def made(ticker: str, **facts: object) -> Symbol:
    usual = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.create(ticker=ticker, name=ticker, **usual | facts)


def test_what_is_told_is_kept_with_its_time_and_told_again_it_changes_nothing(apple):
    for _ in range(2):
        assert figures.keep(apple, WHOLE) == []
        kept = KeyFigures.objects.values().get()
        assert {name: kept[name] for name in WHOLE.values} == dict(WHOLE.values)
        assert (kept["as_of"], kept["received_at"], kept["whole_at"]) == (WHOLE.as_of, NOW, NOW)
        assert kept["missing"] == {"earnings_per_share": {"reason": NOT_TOLD, "since": "2025-02-15"}}


def test_what_the_source_has_no_more_is_emptied_with_the_day_of_that(apple):
    figures.keep(apple, WHOLE)
    told = without("earnings_date", missing={"earnings_date": NOT_TOLD, "earnings_per_share": NOT_TOLD})
    assert figures.keep(apple, told) == ["earnings_date"]
    found = row()
    assert (found.earnings_date, found.earnings_date_to, found.market_cap) == (None, None, 3.6e12)
    assert {name: why["since"] for name, why in found.missing.items()} == {
        "earnings_date": "2025-02-16", "earnings_per_share": "2025-02-15",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (without("ex_", failed={"ex_dividend_date": "upstream_down: Yahoo has trouble (500)"}), "upstream_down"),
        (without("ex_", missing={"ex_dividend_date": UNCLEAR}), UNCLEAR),
    ],
)
def test_what_did_not_come_leaves_what_came_before_and_says_of_when_it_is(apple, told, reason):
    figures.keep(apple, WHOLE)
    assert figures.keep(apple, told) == []
    found = row()
    assert (found.ex_dividend_date, found.as_of) == (date(2025, 2, 10), told.as_of)
    assert found.kept == {
        "ex_dividend_date": {"reason": reason, "as_of": "2025-02-14T21:00:00Z", "received_at": "2025-02-15T12:00:00Z"}
    }
    figures.keep(apple, replace(told, received_at=NOW + timedelta(days=2)))
    assert row().kept["ex_dividend_date"]["received_at"] == "2025-02-15T12:00:00Z"
    figures.keep(apple, replace(later(), received_at=NOW + timedelta(days=3)))
    assert row().kept == {}


def test_what_did_not_come_and_never_did_is_no_zero(apple):
    figures.keep(apple, without("ex_", failed={"ex_dividend_date": "rate_limited: too many"}))
    assert (row().ex_dividend_date, row().whole_at) == (None, None)
    assert row().missing["ex_dividend_date"]["reason"] == NOT_COME


def test_an_answer_that_names_nothing_is_not_believed_for_a_week(apple):
    figures.keep(apple, WHOLE)
    bare = later(values={}, missing=dict.fromkeys(figures.NAMES, NOT_TOLD))
    with pytest.raises(figures.NotBelieved):
        figures.keep(apple, bare)
    assert (row().market_cap, row().received_at) == (3.6e12, NOW)
    week = replace(bare, received_at=NOW + timedelta(days=8))
    assert "market_cap" in figures.keep(apple, week)


def test_an_older_answer_changes_nothing(apple):
    figures.keep(apple, later())
    assert figures.keep(apple, replace(WHOLE, values={"market_cap": 1.0})) == []
    with pytest.raises(figures.NotBelieved):
        figures.keep(apple, replace(later(), as_of=NOW, values={"market_cap": 1.0}))
    assert row().market_cap == 3.6e12


def test_a_clock_that_was_wrong_bars_no_later_answer(apple):
    figures.keep(apple, replace(WHOLE, received_at=NOW + timedelta(days=4000), as_of=NOW + timedelta(days=4000)))
    figures.keep(apple, later(values={"market_cap": 1.0}))
    assert row().market_cap == 1.0


def test_amounts_of_another_currency_do_not_stay(apple):
    figures.keep(apple, WHOLE)
    figures.keep(apple, without("market_cap", currency="EUR", missing={"market_cap": UNCLEAR}))
    assert (row().market_cap, row().missing["market_cap"]["reason"]) == (None, UNCLEAR)


def test_an_answer_of_a_source_that_was_switched_away_is_not_written(apple, hold):
    hold("replay")
    with pytest.raises(figures.NotBelieved) as raised:
        figures.keep(apple, WHOLE)
    assert (raised.value.temporary, KeyFigures.objects.count()) == (True, 0)


def test_every_tracked_symbol_that_can_have_some_is_asked_about_once_a_day(wired):
    made("^GSPC", asset_type="index")
    made("GONE", is_active=False)
    [chunk] = run("market.figures")["chunks"]
    assert Job.objects.get(pk=chunk).arguments == {"symbols": ["AAPL", "IBM"]}
    told = run("market.figures_chunk", ["AAPL", "IBM"])
    assert (told["done"], told["failed"]) == (["AAPL", "IBM"], {})
    found = {each.symbol_id: each for each in KeyFigures.objects.all()}
    apple, ibm = (found[Symbol.objects.get(ticker=ticker).pk] for ticker in ("AAPL", "IBM"))
    assert (apple.market_cap, apple.ex_dividend_date, ibm.market_cap) == (4e11, date(2025, 2, 10), 5e9)
    assert ibm.missing["ex_dividend_date"]["reason"] == NO_DIVIDEND
    assert run("market.figures") == {"symbols": 0, "chunks": []}
    assert run("market.figures", ["IBM"])["symbols"] == 1


def test_fifty_symbols_are_one_job(wired):
    for number in range(60):
        made(f"ZZ{number:02}")
    chunks = run("market.figures")["chunks"]
    assert [len(Job.objects.get(pk=each).arguments["symbols"]) for each in chunks] == [50, 12]


def test_one_that_fails_does_so_alone_and_leaves_its_row(wired):
    made("GONE")
    figures.keep(Symbol.objects.get(ticker="IBM"), WHOLE)
    wired.figures["IBM"] = {"currency": "EUR"}
    told = run("market.figures_chunk", ["GONE", "AAPL", "IBM", "NONE"])
    assert told["done"] == ["AAPL"]
    assert {ticker: why.partition(":")[0] for ticker, why in told["failed"].items()} == {
        "GONE": "unknown_symbol", "IBM": "upstream_down", "NONE": "unknown_symbol",
    }  # fmt: skip
    assert KeyFigures.objects.get(symbol__ticker="IBM").market_cap == 3.6e12
    assert UNLISTED.left("GONE")


def test_an_index_that_somebody_names_has_none(wired):
    made("^GSPC", asset_type="index")
    with pytest.raises(NothingDone, match="no key figures"):
        run("market.figures_chunk", ["^GSPC"])


def test_an_outage_costs_nothing(wired):
    run("market.figures_chunk", ["IBM"])
    before = KeyFigures.objects.values().get()
    wired.fail("quote", "500", times=30)
    with pytest.raises(NothingDone) as raised:
        run("market.figures_chunk", ["IBM"])
    assert (raised.value.temporary, KeyFigures.objects.values().get()) == (True, before)


def test_an_attempt_asks_for_what_the_one_before_did_not_get(wired):
    jobs.submit("market.figures_chunk", {"symbols": ["AAPL", "IBM"]})
    [claimed] = claim()
    wired.answer("summary", "AAPL", "500", times=2 * asking.ATTEMPTS)
    with entered(Attempt(claimed)), pytest.raises(NotAllDone):
        run("market.figures_chunk", ["AAPL", "IBM"])
    assert KeyFigures.objects.get(symbol__ticker="AAPL").market_cap == 4e11
    wired.requests.clear()
    with entered(Attempt(claimed)):
        run("market.figures_chunk", ["AAPL", "IBM"])
    assert wired.requests == ["quote AAPL", "summary AAPL"]
    assert KeyFigures.objects.get(symbol__ticker="AAPL").ex_dividend_date == date(2025, 2, 10)
    ended = Job.objects.get(pk=claimed.pk)
    assert (ended.state, ended.result["done"], ended.progress_done) == ("completed", ["AAPL", "IBM"], 2)


def test_a_recording_has_none_and_the_daily_job_says_so_without_asking(apple, hold):
    hold("replay")
    assert run("market.figures") == {"symbols": 0, "chunks": []}
    with pytest.raises(ProviderError, match="no key figures"):
        run("market.figures", ["AAPL"])


def test_a_symbol_that_is_added_has_its_key_figures_asked_for(wired):
    wired.charts["ZZIB"] = made_chart("IBM", symbol="ZZIB", exchangeName="NYQ", longName="International Business")
    asked = run("market.add_symbol", "ZZIB")["figures"]
    assert Job.objects.get(pk=asked).arguments == {"symbols": ["ZZIB"]}


def test_a_source_that_is_switched_takes_its_figures_along(wired):
    run("market.figures_chunk", ["IBM"])
    afresh.begin("replay")
    assert (KeyFigures.objects.count(), DataSource.objects.get().name) == (0, "replay")
