"""What a source is and can do; and that a new one is a folder and a line."""

import ast
import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from analysis import watchlist
from finstage import afresh
from market import bars, history, monitor, sources, symbols, tasks
from market.models import Symbol
from market.sources import ProviderError
from market.sources.contract import Source
from realtime.feed import Feed
from realtime.lease import Lease
from tests import test_layers
from tests.market import files_source

pytestmark = pytest.mark.django_db

ABILITIES = {"history": "history", "quotes": "quotes", "live": "batches"}
NAMES = {"yahoo", "replay"}


@pytest.fixture
def files(settings, monkeypatch) -> None:
    """The registry with the line of a new source, of which this database holds the prices."""
    monkeypatch.setitem(sources.SOURCES, "files_source", files_source.ABOUT)
    settings.SOURCE = "files_source"


@pytest.mark.parametrize("about", [*sources.SOURCES.values(), files_source.ABOUT], ids=lambda each: each.name)
def test_a_source_does_what_it_says_it_can(about):
    found = _class(about)
    for ability, method in ABILITIES.items():
        assert (getattr(found, method) is not getattr(Source, method)) == (ability in about.can), ability


def test_the_settings_name_each_source_as_it_names_itself(settings):
    assert [path.rpartition(".")[2] for path in settings.SOURCES] == list(sources.SOURCES) == ["yahoo", "replay"]


@pytest.mark.db
def test_the_history_of_a_new_source_is_loaded(files):
    call_command("prepare")
    source = sources.source()
    history.fill(symbols.resolve("SAP.DE"), source.history, source.name)
    assert [bar.close for bar in bars.history("SAP.DE")] == [189.5, 188.04]
    assert {bar.source for bar in bars.history("SAP.DE")} == {"files_source"}


@pytest.mark.db
def test_a_new_source_that_cannot_be_asked_is_left_alone_and_says_so(files):
    call_command("prepare")
    found = monitor.look()
    assert (found["silent"], found["task_ids"]) == (["SAP.DE"], [])
    with pytest.raises(ProviderError, match="Files can't be asked for a price") as refused:
        monitor.ask(["SAP.DE"])
    assert not refused.value.temporary


@pytest.mark.db
def test_exchanges_of_a_new_source_keep_to_their_calendars(files):
    call_command("prepare")
    state = sources.source().clock("XETR", ["SAP.DE"]).state
    assert tasks.exchanges.is_open("XETR") == (state == "open")
    assert watchlist.listed(None)["source"] == {"name": "files_source", "is_recorded": False, "epoch": 1}


@pytest.mark.db
def test_a_feed_of_a_new_source_that_is_not_live_waits_until_it_is_stopped(files):
    stop, lease = threading.Event(), Lease("feed", 3.0)
    lease.take()
    threading.Timer(0.1, stop.set).start()
    assert [*sources.source().batches(stop)] == []
    feed = Feed(sources.source(), stop, lease)
    feed.take(sources.Tick([]))


@pytest.mark.db
def test_a_database_is_switched_to_a_new_source_and_back(files, settings):
    settings.SOURCE = "auto"
    sources.choose("replay")
    symbols.ensure(sources.about("replay").seeds)
    afresh.begin("files_source")
    assert [symbol.ticker for symbol in symbols.tracked()] == ["SAP.DE"]
    afresh.begin("replay")
    assert not Symbol.objects.get(ticker="SAP.DE").is_active


@pytest.mark.db
def test_a_source_that_this_version_does_not_know_is_named(db):
    with pytest.raises(sources.WrongSource, match="no source 'bloomberg'; there are yahoo, replay"):
        sources.about("bloomberg")


@pytest.mark.parametrize("layer", test_layers.LAYERS)
def test_nobody_asks_a_source_for_its_name(layer):
    """It is asked what it is: recorded, with hours, steered."""
    found = [
        f"{path.relative_to(test_layers.ROOT)}:{node.lineno}"
        for path in test_layers._files(layer)
        if not path.is_relative_to(test_layers.ROOT / "market/sources")
        for node in _but_paths(test_layers._tree(path))
        if _asks_for_a_name(node)
    ]
    assert not found


def _asks_for_a_name(node: ast.AST) -> bool:
    """Whether it compares with one, or keeps or hands one on as what it is compared with."""
    if isinstance(node, ast.Compare):
        asked = [part for each in (node.left, *node.comparators) for part in ast.walk(each)]
    else:
        asked = [node.value] if isinstance(node, ast.MatchValue | ast.Assign | ast.keyword) else []
    return any(isinstance(part, ast.Constant) and part.value in NAMES for part in asked)


def _but_paths(tree: ast.AST) -> Iterator[ast.AST]:
    """All that a module says, but its addresses: the page `/replay/` is of no source."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "path"):
            yield node
            yield from _but_paths(node)


def _class(about: sources.About) -> type:
    module, _, name = about.loaded_from.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)
