"""How the logins of a process are looked at: all in one, none for nobody, and nothing given back by what is late."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client as Browser

from monitoring import loops
from realtime import messages, people, rights, streams
from realtime.clients import Client
from realtime.crowd import Crowd
from realtime.hub import Hub
from realtime.kinds import ALERTS
from realtime.places import EVERY
from realtime.rights import Rights
from realtime.visitors import Busy
from tests.realtime.test_hub import Socket, until

pytestmark = pytest.mark.django_db(transaction=True)
User = get_user_model()


class Process:
    """A hub and its rights, as a web process has them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.rights = Rights(self.hub.unsubscribe, Crowd())

    def connect(self, session: str) -> tuple[Client, Socket]:
        socket = Socket()
        client = Client("test", send=None, close=socket.close, port=socket, credential=people.by_session(session))
        self.hub.attach(client)
        return client, socket

    async def join(self, session: str, *names: str) -> tuple[Client, Socket]:
        client, socket = self.connect(session)
        assert await self.rights.identify(client)
        await self.hub.subscribe(client, dict.fromkeys(names, EVERY), {})
        return client, socket


def play(scenario: Callable[[Process], Awaitable[None]]) -> None:
    async def run() -> None:
        process = Process()
        try:
            await scenario(process)
        finally:
            process.rights.stop()
            await process.hub.shutdown()

    asyncio.run(run())


@pytest.fixture
def session() -> str:
    """The session of a logged-in member of staff."""
    browser = Browser()
    browser.force_login(User.objects.create(username="alice", is_staff=True))
    return browser.session.session_key


@pytest.fixture
def looks(monkeypatch) -> list[list[str]]:
    """The sessions of each look, as it is made."""
    made: list[list[str]] = []

    def of(keys):
        made.append(list(keys))
        return found(keys)

    found = people.of
    monkeypatch.setattr(people, "of", of)
    monkeypatch.setattr(rights, "LOOK_SECONDS", 0.05)
    return made


def log_out() -> None:
    Session.objects.all().delete()


def test_any_number_of_sockets_of_one_login_cost_one_row_of_one_look(session, looks, settings):
    settings.CONNECTIONS_PER_USER = 0

    async def scenario(process: Process) -> None:
        clients = [process.connect(session)[0] for _ in range(300)]
        await asyncio.gather(*map(process.rights.identify, clients))
        await until(lambda: len(looks) >= 5)
        assert {tuple(keys) for keys in looks} == {(session,)}

    play(scenario)


def test_those_who_ask_while_a_look_is_under_way_share_the_next_one(session, looks):
    async def scenario(process: Process) -> None:
        keys = [f"nobody{number}" for number in range(200)]
        await asyncio.gather(*(process.rights.identify(process.connect(key)[0]) for key in keys))
        assert sorted(key for look in looks for key in look) == sorted(keys)
        assert len(looks) <= 2

    play(scenario)


def test_two_queries_answer_for_all(session, django_assert_num_queries):
    keys = [session, *(f"nobody{number}" for number in range(people.AT_ONCE - 1))]
    with django_assert_num_queries(2):
        assert people.of(keys).keys() == {session}
    with django_assert_num_queries(3):
        assert people.of([*keys, "one more"]).keys() == {session}


def test_nobody_is_looked_at_while_nobody_is_logged_in(session, looks):
    async def scenario(process: Process) -> None:
        client, _ = await process.join(session, "jobs")
        await until(lambda: _is_looking() and len(looks) >= 3)
        process.rights.forget(client)
        await until(lambda: not _is_looking())
        await process.join(session, "jobs")
        await until(_is_looking)  # and again with the next one

    play(scenario)


def _is_looking() -> bool:
    return any(loop.name == "rights" for loop in loops.running())


def test_a_subscription_under_way_while_rights_end_does_not_join(session, looks):
    async def scenario(process: Process) -> None:
        client, socket = process.connect(session)
        await process.rights.identify(client)
        let_through, read = asyncio.Event(), process.hub.reader._read_all

        async def slowly(positions):
            await let_through.wait()
            return await read(positions)

        process.hub.reader._read_all = slowly
        joining = asyncio.create_task(process.hub.subscribe(client, dict.fromkeys(["jobs", "system"], EVERY), {}))
        await asyncio.to_thread(log_out)
        await until(lambda: any(message["type"] == "unsubscribed" for message in socket.heard))
        let_through.set()
        await joining
        assert socket.said("subscribed")["subscriptions"] == ["system"]
        assert socket.said("subscribed")["streams"].keys() == {"system"}
        await asyncio.to_thread(streams.publish, [messages.jobs([], is_whole=True), _system()])
        await until(lambda: any(message["type"] == "system_status" for message in socket.heard))
        assert not any(message["type"] == "jobs" for message in socket.heard)

    play(scenario)


def _system() -> messages.Message:
    body = {"type": "system_status", "stream": "system", "message": "x", "timestamp": "2012-09-04T00:00:00Z"}
    return messages.Message("system", messages.encode(body), keep=True, conflate=False)


def test_what_waits_for_a_slow_client_of_an_ended_stream_is_not_sent(session, looks):
    async def scenario(process: Process) -> None:
        client, socket = await process.join(session, "jobs", "system")
        socket.left_unread = 1 << 20  # it does not take what it is given
        await asyncio.to_thread(streams.publish, [messages.jobs([], is_whole=True), _system()])
        await until(lambda: {"jobs", "system"} <= {key[0] for key in client.outbox.waiting})
        await asyncio.to_thread(log_out)
        await until(lambda: client.person is None)
        socket.left_unread = 0
        await until(lambda: any(message["type"] == "unsubscribed" for message in socket.heard))
        assert any(message["type"] == "system_status" for message in socket.heard)
        assert not any(message["type"] == "jobs" for message in socket.heard)

    play(scenario)


def test_one_client_that_breaks_does_not_keep_the_others_their_rights(session, looks):
    async def scenario(process: Process) -> None:
        held = [await process.join(session, "jobs") for _ in range(8)]
        held[3][1].get_write_buffer_size = None  # a transport that raises
        [loop] = [loop for loop in loops.running() if loop.name == "rights"]
        await asyncio.to_thread(log_out)
        whole = [socket for number, (_, socket) in enumerate(held) if number != 3]
        await until(lambda: all(socket.heard[-1]["type"] == "unsubscribed" for socket in whole))
        assert (loop.skipped, loop.failed) == (1, 0)
        await process.hub.shutdown()
        assert all(socket.closed_with for socket in whole)
        assert not any("jobs" in client.held for client, _ in held)

    play(scenario)


def test_what_nobody_can_tell_any_more_ends_with_a_reason_of_its_own_and_comes_back(session, looks, monkeypatch):
    monkeypatch.setattr(rights, "UNKNOWN_SECONDS", 0.5)

    async def scenario(process: Process) -> None:
        client, socket = await process.join(session, "jobs", "system")
        await asyncio.to_thread(_rename, "django_session", "away")
        try:
            with pytest.raises(Busy):
                await process.rights.identify(client)
            assert "jobs" in client.held
            await until(lambda: "jobs" not in client.held)
            assert socket.said("unsubscribed")["reason"] == "rights_unknown"
            assert socket.said("unsubscribed")["subscriptions"] == ["system"]
        finally:
            await asyncio.to_thread(_rename, "away", "django_session")
        assert people.may_hold(await process.rights.identify(client), "jobs")

    play(scenario)


def _rename(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")
    connection.close()


def test_a_session_that_becomes_anothers_ends_the_formers_streams_and_keeps_nothing_of_them(session, looks):
    async def scenario(process: Process) -> None:
        client, socket = process.connect(session)
        former = await process.rights.identify(client)
        await process.hub.subscribe(client, dict.fromkeys([*people.own(former, ALERTS), "jobs"], EVERY), {})
        await asyncio.to_thread(_hand_over, session)
        await until(lambda: client.person != former)
        assert socket.said("unsubscribed")["streams"] == ["alerts:@me", "jobs"]
        assert not client.held
        assert not people.may_hold(client.person, *people.own(former, ALERTS))

    play(scenario)


def _hand_over(session: str) -> None:
    browser = Browser()
    browser.force_login(User.objects.create(username="bob", is_staff=False))
    bobs = Session.objects.get(pk=browser.session.session_key)
    Session.objects.filter(pk=session).update(session_data=bobs.session_data)


def test_a_client_that_leaves_while_it_joins_leaves_nothing_behind(session, looks):
    async def scenario(process: Process) -> None:
        client, _ = process.connect(session)
        joining = asyncio.create_task(process.hub.subscribe(client, {"system": EVERY}, {}))
        await asyncio.sleep(0)
        process.hub.detach(client)
        await joining
        assert not process.hub.members.held

    play(scenario)
