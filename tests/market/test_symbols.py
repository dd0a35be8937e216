"""The symbols there are, and the one source that a database holds."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from market import sources, symbols
from market.models import DataSource, Symbol
from market.prices import midnight
from market.sources import ProviderError, Tick, WrongSource, registry, replay, yahoo
from market.sources.replay import recording

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["aapl", " BRK-B ", "005930.KS", "^gspc", "EURUSD=X", "BTC-USD", "M&M.NS"])
def test_a_ticker_is_upper_case_and_without_blanks(text):
    assert symbols.ticker(text) == text.strip().upper()


@pytest.mark.parametrize("text", ["", " ", "A B", "AAPL;", "../x", "A" * 33, "^", "É", "AAPL\n\n<"])
def test_what_is_no_ticker_is_refused_with_what_one_looks_like(text):
    with pytest.raises(symbols.InvalidTicker, match="looks like"):
        symbols.ticker(text)


@pytest.mark.db
def test_ensuring_again_keeps_one_row_and_what_people_decided():
    symbols.ensure(replay.SEEDS)
    Symbol.objects.filter(ticker="IBM").update(is_active=False, name="?")
    assert [symbol.ticker for symbol in symbols.ensure(replay.SEEDS)] == list(recording.TICKERS)
    assert [symbol.ticker for symbol in symbols.tracked()] == ["AAPL", "FB", "GOOG", "MSFT"]
    assert Symbol.objects.get(ticker="IBM").name.startswith("International")


def test_the_seeds_are_valid_and_their_decimals_lose_no_recorded_price():
    made = symbols.ensure([*yahoo.SEEDS, *replay.SEEDS])
    assert len(yahoo.SEEDS) == 12
    for symbol in made:
        symbol.full_clean()
        for day in recording.days(symbol.ticker).values():
            assert all(round(price, symbol.price_decimals) == price for price in day[:4])


@pytest.fixture
def reachable(monkeypatch) -> type:
    """A stand-in of Yahoo that is reachable or not, as its class says."""
    monkeypatch.setitem(sources.SOURCES, "yahoo", replace(yahoo.ABOUT, loaded_from=f"{__name__}.Reachable"))
    monkeypatch.setattr(registry, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(Reachable, "answer", staticmethod(lambda: True))
    return Reachable


class Reachable:
    name = "yahoo"

    @staticmethod
    def answer() -> bool:
        return True

    def answers(self, seconds: float) -> bool:
        return self.answer()


def test_the_first_start_writes_down_what_was_asked_for():
    assert sources.choose("replay").name == "replay"
    assert DataSource.objects.get().reason == "asked for by FINSTAGE_SOURCE"


def test_auto_takes_yahoo_where_it_answers(reachable):
    assert sources.choose("auto").name == "yahoo"


def fails() -> bool:
    raise ProviderError("no route")


def hangs() -> bool:
    time.sleep(1)
    return True


@pytest.mark.parametrize("answer", [lambda: False, fails, hangs])
def test_auto_takes_the_recording_where_yahoo_does_not_answer_in_time(reachable, monkeypatch, answer):
    monkeypatch.setattr(reachable, "answer", staticmethod(answer))
    assert sources.choose("auto").name == "replay"


def test_auto_asks_once_and_later_starts_use_the_choice(reachable, monkeypatch):
    sources.choose("auto")
    monkeypatch.setattr(reachable, "answer", staticmethod(fails))
    assert sources.choose("auto").name == sources.choose("yahoo").name == "yahoo"


def test_asking_for_the_other_source_is_refused_with_the_way_to_it():
    sources.choose("replay")
    with pytest.raises(WrongSource, match=r"manage\.py switch_source yahoo"):
        sources.choose("yahoo")


def test_the_source_is_loaded_by_its_name(settings):
    settings.SOURCE = "replay"
    source = sources.source()
    assert (source.name, source.answers(1)) == ("replay", True)
    assert source.now() == midnight(datetime(2012, 9, 4, tzinfo=UTC).date())
    assert not [event for event in source.batches(_set()) if isinstance(event, Tick)]


def _set() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop
