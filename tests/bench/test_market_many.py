"""250 bars of 50 symbols in one answer, against the same of each symbol alone: the server's processor seconds.

One of the servers keeps no pages, so that each answer of it comes out of the database.
"""

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from tests.bench import series
from tests.bench.evidence import Evidence, Line
from tests.bench.stream import ground
from tests.server import Running, running

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, LIMIT, ROUNDS = 50, 250, max(2, round(8 * SCALE))
KEEPS = {"from the database": {"FINSTAGE_ANSWERS_BYTES": "0"}, "kept": {}}


@pytest.fixture
def asking() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {ground.CLIENT})
    yield
    os.sched_setaffinity(0, before)


def test_bars_of_many_symbols(engine, asking):
    found = series.made(SYMBOLS)
    found.write()
    together = [f"/api/v2/bars/?symbols={','.join(found.tickers)}&limit={LIMIT}"]
    alone = [f"/api/v2/symbols/{ticker}/bars/?limit={LIMIT}" for ticker in found.tickers]
    evidence = Evidence(f"market-many-{engine.name}")
    with ExitStack() as servers:
        for what, own in KEEPS.items():
            web = servers.enter_context(running("manage.py", "web", DATABASE_URL=engine.url, **own))
            for task in Path(f"/proc/{web.process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {ground.SERVERS})
            _require_the_same(web, together[0], alone)
            one, many = _asked(web, together), _asked(web, alone)
            one(), many()
            mine, theirs = zip(*([(one(), many()) for _ in range(ROUNDS)]), strict=True)
            name = f"{engine.name}: {SYMBOLS} × {LIMIT} bars in one answer, against {SYMBOLS} answers, {what}"
            evidence.add(Line(name, list(mine), list(theirs), "CPU ms", 0.5, 0.3, is_smaller_better=True))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _require_the_same(web: Running, together: str, alone: list[str]) -> None:
    many = [each["bars"] for each in orjson.loads(web.get(together)[2])["results"]]
    assert many == [orjson.loads(web.get(path)[2])["results"] for path in alone]


def _asked(server: Running, paths: list[str]) -> Callable[[], float]:
    """Milliseconds of the server's processor until all are answered, on one connection that stays."""

    def measured() -> float:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        began = server.cpu()
        for path in paths:
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            assert answer.status == 200
        client.close()
        return 1000 * (server.cpu() - began)

    return measured
