"""Yahoo's wire for the tests of the market."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from yfinance.data import SingletonMeta

from market.models import DataSource, Symbol
from market.sources.yahoo import asking, http
from tests.market.yahoo_charts import symbol_of
from tests.market.yahoo_wire import Wire


@pytest.fixture
def wire(settings, monkeypatch) -> Iterator[Wire]:
    """A Yahoo of our own, which the product of this process talks to, unhurried by our pace."""
    with Wire() as made:
        for name, value in made.settings.items():
            setattr(settings, name, value)
        settings.YAHOO_RATE = 1000
        monkeypatch.setattr(http, "FIRST_RETRY_SECONDS", 0.02)
        _begin_anew()
        yield made
        _nobody_asks()
    _begin_anew()


@pytest.fixture
def hold(db, settings) -> Callable[[str], None]:
    """hold("yahoo"): this database holds the prices of that source."""

    def chosen(source: str) -> None:
        settings.SOURCE = source
        DataSource.objects.create(pk=1, name=source, reason="a test", chosen_at=datetime.now(UTC))

    return chosen


@pytest.fixture
def symbol() -> Callable[..., Symbol]:
    """symbol("WSU.DE", price_decimals=3): one that is in no database."""
    return symbol_of


def _nobody_asks() -> None:
    """Who is no longer listened to asks to the end, and would take the next test's answers."""
    for each in threading.enumerate():
        if each.name == "asking":
            each.join(20)
            assert not each.is_alive(), "one still asks"


def _begin_anew() -> None:
    asking.session.cache_clear()
    SingletonMeta._instances.clear()
