"""How `make test` spreads files over its processes: those whose tests start processes of their own go first."""

import os
from collections import Counter

import pytest

from tests.services import PART

DEAR = {"visit", "start_worker", "start_beat", "worker", "live_web", "up"}
TIMES_AS_LONG = 20


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-xdist hands the files out in the order of their first tests."""
    if PART not in os.environ:
        return
    weights = Counter()
    for item in items:
        weights[item.path] += TIMES_AS_LONG if _is_dear(item) else 1
    items.sort(key=lambda item: (-weights[item.path], str(item.path)))


def _is_dear(item: pytest.Item) -> bool:
    """Whether it asks for a process, or for what a module or a package shares, because that is dear too."""
    shared = (fixture.scope for found in item._fixtureinfo.name2fixturedefs.values() for fixture in found)
    return bool(DEAR & set(item.fixturenames)) or any(scope in {"module", "package"} for scope in shared)
