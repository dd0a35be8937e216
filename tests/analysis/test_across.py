"""Indicators that move together say what batch says, to the bit: of symbols of any age, with bars missing, that come
and leave.
"""

import numpy as np
import pytest

from analysis.indicators import catalogue
from analysis.indicators.across import table, twins
from analysis.indicators.across.group import Group, Member, Step
from analysis.indicators.across.table import Table
from analysis.indicators.carried import EPOCH
from market.prices import DAY, Quote, midnight
from tests.analysis.twins import Columns, part, recorded, walk

MOST = ("sma_2", "ema_12", "ema_26", "macd_5_35_5", "atr_2", "stoch_5_2_4", "adx_3", "donchian_252", "rsi_2", "vwap_3")
KEYS = {**catalogue.DEFAULTS, **{key: catalogue.named(key) for key in MOST}}
LONG = [recorded(name) for name in ("AAPL", "MSFT", "IBM", "GOOG")]
FEW, MANY = 10**9, 1  # symbols from which on arrays are taken


@pytest.fixture(params=[FEW, MANY], ids=["one by one", "arrays"])
def both(request, monkeypatch):
    monkeypatch.setattr(table, "MANY", request.param)


def test_what_charts_show_most_moves_together():
    apart = {key for key, each in KEYS.items() if twins.of(each.node) is None}
    assert apart == {"bbands_20_2"}


def test_a_table_says_what_batch_says_over_long_real_series(both):
    indicators = {key: each for key, each in KEYS.items() if twins.of(each.node)}
    symbols = [part_from(columns, first) for columns in LONG for first in (0, 700)]
    lengths = [254 + 40 * number for number, _ in enumerate(symbols)]
    moving = Table(indicators)
    rows = [stood(moving, indicators, columns, length) for columns, length in zip(symbols, lengths, strict=True)]
    expected = [batch(indicators, columns) for columns in symbols]
    for step in range(800):
        bars = [bar(columns, length + step) for columns, length in zip(symbols, lengths, strict=True)]
        peeked, told = moving.peek(rows, bars), moving.update(rows, bars)
        assert peeked == told
        assert told == [whole[length + step] for whole, length in zip(expected, lengths, strict=True)]


def test_members_of_every_age_say_what_batch_says(both):
    """Flat ones, ones with holes, without volume; one comes in the middle and another leaves."""
    symbols = [*(walk(seed, 260, 10.0 ** (seed - 2)) for seed in range(6)), *(part(each, 260) for each in LONG)]
    symbols += [
        holed(symbols[0], (30, 31, 205, 230)),
        holed(symbols[-1], (0, 120, 215)),
        holed(symbols[-1], range(260)),
    ]
    symbols += [{**symbols[3], **dict.fromkeys(("open", "high", "low", "close"), np.full(260, 7.0))}]
    ages = [0, 1, 2, 5, 16, 27, 35, 51, 100, 199, 201, 202, 40, 30]
    together = Group(KEYS)
    members = [opened(together, columns, age) for columns, age in zip(symbols, ages, strict=True)]
    standing = [len(member.standing) for member in members]
    assert (standing[0], standing[11]) == (0, len(KEYS) - 2)  # bands, and the reach of 252 bars
    for at in range(50):
        if at == 20:
            members[4].close()
            members[4] = opened(together, symbols[4], ages[4] + at)
        for has_closed in (False, True):
            told = together.moved([
                step(member, columns, age + at, has_closed=has_closed)
                for member, columns, age in zip(members, symbols, ages, strict=True)
            ])  # fmt: skip
            for number, (values, reasons) in enumerate(told):
                assert values == on_demand(symbols[number], ages[number] + at), (number, at, has_closed)
                assert list(values) == list(KEYS)
                assert set(reasons) <= {key for key, each in values.items() if None in each.values()}


def test_a_close_that_is_told_again_counts_once(both):
    together = Group(KEYS)
    member = opened(together, LONG[0], 300)
    (first,) = together.moved([step(member, LONG[0], 300, has_closed=True)])
    again = step(member, LONG[0], 300, has_closed=True)
    (second,) = together.moved([Step(member, again.quote, again.known, is_counted=True)])
    assert first == second


def test_one_that_breaks_costs_no_other(both, monkeypatch):
    together = Group(KEYS)
    members = [opened(together, columns, 300) for columns in LONG]
    steps = [step(member, columns, 300, has_closed=True) for member, columns in zip(members, LONG, strict=True)]
    steps[1].known["close"] = float("inf")
    _, (values, reasons), *_ = told = together.moved(steps)
    assert reasons["sma_20"] == "ValueError: a price is not finite"
    assert (values["sma_20"], values["obv"]) == ({"sma": None}, {"obv": None})
    for number in (0, 2, 3):
        assert told[number] == (on_demand(LONG[number], 300), {})
    (values, _), *_ = together.moved([step(members[1], LONG[1], 301, has_closed=False)])
    assert values["sma_20"] == {"sma": None}


def test_a_table_that_breaks_is_tried_for_each_by_itself(monkeypatch):
    together = Group(KEYS)
    members = [opened(together, columns, 300) for columns in LONG]
    whole = together.table.peek

    def broken(rows, bars):
        if members[2].row in rows:
            raise ZeroDivisionError("a bug")
        return whole(rows, bars)

    monkeypatch.setattr(together.table, "peek", broken)
    told = together.moved(
        [step(each, columns, 300, has_closed=False) for each, columns in zip(members, LONG, strict=True)]
    )
    assert set(told[2][1].values()) == {"ZeroDivisionError: a bug"}
    for number in (0, 1, 3):
        assert told[number] == (on_demand(LONG[number], 300), {})


def test_a_row_that_is_given_back_is_another_symbols():
    together = Group(KEYS)
    for _ in range(3):
        members = [opened(together, columns, 300) for columns in LONG * 5]
        told = together.moved([step(each, columns, 300, has_closed=True)
                               for each, columns in zip(members, LONG * 5, strict=True)])  # fmt: skip
        assert told == [(on_demand(columns, 300), {}) for columns in LONG * 5]
        for each in members[::2]:
            each.close()
    assert len({each.row for each in members if each.row is not None}) == 10


def opened(together: Group, columns: Columns, until: int) -> Member:
    return together.opened(KEYS, "SHARE", part(columns, until))


def step(member: Member, columns: Columns, at: int, *, has_closed: bool) -> Step:
    day = columns["session_date"][at].item()
    quote = Quote(
        ticker="SHARE", price=1.0, volume=None, session_date=day, as_of=midnight(day), as_of_precision=DAY,
        received_at=midnight(day), source="yahoo", previous_close=None, open=None, high=None, low=None,
        market_state="open", is_final=has_closed,
    )  # fmt: skip
    known = {name: None if np.isnan(value) else value for name, value in bar(columns, at).items()}
    return Step(member, quote, known, is_counted=False)


def on_demand(columns: Columns, at: int) -> dict:
    """What cutting the future off would not change."""
    if id(columns) not in on_demand.found:
        on_demand.found[id(columns)] = columns, {key: each.over(columns) for key, each in KEYS.items()}
    _, whole = on_demand.found[id(columns)]
    return {
        key: {name: None if np.isnan(series[at]) else series[at].item() for name, series in values.items()}
        for key, values in whole.items()
    }


on_demand.found = {}


def stood(moving: Table, indicators, columns: Columns, until: int) -> int:
    known = {key: each.known(part(columns, until)) for key, each in indicators.items()}
    return moving.open({key: moving.seed(key, each) for key, each in known.items()}, bar(columns, until - 1))


def batch(indicators, columns: Columns) -> list[list[float]]:
    return np.column_stack([values for each in indicators.values() for values in each.over(columns).values()]).tolist()


def bar(columns: Columns, at: int) -> dict[str, float]:
    found = {name: column[at].item() for name, column in columns.items() if name != "session_date"}
    return {**found, "session_date": float((columns["session_date"][at].item() - EPOCH).days)}


def part_from(columns: Columns, first: int) -> Columns:
    return {name: column[first:] for name, column in columns.items()}


def holed(columns: Columns, places) -> Columns:
    """Without the volume of some bars."""
    volume = columns["volume"].copy()
    volume[list(places)] = np.nan
    return {**columns, "volume": volume}
