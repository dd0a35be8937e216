"""Servers under measurement: one core to themselves, and another for who asks."""

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server import Running, running

REQUESTS = max(10, round(200 * float(os.environ.get("BENCH_SCALE", "1"))))
SERVERS, *_, CLIENT = sorted(os.sched_getaffinity(0)) * 2


@contextmanager
def pinned(command: str, **environment: str) -> Iterator[Running]:
    with running(*command.split(), **environment) as server:
        for task in Path(f"/proc/{server.process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVERS})
        yield server


def rate(server: Running, path: str, headers: dict[str, str], status: int) -> Callable[[], float]:
    """Answers a second of the server's processor, on one connection that stays."""

    def measured() -> float:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        began = server.cpu()
        for _ in range(REQUESTS):
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
        client.close()
        return REQUESTS / (server.cpu() - began)

    return measured
