"""Staff set which symbols are streamed: asked again it is the same, and history stays."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth import get_user_model

from finstage.access import keys
from market import bars, prices
from market.models import Symbol
from monitoring.models import AuditEntry
from tests.realtime.administered import Operator, socket, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
START, STOP = "/ws/streaming/start", "/ws/streaming/stop"


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_user("ann", is_staff=True))
    return client


@pytest.fixture
def gone(apple) -> Symbol:
    """Apple was collected once, and its source knew it no more."""
    at = datetime(2012, 9, 4, 21, tzinfo=UTC)
    bars.upsert([prices.Bar("AAPL", "1d", prices.midnight(at.date()), 1.0, 2.0, 0.5, 1.5, 10, True, "replay", at)])
    Symbol.objects.filter(pk=apple.pk).update(is_active=False, last_session=date(2012, 9, 4))
    return apple


def told(client, path: str, *symbols: str) -> dict:
    answer = client.post(path, {"symbols": list(symbols)}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("path", [START, f"{START}/"])
def test_the_originals_own_start_makes_known_symbols_tracked_and_names_the_unknown(staff, gone, path):
    for _ in range(2):
        answer = told(staff, path, "aapl", "GOOGL", "AAPL")
        assert answer == {"status": "streaming", "symbols": ["AAPL"], "unknown": ["GOOGL"]}
        gone.refresh_from_db()
        assert (gone.is_active, gone.last_session) == (True, None)


def test_a_stopped_symbol_is_not_collected_and_keeps_its_history(staff, gone):
    told(staff, START, "AAPL")
    for _ in range(2):
        assert told(staff, STOP, "AAPL") == {"status": "stopped", "symbols": ["AAPL"], "unknown": []}
        gone.refresh_from_db()
        assert not gone.is_active
    assert len(bars.history("AAPL", adjusted="raw", limit=9)) == 1
    assert [entry.outcome["status"] for entry in AuditEntry.objects.all()] == ["stopped", "stopped", "streaming"]


def test_a_symbol_that_is_collected_already_is_not_begun_anew(staff, apple):
    coverage = told(staff, START, "AAPL")
    assert coverage["symbols"] == ["AAPL"]
    apple.refresh_from_db()
    assert apple.is_active


@pytest.mark.parametrize(
    "body", [{}, {"symbols": []}, {"symbols": "AAPL"}, {"symbols": ["x"] * 501}, {"symbols": [" "]}]
)
def test_what_names_no_symbols_is_refused(staff, body):
    answer = staff.post(START, body, content_type="application/json")
    assert (answer.status_code, "symbols" in str(answer.json()["errors"])) == (400, True)


def test_only_staff_may(client, apple):
    assert client.post(START, {"symbols": ["AAPL"]}, content_type="application/json").status_code == 401
    client.force_login(get_user_model().objects.create_user("bob"))
    assert client.post(STOP, {"symbols": ["AAPL"]}, content_type="application/json").status_code == 403
    apple.refresh_from_db()
    assert apple.is_active


def test_who_is_connected_can_hold_it_within_seconds(live_web, gone):
    with Operator(live_web, username="ann", is_staff=True) as operator:
        operator.post(START, json={"symbols": ["AAPL"]})
        with socket(live_web, subscribe("prices", "AAPL")):
            operator.until(lambda status: status["subscribed_symbols"] == 1)


@pytest.mark.parametrize(("scopes", "status"), [({"read", "write", "staff"}, 200), ({"read", "write"}, 403)])
def test_a_key_may_where_it_is_for_staff_and_the_log_names_it(client, apple, scopes, status):
    owner = get_user_model().objects.create_user("ann", is_staff=True)
    key, text = keys.make(owner, "script", scopes, None)
    body = {"symbols": ["AAPL"]}
    answer = client.post(STOP, body, content_type="application/json", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == status
    assert [entry.via for entry in AuditEntry.objects.all()] == [key.prefix] * (status == 200)
