"""How many somebody may hold at once, by the counting alone; tests/finstage/access/test_crowd.py has real servers."""

import pytest

from realtime import people
from realtime.clients import Client
from realtime.crowd import Crowd
from realtime.messages import Refused
from realtime.people import Credential, Person

HERE, THERE = "203.0.113.1", "203.0.113.2"
BOB, EVE = Person(1, False), Person(2, False)
MOST = 2


def by_key(names: object) -> dict[str, Person]:
    return {}


KEY, OTHER = Credential(by_key, "7"), Credential(by_key, "8")


@pytest.fixture(autouse=True)
def few(settings) -> None:
    settings.CONNECTIONS_PER_ADDRESS = settings.CONNECTIONS_PER_USER = settings.CONNECTIONS_PER_KEY = MOST


def client() -> Client:
    return Client("test", send=None, close=None)


def refused(crowd: Crowd, act: str, *arguments: object) -> str:
    with pytest.raises(Refused) as told:
        getattr(crowd, act)(client(), *arguments)
    assert (told.value.code, told.value.retry_after) == ("too_many_connections", 5)
    return str(told.value)


def test_so_many_come_from_one_address_and_one_that_leaves_makes_room():
    crowd, clients = Crowd(), [client() for _ in range(MOST)]
    for each in clients:
        crowd.come(each, HERE)
    assert "of one address" in refused(crowd, "come", HERE)
    crowd.come(client(), THERE)
    crowd.come(client(), None)  # nobody knows from where
    crowd.leave(clients[0])
    crowd.leave(clients[0])
    crowd.come(client(), HERE)
    assert "of one address" in refused(crowd, "come", HERE)


def test_so_many_are_one_person_by_whatever_they_showed():
    crowd, clients = Crowd(), [client() for _ in range(MOST)]
    for each, shown in zip(clients, (people.by_session("s"), KEY), strict=True):
        crowd.show(each, shown, BOB)
        crowd.show(each, shown, BOB)  # counted once
    assert "of one user" in refused(crowd, "show", OTHER, BOB)
    crowd.show(client(), OTHER, EVE)
    crowd.forget(clients[0])
    crowd.show(client(), people.by_session("t"), BOB)


def test_so_many_show_one_key_and_a_session_is_none(settings):
    settings.CONNECTIONS_PER_USER = 0
    crowd = Crowd()
    for _ in range(MOST):
        crowd.show(client(), KEY, BOB)
        crowd.show(client(), people.by_session("7"), BOB)
    assert "of one key" in refused(crowd, "show", KEY, BOB)
    crowd.show(client(), people.by_session("7"), BOB)
    crowd.show(client(), OTHER, BOB)


def test_who_is_refused_takes_nothing_and_who_is_nobody_now_still_counts_where_it_came_from(settings):
    settings.CONNECTIONS_PER_KEY = 1
    crowd, first, second = Crowd(), client(), client()
    for each in (first, second):
        crowd.come(each, HERE)
    crowd.show(first, KEY, BOB)
    refused(crowd, "show", KEY, EVE)
    for _ in range(MOST):
        crowd.show(client(), people.by_session("s"), EVE)
    crowd.forget(first)
    crowd.show(second, KEY, BOB)
    assert "of one address" in refused(crowd, "come", HERE)
