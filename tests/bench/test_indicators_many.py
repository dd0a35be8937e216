"""The default indicators of fifty symbols by one request, against fifty requests of one symbol each, over HTTP.

Counted are the processor seconds of the server. Computed: nothing but the bars is kept between two requests; cached:
answers are, as they go without saying.
"""

import http.client
import json
import os
from collections.abc import Callable
from contextlib import closing
from functools import partial

import pytest

from tests.bench import series
from tests.bench.evidence import Evidence, Line, alternated
from tests.server import Running, running

pytestmark = [pytest.mark.bench]
SYMBOLS, PERIOD = 50, "1mo"
ROUNDS = max(2, round(10 * float(os.environ.get("BENCH_SCALE", "1"))))
PATH = "/api/v2/technical-analysis"
JSON = {"Content-Type": "application/json"}
# By the name of a line: the settings of the server, and gate and goal of the ratio.
WAYS = {
    "computed": ({"FINSTAGE_CACHES_BYTES": "0", "FINSTAGE_CACHES_SHARED_BYTES": "0"}, 0.6, 0.4),
    "cached": ({}, 0.3, 0.15),
}


def test_fifty_symbols_at_once(engine):
    evidence, held = Evidence(f"indicators_many-{engine.name}"), series.made(SYMBOLS)
    held.write()
    for what, (more, gate, goal) in WAYS.items():
        with running("manage.py", "web", DATABASE_URL=engine.url, **more) as web:
            together, alone = partial(_together, web, held.tickers), partial(_alone, web, held.tickers)
            assert together() == alone()
            ours, rivals = alternated(ROUNDS, _cpu(web, together), _cpu(web, alone))
        name = f"{engine.name}: {SYMBOLS} symbols by one request, {what}, against as many"
        evidence.add(Line(name, ours, rivals, "s of CPU", gate, goal, is_smaller_better=True))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _cpu(web: Running, ask: Callable[[], object]) -> Callable[[], float]:
    def measured() -> float:
        began = web.cpu()
        ask()
        return web.cpu() - began

    return measured


def _together(web: Running, tickers: list[str]) -> list[dict]:
    body = json.dumps({"symbols": tickers, "period": PERIOD})
    with closing(_client(web)) as client:
        return list(_asked(client, "POST", f"{PATH}/batch/indicators", body)["results"].values())


def _alone(web: Running, tickers: list[str]) -> list[dict]:
    """On one connection that stays."""
    with closing(_client(web)) as client:
        asked = f"period={PERIOD}&indicators=all"
        return [_asked(client, "GET", f"{PATH}/indicators/{ticker}?{asked}") for ticker in tickers]


def _client(web: Running) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)


def _asked(client: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> dict:
    client.request(method, path, body, JSON if body else {})
    answer = client.getresponse()
    assert answer.status == 200
    return json.loads(answer.read())
