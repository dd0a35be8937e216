"""How often somebody may ask, and whose a request is."""

import ipaddress
import time

import pytest

from finstage.access import door, limits
from finstage.access.keys import Grant
from monitoring.limits import Limit
from tests.finstage.access.conftest import bearer

SYMBOLS = "/api/v2/symbols/"


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_so_many_are_let_in_at_once_and_then_one_after_the_other(clock):
    limit = Limit("key", 60)
    assert [limit.take("a").left for _ in range(60)] == list(range(59, -1, -1))
    over = limit.take("a")
    assert (over.is_over, over.left, over.wait_seconds, over.reset_seconds) == (True, 0, 1, 60)
    clock[0] += 1
    assert not limit.take("a").is_over
    assert limit.take("a").is_over


def test_what_is_refused_costs_nothing_and_nobody_pays_for_another(clock):
    limit = Limit("key", 2)
    standings = [limit.take("a") for _ in range(50)]
    assert sum(not each.is_over for each in standings) == 2
    assert not limit.take("b").is_over
    clock[0] += 60
    assert [limit.take("a").is_over for _ in range(3)] == [False, False, True]


def test_nought_is_no_limit():
    assert Limit("key", 0).take("a") is None


def test_memory_is_bounded_and_keeps_those_who_owe_most(clock):
    limit = Limit("address", 100, room=50)
    [limit.take("greedy") for _ in range(100)]
    for number in range(1000):
        limit.take(number)
    assert len(limit._paid_at) <= 51
    assert limit.take("greedy").is_over


def test_nobody_is_forgotten_while_there_is_room(clock):
    limit = Limit("address", 120, room=50)
    assert [limit.take(who).left for who in range(50)] == [119] * 50
    [limit.take(who) for who in range(50) for _ in range(119)]
    assert all(limit.take(who).is_over for who in range(50))


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "asker"),
    [
        ([], "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["10.0.0.0/8"], "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "not an address", "not an address"),
        (["10.0.0.0/8"], "", "203.0.113.1", "203.0.113.1"),
        ([], "2001:db8:1:2:3::9", "", "2001:db8:1:2::/64"),
        ([], "::ffff:198.51.100.7", "", "198.51.100.7"),
    ],
)
def test_whose_a_request_is(settings, proxies, remote, forwarded, asker):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(each) for each in proxies]
    limits._is_proxy.cache_clear()
    assert limits.asker(remote, forwarded) == asker


@pytest.fixture
def small(monkeypatch):
    for name, policy, quota in (("_addresses", "address", 2), ("_users", "user", 4), ("_keys", "key", 3)):
        monkeypatch.setattr(door, name, Limit(policy, quota))


@pytest.mark.django_db
def test_too_many_requests_are_refused_with_when_to_come_back(client, small):
    answers = [client.get(SYMBOLS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    over = answers[-1]
    assert over.json()["code"] == "rate_limited"
    assert int(over["Retry-After"]) == 30
    assert over["RateLimit"].startswith('"address";r=0;t=')
    assert over["RateLimit-Policy"] == '"address";q=2;w=60'


@pytest.mark.django_db
def test_what_comes_with_a_wrong_key_counts_for_its_address(client, small):
    answers = [client.get(SYMBOLS, headers=bearer("wrong")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert client.get(SYMBOLS).status_code == 429


@pytest.mark.django_db
def test_a_key_has_its_own_limit_and_all_keys_of_a_person_one_together(client, small, bob, make):
    first, second = (bearer(make(bob)[1]) for _ in range(2))
    told = [client.get(SYMBOLS, headers=headers) for headers in (first, first, first, first, second)]
    assert [answer.status_code for answer in told] == [200, 200, 200, 429, 429]
    assert told[3]["RateLimit-Policy"].startswith('"key"')
    assert told[4]["RateLimit-Policy"].startswith('"user"')


@pytest.mark.django_db
def test_a_login_counts_for_the_person_and_a_made_up_cookie_for_the_address(client, small, bob):
    client.cookies["sessionid"] = "made-up"
    assert [client.get(SYMBOLS).status_code for _ in range(3)] == [200, 200, 429]
    client.force_login(bob)
    assert client.get(SYMBOLS)["RateLimit-Policy"].startswith('"user"')


def test_of_a_keys_limit_and_its_owners_the_one_is_told_of_which_less_is_left(clock, monkeypatch):
    monkeypatch.setattr(door, "_users", Limit("user", 8))
    monkeypatch.setattr(door, "_keys", Limit("key", 4))
    told = [door.counted(key(number), None, "1.2.3.4").policy for number in (1, 1, 1, 1, 2)]
    assert told == ["key", "key", "key", "key", "user"]  # then 3 of 4 are left of the key's, and of its owner's 3 of 8


def key(key_id: int) -> Grant:
    may = {"scopes": frozenset(), "expires_at": None, "is_revoked": False, "is_made_by_key": False}
    return Grant(key_id, "k", 7, "bob", is_active=True, is_staff=False, is_superuser=False, **may)
