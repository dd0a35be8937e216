"""Whom sessions belong to now, by the database: what Django asks at each request, for many sessions at once. And what
else somebody may show, which those who know it look at in the same way.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime import kinds
from realtime.kinds import Kind

AT_ONCE = 900  # sessions of one query: SQLite's drivers take 999 values at least


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in, as far as streams ask. scopes: what a key says that it may; None of a login. via: the prefix of
    the key.
    """

    user_id: int
    is_staff: bool
    name: str = ""
    scopes: frozenset[str] | None = None
    via: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client shows to say who it is. `look` tells the people of many of its kind by their names."""

    look: Callable[[Collection[str]], dict[str, "Person"]]
    name: str


def may_hold(person: Person | None, stream: str) -> bool:
    """Whether a stream is everybody's, or this person's."""
    if kinds.of(stream).for_staff:
        return person is not None and person.is_staff
    owner = kinds.owner(stream)
    return owner is None or (person is not None and owner == str(person.user_id))


def own(person: Person | None, kind: Kind) -> list[str]:
    """The person's own stream of a kind, where it has one for each user."""
    return [kind.of_user(person.user_id)] if person is not None and kind.by_user else []


def shown_by(credentials: Collection[Credential]) -> dict[Credential, Person]:
    """Who they are, of whatever kind; those that are nobody's any more are left out."""
    found: dict[Credential, Person] = {}
    for look in {each.look for each in credentials}:
        people = look([each.name for each in credentials if each.look == look])
        found |= {Credential(look, name): person for name, person in people.items()}
    return found


def by_session(key: str) -> Credential:
    return Credential(of, key)


def of(keys: Collection[str]) -> dict[str, Person]:
    """The person of each session that holds a login; the other sessions are left out. Two queries for 900."""
    found, left = {}, list(keys)
    while left:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        found.update(_of(some))
    return found


def _of(keys: list[str]) -> dict[str, Person]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    claims = {row.session_key: row.get_decoded() for row in rows}
    ids = {key: claim[SESSION_KEY] for key, claim in claims.items() if str(claim.get(SESSION_KEY)).isdecimal()}
    users = (
        get_user_model()
        .objects.only("username", "password", "is_active", "is_staff")
        .in_bulk(set(map(int, ids.values())))
    )
    logged_in = {key: user for key, id in ids.items() if (user := users.get(int(id))) and _is_login(claims[key], user)}
    return {key: Person(user.pk, user.is_staff, user.get_username()) for key, user in logged_in.items()}


def _is_login(claim: dict[str, Any], user: AbstractBaseUser) -> bool:
    """As `django.contrib.auth.get_user`, which may give the session another key; a socket could not tell its page."""
    if not user.is_active or claim.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = str(claim.get(HASH_SESSION_KEY, ""))
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, each) for each in hashes)
