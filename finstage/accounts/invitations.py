"""Invitations: made by staff, told once, good for one account."""

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from finstage.access import tokens
from finstage.access.tokens import Token
from finstage.models import Invitation, User

DAYS, MOST_DAYS = 7, 365


def may_make(user: User | AnonymousUser) -> bool:
    return user.is_staff and settings.REGISTRATION == "invitation"


def make(by: User | None, days: float = DAYS) -> tuple[str, datetime]:
    """A new one's text, which nobody can tell a second time, and when it is over."""
    token, expires_at = Token.new(tokens.INVITATION), timezone.now() + timedelta(days=days)
    Invitation.objects.create(prefix=token.name, digest=token.digest, made_by=by, expires_at=expires_at)
    return token.text, expires_at


def open_one(text: str) -> Invitation | None:
    """The one that a text is, while it is good; None of one that is wrong, used or over."""
    token = Token.read(text.strip())
    row = None if token is None else Invitation.objects.filter(prefix=token.name).first()
    if row is None or token.kind != tokens.INVITATION or not hmac.compare_digest(row.digest, token.digest):
        return None
    return row if row.used_at is None and row.expires_at > timezone.now() else None


def use(invitation: Invitation, by: User) -> bool:
    """Whether it was not used meanwhile."""
    now = timezone.now()
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=now)
    return bool(unused.update(used_at=now, used_by=by))
