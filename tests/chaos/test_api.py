"""`make chaos api`: many requests to every operation of a running server, made from the document, as guest, user and
staff and with a key: no answer differs from the document, and none breaks the server.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import interface
from tests.chaos.jobs_ground import report
from tests.chaos.scale import SCALE, times
from tests.conftest import LiveWeb, shared_database
from tests.monitoring import sample_jobs  # noqa: F401
from tests.realtime.administered import socket
from tests.server import Running, running

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

EXAMPLES = times(20)  # of each operation, beside those that try its bounds
ROLES = interface.ROLES if SCALE >= 1 else ("key",)  # as the others tests/finstage/test_interface.py asks
STATUS = "/ws/status"


@contextmanager
def web(without: str = "") -> Iterator[Running]:
    command = ("-m", "tests.chaos.api_web", "--host", "127.0.0.1")
    with running(*command, CHAOS_WITHOUT=without, **shared_database()) as process:
        yield process


def requests_answered(server: Running) -> dict[str, int]:
    """How many, by their status."""
    found: dict[str, int] = {}
    for line in server.get("/metrics")[2].decode().splitlines():
        if line.startswith("finstage_requests_total{"):
            status = line.partition('status="')[2].partition('"')[0]
            found[status] = found.get(status, 0) + round(float(line.rpartition(" ")[2]))
    return found


def differences(server: Running, role: str, **options) -> list[str]:
    with socket(LiveWeb(server.port, server.process, server.log)) as client:
        place = f"http://127.0.0.1:{server.port}"
        return interface.differences(role, url=place, client_id=client.client_id, **options)


def test_no_answer_of_a_server_differs_from_the_document(apple):
    began, found = time.monotonic(), {}
    with web() as server:
        for role in ROLES:
            for are_found in (True, False):
                asked = {"examples": EXAMPLES, "bounds": SCALE >= 1, "are_found": are_found}
                found[f"{role}, {'names' if are_found else 'anything'}"] = differences(server, role, **asked)
        answered = requests_answered(server)
    broken = sum(count for status, count in answered.items() if status.startswith("5"))
    different = [f"{who}: {each}" for who, several in found.items() for each in several]
    report(
        f"every operation of the document, as {', '.join(ROLES)}",
        f"{sum(answered.values())} requests in {time.monotonic() - began:.0f} s",
        "0 server errors, 0 answers that the document does not know",
        f"{broken} server errors, {len(different)} differences, {dict(sorted(answered.items()))}",
    )
    assert not different, "\n\n".join(different)
    assert broken == 0


def test_an_operation_that_breaks_is_found(apple):
    with web("status") as server:
        found = differences(server, "guest", examples=2, are_found=True, bounds=False, only=STATUS)
    assert any("Server error" in each for each in found), found
