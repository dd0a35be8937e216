"""Yahoo's wire in a process of its own, as slow as Yahoo is: `python -m tests.bench.market.yahoo`.

It says its environment, a line of JSON, and answers each line that it is told with another one. What it takes longer
than it means to is told too: who measures must see that it waits for the product, and not the product for it.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from market import intervals
from tests import ready  # noqa: F401 - Django is set up first
from tests.bench.market import charts
from tests.bench.stream import ground
from tests.market.yahoo_wire import CRUMB, Wire, frame

ANSWER_SECONDS = 0.05, 0.2  # how long Yahoo takes, between these by chance
BASE = 100.0
TOGETHER_SECONDS, A_WEEK = 0.02, 7 * 86_400
_CHANCE = random.Random(1)


class Slow(Wire):
    """Each chart and list comes so late as Yahoo's do. A price moves with each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []  # of each chart and list, by the clock that all processes share
        self.late: list[float] = []  # seconds
        self.asked: dict[str, float] = {}  # when a symbol's price was asked for last

    async def _chart(self, request: web.Request) -> web.StreamResponse:
        now = int(time.time())
        first, last = (int(request.query.get(name, at)) for name, at in (("period1", now - A_WEEK), ("period2", now)))
        ticker, interval = request.match_info["ticker"], request.query["interval"]
        is_whole = intervals.named(interval).is_whole
        body = charts.chart(ticker, first, last) if is_whole else charts.within(ticker, interval, first, last)
        return await self._after_a_while(request, body)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("crumb") != CRUMB or "A3" not in request.cookies:
            return await super()._quote(request)
        tickers = request.query["symbols"].split(",")
        self.asked |= dict.fromkeys(tickers, time.monotonic())
        told = [_listed(ticker) for ticker in tickers]
        return await self._after_a_while(request, orjson.dumps({"quoteResponse": {"result": told, "error": None}}))

    async def _after_a_while(self, request: web.Request, body: bytes) -> web.StreamResponse:
        self.began.append(time.monotonic())
        due = self.began[-1] + _CHANCE.uniform(*ANSWER_SECONDS)
        await asyncio.sleep(due - time.monotonic())
        response = web.Response(body=body, content_type="application/json")
        await response.prepare(request)
        await response.write_eof()
        self.late.append(time.monotonic() - due)
        return response

    def count(self) -> dict:
        """What was asked since the last count."""
        began, late, self.began, self.late = self.began, self.late, [], []
        return {"began": began, "late": late, "asked": self.asked, "cpu": time.process_time()}

    def listeners(self) -> dict:
        """How many sockets have asked for prices."""
        return {"listeners": sum(map(bool, list(self.sockets.values())))}

    def play(self, tickers: Sequence[str], seconds: float) -> dict:
        """Each of some symbols ticks once a second, evenly."""
        start, told, of_all = time.monotonic(), 0, round(seconds * len(tickers))
        while told < of_all:
            time.sleep(TOGETHER_SECONDS)
            due = min(round((time.monotonic() - start) * len(tickers)), of_all)
            self._await(self._tell([_tick(tickers, number) for number in range(told, due)]))
            told = due
        return {"ticks": told, "seconds": time.monotonic() - start, **self.count()}

    async def _tell(self, frames: Sequence[tuple[str, str]]) -> None:
        for each in frames:
            await self._send(*each)


def _tick(tickers: Sequence[str], number: int) -> tuple[str, str]:
    """A frame, and the ticker that it is of."""
    ticker, at = tickers[number % len(tickers)], int(time.time() * 1000)
    told = {"price": _price(number // len(tickers)), "open_price": BASE, "time": at, "quote_type": 8}
    return frame(ticker, **told, market_hours=1), ticker


def _listed(ticker: str) -> dict:
    now = time.time()
    price = _price(int(now))
    return {
        "symbol": ticker,
        "currency": charts.CURRENCY,
        "quoteType": "EQUITY",
        "exchangeTimezoneName": "UTC",
        "marketState": "REGULAR",
        "regularMarketPrice": price,
        "regularMarketTime": int(now),
        "regularMarketOpen": BASE,
        "regularMarketDayHigh": BASE + 1,
        "regularMarketDayLow": BASE,
        "regularMarketVolume": int(now),
        "regularMarketPreviousClose": BASE,
    }


def _price(number: int) -> float:
    return BASE + number % 7 / 100


@dataclass
class Yahoo:
    """That process, as who measures sees it."""

    process: subprocess.Popen
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def started(cls, core: int) -> "Yahoo":
        command = [sys.executable, "-m", "tests.bench.market.yahoo"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        found = cls(subprocess.Popen(command, cwd=ground.ROOT, preexec_fn=lambda: ground.begin_on(core), **pipes))
        found.environment = found.hear()
        return found

    def ask(self, what: str, **how: object) -> dict:
        self.say(what, **how)
        return self.hear()

    def say(self, what: str, **how: object) -> None:
        self.process.stdin.write(orjson.dumps({"what": what, "how": how}) + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict:
        if not (line := self.process.stdout.readline()):
            raise ground.Failed(f"Yahoo's stub ended with {self.process.wait()}")
        return orjson.loads(line)

    def end(self) -> None:
        self.process.stdout.close()
        ground.end(self.process)


def main() -> None:
    charts.past()
    with Slow() as wire:
        print(json.dumps(wire.environment), flush=True)  # noqa: T201
        for line in sys.stdin:
            told = orjson.loads(line)
            answer = {"count": wire.count, "play": wire.play, "listeners": wire.listeners}[told["what"]](**told["how"])
            print(orjson.dumps(answer).decode(), flush=True)  # noqa: T201


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
    main()
