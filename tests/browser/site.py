"""A whole Finstage of its own for a browser: Valkey, database, web and feed, with sessions of a few seconds."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import forks, services
from tests.forks import Forked

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
COMMAND_SECONDS = 120
PASSWORD = "for-the-browser-tests"
# One process for both. Beat and a worker would do the second a minute later.
PREPARE = "from django.core.management import call_command; call_command('prepare')"
RECORDS = (
    "from market import records, symbols; records.refresh([symbol.ticker for symbol in symbols.tracked()]);"
    "from analysis.seen import rows; rows.store('AAPL')"
)
WORKER = [
    "-m",
    "celery",
    "-A",
    "finstage",
    "worker",
    "-P",
    "threads",
    "-c",
    "4",
    "--without-mingle",
    "--without-gossip",
]
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the first is the quickest
QUIET = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run",
]  # fmt: skip


@dataclass
class Site:
    """The running processes, by name; each can be ended and started again."""

    folder: Path
    port: int
    environment: dict[str, str]
    elsewhere: int  # a port whose pages may use the streams too
    processes: dict[str, Forked] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        address = ["--host", "127.0.0.1", "--port", str(self.port)] if name == "web" else []
        command = [*(WORKER if name == "worker" else ["manage.py", name]), *address]
        self.processes[name] = forks.start(command, self.environment, self.folder / f"{name}.log")

    def manage(self, *command: str) -> str:
        """What one of Django's commands says, at its end."""
        said, wrong = (Path(tempfile.mkstemp(dir=self.folder)[1]) for _ in range(2))
        code = forks.start(["manage.py", *command], self.environment, said, wrong).wait(COMMAND_SECONDS)
        assert code == 0, f"manage.py {command[0]} ended with {code}:\n{wrong.read_text()[-3000:]}"
        return said.read_text()

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def wait(self) -> None:
        """Until the web answers and the feed has told a price."""
        until = time.monotonic() + START_SECONDS
        while not (self._answers() and self._has_prices()):
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{(self.folder / f'{name}.log').read_text()[-3000:]}"
            assert time.monotonic() < until, (self.folder / "feed.log").read_text()[-3000:]
            time.sleep(0.2)

    def _answers(self) -> bool:
        with suppress(OSError):
            urllib.request.urlopen(f"{self.url}/", timeout=5).close()
            return True
        return False

    def _has_prices(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/api/v2/symbols/MSFT/quote/", timeout=5).close()
        except urllib.error.HTTPError:
            return False
        return True

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running(folder: Path, *, session_seconds: float = 4, **environment: str) -> Iterator[Site]:
    valkey, elsewhere = services.start_valkey(folder), _free_port()
    environment = {
        **os.environ,
        "FINSTAGE_VAR": str(folder / "var"),
        "FINSTAGE_SOURCE": "replay",
        "FINSTAGE_REPLAY_SESSION_SECONDS": str(session_seconds),
        "FINSTAGE_ADMIN_PASSWORD": PASSWORD,
        "FINSTAGE_JOBS_DRAIN_SECONDS": "1",
        "FINSTAGE_REGISTRATION": "invitation",
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "SECRET_KEY": services.SECRET_KEY,
        "DATABASE_URL": f"sqlite:///{folder}/browser.sqlite3",
        "REDIS_URL": f"unix://{valkey}?db=0",
        "BROKER_URL": f"redis+socket://{valkey}?virtual_host=1",
        "CSRF_TRUSTED_ORIGINS": f"http://localhost:{elsewhere}",
        **environment,
    }
    site = Site(folder, _free_port(), environment, elsewhere)
    is_held = environment["FINSTAGE_SOURCE"] == "replay"  # of another source nothing is held yet
    site.manage("shell", "-v", "0", "-c", f"{PREPARE}; {RECORDS}" if is_held else PREPARE)
    try:
        site.start("web")
        site.start("feed")
        site.wait()
        yield site
    finally:
        site.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium, told to talk to nobody by itself."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "There is no Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
