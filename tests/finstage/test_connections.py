"""How often a request asks whether its connection is alive."""

import pytest
from django.db import close_old_connections, connection
from django.http import HttpResponse

from finstage import connections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rows]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """[seconds]: what the clock of connections shows."""
    now = [100.0]
    monkeypatch.setattr(connections, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def ask(clock):
    """A request that says how often its connection was asked so far whether it is alive."""
    answer = connections.Middleware(lambda _: HttpResponse(_pings()))

    def asked() -> int:
        close_old_connections()  # as each request begins and ends
        told = int(answer(None).content)
        close_old_connections()
        return told

    connection.health_checks_enabled = True
    return asked


def _pings() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_admin_commands'")
        return int(cursor.fetchone()[1])


def test_a_connection_that_answered_a_moment_ago_is_not_asked_whether_it_is_alive(ask, clock):
    before = ask()
    for _ in range(3):
        clock[0] += 0.9
        assert ask() == before


def test_one_that_was_idle_is_asked(ask, clock):
    before = ask()
    clock[0] += 1.1
    assert ask() == before + 1


def test_one_that_the_server_has_ended_costs_no_request_where_it_was_idle(ask, clock):
    ask()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        (number,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    other.close()
    clock[0] += 1.1
    ask()
