"""A whole running Finstage on a folder and port of its own, for tests that break it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psutil
from django.conf import settings

from tests.conftest import free_port

START_SECONDS = 180
SERVICES = {"REDIS_URL", "BROKER_URL", "DATABASE_URL", "SECRET_KEY"}  # with embedded ones the key is made too
PARTS = {"valkey", "web", "feed", "worker", "beat"}


class Up:
    """A running `manage.py up` on a folder of its own, with its embedded Valkey."""

    def __init__(self, var: Path, *, port: int | None = None, **environment: str) -> None:
        self.var, self.port, self.log = var, port or free_port(), var.with_suffix(".log")
        own = {"FINSTAGE_VAR": str(var), "PORT": str(self.port), "FINSTAGE_SOURCE": "replay"}
        without = {name: value for name, value in os.environ.items() if name not in SERVICES}
        self.environment = {**without, "FINSTAGE_ADMIN_PASSWORD": "for-tests-only", **own, **environment}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ready(self) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=10) as answer:
            return json.load(answer)

    def quote(self) -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/symbols/AAPL/quote/", timeout=10) as answer:
            return json.load(answer)

    def backfill(self) -> dict | None:
        """How far the first history is."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/watchlists/default/", timeout=10) as answer:
            return json.load(answer)["backfill"]

    def parts(self) -> dict[str, psutil.Process]:
        """The parts that run, by name."""
        found = {}
        for process in psutil.Process(self.process.pid).children():
            words = process.cmdline()
            found.update({name: process for name in PARTS if name in words or f"{name}-server" in " ".join(words[:1])})
        return found

    def wait(self, condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds(condition):
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.05)

    def serves(self, name: str, since: float) -> bool:
        """Whether a part does its work again after that moment: the web answers, prices move, jobs are looked for."""
        if name == "feed":
            return datetime.fromisoformat(self.quote()["received_at"]).timestamp() > since
        if name == "worker":
            worker = self.ready()["dependencies"]["worker"]
            return worker["ok"] and worker["age_seconds"] < time.time() - since
        return self.ready()["dependencies"]["redis"]["ok"]

    def wait_until_moving(self) -> None:
        self.wait(lambda: self.ready()["dependencies"]["feed"]["ok"] and self.parts().keys() == PARTS)
        self.wait(self.quote)
        first = self.quote()
        self.wait(lambda: self.quote()["received_at"] != first["received_at"])

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (OSError, KeyError, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def left(var: Path) -> list[psutil.Process]:
    """Every process that belongs to a folder, whoever its parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("FINSTAGE_VAR") == str(var):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
