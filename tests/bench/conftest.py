"""The databases that a measurement of bars runs on, both in one run; and what the stream's measurements share."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.utils import load_backend

from finstage.settings import database
from market.models import Symbol
from tests import apart, services
from tests.bench.evidence import Evidence
from tests.bench.served import CLIENT
from tests.bench.stream import ground, updates
from tests.bench.stream.ground import Ground, NoCompiler
from tests.bench.stream.updates import SYMBOLS

LOOK_SECONDS, QUIET_SECONDS, LONGEST_SECONDS = 0.2, 0.01, 10


@dataclass(frozen=True)
class Engine:
    """Our own tables in an empty database, which this process uses for a while. server: MariaDB's process."""

    name: str
    url: str
    server: int | None

    def cpu(self) -> np.ndarray:
        """Seconds that this process has computed so far, and the database's; what else runs here does not count."""
        return np.array([time.process_time(), self._servers()])

    def settle(self) -> None:
        """Wait until the database has done, or for some seconds, what it puts off: it belongs to what was asked."""
        until, before = time.monotonic() + LONGEST_SECONDS, -1.0
        while self._servers() - before > QUIET_SECONDS and time.monotonic() < until:
            before = self._servers()
            time.sleep(LOOK_SECONDS)

    def _servers(self) -> float:
        return time.clock_gettime(~self.server << 3 | 2) if self.server else 0.0  # Linux's clock of another process


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory) -> Path:
    """The socket of a server that has room for all that is measured."""
    if reason := apart.why_no_jobs():
        pytest.skip(reason)
    return services.start_mariadb(tmp_path_factory.mktemp("mariadb"), memory="1G", log="1G")


@pytest.fixture(params=["sqlite", "mariadb"])
def engine(request, tmp_path, django_db_blocker) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/bench.sqlite3"
    else:
        url = services.make_database(request.getfixturevalue("mariadb"), request.node.originalname)
    parsed = {**settings.DATABASES["default"], **database(url), "TEST": {}}
    with django_db_blocker.unblock():
        before = connections["default"]
        connections["default"] = load_backend(parsed["ENGINE"]).DatabaseWrapper(parsed, "default")
        try:
            call_command("migrate", verbosity=0)
            yield Engine(request.param, url, _server())
        finally:
            connection.close()
            connections["default"] = before


@pytest.fixture
def asking() -> Iterator[None]:
    """This process has the core of who asks meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture(scope="session")
def stream_evidence() -> Iterator[Evidence]:
    made = Evidence("stream")
    yield made
    made.tell()


@pytest.fixture(scope="module")
def stream_ground(django_db_setup, django_db_blocker, tmp_path_factory, request, stream_evidence) -> Iterator[Ground]:
    """With tracked symbols; without a compiler it is told that nothing was measured."""
    with django_db_blocker.unblock():
        track(SYMBOLS)
        try:
            with ground.opened(tmp_path_factory.mktemp("stream")) as on:
                yield on
        except NoCompiler as missing:
            stream_evidence.leave_out(request.module.__name__, str(missing))
            pytest.skip(f"not measured: {missing}")


@pytest.fixture
def stream_symbols(transactional_db) -> None:
    """Again for a test that comes after another one, which has left an empty database."""
    track(SYMBOLS)


def track(count: int) -> None:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    for number in range(count):
        Symbol.objects.get_or_create(ticker=updates.ticker(number), defaults={"name": f"{number}", **facts})


def _server() -> int | None:
    if connection.vendor == "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@datadir, @@pid_file")
        return int(Path(*cursor.fetchone()).read_text())
