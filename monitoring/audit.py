"""Who did what to the running system. Nothing is done of which this log has no entry."""

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from rest_framework.request import Request

from monitoring import turns
from monitoring.models import AuditEntry

logger = logging.getLogger(__name__)
LONGEST = AuditEntry._meta.get_field("target").max_length
SHELL = "shell"
AT_ONCE = 500


class Repeated(Exception):
    """Somebody has begun the act with the same key meanwhile, or before."""


@contextmanager
def act(
    request: Request | HttpRequest, action: str, target: str = "", key: str | None = None, /, **facts: Any
) -> Iterator[dict[str, Any]]:
    """Log an act of whoever sent the request around doing it; the block puts what became of it into the given dict.

    key: the idempotency key of the request. Raises Repeated, and the database's errors, before the act and not behind
    it: what was done is answered as done.
    """
    who, named = _who(request.user, via(request)), key and _of(request, action, key)
    with again(_begun(**who, action=action, target=target[:LONGEST], facts=facts, key=named)) as outcome:
        yield outcome


@contextmanager
def act_of(user: Any, via: str, action: str, target: str = "", /, **facts: Any) -> Iterator[dict[str, Any]]:
    """The same of somebody who sent no request, but is a user of ours. via: the prefix of the key, or empty."""
    with again(_begun(**_who(user, via), action=action, target=target[:LONGEST], facts=facts)) as outcome:
        yield outcome


@contextmanager
def by_shell(action: str, target: str = "", /, **facts: Any) -> Iterator[dict[str, Any]]:
    """The same of who has a shell on this machine."""
    entry = _begun(actor_name=_person(), via=SHELL, action=action, target=target[:LONGEST], facts=facts)
    with again(entry) as outcome:
        yield outcome


@contextmanager
def again(entry: AuditEntry) -> Iterator[dict[str, Any]]:
    """Do what an entry tells of, which was cut off or failed before."""
    outcome: dict[str, Any] = {}
    try:
        yield outcome
    except Exception as error:
        outcome["error"] = f"{type(error).__name__}: {error}"[:500]
        raise
    finally:
        _end(entry, outcome)


def earlier(request: Request, action: str, key: str | None) -> AuditEntry | None:
    """The act that whoever sent the request has begun with this key."""
    return None if key is None else AuditEntry.objects.filter(key=_of(request, action, key)).first()


def via(request: Request | HttpRequest) -> str:
    """The prefix of the key that a request came with; empty of a login."""
    return str(getattr(getattr(request, "auth", None), "prefix", ""))[:100]


def forget_before(instant: datetime) -> int:
    """Delete what was done before, oldest first, a few at a time. Returns how many."""
    return turns.delete_before(AuditEntry, "at", instant, AT_ONCE)


def _of(request: Request, action: str, key: str) -> str:
    return f"{request.user.pk}:{action}:{key}"


def _who(user: Any, via: str) -> dict[str, Any]:
    return {"actor": user, "actor_name": user.get_username(), "via": via}


def _begun(**columns: Any) -> AuditEntry:
    try:
        with transaction.atomic():
            return AuditEntry.objects.create(**columns)
    except IntegrityError as error:
        if columns.get("key") is None:
            raise
        raise Repeated from error


def _person() -> str:
    try:
        return getpass.getuser()[:150]
    except (KeyError, OSError):  # a container may have no name for who runs it
        return SHELL


def _end(entry: AuditEntry, outcome: dict[str, Any]) -> None:
    entry.outcome = outcome
    try:
        entry.save(update_fields=["outcome"])
    except DatabaseError as error:
        logger.warning("audit entry %s stays without its outcome %s: %s", entry.pk, outcome, error)
