"""What staff say to those who are connected, over real sockets of two real processes on one Redis."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from threading import Thread

import jsonschema
import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis
from redis.client import PubSub

from market.models import Symbol
from monitoring.models import AuditEntry
from realtime import messages
from realtime.administration import asking
from realtime.api.broadcast import ACTION, LONGEST, TAKES_AT_MOST
from realtime.transports.servers import SERVERS
from tests.conftest import LiveWeb
from tests.realtime.administered import Operator, hear, socket, subscribe, webs

pytestmark = pytest.mark.django_db(transaction=True)
VALID = jsonschema.Draft202012Validator({"$defs": messages.schema()["$defs"], "anyOf": messages.schema()["anyOf"]})


@pytest.fixture(scope="module")
def two(django_db_setup, tmp_path_factory) -> Iterator[list[LiveWeb]]:
    with webs(tmp_path_factory.mktemp("webs"), *SERVERS) as found:
        yield found


@pytest.fixture
def staff(two) -> Iterator[Operator]:
    with Operator(two[0], username="ann", is_staff=True) as operator:
        operator.until(lambda status: status["processes"] == 2)
        yield operator


@pytest.fixture
def tracked() -> list[Symbol]:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.bulk_create(Symbol(ticker=ticker, name=ticker, **facts) for ticker in ("AAPL", "GC=F"))


def said(operator: Operator, text: str, **more: str) -> dict:
    answer = operator.post("/ws/broadcast", json={"message": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_originals_own_broadcast_reaches_all_and_is_numbered_for_who_holds_the_stream(two, staff):
    body = {"message": "Maintenance at 22:00", "message_type": "system_status", "target_type": "all"}
    with (
        socket(two[0], subscribe("system")) as first,
        socket(two[1], subscribe("all")) as second,
        socket(two[1]) as third,
    ):
        told = staff.post("/ws/broadcast/", json=body).json()
        heard = [hear(each, "system_status") for each in (first, second)]
        aside = hear(third, "system_status")
    assert (told["delivered"], told["missing_processes"], len(told["id"])) == (3, 0, 16)
    assert (aside["message"], "seq" in aside) == (body["message"], False)
    VALID.validate(aside)
    assert {(each["message"], each["stream"], each["seq"]) for each in heard} == {
        (body["message"], "system", told["seq"])
    }


def test_a_process_that_is_slow_to_answer_is_waited_for_once(two, staff, redis):
    """It answers nothing before it has heard all that it is asked: else it would be waited for twice."""
    with redis.pubsub(ignore_subscribe_messages=True) as slow, socket(two[0]):
        slow.subscribe(asking.channel())
        answering = Thread(target=answer_once_all_is_asked, args=(slow, ["holders", "others"], redis))
        answering.start()
        told = said(staff, "to all")
        answering.join()
    assert (told["delivered"], told["missing_processes"]) == (1 + 10 + 10, 0)


def answer_once_all_is_asked(slow: PubSub, commands: list[str], redis: Redis) -> None:
    heard = []
    while [question.command for question in heard] != commands:
        if (message := slow.get_message(timeout=30)) is not None:
            heard.append(asking.QUESTION.unpack(message["data"]))
    for question in heard:
        redis.rpush(asking.answers(question.id), asking.packed("slow", {"delivered": 10}))


def test_who_comes_later_gets_what_was_said_to_all_by_its_position(two, staff):
    with socket(two[0], subscribe("system")):
        first = said(staff, "one")
    said(staff, "two", message_type="alert")
    with socket(two[1]) as client:
        since = {"system": {"epoch": epoch(client), "seq": first["seq"]}}
        client.send(messages.encode({**subscribe("system"), "since": since}).decode())
        heard = hear(client, "alert")
    assert (heard["message"], heard["kind"], heard["seq"]) == ("two", "system_status", first["seq"] + 1)
    VALID.validate(heard)


def epoch(client) -> str:
    client.send(messages.encode(subscribe("system")).decode())
    return hear(client, "subscribed")["streams"]["system"]["epoch"]


@pytest.mark.parametrize("type", ["system_status", "alert"])
@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ({"target_type": "type", "target": "alerts"}, [1, 2]),
        ({"target_type": "type", "target": "all"}, [2]),
        ({"target_type": "symbol", "target": "aapl"}, [0, 2]),
        ({"target_type": "client"}, [3]),
    ],
    ids=["type", "all", "symbol", "client"],
)
def test_what_is_said_to_some_reaches_those_alone_and_has_no_number(two, staff, tracked, type, target, meant):
    asked = [[subscribe("prices", "AAPL")], [subscribe("alerts", "GC=F")], [subscribe("all")], []]
    with ExitStack() as stack:
        clients = [stack.enter_context(socket(two[n % 2], *actions)) for n, actions in enumerate(asked)]
        if target["target_type"] == "client":
            target = {**target, "target": clients[3].client_id}
        assert said(staff, "hello", message_type=type, **target)["delivered"] == len(meant)
        heard = [hear(clients[n], type) for n in meant]
        said(staff, "the end", target_type="type", target="prices")
        silent = [clients[n] for n in (0, 2) if n not in meant]
        assert [hear(each, "system_status")["message"] for each in silent] == ["the end"] * len(silent)
    for message in heard:
        VALID.validate(message)
        assert (message["message"], "seq" in message, "stream" in message) == ("hello", False, False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_message"),
        ({"message": "  "}, "invalid_message"),
        ({"message": 5}, "invalid_message"),
        ({"message": 14.0}, "invalid_message"),
        ({"message": 2.5}, "invalid_message"),
        ({"message": True}, "invalid_message"),
        ({"message": ["hello"]}, "invalid_message"),
        ({"message": None}, "invalid_message"),
        ({"message": "x", "target_type": "client", "target": 5}, "invalid_target"),
        ({"message": "x" * (LONGEST + 1)}, "invalid_message"),
        ({"message": "\0"}, "invalid_message"),
        ({"message": "x", "message_type": "shout"}, "invalid_message_type"),
        ({"message": "x", "target_type": "planet"}, "invalid_target_type"),
        ({"message": "x", "target_type": "type"}, "invalid_target"),
        ({"message": "x", "target_type": "type", "target": "shares"}, "invalid_target"),
        ({"message": "x", "target": "AAPL"}, "invalid_target"),
        ({"message": "x", "target_type": "symbol", "target": "XYZ1"}, "unknown_symbol"),
        ({"message": "x", "to": "all"}, "unknown_field"),
    ],
)
def test_what_can_not_be_said_is_refused_by_name(staff, body, code):
    answer = staff.post("/ws/broadcast", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not AuditEntry.objects.exists()


def test_only_staff_say_something_and_it_is_logged(two, staff):
    with Operator(two[1]) as guest, Operator(two[1], username="bob") as user:
        refused = [each.post("/ws/broadcast", json={"message": "x"}).status_code for each in (guest, user)]
    assert refused == [401, 403]
    told = said(staff, "hello")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.facts["message"]) == ("sockets.broadcast", "all", "hello")
    assert entry.outcome["id"] == told["id"]


@pytest.mark.parametrize("target", [{}, {"target_type": "type", "target": "prices"}], ids=["all", "some"])
def test_what_is_sent_twice_with_one_key_is_said_once_and_answered_the_same(two, staff, tracked, target):
    body, key = {"message": "Maintenance", **target}, {"Idempotency-Key": "one"}
    with socket(two[1], subscribe("system"), subscribe("prices", "AAPL")) as client:
        first, again = (staff.post("/ws/broadcast", json=body, headers=key) for _ in range(2))
        assert (again.status_code, again.json()) == (200, first.json())
        said(staff, "the end", target_type="type", target="prices")
        assert [hear(client, "system_status")["message"] for _ in range(2)] == ["Maintenance", "the end"]
    assert first.json()["delivered"] == 1
    other = staff.post("/ws/broadcast", json={**body, "message": "Another"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert other.json()["errors"] == {"key": ["came with another message before"]}


@pytest.mark.parametrize("target", [{}, {"target_type": "type", "target": "prices"}], ids=["all", "some"])
def test_what_was_cut_off_is_said_by_its_repetition_and_heard_once(two, staff, tracked, target):
    body, key = {"message": "Maintenance", **target}, {"Idempotency-Key": "two"}
    with socket(two[1], subscribe("system"), subscribe("prices", "AAPL")) as client:
        first = staff.post("/ws/broadcast", json=body, headers=key).json()
        AuditEntry.objects.update(outcome=None)
        busy = staff.post("/ws/broadcast", json=body, headers=key)
        assert (busy.status_code, busy.json()["code"]) == (409, "in_progress")
        AuditEntry.objects.update(at=timezone.now() - TAKES_AT_MOST)
        again = staff.post("/ws/broadcast", json=body, headers=key).json()
        assert (again["id"], again["seq"]) == (first["id"], first["seq"])
        said(staff, "the end", target_type="type", target="prices")
        assert [hear(client, "system_status")["message"] for _ in range(2)] == ["Maintenance", "the end"]
    assert AuditEntry.objects.get(key__endswith=":two").outcome["id"] == first["id"]


@pytest.fixture
def ann(client, django_user_model):
    staff = django_user_model.objects.create_user("ann", is_staff=True)
    client.force_login(staff)
    return staff


def post(client, message: str = "Maintenance"):
    headers = {"Idempotency-Key": "three"}
    return client.post("/ws/broadcast", {"message": message}, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    ("outcome", "age", "again"),
    [
        ({"id": "first"}, TAKES_AT_MOST, (200, "first")),
        (None, timedelta(0), (409, "in_progress")),
        (None, TAKES_AT_MOST, (200, "mine")),
        ({"error": "ConnectionError: gone"}, timedelta(0), (200, "mine")),
    ],
    ids=["said", "under way", "cut off", "failed"],
)
def test_what_became_of_the_first_decides_about_its_repetition(client, ann, outcome, age, again):
    facts = {"message": "Maintenance", "message_type": "system_status", "target_type": "all", "id": "mine"}
    own = {"action": ACTION, "facts": facts, "outcome": outcome, "key": f"{ann.pk}:{ACTION}:three"}
    AuditEntry.objects.create(**own)
    AuditEntry.objects.update(at=timezone.now() - age)
    answer = post(client)
    assert (answer.status_code, answer.json().get("code") or answer.json()["id"]) == again
    assert (post(client, "Another").status_code, AuditEntry.objects.count()) == (409, 1)


def test_a_key_is_kept_with_what_it_came_with(client, ann):
    assert post(client).json() == post(client).json()
    assert AuditEntry.objects.get().key == f"{ann.pk}:{ACTION}:three"


def test_of_two_at_once_with_one_key_one_is_said(client, ann):
    begun: list[AuditEntry] = []

    def first(execute, sql, *others):
        if sql.startswith("INSERT") and AuditEntry._meta.db_table in sql and not begun:
            begun.append(AuditEntry(action=ACTION, key=f"{ann.pk}:{ACTION}:three"))
            begun[0].save()
        return execute(sql, *others)

    with connection.execute_wrapper(first):
        second = post(client)
    assert (second.status_code, second.json()["code"]) == (409, "in_progress")
