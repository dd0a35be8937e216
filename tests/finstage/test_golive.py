"""Staff go live: the feed changes the source, and takes nothing away before the new one tells a price."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model

from finstage import golive
from market import bars, quotes, sources
from market.models import Bar, DataSource, PlayerWish, Symbol
from market.player import steering
from market.sources.replay.source import Replay
from monitoring.models import AuditEntry
from realtime.models import AlertRule
from tests import forks
from tests.conftest import shared_database
from tests.market.conftest import wire  # noqa: F401 - a fixture
from tests.market.yahoo_charts import made_chart

FIRST, PATIENCE_SECONDS = date(2012, 9, 4), 90
NOTHING = SimpleNamespace(session_date=None, source=None)
pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def playing(settings) -> Replay:
    """A recording, and a rule of somebody."""
    settings.SOURCE, settings.REPLAY_SESSION_SECONDS = "auto", 0
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))
    source = Replay()
    source.prepare()
    owner = get_user_model().objects.create_user("ann")
    AlertRule.objects.create(owner=owner, symbol=Symbol.objects.get(ticker="AAPL"), kind="price_above", level=600)
    return source


def test_the_player_ends_for_another_source_and_tells_nothing_more(playing):
    stop = threading.Event()
    events = playing.batches(stop)
    next(events)
    next(events)
    steering.want("ann", source="yahoo")
    assert (next(events, None), stop.is_set()) == (None, True)
    assert DataSource.objects.get().name == "replay"


def test_with_the_first_price_all_prices_start_afresh_and_people_stay(playing, wire):  # noqa: F811
    wire.charts["AAPL"] = made_chart("AAPL")
    steering.want("ann", source="yahoo")
    golive.when_wished()
    row = DataSource.objects.get()
    assert (row.name, row.session, row.epoch, row.pass_number) == ("yahoo", None, 2, 2)
    assert sources.source().name == "yahoo"
    assert not Bar.objects.exists()
    assert quotes.latest(["AAPL"]) == {"AAPL": None}
    assert (bars.history("AAPL"), AlertRule.objects.filter(owner__username="ann").count()) == ([], 1)
    assert not PlayerWish.objects.exists()
    assert AuditEntry.objects.get(action="source.change").target == "yahoo"


def test_while_it_tells_no_price_nothing_is_taken_away_and_the_recording_goes_on(playing, wire):  # noqa: F811
    before = Bar.objects.count()
    wire.fail("quote", "500", times=20)
    wire.fail("chart", "500", times=20)
    steering.want("ann", source="yahoo")
    golive.when_wished()
    assert (DataSource.objects.get().name, Bar.objects.count()) == ("replay", before)
    assert PlayerWish.objects.get().source == ""
    assert "NoSlot" in AuditEntry.objects.get(action="source.change").outcome["error"]


def test_without_a_wish_nothing_changes(playing):
    golive.when_wished()
    steering.want("ann", paused=True)
    golive.when_wished()
    assert (DataSource.objects.get().name, AuditEntry.objects.count()) == ("replay", 0)


def test_a_feed_that_stood_by_does_not_play_a_recording_that_went(playing):
    DataSource.objects.update(name="yahoo")
    stop = threading.Event()
    assert (list(playing.batches(stop)), stop.is_set()) == ([], True)


@pytest.mark.django_db(transaction=True)
def test_a_running_feed_changes_by_itself_and_tells_the_new_prices(playing, wire, tmp_path):  # noqa: F811
    own = {"FINSTAGE_REPLAY_SESSION_SECONDS": "1", "FINSTAGE_SOURCE": "auto", "FINSTAGE_YAHOO_RATE": "1000"}
    environment = {**os.environ, **shared_database(), **own, **wire.environment}
    wire.charts["AAPL"] = made_chart("AAPL")
    feed = forks.start(["manage.py", "feed"], environment, tmp_path / "log")
    try:
        until(lambda: (quotes.latest(["AAPL"])["AAPL"] or NOTHING).session_date == FIRST)
        assert DataSource.objects.get().name == "replay"
        steering.want("ann", source="yahoo")
        until(lambda: (quotes.latest(["AAPL"])["AAPL"] or NOTHING).source == "yahoo")
        assert (DataSource.objects.get().name, feed.poll()) == ("yahoo", None)
    finally:
        feed.kill()
        feed.wait()


def until(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.1)
