"""Rights that end while a socket is open: through a real server, its pages, and rows that others change."""

import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.cookiejar import CookieJar

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from realtime import kinds, messages, streams
from tests.conftest import LiveWeb, shared_database
from tests.realtime.test_consumer import Conversation, open_socket
from tests.server import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
WITHIN = 5.0
PASSWORD = "for-these-tests-only"
HASHED = make_password(PASSWORD)  # once: a hash is made to be slow
User = get_user_model()


class Visitor:
    """A browser that logs in and out by the pages' own forms."""

    def __init__(self, url: str) -> None:
        self.url, self.jar = url, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def cookie(self, name: str) -> str:
        return next((cookie.value for cookie in self.jar if cookie.name == name), "")

    def post(self, path: str, **fields: str) -> str:
        said = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.cookie("csrftoken")}).encode()
        request = urllib.request.Request(self.url + path, said, {"Referer": self.url, "Origin": self.url})
        with self.opener.open(request, timeout=15) as answer:
            return answer.read().decode()

    def log_in(self, name: str) -> "Visitor":
        self.opener.open(f"{self.url}/admin/login/", timeout=15).close()
        self.post("/admin/login/", username=name, password=PASSWORD, next="/health/live")
        return self

    @property
    def headers(self) -> dict:
        """What its pages' sockets send."""
        sent = f"{settings.SESSION_COOKIE_NAME}={self.cookie(settings.SESSION_COOKIE_NAME)}"
        return {"origin": self.url, "additional_headers": {"Cookie": sent}}


@pytest.fixture
def alice(apple) -> User:
    return User.objects.create(username="alice", password=HASHED, is_staff=True)


@pytest.fixture
def visitor(alice, live_web) -> Visitor:
    return Visitor(live_web.url).log_in("alice")


@pytest.fixture
def client(live_web, visitor) -> Iterator[Conversation]:
    """A socket that holds a public stream, alice's own alerts and a stream of staff."""
    with open_socket(live_web, **visitor.headers) as socket:
        socket.ask({"action": "subscribe", "type": "alerts"}, "subscribed")
        held = socket.ask({"action": "subscribe", "type": "jobs"}, "subscribed")["subscriptions"]
        assert held == ["alerts:@me", "alerts:AAPL", "jobs"]
        yield socket


def tell_of_jobs() -> None:
    streams.publish([messages.jobs([], is_whole=True)])


def alert(stream: str, text: str = "x") -> messages.Message:
    named = kinds.public(stream)
    body = {"type": "system_status", "stream": named, "message": text, "timestamp": "2012-09-04T00:00:00Z"}
    return messages.Message(stream, messages.encode(body), keep=True, conflate=False)


def alert_on(stream: str) -> None:
    streams.publish([alert(stream)])


def log_out(alice: User, visitor: Visitor) -> None:
    visitor.post("/logout/")


def log_out_of_the_admin(alice: User, visitor: Visitor) -> None:
    visitor.post("/admin/logout/")


def log_in_as_another(alice: User, visitor: Visitor) -> None:
    User.objects.create(username="bob", password=HASHED, is_staff=True)
    visitor.post("/admin/login/", username="bob", password=PASSWORD, next="/health/live")


def be_switched_off_in_the_admin(alice: User, visitor: Visitor) -> None:
    User.objects.create(username="root", password=HASHED, is_staff=True, is_superuser=True)
    fields = {"username": "alice", "is_staff": "on", "date_joined_0": "2012-09-04", "date_joined_1": "00:00:00"}
    Visitor(visitor.url).log_in("root").post(f"/admin/finstage/user/{alice.pk}/change/", **fields)
    alice.refresh_from_db()
    assert not alice.is_active


def change_the_password(alice: User, visitor: Visitor) -> None:
    alice.set_password("another")
    alice.save(update_fields=["password"])


def be_deleted(alice: User, visitor: Visitor) -> None:
    alice.delete()


def expire(alice: User, visitor: Visitor) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


ENDS = [
    log_out, log_out_of_the_admin, log_in_as_another, be_switched_off_in_the_admin, change_the_password, be_deleted,
    expire,
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_private_streams_end_with_what_opened_them_and_public_ones_live_on(
    client, alice, visitor, end: Callable[[User, Visitor], None]
):
    user_id, began = alice.pk, time.monotonic()
    end(alice, visitor)
    ended = time.monotonic()
    told = client.until("unsubscribed")
    assert (told["streams"], told["reason"]) == (["alerts:@me", "jobs"], "rights_ended")
    assert told["subscriptions"] == ["alerts:AAPL"]
    assert time.monotonic() - (ended if end is not expire else began) < WITHIN
    tell_of_jobs()
    alert_on(f"alerts:@{user_id}")
    alert_on("alerts:AAPL")
    assert client.hear()["stream"] == "alerts:AAPL"


def test_what_ended_is_not_given_back_to_the_same_socket(client, visitor):
    visitor.post("/logout/")
    client.until("unsubscribed")
    assert client.ask({"action": "subscribe", "type": "jobs"}, "error")["code"] == "staff_only"
    assert client.ask({"action": "subscribe", "type": "alerts"}, "subscribed")["subscriptions"] == ["alerts:AAPL"]


def test_the_door_asks_anew_and_does_not_wait_for_the_next_look(client, visitor):
    visitor.post("/logout/")
    client.send({"action": "subscribe", "type": "jobs", "id": 1})
    assert client.until("unsubscribed")["streams"] == ["alerts:@me", "jobs"]
    assert client.until("error")["code"] == "staff_only"


def test_lost_staff_takes_the_streams_of_staff_and_leaves_ones_own(client, alice):
    alice.is_staff = False
    alice.save(update_fields=["is_staff"])
    assert client.until("unsubscribed")["streams"] == ["jobs"]
    alert_on(f"alerts:@{alice.pk}")
    assert client.hear()["stream"] == "alerts:@me"


def test_other_logins_of_the_same_person_live_on(live_web, client, visitor):
    with open_socket(live_web, **Visitor(live_web.url).log_in("alice").headers) as other:
        other.ask({"action": "subscribe", "type": "jobs"}, "subscribed")
        visitor.post("/logout/")
        client.until("unsubscribed")
        tell_of_jobs()
        assert other.hear()["type"] == "jobs"


def test_a_position_in_anothers_alerts_is_a_gap_and_brings_none_of_them(live_web, client, alice, visitor):
    bob = User.objects.create(username="bob", password=HASHED, is_staff=True)
    both = [alert(f"alerts:@{user.pk}", user.username) for user in (bob, alice)]
    streams.renew([message.stream for message in both])  # in one step, as also a first batch would begin them
    streams.publish(both)
    place = client.ask({"action": "subscribe", "type": "alerts"}, "subscribed")["streams"]["alerts:@me"]
    streams.publish(both)
    with open_socket(live_web, **Visitor(live_web.url).log_in("bob").headers) as other:
        since = {"alerts:@me": {"epoch": place["epoch"], "seq": 0}}
        answer = other.ask({"action": "subscribe", "type": "alerts", "since": since}, "subscribed")
        assert not answer["streams"]["alerts:@me"]["recovered"]
        assert other.hear()["reason"] == "epoch_changed"
        streams.publish(both)
        assert other.hear()["message"] == "bob"


def test_nobody_joins_what_is_private_while_the_database_is_away(live_web, visitor, client):
    with _no_sessions(), open_socket(live_web, **visitor.headers) as other:
        code = other.ask({"action": "subscribe", "type": "jobs"}, "error")["code"]
        assert code == "temporarily_unavailable"
        tell_of_jobs()
        assert client.hear()["type"] == "jobs"  # what is held is held on for a while
    assert other.socket.close_code == 1000


class _no_sessions:
    """The database does not answer who is logged in."""

    def __enter__(self) -> None:
        self._rename("django_session", "away")

    def __exit__(self, *error: object) -> None:
        self._rename("away", "django_session")

    def _rename(self, old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.fixture(scope="module")
def closed_web(django_db_setup) -> Iterator[LiveWeb]:
    """A server that shows prices to those who are logged in."""
    with running("manage.py", "web", FINSTAGE_MARKET_DATA_OPEN="false", **shared_database()) as web:
        yield LiveWeb(web.port, web.process, web.log)


def test_where_reading_needs_a_login_the_socket_ends_with_it(closed_web, alice):
    visitor = Visitor(closed_web.url).log_in("alice")
    with open_socket(closed_web, **visitor.headers) as client:
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["AAPL"]}, "subscribed")
        visitor.post("/logout/")
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            client.until("never")
    assert closed.value.rcvd.code == messages.CLOSE["invalid_token"]
    assert time.monotonic() - began < WITHIN
