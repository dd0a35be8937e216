"""Another source of prices: who uses Finstage and what they asked for stays, every price goes."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from market import bars, coverage, history, quotes, sources, symbols, watchlists
from market.bars import forming
from market.coverage import loading
from market.models import Bar, DataSource, Symbol
from market.prices import Named
from monitoring import heartbeats, redis
from realtime.models import AlertRule

pytestmark = pytest.mark.db


@pytest.fixture
def replayed(apple, quote):
    """A database and a Redis that hold a recorded price."""
    sources.choose("replay")
    bars.upsert([forming.daily_bar(quote("AAPL", 500.0, is_final=True))])
    quotes.keep([quote("AAPL", 500.0)])
    return apple


def test_every_price_of_the_old_source_goes(replayed):
    call_command("switch_source", "yahoo")
    assert not Bar.objects.exists()
    assert quotes.latest(["AAPL"]) == {"AAPL": None}
    assert DataSource.objects.get().name == "yahoo"


def test_no_version_of_before_is_given_again_there_and_back(replayed, quote):
    before = coverage.latest(["AAPL"])["AAPL"]
    history.fill(replayed, lambda *asked: ([], Named()), "replay")
    for source in ("yahoo", "replay"):
        call_command("switch_source", source)
        assert (coverage.latest(["AAPL"]), loading.missing(["AAPL"])) == ({"AAPL": coverage.NONE}, {"AAPL"})
    bars.upsert([forming.daily_bar(quote("AAPL", 500.0, is_final=True))])
    assert coverage.latest(["AAPL"])["AAPL"] not in (before, coverage.NONE)


def test_an_epoch_begins_so_that_no_client_goes_on_from_an_old_price(replayed):
    before = DataSource.objects.get().epoch
    call_command("switch_source", "yahoo")
    assert DataSource.objects.get().epoch == before + 1


def test_people_and_their_rules_stay(replayed):
    owner = get_user_model().objects.create_user("ann")
    AlertRule.objects.create(owner=owner, symbol=replayed, kind="price_above", level=600)
    call_command("switch_source", "yahoo")
    assert AlertRule.objects.get().owner == owner
    assert Symbol.objects.get(ticker="AAPL").is_active


def test_what_is_on_a_list_of_somebody_is_followed_on(replayed):
    seeded = {symbol.ticker: symbol for symbol in symbols.ensure(sources.about("replay").seeds)}
    watchlists.make(get_user_model().objects.create_user("ann").pk, "mine", [seeded["IBM"]])
    call_command("switch_source", "yahoo")
    assert Symbol.objects.get(ticker="IBM").is_active
    assert not Symbol.objects.get(ticker="GOOG").is_active


def test_the_new_source_s_first_symbols_are_followed(replayed):
    call_command("switch_source", "yahoo")
    assert "005930.KS" in {symbol.ticker for symbol in Symbol.objects.tracked()}


def test_the_same_source_again_changes_nothing(replayed):
    call_command("switch_source", "replay")
    assert Bar.objects.count() == 1


def test_it_refuses_while_a_feed_runs(replayed):
    heartbeats.beat("feed")
    with pytest.raises(CommandError, match="feed runs"):
        call_command("switch_source", "yahoo")
    assert Bar.objects.count() == 1


def test_the_other_source_is_refused_with_the_command_that_switches(replayed):
    with pytest.raises(sources.WrongSource, match="switch_source yahoo"):
        sources.choose("yahoo")


def test_rings_on_their_way_to_a_worker_stay(replayed):
    redis.client().set(redis.key("celery", "ring"), datetime.now(UTC).isoformat())
    call_command("switch_source", "yahoo")
    assert redis.client().exists(redis.key("celery", "ring"))


def test_a_seed_that_was_renamed_meanwhile_is_followed_and_left_under_its_new_ticker(replayed):
    symbols.ensure(sources.about("replay").seeds)
    call_command("switch_source", "yahoo")
    symbols.rename("GOOG", "GOGO")
    call_command("switch_source", "replay")
    assert Symbol.objects.get(ticker="GOGO").is_active
    assert not Symbol.objects.filter(ticker="GOOG").exists()
    symbols.rename("IBM", "BIG")
    call_command("switch_source", "yahoo")
    assert not Symbol.objects.filter(ticker__in=["GOGO", "BIG"], is_active=True).exists()
