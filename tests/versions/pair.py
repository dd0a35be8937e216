"""Parts of two versions on one database and one Redis, and a visitor who asks both."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from tests.conftest import free_port
from tests.versions import before

OLD, NEW = "old", "new"
PASSWORD = "for-tests-only"
READY_SECONDS = 120
CELERY = [sys.executable, "-m", "celery", "-A", "finstage", "--quiet"]
WORKER = [*CELERY, "worker", "-P", "threads", "--concurrency", "2", "--without-mingle", "--without-gossip"]
PATHS = [
    "/", "/symbols/AAPL/", "/health/ready", "/api/v2/symbols/", "/api/v2/symbols/AAPL/", "/api/v2/symbols/AAPL/quote/",
    "/api/v2/symbols/AAPL/bars/?limit=50", "/api/v2/symbols/AAPL/records/", "/api/v2/watchlists/default/",
    "/api/v2/technical-analysis/indicators/AAPL", "/api/tasks/status", "/api/tasks/workers", "/api/tasks/tasks",
]  # fmt: skip


AROUND = 40  # lines of a log that tell of a failure


class Pair:
    """Web, feed, worker and beat of either version, by (version, name)."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        own = {"FINSTAGE_VAR": str(var), "SECRET_KEY": "shared-by-both", "FINSTAGE_SOURCE": "replay"}
        self._environment = {**os.environ, "FINSTAGE_ADMIN_PASSWORD": PASSWORD, **own, **environment}
        self._folders = {OLD: before.folder(), NEW: before.ROOT}
        self.running: dict[tuple[str, str], subprocess.Popen] = {}
        self.ports: dict[str, int] = {}

    def prepare(self, version: str) -> None:
        self.start(version, "prepare").wait(READY_SECONDS)
        assert self.running.pop((version, "prepare")).returncode == 0, self.log(version, "prepare")

    def start(self, version: str, name: str) -> subprocess.Popen:
        with self._log(version, name).open("ab") as log:
            self.running[version, name] = subprocess.Popen(
                self._command(version, name),
                cwd=self._folders[version],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        return self.running[version, name]

    def end(self, version: str, name: str) -> None:
        """As a deploy ends a part: it is told to stop."""
        process = self.running.pop((version, name))
        process.terminate()
        assert process.wait(30) is not None

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()

    def log(self, version: str, name: str) -> str:
        return self._log(version, name).read_text(errors="replace")[-4000:]

    def wait(self, condition: Callable[[], object], seconds: float = READY_SECONDS) -> None:
        until = time.monotonic() + seconds
        while not _holds(condition):
            for (version, name), process in self.running.items():
                assert process.poll() is None, f"{version} {name} ended:\n{self.log(version, name)}"
            assert time.monotonic() < until, {place: self.log(*place) for place in self.running}
            time.sleep(0.1)

    def wait_until_serving(self, version: str) -> None:
        self.wait(lambda: Visitor(self.ports[version]).get("/health/ready")[0] == 200)

    def errors(self) -> list[str]:
        """What any part says of a failure of its own."""
        signs = ("Traceback", "Internal Server Error", "failed as request")
        told = []
        for path in sorted(self.var.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            found = [place for place, line in enumerate(lines) if any(sign in line for sign in signs)]
            if path.name.startswith(f"{OLD}-"):
                # It refuses a schedule that only this version knows, if its minute comes meanwhile.
                found = [place for place in found if "cannot be submitted" not in lines[max(place - 1, 0)]]
            told += ["\n".join(lines[max(place - 1, 0) : place + AROUND]) for place in found]
        return told

    def _command(self, version: str, name: str) -> list[str]:
        if name == "worker":
            return [*WORKER, "-n", f"{version}@%h"]
        if name == "beat":
            return [*CELERY, "beat"]
        manage = [sys.executable, "manage.py", name]
        if name != "web":
            return manage
        self.ports.setdefault(version, free_port())
        return [*manage, "--host", "127.0.0.1", "--port", str(self.ports[version])]

    def _log(self, version: str, name: str) -> Path:
        return self.var / f"{version}-{name}.log"


@contextmanager
def opened(var: Path, **environment: str) -> Iterator[Pair]:
    var.mkdir(parents=True, exist_ok=True)
    pair = Pair(var, **environment)
    try:
        yield pair
    finally:
        pair.kill()


class Visitor:
    """A browser without a screen: it keeps its cookies, and takes them to the other version."""

    def __init__(self, port: int, cookies: CookieJar | None = None) -> None:
        self.port, self.cookies = port, CookieJar() if cookies is None else cookies
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def at(self, port: int) -> "Visitor":
        return Visitor(port, self.cookies)

    def log_in(self, name: str, password: str) -> None:
        self.get("/login/")
        form = f"username={name}&password={password}&csrfmiddlewaretoken={self._token()}"
        assert self._ask("/login/", form.encode())[0] == 200

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask(path, None)

    def json(self, path: str) -> dict:
        return json.loads(self.get(path)[1])

    def post(self, path: str, body: dict) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json", "X-CSRFToken": self._token()}
        status, text = self._ask(path, json.dumps(body).encode(), **headers)
        return status, json.loads(text)

    def _token(self) -> str:
        return next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")

    def _ask(self, path: str, body: bytes | None, **headers: str) -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers)
        try:
            with self._opener.open(request, timeout=15) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read()


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (OSError, KeyError, ValueError):
        return False
