"""What any test may ask for: a clean Valkey, a symbol, a quote, and the real web server."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

from market.models import Symbol
from market.prices import SECOND, Quote
from monitoring import redis as redis_connection
from tests import forks, spoken, tables
from tests.forks import Forked

LIVE_SECONDS = 120


def pytest_sessionstart() -> None:
    spoken.listen()


def pytest_runtest_setup(item: pytest.Item) -> None:
    spoken.turn(item.path.parts, has_made_up=item.get_closest_marker("made_up") is not None)


def pytest_configure() -> None:
    TransactionTestCase._fixture_teardown = tables.empty_what_is_filled


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SQLite has no locks of rows: what is about them runs on MariaDB alone."""
    if os.environ.get("FINSTAGE_TEST_DATABASE") == "mariadb":
        return
    if apart := [item for item in items if item.get_closest_marker("rows")]:
        config.hook.pytest_deselected(items=apart)
        items[:] = [item for item in items if not item.get_closest_marker("rows")]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file and not memory, so that other processes see the same rows."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(settings.VAR / "tests.sqlite3")


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    redis_connection.client().flushall()


@pytest.fixture
def redis():
    """The process's own client, as the code under test uses it."""
    return redis_connection.client()


@pytest.fixture
def apple(db) -> Symbol:
    return Symbol.objects.get_or_create(
        ticker="AAPL",
        defaults={
            "name": "Apple Inc.",
            "exchange": "XNAS",
            "currency": "USD",
            "time_zone": "America/New_York",
        },
    )[0]


@pytest.fixture
def quote() -> Callable[..., Quote]:
    """quote("AAPL", 101.5, session_date=…): a replayed quote, each later than the one made before it."""
    made = 0

    def make(ticker: str | Symbol, price: float, **fields) -> Quote:
        nonlocal made
        made += 1
        at = datetime(2012, 9, 4, 14, 0, 0, made, tzinfo=UTC)
        values = {
            "previous_close": price,
            "open": price,
            "high": price,
            "low": price,
            "volume": None,
            "session_date": date(2012, 9, 4),
            "as_of": at,
            "as_of_precision": SECOND,
            "received_at": at,
            "source": "replay",
            "market_state": "open",
        }
        return Quote(**{"ticker": str(ticker), "price": price, **values, **fields})

    return make


@dataclass(frozen=True)
class LiveWeb:
    """A running `manage.py web` on the tests' own database and Valkey."""

    port: int
    process: Forked
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def live_web(django_db_setup, tmp_path_factory) -> Iterator[LiveWeb]:
    """One server for a module. Rows that it shall see need `django_db(transaction=True)`."""
    with serving(tmp_path_factory.mktemp("web") / "log", "manage.py", "web") as web:
        yield web


@contextmanager
def serving(log: Path, *command: str) -> Iterator[LiveWeb]:
    """What serves the product on the tests' database and Valkey."""
    port = free_port()
    process = forks.start(
        [*command, "--host", "127.0.0.1", "--port", str(port)], {**os.environ, **shared_database()}, log
    )
    try:
        _wait_until_alive(LiveWeb(port, process, log), log)
        yield LiveWeb(port, process, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def shared_database() -> dict[str, str]:
    """The environment that leads another process to the tests' database."""
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{settings.VAR / 'tests.sqlite3'}"}
    given = urlsplit(os.environ["DATABASE_URL"])
    return {"DATABASE_URL": given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()}


def _wait_until_alive(web: LiveWeb, log) -> None:
    deadline = time.monotonic() + LIVE_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{web.url}/health/live", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError as error:
            if web.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the web server did not start: {log.read_text()[-3000:]}") from error
        time.sleep(0.05)
