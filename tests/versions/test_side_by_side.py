"""The version before and this one at once, on one database and one Redis: a rolling deploy, and its rollback."""

import os

import pytest

from tests.listener import Listener
from tests.versions.pair import NEW, OLD, PASSWORD, PATHS, Pair, Visitor, opened


@pytest.fixture
def pair(tmp_path):
    with opened(
        tmp_path / "var",
        DATABASE_URL=f"sqlite:///{tmp_path}/shared.sqlite3",
        REDIS_URL=os.environ["REDIS_URL"],
        FINSTAGE_REPLAY_SESSION_SECONDS="2",
    ) as pair:
        yield pair


def visit(visitor: Visitor, pair: Pair) -> None:
    """Every page and path of both versions is answered, and on both the price moves."""
    for version in (OLD, NEW):
        here = visitor.at(pair.ports[version])
        answers = {path: here.get(path)[0] for path in PATHS}
        assert set(answers.values()) == {200}, (version, answers, pair.errors())
    first = {version: price(visitor, pair, version) for version in (OLD, NEW)}
    for version in (OLD, NEW):
        pair.wait(lambda version=version: price(visitor, pair, version) != first[version], 20)


def price(visitor: Visitor, pair: Pair, version: str) -> str:
    return visitor.at(pair.ports[version]).json("/api/v2/symbols/AAPL/quote/")["received_at"]


def submitted(visitor: Visitor) -> str:
    status, answer = visitor.post("/api/tasks/submit", {"task": "market.records"})
    assert status == 202, answer
    return answer["task_id"]


def is_completed(visitor: Visitor, task: str) -> bool:
    return visitor.json(f"/api/tasks/task/{task}")["status"] == "completed"


def test_both_versions_serve_moving_prices_whichever_feeds_and_works(pair):
    pair.prepare(OLD)
    for part in ("web", "feed", "worker"):
        pair.start(OLD, part)
    pair.prepare(NEW)  # the migrations run beside the code before them
    pair.start(NEW, "web")
    for version in (OLD, NEW):
        pair.wait_until_serving(version)
    visitor = Visitor(pair.ports[OLD])
    visitor.log_in("admin", PASSWORD)
    listeners = [Listener(pair.ports[version]) for version in (OLD, NEW)]
    for listener in listeners:
        listener.start()
    visit(visitor, pair)
    new_visitor = visitor.at(pair.ports[NEW])
    task = submitted(new_visitor)  # the worker is the old one
    pair.wait(lambda: is_completed(visitor, task))

    pair.start(NEW, "feed")
    pair.start(NEW, "worker")
    pair.end(OLD, "worker")
    pair.end(OLD, "feed")
    visit(visitor, pair)
    task = submitted(visitor)  # the worker is the new one
    pair.wait(lambda: is_completed(new_visitor, task))

    assert [listener.gaps for listener in listeners] == [[], []]
    pair.start(OLD, "feed")  # and back: it knows no row of where the recording plays, begins anew, and says so
    pair.end(NEW, "feed")
    visit(visitor, pair)
    for listener in listeners:
        listener.stop.set()
        listener.join(5)
        assert (listener.holes, listener.connections) == ([], 1)
        assert {gap["reason"] for gap in listener.gaps} <= {"epoch_changed"}
        assert listener.heard > 3
    assert pair.errors() == []
