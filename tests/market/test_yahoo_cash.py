"""What was paid, where Yahoo says it in two ways: golden pairs of what it told and what was right.

The numbers of the shares and funds are real: what Yahoo told of them, and how that was put right, stand in yfinance's
tests (tests/data/*-bad-div.csv and *-cg-double-count.csv, Apache-2.0).
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions
from market.actions import adjustments
from market.models import CorporateAction
from market.prices import Action, Named
from market.sources.yahoo import charts
from monitoring import refusals
from tests.market.yahoo_charts import recording, symbol_of

LONDON = {"exchange": "XLON", "currency": "GBP", "time_zone": "Europe/London", "price_decimals": 4}
TEL_AVIV = {"exchange": "XTAE", "currency": "ILS", "time_zone": "Asia/Jerusalem"}
TOKYO = {"exchange": "XTKS", "currency": "JPY", "time_zone": "Asia/Tokyo"}

NOW = datetime(2026, 1, 5, tzinfo=UTC)
# Ex date, close before, open, amount as named, what the adjusted close takes out in per cent, and what was right.
IN_PENCE = {
    "ABDP.L": [
        ("2022-05-05", 1435, 1435, 1.76, 0.1227, 0.0176),
        ("2022-12-29", 1610, 1610, 3.54, 0.2199, 0.0354),
        ("2024-02-08", 1775, 1767.5, 4.42, 0.249, 0.0442),
    ],
    "ELCO.L": [("2022-06-01", 89, 89, 0.4, 0.4494, 0.004), ("2023-05-18", 82, 82, 0.58, 0.7073, 0.0058)],
    "PSH.L": [("2022-02-17", 2755, 2775, 7.5294, 0.2733, 0.075294), ("2024-02-15", 3894, 3906, 14.56, 0.3739, 0.1456)],
    "REL.L": [("2022-04-28", 2415, 2402, 35.5, 1.47, 0.355), ("2023-08-03", 2610, 2574, 17.0, 0.6513, 0.17)],
}
IN_POUNDS = {
    "ADIG.L": [
        ("2022-03-03", 102, 99.8, 0.014, 0.0137, 0.014),
        ("2023-11-02", 78.4, 77.2, 0.0165, 0.021, 0.0165),
        ("2024-03-07", 76.5, 75.4, 0.0142, 0.0186, 0.0142),
        ("2024-07-03", 82.8, 54.0, 0.38, 0.4589, 0.38),  # capital was given back
    ],
    "CLC.L": [("2022-06-30", 63.267, 63.267, 0.0306, 0.0484, 0.0306), ("2024-08-08", 60, 58, 0.0277, 0.0462, 0.0277)],
    "RGL.L": [
        ("2022-03-03", 550.17, 545.75, 0.17, 0.0309, 0.17),
        ("2023-03-02", 389.55, 379.43, 0.165, 0.0423, 0.165),
        ("2024-02-29", 141.34, 139.76, 0.12, 0.0849, 0.12),
        ("2024-05-30", 147.98, 145.76, 0.12, 0.0811, 0.12),
    ],
    "SERE.L": [
        ("2022-03-31", 113, 112, 0.015549, 0.0138, 0.015549),
        ("2022-07-14", 101.5, 99.2, 0.055955, 0.0551, 0.055955),
    ],
}
IN_BOTH = {
    "NVT.L": [
        ("2022-12-08", 60, 58.5, 2.0, 3.3333, 0.02),
        ("2023-07-20", 59, 57, 0.02, 0.0339, 0.02),
        ("2023-12-14", 58.5, 57, 1.6, 2.735, 0.016),
    ],
    "TENT.L": [
        ("2022-03-03", 93.75, 92.33, 0.01375, 0.0147, 0.01375),
        ("2024-09-05", 70.5, 70, 0.01375, 0.0195, 0.01375),
        ("2024-09-19", 71.8, 46.4, 25.0, 34.8189, 0.25),
    ],
}


def chart_of(ticker: str, told: list[tuple], *, currency: str, zone: str, gains: bool = False) -> dict:
    """Of each ex date the session before it and its own, with what the adjusted close takes out between them."""
    rows, events = [], {"dividends": {}, "capitalGains": {}}
    for ex_date, close, opened, amount, taken, *_ in told:
        at = datetime.fromisoformat(f"{ex_date}T09:00:00Z")
        rows.append((at - timedelta(days=1), close, close, close * (1 - taken / 100)))
        rows.append((at, opened, opened, opened))
        dividend, gain = amount if gains else (amount, 0)
        for name, value in (("dividends", dividend), ("capitalGains", gain)):
            if value:
                events[name][str(int(at.timestamp()))] = {"amount": value, "date": int(at.timestamp())}
    opens, closes, adjusted = ([row[place] for row in rows] for place in (1, 2, 3))
    quote = {"open": opens, "close": closes, "high": opens, "low": closes, "volume": [1000] * len(rows)}
    return {
        "meta": {"symbol": ticker, "currency": currency, "exchangeTimezoneName": zone, "instrumentType": "EQUITY"},
        "timestamp": [int(row[0].timestamp()) for row in rows],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
        "events": events,
    }


def named(ticker: str, told: list[tuple], *, sub_unit: str, facts: dict, **others: bool) -> list[Action]:
    chart = chart_of(ticker, told, currency=sub_unit, zone=facts["time_zone"], **others)
    return list(charts.read(chart, symbol=symbol_of(ticker, **facts), interval="1d", now=NOW).actions)


@pytest.mark.parametrize("ticker", [*IN_PENCE, *IN_POUNDS, *IN_BOTH])
def test_a_dividend_of_london_is_in_pounds_whatever_unit_it_was_told_in(ticker):
    told = (IN_PENCE | IN_POUNDS | IN_BOTH)[ticker]
    found = named(ticker, told, sub_unit="GBp", facts=LONDON)
    assert [action.value for action in found] == [pytest.approx(row[-1], rel=1e-6) for row in told]


def test_what_the_adjusted_close_takes_for_pence_is_disputed():
    (pence, *_), (pounds, *_) = (
        named(ticker, told[ticker], sub_unit="GBp", facts=LONDON)
        for ticker, told in (("REL.L", IN_PENCE), ("ADIG.L", IN_POUNDS))
    )
    assert pence.disputed is None
    assert pounds.disputed == "it is 1.4 in the unit of the prices, and the adjusted close takes out 0.013974"


def test_a_share_that_is_held_in_pence_has_its_dividends_in_pence():
    told = IN_BOTH["NVT.L"]
    found = named("NVT.L", told, sub_unit="GBp", facts={**LONDON, "currency": "GBp"})
    assert [action.value for action in found] == [2.0, 2.0, 1.6]


def test_a_dividend_that_the_source_never_took_out_is_disputed():
    told = [("2023-08-03", 2610, 2574, 17.0, 0.6513, 0.17), ("2024-08-01", 3688, 3657, 18.2, 0.0, 0.182)]
    first, last = named("REL.L", told, sub_unit="GBp", facts=LONDON)
    assert (first.disputed, last.value) == (None, 0.182)
    assert last.disputed == "it is 18.2 in the unit of the prices, and the adjusted close takes out 0"


@pytest.mark.parametrize("place", [0, 1, None])
def test_where_no_adjusted_close_is_told_nothing_is_disputed(place):
    chart = chart_of("REL.L", [("2024-08-01", 3688, 3657, 18.2, 0.0)], currency="GBp", zone="Europe/London")
    if place is None:
        del chart["indicators"]["adjclose"]
    else:
        chart["indicators"]["adjclose"][0]["adjclose"][place] = None
    (found,) = charts.read(chart, symbol=symbol_of("REL.L", **LONDON), interval="1d", now=NOW).actions
    assert (found.value, found.disputed) == (0.182, None)


def test_tel_aviv_names_shekels_beside_agorot():
    told = [("2022-06-27", 18380, 15120, 10.25, 5.5767, 10.25), ("2023-04-10", 11140, 10190, 279.0, 2.5045, 2.79)]
    found = named("KEN.TA", told, sub_unit="ILA", facts=TEL_AVIV)
    assert [action.value for action in found] == [10.25, 2.79]


def test_a_dividend_that_was_not_restated_by_a_split_is_what_the_adjusted_close_takes_out():
    told = [
        ("2022-03-30", 3799, 3804, 50.0, 1.3161, 50.0),
        ("2022-09-29", 2939, 2951, 45.0, 1.5311, 45.0),
        ("2023-03-30", 4206, 4257, 275.0, 1.3077, 55.0),  # the split of five for one came the day after
        ("2023-09-28", 4471, 4422, 50.0, 1.1183, 50.0),
    ]
    found = named("4063.T", told, sub_unit="JPY", facts=TOKYO)
    assert [action.value for action in found] == [row[-1] for row in told]
    assert [action.disputed is not None for action in found] == [False, False, True, False]


def test_a_large_dividend_without_a_fall_is_disputed():
    (found,) = named("KME.MI", [("2023-05-22", 0.975, 0.975, 0.21723, 22.28)], sub_unit="EUR",
                     facts={"exchange": "XMIL", "currency": "EUR", "time_zone": "Europe/Rome"})  # fmt: skip
    assert found.disputed == "it is 22.3% of the price, which opened 0.0% lower"


def test_a_dividend_that_is_named_twice_within_days_is_disputed():
    told = [("2023-04-20", 210.5, 210.6, 3.85, 1.829), ("2023-04-21", 208.9, 205.1, 3.85, 1.843)]
    paris = {"exchange": "XPAR", "currency": "EUR", "time_zone": "Europe/Paris"}
    found = named("TEP.PA", told[:1], sub_unit="EUR", facts=paris) + named("TEP.PA", told, sub_unit="EUR", facts=paris)
    assert [action.disputed for action in found] == [None] + ["it is named twice within days"] * 2


@pytest.mark.parametrize(
    ("ticker", "row", "right"),
    [
        # The dividend of 0.837 holds the gain; the adjusted close takes out both, the price does not.
        ("DODFX", ("2025-12-18", 16.92, 16.22, (0.837, 0.417), 7.4114), {"dividend": 0.42, "capital_gain": 0.417}),
        ("JENYX", ("2021-12-15", 69.47, 66.21, (4.177, 4.014), 11.7907), {"dividend": 0.163, "capital_gain": 4.014}),
        ("JENYX", ("2023-12-14", 63.47, 58.66, (4.313, 4.137), 13.3134), {"dividend": 0.176, "capital_gain": 4.137}),
        # One beside the other, as the price says.
        ("BESIDE", ("2024-12-18", 100.0, 94.0, (2.0, 4.0), 6.0), {"dividend": 2.0, "capital_gain": 4.0}),
        # Too small to be seen in the price: the adjusted close says it.
        ("SMALL", ("2024-12-18", 100.0, 99.9, (1.5, 0.5), 1.5), {"dividend": 1.0, "capital_gain": 0.5}),
        ("SMALL", ("2024-12-18", 100.0, 99.9, (1.5, 0.5), 2.0), {"dividend": 1.5, "capital_gain": 0.5}),
    ],
)
def test_a_funds_gain_is_inside_its_dividend_or_beside_it(ticker, row, right):
    usual = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York", "price_decimals": 4}
    found = named(ticker, [row], sub_unit="USD", facts=usual, gains=True)
    assert {action.kind: action.value for action in found} == {
        kind: pytest.approx(value) for kind, value in right.items()
    }


def test_of_the_recorded_dividends_nothing_is_disputed():
    for ticker, name in (
        ("MSFT", "MSFT-dividends-2021-02-01-to-2022-01-31"),
        ("AAPL", "AAPL-2020-08-31-to-2020-11-07"),
    ):
        chart = recording(name)
        told = charts.read(chart, symbol=symbol_of(ticker), interval="1d", now=NOW).actions
        found = [action for action in told if action.kind == "dividend"]
        assert [action.disputed for action in found] == [None] * len(found)
        rows = list(charts.rows(chart))
        closes = [(row.at.date(), row.close) for row in rows]
        factors = adjustments.factors(found, "split_dividend", closes)
        ours = [row.close * factors.at(row.at.date())[0] for row in rows]
        ratio = rows[-1].adjusted / rows[-1].close  # what was paid after the recording
        assert ours == [pytest.approx(row.adjusted / ratio, rel=1e-5) for row in rows]


@pytest.mark.db
@pytest.mark.django_db
def test_what_is_disputed_is_kept_told_and_can_be_settled(apple):
    dispute = Action("AAPL", "dividend", date(2024, 5, 10), 0.25, disputed="it is named twice within days")
    assert actions.keep(apple, Named([dispute]), "yahoo")
    assert not actions.keep(apple, Named([dispute]), "yahoo")
    (row,) = CorporateAction.objects.all()
    assert (row.disputed, refusals.counts()) == ("it is named twice within days", {"disputed": 1})
    assert actions.keep(apple, Named([Action("AAPL", "dividend", date(2024, 5, 10), 0.25)]), "yahoo")
    (same,) = CorporateAction.objects.all()
    assert (same.pk, same.disputed) == (row.pk, None)


def test_bars_in_pence_are_converted_once():
    chart = chart_of("REL.L", [("2024-05-02", 3300, 3259, 41.8, 1.2667)], currency="GBp", zone="Europe/London")
    homes = [symbol_of("REL.L", **{**LONDON, "currency": currency}) for currency in ("GBP", "GBp")]
    found = [charts.read(chart, symbol=home, interval="1d", now=NOW).bars for home in homes]
    pounds, pence = ([bar.close for bar in bars] for bars in found)
    assert (pounds, pence) == ([33.0, 32.59], [3300.0, 3259.0])
