"""Servers by turns, each with the same clients that hear the same updates."""

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests import services
from tests.bench.stream import ground, updates
from tests.bench.stream.ground import Clients, Ground, Server
from tests.bench.stream.updates import SYMBOLS

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
HELD = 25
LATE_SECONDS = 1.0  # what comes later than so long after the last update was due does not count
QUIET_SECONDS, SETTLE_SECONDS, START_SECONDS = 0.3, 5.0, 60


def asking(clients: int, *, symbols: int = SYMBOLS, held: int = HELD, mode: str = "every") -> list[str]:
    """What each of many clients says: it holds some of the symbols, by a chance that is the same each time."""
    names, chance = [updates.ticker(each) for each in range(symbols)], random.Random(1)
    said = {"action": "subscribe", "type": "prices", "mode": mode}
    return [json.dumps({**said, "symbols": sorted(chance.sample(names, held))}) for _ in range(clients)]


@dataclass(frozen=True)
class Measured:
    """One server in one round.

    cpu: seconds of the server. other_core: of one, what clients, publisher and Redis took of the other core.
    """

    updates: int
    offered: int
    cpu: float
    seconds: float
    p50: float
    p99: float
    gone: int
    other_core: float

    @property
    def a_second(self) -> float:
        """Updates delivered for each processor second of the server."""
        return self.updates / self.cpu

    @property
    def delivered(self) -> float:
        return self.updates / self.offered


@dataclass
class Contender:
    """A server with its clients, who stay from round to round.

    how: its way to get updates (of the publisher). rate: updates a second. joins: how it joins writes, in words.
    """

    server: Server
    clients: Sequence[Clients]
    how: str
    rate: float
    joins: str
    held_by: float  # clients that hold a symbol, on average
    others: Sequence[Server] = ()  # counted with it
    publisher: "Publisher | None" = None  # ready for the next round

    def measure(self, seconds: float, *, symbols: int = SYMBOLS) -> Measured:
        if self.publisher is None:
            self.publisher = Publisher(self.how, self.server)
        try:
            return self._measure(seconds, symbols)
        finally:
            self._settle()

    def _measure(self, seconds: float, symbols: int) -> Measured:
        for clients in self.clients:
            clients.reset()
        began, computed, other = time.monotonic(), self.cpu(), self._other_core()
        count = self.publisher.go(symbols, self.rate, seconds)
        time.sleep(seconds)
        self._wait_until_quiet(until=began + seconds + LATE_SECONDS)
        told = [clients.count() for clients in self.clients]
        computed, took, other = self.cpu() - computed, time.monotonic() - began, self._other_core() - other
        return Measured(
            updates=sum(each["updates"] for each in told),
            offered=round(count * self.held_by),
            cpu=computed,
            seconds=took,
            p50=max(each["p50"] for each in told),
            p99=max(each["p99"] for each in told),
            gone=sum(each["gone"] for each in told),
            other_core=other / took,
        )

    def cpu(self) -> float:
        return self.server.cpu() + sum(server.cpu() for server in self.others)

    def _count(self) -> int:
        return sum(clients.count()["updates"] for clients in self.clients)

    def _wait_until_quiet(self, until: float) -> None:
        before, since = self._count(), time.monotonic()
        while time.monotonic() < min(until, since + QUIET_SECONDS):
            time.sleep(0.05)
            if (now := self._count()) != before:
                before, since = now, time.monotonic()

    def _settle(self) -> None:
        """What a slow server has still to do must not take the core from the next one."""
        if not self.publisher.is_done():
            self.publisher.end()
            self.publisher = None
        self._wait_until_quiet(until=time.monotonic() + SETTLE_SECONDS)

    def _other_core(self) -> float:
        pids = [self.publisher.process.pid, *(clients.process.pid for clients in self.clients)]
        pids += [process.pid for process in services._processes]
        pids += [self.server.store.process.pid] if self.server.store else []
        return sum(map(ground.cpu, pids))

    def end(self) -> None:
        if self.publisher is not None:
            self.publisher.end()


class Publisher:
    """A process that waits until it is told to say updates."""

    def __init__(self, how: str, server: Server) -> None:
        self._told, told = os.pipe()
        command = [sys.executable, "-m", "tests.bench.stream.publisher", how, str(server.port), str(told)]
        out = server.process.stdin if how == "lines" else subprocess.DEVNULL
        environment = {**os.environ, **({"REDIS_URL": server.store.url} if server.store else {})}
        with server.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ground.ROOT, stdin=subprocess.PIPE, stdout=out, stderr=log, pass_fds=[told],
                preexec_fn=ground.die_with_parent, env=environment,
            )  # fmt: skip
        os.close(told)
        if not self.is_done(START_SECONDS):
            self.end()
            raise server.failed("its publisher did not start")

    def go(self, symbols: int, rate: float, seconds: float) -> int:
        """Begin; how many updates there will be, of each symbol equally many where there are so many."""
        count = max(1, round(rate * seconds))
        count -= count % symbols if count > symbols else 0
        self.process.stdin.write(f"{symbols} {rate} {count}\n".encode())
        self.process.stdin.flush()
        return count

    def is_done(self, wait_seconds: float = 0) -> bool:
        """Whether it is ready for the next round. To be asked once a round."""
        return bool(select.select([self._told], [], [], wait_seconds)[0] and os.read(self._told, 1))

    def end(self) -> None:
        ground.end(self.process)
        os.close(self._told)


def contender(
    ground: Ground, server: Server, texts: Sequence[str], how: str, rate: float, joins: str = "", **options
) -> Contender:
    """With all its clients subscribed."""
    clients = ground.clients(server, texts, **options).require_all()
    held_by = sum(len(json.loads(text)["symbols"]) for text in texts) / SYMBOLS
    made = Contender(server, [clients], how, rate, joins, held_by)
    ground.stack.callback(made.end)
    return made
