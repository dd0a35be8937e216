"""Key figures out of Yahoo's quote list and summaries: each in the right unit, or told to be unclear."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market.figures.values import NO_DIVIDEND, NO_EARNINGS, NOT_TOLD, PAST, UNCLEAR, Figures
from market.sources import ProviderError
from market.sources.yahoo import asking
from market.sources.yahoo.fields import Mismatch, Misshapen
from market.sources.yahoo.figures import asked, told
from tests.market.yahoo_charts import made_chart, recorded, symbol_of

NOW = datetime(2025, 2, 15, 12, tzinfo=UTC)
EX_DATE = {"calendarEvents": {"exDividendDate": 1739145600, "earnings": {"earningsDate": [1746010740]}}}
APPLE = {
    "marketCap": 400_000_000_000, "sharesOutstanding": 930_000_000, "trailingPE": 10.0,
    "epsTrailingTwelveMonths": 43.047, "dividendRate": 10.6, "dividendYield": 2.46, "financialCurrency": "USD",
}  # fmt: skip

UNPAID = {"dividendYield": None, "dividendRate": None, "trailingAnnualDividendYield": 0.0,
          "trailingAnnualDividendRate": 0.0}  # fmt: skip
LOSS = {"epsTrailingTwelveMonths": -2.5, "trailingPE": None}


@pytest.fixture
def wired(wire):
    """Three companies of which the first pays dividends."""
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM", "MSFT")}
    wire.figures |= {ticker: {"marketCap": 5_000_000_000} for ticker in ("IBM", "MSFT")} | {"AAPL": APPLE}
    wire.summaries["AAPL"] = EX_DATE
    return wire


def entry(number: int = 0) -> dict:
    """Apple's, or Alibaba's, as it was recorded."""
    return recorded("yahoo/quote-AAPL-BABA.json")["body"]["quoteResponse"]["result"][number]


def london(**changes: object) -> dict:
    """A share of 7.50 pounds, told in pence, with its earnings in pounds."""
    usual = {
        "symbol": "HSBA.L", "quoteType": "EQUITY", "currency": "GBp", "financialCurrency": "GBP",
        "exchangeTimezoneName": "Europe/London", "regularMarketPrice": 750.0, "regularMarketTime": 1739566800,
        "marketCap": 75_000_000_000, "sharesOutstanding": 10_000_000_000, "trailingPE": 7.5,
        "epsTrailingTwelveMonths": 1.0, "dividendRate": 0.45, "dividendYield": 6.0,
    }  # fmt: skip
    return usual | changes


def read(given: dict, **facts: object) -> Figures:
    if given["symbol"] == "HSBA.L":
        facts = {"exchange": "XLON", "currency": "GBP", "time_zone": "Europe/London"} | facts
    return told.figures(given, symbol=symbol_of(given["symbol"], **facts), now=NOW)


def figure(given: dict, name: str, **facts: object) -> object:
    """The value of a figure, or why it is missing."""
    found = read(given, **facts)
    return found.values.get(name, found.missing.get(name))


def listing(*tickers: str, **facts: object) -> dict[str, Figures | ProviderError]:
    return {symbol.ticker: found for symbol, found in asked.each([symbol_of(each, **facts) for each in tickers])}


def requests(wire) -> list[str]:
    return [each for each in wire.requests if each not in ("cookie", "crumb")]


def test_the_recorded_list_is_read_with_its_units_and_its_exchanges_days():
    found = read(entry())
    assert dict(found.values) == {
        "market_cap": 3_674_405_863_424, "price_earnings": 38.763866, "earnings_per_share": 6.31,
        "dividend_yield_percent": 0.41, "earnings_date": date(2025, 4, 30), "earnings_date_to": date(2025, 5, 5),
        "is_earnings_date_estimated": True,
    }  # fmt: skip
    assert (found.currency, found.reporting_currency, found.as_of) == (
        "USD",
        "USD",
        datetime(2025, 2, 14, 21, tzinfo=UTC),
    )
    assert dict(found.missing) == {"ex_dividend_date": NOT_TOLD}


def test_what_is_paid_in_the_currency_of_the_reports_is_no_yield_of_a_price_in_another():
    found = read(entry(1))
    assert (found.currency, found.reporting_currency) == ("USD", "CNY")
    assert (found.values["dividend_yield_percent"], found.values["earnings_per_share"]) == (1.6, 4.81)
    assert found.values["earnings_date"] == date(2025, 2, 20)
    without = {name: value for name, value in entry(1).items() if name not in ("dividendYield", "dividendRate")}
    assert figure(without, "dividend_yield_percent") == NOT_TOLD  # yuan over dollars: 6.04 % it is not


def test_pence_are_pounds_whatever_the_answer_counts_in():
    found = read(london())
    assert (found.currency, dict(found.values)) == (
        "GBP",
        {"market_cap": 75e9, "earnings_per_share": 1.0, "price_earnings": 7.5, "dividend_yield_percent": 6.0},
    )
    assert figure(london(marketCap=7_500_000_000_000), "market_cap") == 75e9


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"trailingPE": 750.0}, "price_earnings"),  # pence over pounds, or pounds' earnings in pence: who knows
        ({"epsTrailingTwelveMonths": 100.0}, "earnings_per_share"),
        ({"epsTrailingTwelveMonths": 100.0}, "price_earnings"),
        ({"sharesOutstanding": None}, "market_cap"),
        ({"marketCap": 75e9 * 1e5}, "market_cap"),
        ({"dividendYield": 0.06}, "dividend_yield_percent"),
        ({"dividendRate": 45.0}, "dividend_yield_percent"),
        ({"epsTrailingTwelveMonths": -0.5, "trailingPE": None}, "earnings_per_share"),
    ],
)
def test_a_unit_that_nothing_confirms_is_unclear_and_no_number(changes, name):
    assert figure(london(**changes), name) == UNCLEAR


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"dividendYield": 0.0041}, "dividend_yield_percent", 0.41),  # a fraction, as it was once
        ({"dividendYield": 41.0}, "dividend_yield_percent", UNCLEAR),
        (UNPAID, "dividend_yield_percent", 0.0),
        (UNPAID, "ex_dividend_date", NO_DIVIDEND),
        (LOSS, "price_earnings", NO_EARNINGS),
        (LOSS, "earnings_per_share", -2.5),
        ({"epsTrailingTwelveMonths": -2.5}, "price_earnings", UNCLEAR),
        (LOSS | {"financialCurrency": "TWD"}, "earnings_per_share", UNCLEAR),
        ({"epsTrailingTwelveMonths": 45.4}, "earnings_per_share", UNCLEAR),  # yuan under a price in dollars
        ({"epsTrailingTwelveMonths": 0}, "earnings_per_share", NOT_TOLD),
        ({"trailingPE": "Infinity"}, "price_earnings", NOT_TOLD),
        ({"marketCap": 0}, "market_cap", NOT_TOLD),
        ({"marketCap": True}, "market_cap", NOT_TOLD),
        ({"marketCap": 1e30}, "market_cap", UNCLEAR),
        ({"earningsTimestampStart": None, "earningsTimestampEnd": None}, "earnings_date", PAST),  # of the last report
        ({"earningsTimestampStart": 1739577600, "earningsTimestampEnd": 1739577600}, "earnings_date", PAST),
        ({"earningsTimestampStart": 1739667600, "earningsTimestampEnd": None}, "earnings_date", date(2025, 2, 15)),
        ({"earningsTimestampEnd": 17460107400}, "earnings_date", UNCLEAR),
        ({"earningsTimestamp": None, "earningsTimestampStart": None}, "earnings_date", NOT_TOLD),
    ],
)  # fmt: skip
def test_a_figure_is_what_its_neighbours_confirm(changes, name, expected):
    assert figure(entry() | changes, name) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({"currency": "EUR"}, Mismatch),
        ({"currency": None}, Misshapen),
        ({"quoteType": "ETF"}, Mismatch),
        ({"regularMarketTime": int(NOW.timestamp()) + 3600}, Misshapen),
        ({"regularMarketTime": None}, Misshapen),
        ({"regularMarketPrice": 0}, Misshapen),
        ({"exchangeTimezoneName": "Nowhere/At all"}, Misshapen),
    ],
)
def test_an_entry_of_something_else_is_not_read(changes, raised):
    with pytest.raises(raised):
        read(entry() | changes)


def test_each_kind_has_its_own_figures():
    of = {kind: entry() | {"quoteType": kind} for kind in ("ETF", "MUTUALFUND", "CRYPTOCURRENCY", "INDEX", "FUTURE")}
    kinds = {"ETF": "etf", "MUTUALFUND": "fund", "CRYPTOCURRENCY": "crypto", "INDEX": "index", "FUTURE": "future"}
    names = {
        kind: {*(found := read(given, asset_type=kinds[kind])).values, *found.missing} for kind, given in of.items()
    }
    assert names == {
        "ETF": {"price_earnings", "dividend_yield_percent", "ex_dividend_date"},
        "MUTUALFUND": {"dividend_yield_percent"}, "CRYPTOCURRENCY": {"market_cap"}, "INDEX": set(), "FUTURE": set(),
    }  # fmt: skip


@pytest.mark.parametrize("stamp", [1739145600, {"raw": 1739145600, "fmt": "2025-02-10"}])
def test_an_ex_date_is_its_midnight_in_utc_and_of_the_symbol_that_was_asked_for(stamp):
    answer = {"quoteType": {"symbol": "AAPL"}, "calendarEvents": {"exDividendDate": stamp}}
    assert told.ex_date(answer, symbol=symbol_of("AAPL"), now=NOW) == date(2025, 2, 10)
    with pytest.raises(Mismatch):
        told.ex_date(answer, symbol=symbol_of("MSFT"), now=NOW)
    with pytest.raises(Misshapen):
        told.ex_date(answer, symbol=symbol_of("AAPL"), now=NOW - timedelta(days=800))


def test_many_are_one_request_and_one_more_of_each_that_pays(wired):
    found = listing("AAPL", "IBM", "MSFT")
    assert requests(wired) == ["quote AAPL,IBM,MSFT", "summary AAPL"]
    assert (found["AAPL"].values["ex_dividend_date"], found["IBM"].missing["ex_dividend_date"]) == (
        date(2025, 2, 10),
        NO_DIVIDEND,
    )


def test_fifty_are_asked_for_at_once(wired):
    found = listing("MSFT", *(f"ZZ{number}" for number in range(59)), "IBM")
    lists = [each for each in requests(wired) if each.startswith("quote")]
    assert [each.count(",") + 1 for each in lists] == [50, 11]
    assert isinstance(found["IBM"], Figures)


def test_one_that_the_list_does_not_name_fails_alone_and_is_not_asked_for_again_at_once(wired):
    found = listing("GONE", "IBM")
    assert (found["GONE"].code, found["GONE"].temporary, found["IBM"].values["market_cap"]) == (
        "unknown_symbol",
        False,
        5e9,
    )
    wired.requests.clear()
    assert not listing("GONE", "IBM")["GONE"].was_asked
    assert requests(wired) == ["quote IBM"]


def test_what_charts_do_not_know_is_not_asked_for(wired):
    asking.UNKNOWN.note("IBM")
    assert listing("IBM")["IBM"].code == "unknown_symbol"
    assert requests(wired) == []


def test_an_entry_that_can_not_be_read_costs_the_others_nothing(wired):
    wired.figures["MSFT"] = {"currency": "EUR"}
    found = listing("MSFT", "IBM")
    assert (found["MSFT"].code, found["IBM"].values["market_cap"]) == ("upstream_down", 5e9)
    assert not found["MSFT"].is_of_source


@pytest.mark.parametrize("how", ["429", "500", "html", "truncated", "null", "401"])
def test_a_list_that_fails_tells_of_each_why_and_asks_no_further(wired, how):
    wired.fail("quote", how, times=30)
    found = listing(*(f"ZZ{number}" for number in range(50)), "AAPL", "IBM")
    assert all(isinstance(each, ProviderError) for each in found.values())
    assert len(found) == 52
    assert not any("IBM" in each for each in requests(wired))


def test_an_ex_date_that_fails_leaves_the_figures_of_the_list(wired):
    wired.answer("summary", "AAPL", "500", times=2 * asking.ATTEMPTS)  # yfinance asks twice each time
    found = listing("AAPL", "IBM")
    assert (found["AAPL"].values["market_cap"], found["AAPL"].may_come) == (4e11, True)
    assert found["AAPL"].failed["ex_dividend_date"].startswith("upstream_down")
    assert "ex_dividend_date" not in found["AAPL"].missing
    assert isinstance(found["IBM"], Figures)


def test_a_summary_that_is_another_symbols_is_not_combined(wired):
    wired.summaries["AAPL"] = EX_DATE | {"quoteType": {"symbol": "MSFT"}}
    assert "not what was asked for" in listing("AAPL")["AAPL"].failed["ex_dividend_date"]


def test_where_yahoo_refuses_more_no_further_ex_date_is_asked_for(wired):
    for ticker in ("IBM", "MSFT"):
        wired.figures[ticker] = APPLE | {"epsTrailingTwelveMonths": None, "trailingPE": None}
    wired.fail("summary", "429", times=3)
    found = listing("AAPL", "IBM", "MSFT")
    assert all(each.failed for each in found.values())
    assert {each.values["market_cap"] for each in found.values()} == {4e11}
