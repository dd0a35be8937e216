"""Each indicator of each symbol stands alone, live and on demand alike: what can't be computed is null, with why."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from analysis.indicators import catalogue, frames
from analysis.indicators.across.table import Table
from analysis.indicators.entry import Indicator, Range, made
from analysis.indicators.live import Live
from analysis.indicators.series import OPEN, call
from analysis.summary import Summary
from market import bars
from market.bars import forming
from market.models import Bar as BarRow
from market.models import BarRevision, Coverage, Symbol
from market.prices import CLOSED_BAR, DAY, FORMING, Bar, Quote, midnight

pytestmark = pytest.mark.django_db

START = date(2024, 1, 1)


def broken(*_, **__):
    raise ZeroDivisionError("a bug")


class Broken:
    inputs, lookback, over, open = ("close",), 0, broken, broken


MONEY_FLOW = catalogue.named("mfi_3")
OPENS = made(
    "opens", lambda of: call("SMA", OPEN, timeperiod=of["period"]), title="", source="", period=Range(2, 2, 9)
).with_defaults()
BROKEN = made("broken", lambda _: Broken(), title="", source="").with_defaults()
# Whatever may be 0/0, or begins anew with a session.
OTHERS = [catalogue.named(key) for key in (
    "percentb_3_2", "cci_3", "willr_3", "stochrsi_3_3_2", "er_3", "vwapsession", "pivots", "ichimoku_2_3_4",
    "supertrend_3_2", "distance_5", "bop",
)]  # fmt: skip


@pytest.fixture
def catalogued(monkeypatch):
    """catalogued(indicator, ..): there are these too."""

    def add(*indicators: Indicator) -> None:
        for each in indicators:
            monkeypatch.setitem(catalogue.DEFAULTS, each.key, each)

    return add


@pytest.fixture
def symbols(db) -> list[str]:
    for ticker in ("SHARE", "PAIR"):
        Symbol.objects.create(ticker=ticker, name=ticker, exchange="XNAS", currency="USD", time_zone="UTC")
    return ["SHARE", "PAIR"]


def session(number: int) -> date:
    return START + timedelta(days=number)


def quoted(ticker: str, number: int, price: float, volume: int | None, **fields) -> Quote:
    values = {"previous_close": None, "open": 100.0, "high": None, "low": None, "market_state": "open"}
    at = datetime(2024, 1, 1, 15, tzinfo=UTC) + timedelta(days=number)
    return Quote(**{
        "ticker": ticker, "price": price, "volume": volume, "session_date": session(number), "as_of": at,
        "as_of_precision": DAY, "received_at": at, "source": "yahoo", **values, **fields,
    })  # fmt: skip


def told(live: Summary, *quotes: Quote) -> list:
    """What the feed does with quotes: bars first, then indicators."""
    formed = [forming.daily_bar(quote) for quote in quotes]
    if closes := [bar for bar in formed if bar and bar.state != FORMING]:
        result = bars.upsert(closes)
        if result.inserted < len(closes) or result.marked:
            live.forget(bar.ticker for bar in closes)
        else:
            live.follow(closes, result.versions)
    forming.keep([bar for bar in formed if bar and (bar.state == FORMING or is_held(bar.ticker, bar.session_date))])
    return live.tick([each for each in quotes if not each.has_closed or is_held(each.ticker, each.session_date)])


def is_held(ticker: str, day: date) -> bool:
    return BarRow.objects.filter(symbol__ticker=ticker, session_date=day).exists()


def on_demand(ticker: str) -> tuple[dict, dict]:
    found = frames.indicators(ticker)
    return {key: series["latest"] for key, series in found["indicators"].items()}, found["reasons"]


def closed(ticker: str, numbers: range, volume: int | None) -> None:
    bars.upsert([forming.daily_bar(quoted(ticker, number, 100.0 + number % 7, volume, is_final=True))
                 for number in numbers])  # fmt: skip


def test_a_symbol_without_volume_ends_nobody_elses_indicators(symbols, catalogued):
    catalogued(MONEY_FLOW)
    for ticker, volume in (("SHARE", 1000), ("PAIR", None)):
        closed(ticker, range(30), volume)
    share, pair = told(Summary(), quoted("SHARE", 30, 105, 1000), quoted("PAIR", 30, 105, None))
    assert share.reasons == {}
    assert share.values["mfi_3"]["mfi"] is not None
    assert pair.values["mfi_3"] == {"mfi": None}
    assert pair.reasons == dict.fromkeys(("mfi_3", "obv", "vwap_20"), "the volume of 2024-01-31 is not known")
    assert pair.values["sma_20"] == share.values["sma_20"]
    for each in (share, pair):
        assert (each.values, each.reasons) == on_demand(each.ticker)


def test_a_session_whose_open_is_not_told_has_no_value_that_reads_it(symbols, catalogued):
    catalogued(OPENS)
    closed("SHARE", range(30), 1000)
    live = Summary()
    (before,) = told(live, quoted("SHARE", 30, 105, 1000, open=None))
    assert before.reasons["opens_2"] == "the open of 2024-01-31 is not known"
    assert before.reasons.keys() & {"sma_20", "rsi_14", "obv"} == set()
    (after,) = told(live, quoted("SHARE", 30, 105, 1000))
    assert (after.reasons, after.values["opens_2"]) == ({}, {"opens": 100.0})


def test_behind_a_hole_it_begins_anew_and_says_why_until_it_has_a_value(symbols, catalogued):
    catalogued(MONEY_FLOW)
    closed("SHARE", range(10), 1000)
    live, why = Summary(), "the volume of 2024-01-11 is not known"
    reasons = []
    for number, volume in enumerate((None, 500, 600, 700, 800), 10):
        (values,) = told(live, quoted("SHARE", number, 105 + number, volume, is_final=True))
        assert (values.values, values.reasons) == on_demand("SHARE")
        reasons.append(values.reasons)
    long = {"vwap_20": why}
    assert reasons == [{"mfi_3": why, "obv": why, **long}, *[{"mfi_3": why, **long}] * 3, long]


def test_what_breaks_has_no_value_and_is_counted(symbols, catalogued):
    catalogued(BROKEN)
    closed("SHARE", range(30), 1000)
    count = counted()
    live = Summary()
    for price in (105, 106):
        (values,) = told(live, quoted("SHARE", 30, price, 1000))
        assert (values.values["broken"], values.reasons) == ({"broken": None}, {"broken": "ZeroDivisionError: a bug"})
        assert values.values["sma_20"]["sma"] is not None
        assert (values.values, values.reasons) == on_demand("SHARE")
    assert counted() - count == 3  # opened once, asked for twice


def test_what_breaks_in_the_middle_is_let_alone_until_it_is_opened_again(symbols, catalogued, monkeypatch):
    catalogued(OPENS)
    closed("SHARE", range(30), 1000)
    live = Summary()
    told(live, quoted("SHARE", 30, 105, 1000))
    with monkeypatch.context() as patched:
        patched.setattr(Live, "peek", broken)
        patched.setattr(Table, "peek", broken)
        (values,) = told(live, quoted("SHARE", 30, 105, 1000))
    assert {*values.reasons} == {*catalogue.DEFAULTS}
    (values,) = told(live, quoted("SHARE", 30, 105, 1000))
    assert {*values.reasons.values()} == {"ZeroDivisionError: a bug"}
    live.forget(["SHARE"])
    (values,) = told(live, quoted("SHARE", 30, 105, 1000))
    assert values.reasons == {}


def counted() -> float:
    return REGISTRY.get_sample_value("finstage_indicators_failed_total", {"indicator": "broken"}) or 0.0


KINDS = ["quote", "quote", "close", "close", "provisional", "settle", "correct", "worker"]
prices = st.integers(5_000, 20_000).map(lambda cents: cents / 100)
volumes = st.one_of(st.none(), st.integers(0, 10**6))
steps = st.lists(
    st.tuples(st.sampled_from(KINDS), prices, volumes, st.integers(1, 40)),
    min_size=8, max_size=50,
)  # fmt: skip


@example(
    steps=[("close", 100.0, 1000, 1)] * 7 + [("quote", 100.0, 2000, 1), ("close", 101.0, 10**6, 1)],
    has_volume=True, before=20,
)  # fmt: skip
@hypothesis(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, has_volume=st.booleans(), before=st.integers(0, 25))
def test_live_is_on_demand_whatever_comes(symbols, catalogued, monkeypatch, steps, has_volume, before):
    """Quotes, closes, corrections of older bars, and closes that the history job writes and not the feed."""
    for model in (BarRow, BarRevision, Coverage):
        model.objects.all().delete()
    forming.forget()
    catalogued(MONEY_FLOW, OPENS, *OTHERS)
    monkeypatch.setattr("analysis.summary.LOOK_SECONDS", 0.0)
    closed("SHARE", range(before), 1000 if has_volume else None)
    live, number = Summary(), before
    for kind, price, volume, back in steps:
        volume = volume if has_volume else None
        if kind == "correct":
            if number:
                corrected(max(0, number - back), price, volume)
        elif kind == "worker":
            corrected(number, price, volume)
            number += 1
        else:
            day = number - 1 if kind == "settle" and number else number
            state = {"close": {"is_final": True}, "settle": {"is_final": True}, "provisional": {"state": CLOSED_BAR}}
            quote = quoted("SHARE", day, price, volume, high=max(price, 100.0) + 1, **state.get(kind, {}))
            (values,) = told(live, quote) or [None]
            if values:
                assert (values.values, values.reasons) == on_demand("SHARE")
            number += day == number and kind in state


def corrected(number: int, price: float, volume: int | None) -> None:
    at = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(seconds=corrected.calls)
    corrected.calls += 1
    bars.upsert([Bar("SHARE", "1d", midnight(session(number)), price, price, price, price, volume, True, "yahoo", at)])


corrected.calls = 0
