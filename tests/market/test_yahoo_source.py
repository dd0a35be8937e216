"""The live source as the feed sees it: streamed and polled prices."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from bokeh_sampledata import stocks
from django.conf import settings as configured

from market import bars, history, prices, symbols
from market.models import Bar, CorporateAction, Symbol
from market.prices import Named
from market.sources import ProviderError
from market.sources import inbox as sources_inbox
from market.sources.inbox import Inbox
from market.sources.pace import NoSlot
from market.sources.yahoo import asking, polling, stream
from market.sources.yahoo.polling import Poll
from market.sources.yahoo.source import Yahoo
from monitoring import latencies, metrics
from tests.market.yahoo_charts import made_chart
from tests.server import eventually

CLOSE = stocks.AAPL["close"][-1]
AS_OF = datetime(2013, 3, 1, 20, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_the_source_streams_and_polls_at_once(wire, apple):
    wire.charts["AAPL"] = made_chart("AAPL", regularMarketTime=int(AS_OF.timestamp()))
    stop, seen = threading.Event(), []
    deadline = threading.Timer(120, stop.set)
    deadline.start()
    yahoo = Yahoo()
    yahoo.track(symbols.tracked())
    for tick in yahoo.batches(stop):
        seen += tick.quotes
        # Each is later than the last, so that another batch comes until it is heard.
        wire.tick("AAPL", price=440.25, time=_milliseconds(60 + len(seen)), quote_type=8, market_hours=1)
        if seen[-1].price == 440.25:
            stop.set()
    deadline.cancel()
    polled, streamed = seen[0], seen[-1]
    assert (polled.price, polled.previous_close) == (CLOSE, stocks.AAPL["close"][-2])
    assert (streamed.price, streamed.open) == (440.25, stocks.AAPL["open"][-1])


@pytest.mark.django_db
def test_it_begins_with_a_dozen_well_known_names():
    Yahoo().prepare()
    assert len(symbols.tracked()) == 12
    assert {"AAPL", "005930.KS", "^GSPC", "EURUSD=X", "BTC-USD"} <= {symbol.ticker for symbol in symbols.tracked()}


@pytest.mark.parametrize(("how", "answers"), [(None, True), ("429", False), ("delay", False), ("html", False)])
def test_it_answers_only_where_it_gives_a_price_in_time(wire, how, answers):
    wire.charts["AAPL"] = made_chart("AAPL")
    if how:
        wire.fail("chart", how)
    assert Yahoo().answers(0.5) is answers


@pytest.mark.db
@pytest.mark.django_db
def test_history_and_actions_are_stored_and_loading_them_again_changes_nothing(wire, apple):
    wire.charts["AAPL"] = made_chart("AAPL")
    for _ in range(2):
        history.fill(apple, asking.history, "yahoo")
        assert Bar.objects.filter(is_final=True, revision=0).count() == len(stocks.AAPL["date"])
    assert [(action.ex_date, action.value) for action in CorporateAction.objects.filter(kind="split")] == [
        (date(2000, 6, 21), 2.0),
        (date(2005, 2, 28), 2.0),
    ]


@pytest.mark.django_db
def test_only_what_is_missing_is_asked_for_with_a_week_of_overlap(apple):
    asked = []
    _store_bar(date(2024, 3, 8))
    for _ in range(2):
        history.fill(apple, lambda symbol, start: (asked.append(start), ([], Named()))[1], "yahoo")
    assert asked == [history.START, date(2024, 3, 1)]


def test_what_the_streamer_tells_is_not_asked_for_and_what_it_does_not_tell_is(symbol, quote, monkeypatch):
    now, asked, inbox = [1000.0], [], Inbox(stream.quote)
    monkeypatch.setattr(polling.time, "monotonic", lambda: now[0])
    inbox.track([symbol("AAPL"), symbol("MSFT")])

    def ask(due: list[Symbol]) -> list:
        asked.append([each.ticker for each in due])
        return [quote(each.ticker, 100.0, as_of=AS_OF, session_date=AS_OF.date()) for each in due]

    poll = Poll(ask, inbox)
    poll.round()
    now[0] += 20
    inbox.hear("AAPL", {"id": "AAPL", "price": 101.0, "time": _milliseconds(60), "quote_type": 8, "market_hours": 1})
    poll.round()
    assert asked == [["AAPL", "MSFT"], ["MSFT"]]
    now[0] += 60
    poll.round()
    assert sorted(asked[2]) == ["AAPL", "MSFT"]


def test_prices_are_asked_for_again_as_soon_as_yahoo_may_be(symbol, monkeypatch):
    now, asked, inbox = [1000.0], [], Inbox(stream.told)
    monkeypatch.setattr(polling.time, "monotonic", lambda: now[0])
    inbox.track([symbol("AAPL")])

    def ask(due: list[Symbol]) -> list:
        asked.append(now[0] - 1000.0)
        raise NoSlot("left alone", code="upstream_down", seconds=7.5)

    poll = Poll(ask, inbox)
    for second in range(10):
        now[0] = 1000.0 + second
        poll.round()
    assert asked == [0.0, 8.0]


def test_how_often_a_silent_symbol_of_an_open_market_is_asked_about_is_measured(symbol, quote, monkeypatch, redis):
    now, asked, inbox = [1000.0], [], Inbox(stream.told)
    monkeypatch.setattr(polling.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(latencies, "WRITE_SECONDS", 1000.0)  # it is written here, and not aside
    inbox.track([symbol("AAPL"), symbol("MSFT"), symbol("IBM")])
    states = {"AAPL": "open", "MSFT": "open", "IBM": "closed"}

    def ask(due: list[Symbol]) -> list:
        asked.extend(each.ticker for each in due)
        return [
            quote(each.ticker, 100.0, as_of=AS_OF, session_date=AS_OF.date(), market_state=states[each.ticker])
            for each in due
        ]

    poll = Poll(ask, inbox)
    for second in range(31):
        now[0] = 1000.0 + second
        if second == 5:
            inbox.hear("MSFT", {"price": 101.0, "time": _milliseconds(60), "quote_type": 8, "market_hours": 1})
        poll.round()
    assert [asked.count(ticker) for ticker in states] == [4, 1, 1]
    metrics.PRICE_ASKED_AGAIN.write()
    told = metrics.PRICE_ASKED_AGAIN.last()["yahoo",]
    assert (told.count, told.p99 <= 10) == (3, True)


def test_what_comes_soon_after_something_was_taken_is_taken_together(symbol, quote, monkeypatch):
    together = 0.6  # a busy machine is late by more than what is usual
    monkeypatch.setattr(sources_inbox, "TOGETHER_SECONDS", together)
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL"), symbol("MSFT"), symbol("NVDA")])
    first, second, third = (quote(name, 100.0, as_of=AS_OF, session_date=AS_OF.date()) for name in inbox._symbols)
    inbox.put([first])
    began = time.monotonic()
    assert inbox.take(1) == [first]
    inbox.put([second])
    later = threading.Timer(together / 3, inbox.put, [[third]])
    later.start()
    assert inbox.take(1) == [second, third]
    assert time.monotonic() - began >= together
    assert inbox.take(0) == []


def test_a_round_of_questions_that_breaks_lets_the_next_begin_with_others(symbol):
    inbox, asked = Inbox(stream.quote), []
    inbox.track([symbol(f"S{number:03}") for number in range(polling.A_ROUND + 1)])
    poll = Poll(lambda due: asked.append([each.ticker for each in due]) or 1 / 0, inbox)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            poll.round()
    assert asked[1] == ["S050"]


def test_what_is_due_beyond_a_round_is_asked_for_at_once(symbol, monkeypatch):
    monkeypatch.setattr(polling, "LOOK_SECONDS", 0.01)
    inbox, asked, stop = Inbox(stream.quote), [], threading.Event()
    inbox.track([symbol(f"S{number:03}") for number in range(3 * polling.A_ROUND)])

    def ask(due: list) -> list:
        monkeypatch.setattr(polling, "LOOK_SECONDS", 3600)
        asked.append(len(due))
        return []

    polls = threading.Thread(target=Poll(ask, inbox).run, args=[stop], daemon=True)
    polls.start()
    assert eventually(lambda: len(asked) == 3)
    stop.set()
    polls.join()
    assert asked == [polling.A_ROUND] * 3


def test_where_yahoo_fails_no_round_follows_at_once(symbol):
    inbox = Inbox(stream.quote)
    inbox.track([symbol(f"S{number:03}") for number in range(2 * polling.A_ROUND)])

    def fail(due: list) -> list:
        raise ProviderError("away", code="upstream_down", temporary=True)

    poll = Poll(fail, inbox)
    poll.round()
    assert not poll._is_behind


def test_what_asks_yahoo_goes_on_after_a_turn_that_breaks(monkeypatch):
    monkeypatch.setattr(polling, "LOOK_SECONDS", 0.01)
    stop, turns = threading.Event(), []

    def broken(*_: object) -> None:
        turns.append(1)
        if len(turns) == 3:
            stop.set()
        raise KeyError("a bug")

    made = Poll(print, Inbox(stream.quote))
    monkeypatch.setattr(made, "round", broken)
    made.run(stop)
    assert len(turns) == 3


def test_an_outage_is_waited_out_and_gives_no_price(symbol):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])

    def ask(due: list[Symbol]) -> list:
        raise ProviderError("down")

    poll = Poll(ask, inbox)
    poll.round()
    assert inbox.take(0) == []
    assert not poll._is_due(symbol("AAPL"))


def test_a_taker_that_is_slow_gets_the_newest_of_each(symbol, quote):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL"), symbol("MSFT")])
    inbox.put(quote(ticker, price) for price in range(1, 1000) for ticker in ("AAPL", "MSFT"))
    assert [(taken.ticker, taken.price) for taken in inbox.take(0)] == [("AAPL", 999), ("MSFT", 999)]
    assert inbox.take(0) == []


def test_the_last_price_that_a_new_subscription_repeats_does_not_reopen_a_final_session(symbol, quote):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])
    last = quote("AAPL", 105.0, as_of=AS_OF, session_date=AS_OF.date(), is_final=True, market_state="closed")
    inbox.put([last])
    inbox.take(0)
    inbox.hear("AAPL", {"id": "AAPL", "price": 105.0, "time": _milliseconds(0), "quote_type": 8, "market_hours": 1})
    assert inbox.take(0) == []
    assert inbox.newest("AAPL") == last


def test_two_prices_of_one_second_are_both_heard(symbol):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])
    for price in (105.0, 106.0):
        inbox.hear("AAPL", {"id": "AAPL", "price": price, "time": _milliseconds(0), "quote_type": 8, "market_hours": 1})
        assert [heard.price for heard in inbox.take(0)] == [price]


def test_a_late_poll_completes_a_newer_price_and_does_not_undo_it(symbol, quote):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])
    newer = quote("AAPL", 105.0, open=None, high=105.0, low=105.0, previous_close=None, as_of=AS_OF)
    earlier = AS_OF.replace(hour=19)
    older = replace(newer, price=101.0, open=99.0, high=102.0, low=98.0, previous_close=97.0, as_of=earlier)
    inbox.put([newer, older])
    taken = inbox.take(0)[0]
    assert (taken.price, taken.as_of) == (105.0, AS_OF)
    assert (taken.open, taken.high, taken.low, taken.previous_close) == (99.0, 105.0, 98.0, 97.0)


def test_an_untracked_symbol_is_forgotten(symbol, quote):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])
    inbox.put([quote("AAPL", 1.0)])
    inbox.track([symbol("MSFT")])
    inbox.put([quote("AAPL", 2.0)])
    assert inbox.take(0) == []
    assert inbox.newest("AAPL") is None


@pytest.mark.parametrize("module", ["finstage.urls", "market.sources"])
def test_who_only_serves_does_not_load_yfinance(module):
    loaded = "import django, importlib, sys; django.setup(); importlib.import_module(sys.argv[1]); " + (
        "sys.exit(', '.join({'yfinance', 'pandas', 'curl_cffi'} & sys.modules.keys()) or None)"
    )
    subprocess.run([sys.executable, "-c", loaded, module], cwd=configured.BASE_DIR, env=_environment(), check=True)


def test_one_module_imports_yfinance():
    product = [path for app in ("finstage", "market", "analysis", "realtime", "monitoring") for path in _modules(app)]
    importers = [path.name for path in product if "yfinance" in "".join(_imports(path))]
    assert importers == ["asking.py"]


def _modules(app: str) -> list:
    return sorted((configured.BASE_DIR / app).rglob("*.py"))


def _imports(path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip().startswith(("import ", "from "))]


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "finstage.settings"}


def _store_bar(session: date) -> None:
    price = dict.fromkeys(("open", "high", "low", "close"), 1.0)
    told = {"source": "yahoo", "received_at": AS_OF, "volume": None, "is_final": True}
    assert bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(session), **price, **told)]).inserted == 1


def _milliseconds(seconds_later: int) -> int:
    return int((AS_OF.timestamp() + seconds_later) * 1000)
