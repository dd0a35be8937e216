"""How bars are told: the bytes that go out against the same told plainly, and to how many digits a price is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market import actions, bars, coverage, prices, symbols
from market.actions import adjustments
from market.bars import forming, read, wire
from market.bars.wire import rounding
from market.bars.wire.fields import bar_fields
from market.models import Bar, CorporateAction, Coverage, Symbol
from market.prices import Action, Named
from tests.market.test_bars import later
from tests.market.test_steady import before_rows

FIRST = date(2012, 3, 1)
ALL = bars.Bounds()
DAYS = 12
number = st.floats(0.001, 1e6)
moment = st.integers(0, 10**13).map(lambda some: datetime(2012, 6, 1, tzinfo=UTC) + timedelta(microseconds=some))


def day(place: int) -> date:
    return FIRST + timedelta(days=place)


@st.composite
def told(draw, place: int, *, is_forming: bool = False) -> prices.Bar:
    low, inside, other, high = sorted(draw(number) for _ in range(4))
    opened, close = draw(st.permutations([inside, other]))
    state = prices.FORMING if is_forming else draw(st.sampled_from([prices.CLOSED_BAR, prices.FINAL]))
    volume = draw(st.none() | st.integers(0, 10**12))
    return prices.Bar(
        "AAPL", "1d", prices.midnight(day(place)), opened, high, low, close, volume,
        state == prices.FINAL, "replay", draw(moment), session_date=day(place), state=state,
    )  # fmt: skip


@st.composite
def markets(draw) -> tuple[list[prices.Bar], prices.Bar | None, list[Action]]:
    places = sorted(draw(st.sets(st.integers(0, DAYS - 1))))
    live = draw(st.none() | st.integers(0, DAYS).flatmap(lambda place: told(place, is_forming=True)))
    ex_dates = st.integers(-1, DAYS + 1).map(day)
    split = st.builds(Action, st.just("AAPL"), st.just("split"), ex_dates, st.sampled_from([2.0, 7.0, 0.1, 1.5]))
    paid = st.builds(Action, st.just("AAPL"), st.just("dividend"), ex_dates, st.sampled_from([0.01, 0.2345]))
    acts = draw(st.lists(split | paid, max_size=5, unique_by=lambda action: (action.kind, action.ex_date)))
    return [draw(told(place)) for place in places], live, acts


bound = st.none() | st.integers(0, DAYS).map(day) | st.integers(0, DAYS).map(day).map(prices.midnight)
bounds = st.builds(bars.Bounds, bound, bound, st.none() | st.integers(0, DAYS).map(day).map(prices.midnight))
asked_for = st.builds(
    wire.Asked, st.just("AAPL"), st.just("1d"), st.sampled_from(adjustments.ADJUSTMENTS), bounds,
    st.integers(1, DAYS + 2), st.integers(0, 8),
)  # fmt: skip


def hold(held: list[prices.Bar], live: prices.Bar | None, acts: list[Action]) -> None:
    symbol = Symbol.objects.get(ticker="AAPL")
    for model in (Bar, CorporateAction, Coverage):  # as no door does it, so that no version is true any more
        model.objects.all().delete()
    forming.forget()
    bars.upsert(held)
    actions.keep(symbol, Named(acts), "replay")
    forming.keep([live] if live else [])


def plainly(asked: wire.Asked) -> bytes:
    """The page of Django's objects, a bar at a time."""
    factors, found = actions.factors("AAPL", asked.adjusted), []
    for row in Bar.objects.filter(symbol__ticker="AAPL").order_by("opened_at"):
        held = {name: getattr(row, name) for name in ("opened_at", "open", "high", "low", "close", "volume")}
        facts = {name: getattr(row, name) for name in ("is_final", "source", "received_at", "revision", "session_date")}
        found.append(prices.Bar("AAPL", "1d", **held, **facts, state=row.state))
    live = forming.latest(["AAPL"])["AAPL"]
    found = [bar for bar in found if asked.bounds.hold(bar)]
    if live and asked.bounds.hold(live) and read.newest(found[-1] if found else None, live) is live:
        found = [bar for bar in found if bar.opened_at != live.opened_at] + [live]
    lines = []
    for bar in found[-asked.limit :]:
        values = bar.open, bar.high, bar.low, bar.close, bar.volume
        *four, volume = adjustments.restated(factors, bar.session_date, *values)
        four = [rounding.told(price, asked.decimals) for price in four]
        now = dict(zip(("open", "high", "low", "close"), four, strict=True))
        version = coverage.latest(["AAPL"])["AAPL"]
        lines.append(bar_fields(replace(bar, **now, volume=volume, adjustment=asked.adjusted), version))
    return orjson.dumps([len(found) > asked.limit, lines])


def page(asked: wire.Asked) -> bytes:
    found = wire.page(asked, bars.basis("AAPL", "1d", asked.adjusted))
    assert found.rows == orjson.loads(orjson.dumps(found.json))
    return orjson.dumps([found.are_more, found.json])


@pytest.mark.db
@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(market=markets(), asked=asked_for, moved=told(DAYS, is_forming=True))
def test_a_page_is_what_it_is_told_plainly_from_the_database_and_kept(apple, market, asked, moved):
    hold(*market)
    assert page(asked) == plainly(asked)
    assert page(asked) == plainly(asked)
    forming.keep([moved])
    assert page(asked) == plainly(asked)


ASKED = wire.Asked("AAPL", "1d", "split", ALL, 250, 2)


def upsert(*closes: float, received: int = 0) -> None:
    at = datetime(2012, 6, 1, tzinfo=UTC) + timedelta(days=received)
    bars.upsert(
        prices.Bar("AAPL", "1d", prices.midnight(day(place)), close, close, close, close, 1000, True, "replay", at)
        for place, close in enumerate(closes)
    )


def closes(asked: wire.Asked = ASKED) -> list[float]:
    found = wire.page(asked, bars.basis(asked.ticker, "1d", asked.adjusted))
    return [row["close"] for row in found.rows]


@pytest.mark.django_db
class TestKept:
    @pytest.fixture(autouse=True)
    def three(self, apple):
        wire.store.clear()
        upsert(10.0, 11.0, 12.0)

    def test_what_is_kept_is_read_once(self, django_assert_num_queries):
        basis = bars.basis("AAPL", "1d", "split")
        wire.page(ASKED, basis)
        with django_assert_num_queries(0):
            assert len(wire.page(ASKED, basis).rows) == 3

    def test_a_correction_and_a_split_are_seen_at_once(self):
        assert closes() == [10.0, 11.0, 12.0]
        upsert(10.0, 11.5, 12.0, received=1)
        assert closes() == [10.0, 11.5, 12.0]
        actions.keep(Symbol.objects.get(), Named([Action("AAPL", "split", day(2), 2.0)]), "replay")
        assert closes() == [5.0, 5.75, 12.0]

    def test_a_renamed_symbol_is_told_by_its_new_name(self):
        closes()
        symbols.rename("AAPL", "PEAR")
        found = wire.page(replace(ASKED, ticker="PEAR"), bars.basis("PEAR", "1d", "split"))
        assert {row["symbol"] for row in found.rows} == {"PEAR"}

    @pytest.mark.parametrize("state", [prices.CLOSED_BAR, prices.FINAL])
    def test_a_forming_bar_takes_the_place_of_one_that_is_not_settled(self, state):
        at, received = prices.midnight(day(3)), datetime(2012, 7, 1, tzinfo=UTC)
        last = prices.Bar("AAPL", "1d", at, 13.0, 13.0, 13.0, 13.0, 1000, state == prices.FINAL, "replay", received,
                          state=state)  # fmt: skip
        bars.upsert([last])
        forming.keep([replace(last, close=12.5, low=12.5, is_final=False, state=prices.FORMING, received_at=later())])
        assert closes() == [10.0, 11.0, 12.0, 13.0 if state == prices.FINAL else 12.5]

    def test_no_question_is_answered_by_another(self):
        questions = [
            ASKED, replace(ASKED, adjusted="raw"), replace(ASKED, limit=2), replace(ASKED, decimals=3),
            replace(ASKED, bounds=bars.Bounds(end=day(1))), replace(ASKED, bounds=bars.Bounds(day(1))),
        ]  # fmt: skip
        for _ in range(2):
            assert [len(closes(each)) for each in questions] == [3, 3, 2, 3, 2, 2]

    def test_the_bound_holds_and_what_was_asked_least_lately_goes_first(self, settings):
        closes()
        one = wire.store.bytes
        settings.ANSWERS_BYTES = one * 2 - 1
        closes(replace(ASKED, adjusted="raw"))
        assert 0 < wire.store.bytes <= settings.ANSWERS_BYTES
        settings.ANSWERS_BYTES = 0
        closes(replace(ASKED, decimals=3))
        assert wire.store.bytes == 0

    def test_what_others_wrote_over_each_time_has_no_version_and_is_not_kept(self):
        basis, numbers = bars.basis("AAPL", "1d", "split"), iter(range(1, 99))
        with before_rows(lambda: upsert(10.0 + (number := next(numbers)), 11.0, 12.0, received=number), times=3):
            found = wire.page(ASKED, basis)
        assert (found.versions, {row["version"] for row in found.rows}) == (None, {""})
        assert wire.store.bytes == 0


@pytest.mark.parametrize(
    ("price", "decimals", "said"),
    [
        (18.615714285714287, 2, 18.61571),
        (186.15714285714287, 2, 186.1571),
        (0.2234, 2, 0.2234),
        (0.1 + 0.2, 2, 0.3),
        (700_123.45, 2, 700_123.45),
        (99_999_999.987, 2, 99_999_999.99),
        (1e12, 8, 1e12),
        (7_001_234.5678, 0, 7_001_235.0),
        (0.0000081234567, 2, 0.000008123457),
        (-37.63, 2, -37.63),
        (0.0, 2, 0.0),
        (1.25, 32_767, 1.25),
    ],
)
def test_a_price_has_seven_significant_digits_and_at_least_its_symbols_decimals(price, decimals, said):
    assert rounding.told(price, decimals) == said
    assert rounding.many_told(np.array([price]), decimals).tolist() == [said]


anything = st.floats(1e-12, 1e13) | st.integers(1, 10**9).map(lambda cents: cents / 100)


@given(st.lists(anything | anything.map(lambda price: -price), min_size=1), st.integers(0, 8))
def test_of_one_price_and_of_many_the_same_is_told_and_told_again_it_stays(found, decimals):
    ones = [rounding.told(price, decimals) for price in found]
    assert rounding.many_told(np.array(found), decimals).tolist() == ones
    assert [rounding.told(price, decimals) for price in ones] == ones


@given(anything, st.integers(0, 8))
def test_no_more_than_the_last_digit_is_lost(price, decimals):
    said = Decimal(repr(rounding.told(price, decimals)))
    place = max(decimals, 6 - Decimal(price).adjusted())
    assert abs(said - Decimal(price)) <= Decimal(10) ** -place * Decimal("0.500001") + Decimal(price) / 2**52
