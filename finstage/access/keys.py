"""API keys: made, shown once, found by what a program sends, and revoked.

Thousands in use at once cost no query a request: a process remembers those that it has seen, by the hash of the whole
token, and one look of one request asks the database again about all that are in use. What is remembered is believed for
`TRUE_SECONDS`, so that a key which was revoked, has run out or may something else now does so everywhere within 5 s.
What is not remembered, be it wrong or not used lately, costs one query and one comparison in constant time.
"""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from finstage.access import tokens
from finstage.access.tokens import Token
from finstage.models import ApiKey, User

LOOK_SECONDS, TRUE_SECONDS = 3.0, 4.5
USED_SECONDS = 600.0  # what was not used for so long is looked at when it is
REMEMBERED = 20_000
AT_ONCE = 900  # keys of one query: SQLite's drivers take 999 values at least
_NOBODY = "0" * 64  # compared where there is no such key: it takes as long

# Django takes them in the model's own order.
_NAMES = ("id", "is_superuser", "username", "is_staff", "is_active")
assert list(_NAMES) == [field.attname for field in User._meta.concrete_fields if field.attname in _NAMES]
_OWNER = ("owner_id", "owner__username", "owner__is_active", "owner__is_staff", "owner__is_superuser")
_SAID = ("may_read", "may_write", "may_staff", "expires_at", "revoked_at")
_COLUMNS = ("pk", "prefix", "digest", *_OWNER, *_SAID, "made_by_id", *(f"made_by__{name}" for name in _SAID))


class Invalid(Exception):
    """A key that lets nobody in, for the reason `code`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Grant(NamedTuple):
    """What a key lets its bearer do: what it says, what its owner may, and what the key that made it says."""

    key_id: int
    prefix: str
    user_id: int
    username: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    scopes: frozenset[str]
    expires_at: datetime | None
    is_revoked: bool
    is_made_by_key: bool

    def user(self) -> User:
        """The owner, as far as the key goes. What else is known of them is read when it is asked for."""
        said = {"id": self.user_id, "username": self.username, "is_active": True}
        said |= {"is_staff": self.is_staff, "is_superuser": self.is_superuser}
        return User.from_db("default", _NAMES, [said[name] for name in _NAMES])

    def check(self, now: datetime) -> None:
        """Raises Invalid where it is over."""
        if self.is_revoked:
            raise Invalid("revoked_key", f"The key {self.prefix} was revoked. Make another one.")
        if self.expires_at is not None and self.expires_at <= now:
            at = f"{self.expires_at:%Y-%m-%dT%H:%M:%SZ}"
            raise Invalid("expired_key", f"The key {self.prefix} expired at {at}. Make another one.")
        if not self.is_active:
            raise Invalid("revoked_key", f"The account of the key {self.prefix} is not active.")


class Known:
    """A key that this process has seen."""

    __slots__ = ("grant", "looked_at", "said", "used_at")

    def __init__(self, grant: Grant, now: float) -> None:
        self.grant, self.looked_at, self.used_at = grant, now, now
        self.said: tuple | None = ()  # its row in the database's own words, once it was looked at again; None: gone


_known: OrderedDict[str, Known] = OrderedDict()  # by the digest of the token, what was used last at the end
_remembering = threading.Lock()
_looking = threading.Lock()


def make(owner: User, name: str, scopes: Collection[str], expires_at: datetime | None, by: int | None = None) -> tuple:
    """A new key, and its token, which nobody can tell a second time."""
    token = Token.new(tokens.KEY)
    said = {f"may_{scope}": scope in scopes for scope in ApiKey.SCOPES}
    told = {"prefix": token.name, "digest": token.digest, "expires_at": expires_at, "made_by_id": by}
    return ApiKey.objects.create(owner=owner, name=name, **told, **said), token.text


def revoke(pk: int) -> bool:
    """From now on it lets nobody in, nor do those that it made. False where it did not before: when that was, stays."""
    return ApiKey.objects.filter(pk=pk, revoked_at=None).update(revoked_at=timezone.now()) > 0


def live() -> Q:
    """Those that still let somebody in, as far as they say so themselves."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def remembered(token: Token) -> Grant | None:
    """What this process knows of a token, true to a few seconds; None where it is wrong, or not seen lately."""
    digest = token.digest
    with _remembering:
        known = _known.get(digest)
        if known is None:
            return None
        _known.move_to_end(digest)
        known.used_at = time.monotonic()
    _require_truth(digest, known)
    return known.grant


def looked_up(token: Token) -> Grant:
    """What the database has of a token. Raises Invalid where it is wrong, after as long as if it were right."""
    row = next(_rows(prefix=token.name), None)
    digest = token.digest
    if not hmac.compare_digest(row[2] if row else _NOBODY, digest) or row is None:
        raise Invalid("invalid_key", "There is no such API key. Is it whole, and of this installation?")
    known = Known(_grant(row), time.monotonic())
    with _remembering:
        _known[digest] = known
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return known.grant


def grants(ids: Collection[int]) -> dict[int, Grant]:
    """What keys let their bearers do now, by the database; those that are gone are left out."""
    asked = list(ids)
    parts = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
    return {row[0]: _grant(row) for part in parts for row in _rows(pk__in=part)}


def forget() -> None:
    """Believe nothing of what is remembered."""
    with _remembering:
        _known.clear()


def _require_truth(digest: str, known: Known) -> None:
    """Look again where it was long ago. One looks for all; the others go on with what they have, while they may."""
    if time.monotonic() - known.looked_at < LOOK_SECONDS:
        return
    is_old = time.monotonic() - known.looked_at >= TRUE_SECONDS
    if not _looking.acquire(blocking=is_old):
        return
    try:
        if time.monotonic() - known.looked_at >= LOOK_SECONDS:
            _look_again()
    finally:
        _looking.release()


def _look_again() -> None:
    """Read the rows of all that are due as the database has them, and understand those alone that have changed."""
    began = time.monotonic()
    with _remembering:
        due = {digest: each for digest, each in _known.items() if _is_due(each, began)}
    said = _said_of([each.grant.key_id for each in due.values()])
    changed = {digest: each for digest, each in due.items() if each.said != said.get(each.grant.key_id)}
    found = grants([each.grant.key_id for each in changed.values()])
    for digest, each in changed.items():
        grant = found.get(each.grant.key_id)
        # A row that is gone was a key once: whoever has it in hand is told that it is over.
        each.grant = each.grant._replace(is_revoked=True) if grant is None else grant
        each.said = said.get(each.grant.key_id)
        if grant is None:
            with _remembering:
                _known.pop(digest, None)
    for each in due.values():
        each.looked_at = began


def _said_of(ids: list[int]) -> dict[int, tuple]:
    """The rows unread: to make Python's values of thousands takes ten times as long as to compare them."""
    rows: list[tuple] = []
    for start in range(0, len(ids), AT_ONCE):
        wanted = ApiKey.objects.filter(pk__in=ids[start : start + AT_ONCE]).values_list(*_COLUMNS)
        with connection.cursor() as cursor:
            cursor.execute(*wanted.query.sql_with_params())
            rows += cursor.fetchall()
    return {row[0]: row for row in rows}


def _is_due(known: Known, now: float) -> bool:
    return now - known.used_at < USED_SECONDS and now - known.looked_at >= LOOK_SECONDS / 2


def _rows(**wanted: object) -> Iterable[tuple]:
    return ApiKey.objects.filter(**wanted).values_list(*_COLUMNS).iterator()


def _grant(row: tuple) -> Grant:
    pk, prefix, _, owner_id, username, is_active, is_staff, is_superuser, *said = row
    own, (made_by, *makers) = said[:5], said[5:]
    may = [all(pair) for pair in zip(own[:3], makers[:3], strict=True)] if made_by is not None else own[:3]
    scopes = frozenset(scope for scope, is_given in zip(ApiKey.SCOPES, may, strict=True) if is_given)
    ends = [at for at in (own[3], makers[3]) if at is not None]
    is_for_staff = bool(is_staff) and ApiKey.STAFF in scopes
    return Grant(
        *(pk, prefix, owner_id, username, bool(is_active), is_for_staff, bool(is_superuser) and is_for_staff),
        scopes=scopes if is_staff else scopes - {ApiKey.STAFF},
        expires_at=min(ends, default=None),
        is_revoked=own[4] is not None or makers[4] is not None,
        is_made_by_key=made_by is not None,
    )
