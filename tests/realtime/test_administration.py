"""What operators see of the sockets of all web processes, over real sockets and two real processes on one Redis."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from market.models import Symbol
from monitoring.models import AuditEntry
from realtime.transports.servers import SERVERS
from tests.conftest import LiveWeb
from tests.realtime.administered import Operator, hear, socket, subscribe, webs

pytestmark = pytest.mark.django_db(transaction=True)
SHAPE = {
    "client_id", "connected_at", "connection_duration_seconds", "message_count", "subscriptions", "is_active",
}  # fmt: skip


@pytest.fixture(scope="module")
def two(django_db_setup, tmp_path_factory) -> Iterator[list[LiveWeb]]:
    """One behind each server."""
    with webs(tmp_path_factory.mktemp("webs"), *SERVERS) as found:
        yield found


@pytest.fixture
def tracked() -> list[Symbol]:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.bulk_create(Symbol(ticker=ticker, name=ticker, **facts) for ticker in ("AAPL", "GC=F"))


@pytest.fixture
def staff(two) -> Iterator[Operator]:
    with Operator(two[0], username="ann", is_staff=True) as operator:
        operator.until(lambda status: status["processes"] == 2)
        yield operator


def test_the_sockets_of_all_processes_are_summed_by_the_type_they_asked_with(two, staff, tracked):
    with (
        socket(two[0], subscribe("prices", "AAPL", "GC=F")),
        socket(two[0], subscribe("all")),
        socket(two[1], subscribe("prices", "AAPL"), subscribe("alerts")),
        socket(two[1]),
    ):
        status = staff.until(lambda status: status["active_connections"] == 4)
        told = {name: count for name, count in status["subscription_stats"].items() if count}
        assert told == {"prices": 2, "alerts": 1, "all": 1}
        assert status["subscribed_symbols"] == len(tracked)
        assert status["total_messages_sent"] >= 4
    staff.until(lambda status: status["active_connections"] == 0)


def test_what_a_client_gave_up_is_not_counted_for_it(two, staff, tracked):
    ended = {"action": "unsubscribe", "type": "prices"}
    with socket(two[0], subscribe("prices", "AAPL"), subscribe("system"), ended):
        staff.until(
            lambda status: (status["subscription_stats"]["system"], status["subscription_stats"]["prices"]) == (1, 0)
        )


def test_anybody_may_read_how_the_sockets_are_and_only_staff_who_they_are(two, staff):
    with Operator(two[1]) as guest, Operator(two[1], username="bob") as user:
        assert guest.get("/ws/status/").status_code == 200
        assert "process_list" not in guest.status()
        assert len(staff.status()["process_list"]) == 2
        assert (guest.get("/ws/clients").status_code, user.get("/ws/clients").status_code) == (401, 403)
        assert user.post("/ws/clients/x/close").status_code == 403


def test_the_clients_of_all_processes_are_told_the_oldest_first_a_page_at_a_time(two, staff, tracked):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket(two[n % 2], subscribe("prices", "AAPL"))) for n in range(5)]
        answer = staff.get("/ws/clients?limit=2")
        seen = answer.json()
        assert answer.headers["X-Total-Count"] == "5"
        while "next" in answer.links:
            answer = staff.get(answer.links["next"]["url"].removeprefix(staff.url))
            seen += answer.json()
        assert [row["client_id"] for row in seen] == [each.client_id for each in sockets]
    assert seen[0].keys() > SHAPE
    assert (seen[0]["subscriptions"], seen[0]["streams"], seen[0]["is_active"]) == (["AAPL"], ["prices:AAPL"], True)


@pytest.mark.parametrize("query", ["limit=0", "slow=maybe", "cursor=x", "sort=age"])
def test_what_can_not_be_asked_of_the_clients_is_named(staff, query):
    answer = staff.get(f"/ws/clients?{query}")
    assert (answer.status_code, query.partition("=")[0] in answer.json()["errors"]) == (400, True)


@pytest.mark.parametrize("number", range(len(SERVERS)), ids=SERVERS)
def test_staff_close_a_client_by_hand_which_is_told_so_and_logged(two, staff, number):
    with socket(two[number]) as client:
        assert staff.post(f"/ws/clients/{client.client_id}/close").json()["closed"]
        with pytest.raises(Exception, match="closed by staff") as ended:
            hear(client, "never")
    assert ended.value.rcvd.code == 4510
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.action, entry.target) == ("ann", "sockets.close", client.client_id)
    assert entry.outcome["closed"] is True


def test_a_client_that_is_not_there_can_not_be_closed(staff):
    answer = staff.post("/ws/clients/nobody/close")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_client")


def test_rights_are_asked_at_each_action(two, staff):
    with socket(two[0]) as client:
        staff.user.is_staff = False
        staff.user.save(update_fields=["is_staff"])
        assert staff.post(f"/ws/clients/{client.client_id}/close").status_code == 403
        client.ping().wait(10)


def test_a_process_that_hangs_is_named_as_missing_and_holds_nobody_up(two, staff):
    with socket(two[0]), socket(two[1]):
        os.kill(two[1].process.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            answer = staff.get("/ws/clients")
            assert (len(answer.json()), answer.headers["X-Missing-Processes"]) == (1, "1")
            assert time.monotonic() - begun < 2
            assert staff.post("/ws/clients/nobody/close").json()["code"] == "no_answer"
        finally:
            os.kill(two[1].process.pid, signal.SIGCONT)
