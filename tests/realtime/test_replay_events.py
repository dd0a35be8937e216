"""The next event of a replay is looked for over whole arrays, and is the one that playing every session finds."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from market.player import Held, Sessions, reach
from market.player.finer import PRICES, Finer
from market.prices import Action
from realtime.models import AlertRule
from realtime.replay import events

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, COUNT = date(2008, 1, 1), 700
DAYS = np.arange(np.datetime64(FIRST), np.datetime64(FIRST + timedelta(days=COUNT)))


def held(ticker: str, seed: int, *, left_out: int, splits: tuple[int, ...] = ()) -> Held:
    """A share that falls and rises, of which every so manyth session is not held; its splits are of 2:1."""
    random = np.random.default_rng(seed)
    close = (
        100 * np.exp(random.normal(0, 0.03, COUNT).cumsum()) / 2 ** np.searchsorted(splits, np.arange(COUNT), "right")
    )
    open = close * np.exp(random.normal(0, 0.02, COUNT))
    high, low = np.maximum(open, close) * 1.01, np.minimum(open, close) * 0.99
    is_held = np.arange(COUNT) % left_out != 0
    columns = {"session_date": DAYS, "open": open, "high": high, "low": low, "close": close, "volume": close}
    actions = [Action(ticker, "split", DAYS[number].item(), 2.0, 2.0, 1.0) for number in splits]
    prices = np.repeat(DAYS[100:110], 3)
    told = np.stack([np.tile([90.0, 120.0, 60.0], 10), np.full(30, np.nan)], axis=1)
    within = Finer(PRICES, prices, prices.astype("datetime64[us]") + np.tile([0, 1, 2], 10), told)
    return Held(
        ticker, {name: column[is_held] for name, column in columns.items()}, actions, 2, "replay", "v1", [within],
        missing=DAYS[~is_held],
    )  # fmt: skip


def sessions() -> Sessions:
    some = [held("AAPL", 1, left_out=13, splits=(200, 450)), held("MSFT", 2, left_out=29)]
    return Sessions(some, FIRST + timedelta(days=30), FIRST + timedelta(days=COUNT - 30))


RULES = {
    "AAPL": [AlertRule(pk=1, kind="price_above", level=60.0), AlertRule(pk=2, kind="price_above", level=118.0)],
    None: [AlertRule(pk=3, kind="plunge", level=None), AlertRule(pk=4, kind="plunge", level=-9.0)],
}


@pytest.mark.parametrize("kind", ["split", "alert", "record"])
def test_what_is_found_is_what_playing_every_session_finds(kind):
    all = sessions()
    right = [number for number in range(len(all)) if events.first(all, [number], kind, RULES)]
    found = events.candidates(all, 0, kind, RULES)
    assert len(right) > (1 if kind == "split" else 20)
    assert [number for number in found if events.first(all, [number], kind, RULES)] == right
    assert len(found) <= len(right) * 1.6 < len(all)
    assert events.candidates(all, right[1], kind, RULES) == [number for number in found if number >= right[1]]


def test_without_rules_nothing_is_played():
    assert events.candidates(sessions(), 0, "alert", {}) == []


def test_of_each_session_it_is_known_before_it_is_played_how_far_prices_go_and_from_which_close():
    all = sessions()
    for each in all.held:
        (low, high), closes = reach.prices(each), reach.previous_closes(each)
        told = {number: [] for number in range(len(all))}
        for number in told:
            told[number] = [step.quote for step in all.steps(number, NOW) if step.held is each]
        for quotes in filter(None, told.values()):
            own = each.number(quotes[0].session_date)
            assert low[own] <= min(quote.price for quote in quotes)
            assert high[own] >= max(quote.price for quote in quotes)
            assert np.isnan(closes[own]) or closes[own] == quotes[0].previous_close or own in holes(each)


@pytest.mark.parametrize("splits", [(0, 1, 2, 5), (3, COUNT - 1), ()])
def test_a_symbol_s_own_sessions_are_told_as_each_tells_itself(splits):
    each = held("AAPL", 3, left_out=50, splits=splits)
    assert reach.begins_anew(each).tolist() == [each.begins_anew(own) for own in range(len(each))]
    assert reach.sets_record(each).tolist() == [each.sets_record(own) for own in range(len(each))]


def holes(each: Held) -> set[int]:
    return {own for own in range(1, len(each)) if each.previous_close(own) is None}
