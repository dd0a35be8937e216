"""Splits that Yahoo names before it has restated its prices by them, corrects, or that are none."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions, bars, history, tasks
from market.models import Bar, BarRevision, CorporateAction, SupersededAction
from market.sources import ProviderError
from market.sources.yahoo import asking, charts
from market.sources.yahoo.charts import Held
from monitoring import refusals
from tests.market.yahoo_charts import symbol_of

START, EX_DATE = date(2024, 6, 3), date(2024, 6, 10)
SESSIONS = [date(2024, 6, day) for day in (3, 4, 5, 6, 7, 10, 11)]
CLOSES = [1005.0, 1002.0, 1003.0, 1010.0, 1020.0, 102.5, 101.0]  # as traded, with ten for one on the tenth
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def chart_of(closes: list[float], split: tuple[float, float] | None = (10, 1), ex_date: date = EX_DATE) -> dict:
    """Closes as an answer tells them, one a session, with a split of a date."""
    stamps = [int(datetime(each.year, each.month, each.day, 13, 30, tzinfo=UTC).timestamp()) for each in SESSIONS]
    stamps = stamps[: len(closes)]
    # The volume is restated where the prices are.
    volumes = [round(1000 * right / close) for right, close in zip(CLOSES, closes, strict=False)]
    quote = {name: closes for name in ("open", "high", "low", "close")} | {"volume": volumes}
    at = int(datetime(ex_date.year, ex_date.month, ex_date.day, 13, 30, tzinfo=UTC).timestamp())
    told = {} if split is None else {str(at): {"date": at, "numerator": split[0], "denominator": split[1]}}
    meta = {"symbol": "AAPL", "currency": "USD", "exchangeTimezoneName": "America/New_York", "instrumentType": "EQUITY"}
    meta |= {"regularMarketTime": stamps[-1] + 23_400, "regularMarketPrice": closes[-1]}
    return {"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote]}, "events": {"splits": told}}


def restated(closes: list[float] = CLOSES, ratio: float = 10.0) -> list[float]:
    return [close / ratio for close in closes[:5]] + closes[5:]


def read(chart: dict, held: Held = charts.NOTHING) -> charts.History:
    return charts.read(chart, symbol=symbol_of("AAPL"), interval="1d", now=NOW, held=held)


def closes_of(found: charts.History) -> list[float]:
    return [bar.close for bar in found.bars]


def held(closes: list[float] = CLOSES, splits: tuple = ()) -> Held:
    return Held(dict(zip(SESSIONS, closes, strict=False)), splits)


@pytest.mark.parametrize("ours", [charts.NOTHING, held()], ids=["nothing held", "held"])
@pytest.mark.parametrize("told", [CLOSES, restated()], ids=["not restated", "restated"])
def test_what_was_traded_before_a_split_is_what_it_was_whether_yahoo_has_restated_it_or_not(told, ours):
    found = read(chart_of(told), ours)
    assert closes_of(found) == CLOSES
    assert [(action.kind, action.value) for action in found.actions] == [("split", 10.0)]
    assert [kind for kind, _ in found.told] == (["splits"] if told is CLOSES else [])


@pytest.mark.parametrize("ratio", [(3, 2), (11, 10), (10, 11), (1, 50)])
def test_the_step_of_its_day_says_whether_any_split_is_in_the_prices(ratio):
    value = ratio[0] / ratio[1]
    traded = [100.0, 101.0, 99.5, 100.5, 100.0, 100.0 / value, 101.0 / value]
    for told in (traded, [close / value for close in traded[:5]] + traded[5:]):
        assert closes_of(read(chart_of(told, ratio))) == pytest.approx(traded, rel=1e-4)


def test_on_the_morning_of_a_split_what_we_hold_says_whether_the_prices_are_restated():
    for told in (CLOSES[:5], restated()[:5]):
        assert closes_of(read(chart_of(told), held())) == CLOSES[:5]


def test_on_the_morning_of_a_split_of_which_we_hold_nothing_nobody_can_say_what_was_traded():
    found = read(chart_of(CLOSES[:5]))
    assert (found.bars, found.left_out) == (
        [], ["the prices before 2024-06-10: nobody can say whether the split is in them"],
    )  # fmt: skip


def test_a_first_history_on_the_morning_of_a_split_comes_with_its_first_trade(wire, apple):
    wire.misshapen["AAPL"] = chart_of(CLOSES[:5])
    with pytest.raises(ProviderError, match="a split of 2024-06-10 is named") as refused:
        asking.history(apple, START)
    assert (refused.value.code, refused.value.temporary) == ("market_closed", True)
    wire.misshapen["AAPL"] = chart_of(CLOSES[:6])
    assert [bar.close for bar in asking.history(apple, START)[0]] == CLOSES[:6]


def test_nobody_restates_by_a_split_before_its_day():
    for day, count in ((9, 5), (10, 0)):
        at = datetime(2024, 6, day, 12, tzinfo=UTC)
        found = charts.read(chart_of(CLOSES[:5]), symbol=symbol_of("AAPL"), interval="1d", now=at)
        assert closes_of(found) == CLOSES[:count]


def test_a_bonus_too_small_to_be_seen_in_the_prices_is_taken_to_be_in_them_unless_we_hold_otherwise():
    told = [100.0, 101.0, 100.5, 99.0, 100.0, 98.0, 98.5]
    assert closes_of(read(chart_of(told, (102, 100))))[0] == 102.0
    assert closes_of(read(chart_of(told, (102, 100)), held(told)))[0] == 100.0


def test_the_volume_is_counted_in_the_shares_of_then_as_the_prices_are():
    for told in (CLOSES, restated()):
        assert [bar.volume for bar in read(chart_of(told)).bars] == [1000] * 7


def test_a_ratio_that_nobody_splits_by_changes_prices_alone_and_is_told():
    chart = chart_of(restated([*CLOSES[:5], 980.0, 985.0], 1.046), (1046, 1000))
    chart["indicators"]["quote"][0]["volume"] = [1000] * 7
    found = read(chart)
    (action,) = found.actions
    assert (action.kind, action.numerator) == ("spin_off", 1046.0)
    assert action.disputed == "nobody splits by 1046:1000; a spin-off?"
    assert [(bar.close, bar.volume) for bar in found.bars[:2]] == [(1005.0, 1000), (1002.0, 1000)]


@pytest.mark.parametrize("ratio", [(1, 190), (3, 2), (11, 10), (10, 11), (21, 20), (101, 100), (1000, 1), (67, 20)])
def test_a_ratio_of_small_numbers_is_a_split(ratio):
    assert [action.kind for action in read(chart_of([1.0] * 7, ratio)).actions] == ["split"]


@pytest.mark.parametrize("ratio", [(1046, 1000), (1281, 1000), (1.046, 1), (998, 1000)])
def test_a_ratio_of_large_numbers_is_none(ratio):
    assert [action.kind for action in read(chart_of([1.0] * 7, ratio)).actions] == ["spin_off"]


@pytest.mark.parametrize(
    ("factor", "first", "count", "kept"),
    [
        (100.0, 0, 7, 0),  # another unit
        (0.95, 0, 4, 3),  # what left with a daughter, unnamed
        (10.0, 4, 1, 6),  # one that is a step of the split
        (1.02, 3, 2, 7),  # two corrections that are alike
        (1.001, 0, 7, 7),  # the tolerance of a correction
    ],
)
def test_a_run_that_changes_by_one_ratio_is_no_correction(factor, first, count, kept):
    told = [close * (factor if first <= place < first + count else 1) for place, close in enumerate(CLOSES)]
    found = read(chart_of([close / (10 if place < 5 else 1) for place, close in enumerate(told)]), held())
    assert len(found.bars) == kept
    words = [why for kind, why in found.told if kind == "corrections"]
    assert bool(words) == (kept < 7)
    if words:
        assert f"would change by one ratio, {factor:.6g}: ours are kept" in words[0]


def test_a_split_that_is_corrected_explains_what_it_changes():
    wrong = held([close * 0.4 for close in CLOSES[:5]] + CLOSES[5:], ((EX_DATE, 4.0),))
    found = read(chart_of(restated()), wrong)
    assert (closes_of(found), found.told) == (CLOSES, [])


def test_the_close_before_a_split_is_in_the_shares_of_its_day_also_where_yahoo_has_not_restated_it():
    for told in (CLOSES[:6], restated()[:6]):
        found = charts.quote(chart_of(told), symbol=symbol_of("AAPL"), now=NOW)
        assert (found.session_date, found.previous_close) == (EX_DATE, 102.0)


@pytest.mark.db
@pytest.mark.django_db
def test_an_answer_that_is_not_restated_changes_nothing_that_is_held(wire, apple):
    wire.charts["AAPL"] = {**chart_of(CLOSES[:5], None)}
    history.fill(apple, asking.history, "yahoo")
    before = list(Bar.objects.order_by("opened_at").values_list("close", "volume", "revision"))
    for told in (CLOSES, restated()):
        wire.charts["AAPL"] = chart_of(told)
        history.fill(apple, asking.history, "yahoo")
        assert list(Bar.objects.order_by("opened_at").values_list("close", "volume", "revision"))[:5] == before
        assert CorporateAction.objects.get().value == 10.0
    assert not BarRevision.objects.exists()
    assert refusals.counts()["splits"] == 1
    assert [bar.close for bar in bars.history("AAPL")] == [pytest.approx(close) for close in restated()]


@pytest.mark.django_db(transaction=True)
def test_who_has_looked_at_it_may_take_what_would_change_by_one_ratio(wire, apple, hold):
    hold("yahoo")
    wire.charts["AAPL"] = chart_of([1.5 * close for close in CLOSES], None)
    tasks.history.refresh_chunk(["AAPL"])
    wire.charts["AAPL"] = chart_of(CLOSES, None)
    assert tasks.history.refresh_chunk(["AAPL"])["failed"] == {}, (
        "bars that are kept out are told of a symbol that there is"
    )
    assert "the job market.reload takes the source's" in refusals.newest("corrections")[0]["why"]
    assert [bar.close for bar in bars.history("AAPL")] == [1.5 * close for close in CLOSES]
    told = tasks.history.reload_history(["AAPL"])
    assert told["done"]["AAPL"]["corrected"] == len(CLOSES)
    assert [bar.close for bar in bars.history("AAPL")] == CLOSES
    assert [row.close for row in BarRevision.objects.order_by("opened_at")] == [1.5 * close for close in CLOSES]
    assert tasks.history.refresh_chunk(["AAPL"])["done"]["AAPL"]["corrected"] == 0


@pytest.mark.db
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("split", "ex_date"), [((5, 1), EX_DATE), ((10, 1), EX_DATE - timedelta(days=3))], ids=["ratio", "date"]
)
def test_a_split_that_is_corrected_supersedes_and_the_bars_follow(wire, apple, split, ex_date):
    """What came first was wrong, in our rows too: a ratio of five, or a day too early."""
    right = [close / (10 if place < 5 else 1) for place, close in enumerate(CLOSES)]
    wire.charts["AAPL"] = chart_of(right, split, ex_date)
    history.fill(apple, asking.history, "yahoo")
    wire.charts["AAPL"] = chart_of(right)
    history.fill(apple, asking.history, "yahoo")
    (row,) = CorporateAction.objects.all()
    assert (row.ex_date, row.value) == (EX_DATE, 10.0)
    assert SupersededAction.objects.get().superseded_by == row.pk
    assert [bar.close for bar in bars.history("AAPL", adjusted="raw")] == CLOSES
    assert actions.factors("AAPL", "split").at(SESSIONS[0])[0] == 0.1
