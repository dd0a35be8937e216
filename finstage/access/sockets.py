"""What a socket may show in place of a login's cookie, and what is put into its scope for that."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from finstage.access import door, keys, limits, tickets, tokens, uses
from finstage.access.door import TooManyWrong
from finstage.access.keys import Grant, Invalid
from finstage.access.tokens import Token
from finstage.models import ApiKey
from realtime import people
from realtime.messages import Refused
from realtime.people import Credential, Person


def scope(of: dict[str, Any]) -> dict[str, Any]:
    """What a socket's scope gets: where it comes from, who knows what a token stands for, and the key in its head."""
    try:
        key = said(of)
    except Invalid:
        key = ""
    own = address(of)
    return {"finstage.address": own, "finstage.shown": partial(shown, address=own), "finstage.key": key}


def said(scope: dict[str, Any]) -> str | None:
    """The key in a scope's head. Raises Invalid."""
    heads = _heads(scope)
    return door.said(heads.get(b"authorization", ""), heads.get(b"x-api-key"))


def address(scope: dict[str, Any]) -> str:
    """Whose it is, by its address."""
    return limits.asker((scope.get("client") or ("",))[0] or "", _heads(scope).get(b"x-forwarded-for", ""))


def shown(text: str, address: str) -> Credential | None:
    """What a token stands for; None of a wrong one, and Refused of one too many from this address."""
    token = Token.read(text)
    if token is not None and token.kind == tokens.TICKET:
        holder = tickets.redeem(token)
        return None if holder is None else _held(holder)
    try:
        grant = door.granted(text, address)
    except Invalid:
        return None
    except TooManyWrong as many:
        raise Refused("rate_limited", str(many), retry_after=many.seconds) from None
    uses.note(grant.key_id)
    return Credential(by_key, str(grant.key_id))


def by_key(names: Collection[str]) -> dict[str, Person]:
    """Whose keys are, by their ids, as long as they let somebody read; the others are left out."""
    found, now = keys.grants([int(name) for name in names]), timezone.now()
    return {str(pk): _person(grant) for pk, grant in found.items() if _may_read(grant, now)}


def _held(holder: tickets.Holder) -> Credential:
    return Credential(by_key, holder.name) if holder.kind == tickets.KEY else people.by_session(holder.name)


def _person(grant: Grant) -> Person:
    return Person(grant.user_id, grant.is_staff, grant.username, grant.scopes, grant.prefix)


def _may_read(grant: Grant, now: datetime) -> bool:
    try:
        grant.check(now)
    except Invalid:
        return False
    return ApiKey.READ in grant.scopes


def _heads(scope: dict[str, Any]) -> dict[bytes, str]:
    heads: dict[bytes, str] = {}
    for name, value in scope["headers"]:  # one that comes twice is one with a comma, as HTTP has it
        heads[name] = f"{heads[name]},{value.decode('latin1')}" if name in heads else value.decode("latin1")
    return heads
