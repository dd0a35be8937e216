"""Who may have server-sent events: what `door` asks, of a request that no view answers and no thread waits for."""

from dataclasses import dataclass
from typing import Any

from finstage import answers
from finstage.access import door, sockets, uses
from finstage.access.door import TooManyWrong
from finstage.access.keys import Grant, Invalid
from finstage.answers import Refused
from finstage.models import ApiKey
from monitoring.limits import Standing
from realtime import people, visitors
from realtime.people import Credential


@dataclass(frozen=True, slots=True)
class Entry:
    """Where somebody comes from, what they show, and what every answer to them says of their limit."""

    address: str
    login: Credential | None
    key: Credential | None
    headers: dict[str, str]


def enter(scope: dict[str, Any]) -> Entry:
    """Let a request in. Raises Refused, with where its limit stands, and the database's errors."""
    address = sockets.address(scope)
    try:
        grant = _granted(scope, address)
    except Refused as refused:
        refused.headers += answers.encoded(_headers(door.counted(None, None, address)))
        raise
    login = visitors.session(scope) if grant is None else None
    key = None if grant is None else Credential(sockets.by_key, str(grant.key_id))
    person = None if login is None else people.shown_by([login]).get(login)
    headers = _headers(door.counted(grant, person and person.user_id, address))
    if grant is not None and ApiKey.READ not in grant.scopes:
        raise Refused(403, "missing_scope", door.missing(ApiKey.READ, grant), headers=headers)
    return Entry(address, login, key, headers)


def _granted(scope: dict[str, Any], address: str) -> Grant | None:
    """What its key lets it do; None where it brought none."""
    if fault := visitors.origin_fault(scope):
        raise Refused(403, "origin_not_allowed", fault)
    try:
        text = sockets.said(scope)
        grant = None if text is None else door.granted(text, address)
    except Invalid as invalid:
        raise Refused(401, invalid.code, str(invalid), headers=door.challenge(invalid)) from None
    except TooManyWrong as many:
        raise Refused(429, "too_many_wrong_keys", str(many), retry_after=many.seconds) from None
    if grant is not None:
        uses.note(grant.key_id)
    return grant


def _headers(standing: Standing | None) -> dict[str, str]:
    """Where the limit stands. Raises Refused for one too many."""
    headers = {} if standing is None else standing.headers()
    if standing is not None and standing.is_over:
        wait = standing.wait_seconds
        raise Refused(429, "rate_limited", str(standing), retry_after=wait, headers=headers) from None
    return headers
