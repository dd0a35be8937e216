"""A deploy and its rollback, part by part, under a client that listens, one that asks, and jobs that are asked for."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import apart, services
from tests.chaos.scale import SCALE
from tests.chaos.test_up import told
from tests.listener import Listener
from tests.versions.pair import NEW, OLD, PASSWORD, PATHS, Pair, Visitor, opened

pytestmark = pytest.mark.chaos
PARTS = ("web", "feed", "worker", "beat")
PAUSE_SECONDS = 4  # between two parts: a minute for a deploy and its rollback
ASK_SECONDS = 0 if SCALE >= 1 else 0.1  # between two questions: without, they cost all that the machine has


@pytest.fixture(params=["sqlite", "mariadb"])
def pair(request, tmp_path) -> Iterator[Pair]:
    valkey = services.start_valkey(tmp_path)
    with opened(
        tmp_path / "var",
        DATABASE_URL=database(request.param, tmp_path),
        REDIS_URL=f"unix://{valkey}?db=0",
        BROKER_URL=f"redis+socket://{valkey}?virtual_host=1",
        FINSTAGE_REPLAY_SESSION_SECONDS="2",
    ) as pair:
        yield pair


def database(engine: str, folder: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder}/shared.sqlite3"
    if reason := apart.why_no_jobs():
        pytest.skip(reason)
    return services.make_database(services.start_mariadb(folder), "shared")


class Asker(threading.Thread):
    """Asks for everything again and again, and for a job each time round; a web that is away is asked again."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(daemon=True)
        self.visitor, self.stop = visitor, threading.Event()
        self.answers: Counter[int] = Counter()
        self.wrong: list[tuple[int, str]] = []
        self.tasks: list[str] = []

    def run(self) -> None:
        while not self.stop.is_set():
            for path in PATHS:
                self._ask(path)
                time.sleep(ASK_SECONDS)
            self._submit()

    def _ask(self, path: str) -> None:
        try:
            status, _ = self.visitor.get(path)
        except OSError:
            time.sleep(0.1)
            return
        self.answers[status] += 1
        if status != 200:
            self.wrong.append((status, path))

    def _submit(self) -> None:
        try:
            status, answer = self.visitor.post("/api/tasks/submit", {"task": "market.records"})
        except (OSError, ValueError):
            return
        self.answers[status] += 1
        if status == 202:
            self.tasks.append(answer["task_id"])


def roll(pair: Pair, part: str, before: str, after: str) -> None:
    """Replace one part by that of the other version, on the same port."""
    pair.end(before, part)
    pair.start(after, part)
    if part == "web":
        pair.wait_until_serving(after)
    time.sleep(PAUSE_SECONDS)


def test_a_rolling_deploy_and_its_rollback_lose_no_price_and_no_job(pair):
    pair.prepare(OLD)
    for part in PARTS:
        pair.start(OLD, part)
    pair.ports[NEW] = pair.ports[OLD]
    pair.wait_until_serving(OLD)
    visitor = Visitor(pair.ports[OLD])
    visitor.log_in("admin", PASSWORD)
    listener, asker = Listener(pair.ports[OLD]), Asker(visitor)
    listener.start()
    pair.wait(lambda: listener.heard > 0)
    asker.start()
    pair.prepare(NEW)
    for part in PARTS:
        roll(pair, part, OLD, NEW)
    heard_at_the_turn, gaps_at_the_turn = listener.heard, list(listener.gaps)
    for part in reversed(PARTS):
        roll(pair, part, NEW, OLD)
    pair.wait(lambda: listener.heard > heard_at_the_turn + 3)
    asker.stop.set()
    asker.join(30)
    pair.wait(lambda: all(status(visitor, task) == "completed" for task in asker.tasks))
    listener.stop.set()
    told("prices heard, connections", f"{listener.heard}, {listener.connections}")
    told("answers by status", dict(asker.answers))
    told("answers that were not 200 (expected none)", asker.wrong)
    told("jobs, all completed", len(asker.tasks))
    told("gaps of the deploy, holes (expected none)", f"{gaps_at_the_turn}, {listener.holes}")
    told("gaps of the rollback (that the recording begins anew)", listener.gaps)
    told("failures in any part's log (expected none)", pair.errors())
    assert heard_at_the_turn > 5
    assert asker.tasks
    assert (gaps_at_the_turn, listener.holes, asker.wrong, pair.errors()) == ([], [], [], [])
    assert {gap["reason"] for gap in listener.gaps} <= {"epoch_changed"}  # the old feed knows no row of where it plays


def status(visitor: Visitor, task: str) -> str:
    return visitor.json(f"/api/tasks/task/{task}")["status"]
