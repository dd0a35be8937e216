"""Whom sessions belong to now, by the database: what Django asks at each request, for many sessions at once."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime.messages import STAFF_TYPES

AT_ONCE = 900  # sessions of one query: SQLite's drivers take 999 values at least


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in, as far as streams ask."""

    user_id: int
    is_staff: bool


def may_hold(person: Person | None, stream: str) -> bool:
    """Whether a stream is everybody's, or this person's."""
    if stream in STAFF_TYPES:
        return person is not None and person.is_staff
    if stream.startswith("alerts:@"):
        return person is not None and stream == alerts_of(person)
    return True


def alerts_of(person: Person) -> str:
    return f"alerts:@{person.user_id}"


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
    users = get_user_model().objects.only("password", "is_active", "is_staff").in_bulk(set(map(int, ids.values())))
    logged_in = {key: user for key, id in ids.items() if (user := users.get(int(id))) and _is_login(claims[key], user)}
    return {key: Person(user.pk, user.is_staff) for key, user in logged_in.items()}


def _is_login(claim: dict[str, Any], user: AbstractBaseUser) -> bool:
    """As `django.contrib.auth.get_user`, which may give the session another key; a socket could not tell its page."""
    if not user.is_active or claim.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = str(claim.get(HASH_SESSION_KEY, ""))
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, each) for each in hashes)
