"""What it costs to know who asks and how often: a warm page of 250 bars with the door, against the same without one.

Counted are the processor seconds of the server, as in `bars_http`. With 2,000 keys each request has another one.
"""

import http.client
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle

import pytest

from finstage.access import keys
from finstage.models import ApiKey, User
from tests.bench.evidence import Evidence, Line
from tests.bench.served import REQUESTS, pinned
from tests.bench.test_bars_http import OURS, ROUNDS, ten_years  # noqa: F401
from tests.server import Running

pytestmark = [pytest.mark.bench]
KEYS = 2000
WAYS = "nobody's", "with a key", f"with one of {KEYS:,} keys"


@pytest.fixture
def texts(engine) -> list[str]:
    """As many people, each with a key that may read."""
    people = User.objects.bulk_create([User(username=f"person {number}") for number in range(KEYS)])
    owners = list(User.objects.order_by("id")[: len(people)])
    return [keys.make(owner, "bench", [ApiKey.READ], None)[1] for owner in owners]


def test_the_door(engine, ten_years, texts, asking):  # noqa: F811
    evidence, database = Evidence(f"door-{engine.name}"), {"DATABASE_URL": engine.url}
    with ExitStack() as servers:
        ours = servers.enter_context(pinned("manage.py web", **database))
        plain = {**database, "DJANGO_SETTINGS_MODULE": "tests.bench.without_door"}
        rival = servers.enter_context(pinned("manage.py web", **plain))
        every = cycle(texts)
        ways = (_rate(ours, lambda: None), _rate(ours, lambda: texts[0]), _rate(ours, lambda: next(every)))
        without = _rate(rival, lambda: None)
        for way, requests in zip((*ways, without), (REQUESTS, REQUESTS, KEYS, REQUESTS), strict=True):
            way(requests)  # each key is seen once before
        # Each beside its own rival: a machine that others use is not the same a minute later.
        rounds = [
            [(way(REQUESTS), without(REQUESTS)) for way in ways] for _ in range(3 * ROUNDS)
        ]  # a hundredth is looked for
    for what, pairs in zip(WAYS, zip(*rounds, strict=True), strict=True):
        mine, rivals = map(list, zip(*pairs, strict=True))
        evidence.add(Line(f"{engine.name}: pages a CPU second, {what}", mine, rivals, "pages/s", 0.95, 1))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _rate(server: Running, key: Callable[[], str | None]) -> Callable[[int], float]:
    """Answers a second of the server's processor, on one connection that stays."""

    def measured(requests: int) -> float:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        began = server.cpu()
        for _ in range(requests):
            text = key()
            client.request("GET", OURS, headers={} if text is None else {"Authorization": f"Bearer {text}"})
            answer = client.getresponse()
            answer.read()
            assert answer.status == 200
        client.close()
        return requests / (server.cpu() - began)

    return measured
