"""Where somebody is logged in: the browsers, since when, and their end."""

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from finstage.access import limits
from finstage.models import Login, User
from monitoring import turns
from realtime import people

logger = logging.getLogger(__name__)
EVERY_SECONDS = 300.0
AT_ONCE = 500
NEW = timedelta(hours=1)  # a login may be noted before others see its session
REMEMBERED = 20_000
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip

_noted: dict[str, float] = {}  # by the session's key, when this process wrote it last


class Seen(NamedTuple):
    """A login, as its owner reads it."""

    pk: int
    browser: str
    system: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


def note(request: HttpRequest) -> None:
    """That a page was asked for; written at most every five minutes, and never in a page's way."""
    key, now = request.session.session_key, time.monotonic()
    if now - _noted.get(key, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    if len(_noted) >= REMEMBERED:
        _noted.clear()
    _noted[key] = now
    try:
        _write(request, key)
    except DatabaseError as error:
        logger.warning("a login's last page stays unnoted: %s", error)


def of(owner: User, this: str | None) -> list[Seen]:
    """Those that still open something, this one first, then by when they were seen. this: the session's key."""
    rows = list(Login.objects.filter(owner=owner))
    alive = people.of([row.session_key for row in rows])
    over = [row.pk for row in rows if row.session_key not in alive]
    Login.objects.filter(pk__in=over).delete()
    told = [_seen(row, this) for row in rows if row.session_key in alive]
    return sorted(told, key=lambda each: (not each.is_this, -each.seen_at.timestamp(), -each.pk))


def end(owner: User, pk: int) -> bool:
    """End one; its pages and sockets may nothing more within 5 s. Whether there was one."""
    row = Login.objects.filter(owner=owner, pk=pk).first()
    if row is None:
        return False
    Session.objects.filter(session_key=row.session_key).delete()
    row.delete()
    return True


def end_others(owner: User, this: str | None) -> int:
    """End all but this one; how many."""
    others = Login.objects.filter(owner=owner).exclude(session_key=this or "")
    Session.objects.filter(session_key__in=list(others.values_list("session_key", flat=True))).delete()
    return others.delete()[0]


def forget_over(now: datetime) -> dict[str, int]:
    """Delete the sessions that are over, and the logins of which none is left. Returns how many of each."""
    over = Session.objects.filter(expire_date__lt=now).order_by("expire_date")
    return {"sessions": turns.delete(over, AT_ONCE), "logins": _forget_closed(now - NEW)}


def moved(before: str, now: str) -> None:
    """A session has another key, as after a new password."""
    Login.objects.filter(session_key=before).update(session_key=now)


def _forget_closed(before: datetime) -> int:
    """Delete the logins not seen since then that open nothing. How many.

    The keys meet here and not in a query: MariaDB compares no two columns that tell text apart by different rules, and
    those of the sessions' table are Django's.
    """
    deleted, last = 0, 0
    rows = Login.objects.filter(seen_at__lt=before).order_by("pk").values_list("pk", "session_key")
    while some := list(rows.filter(pk__gt=last)[:AT_ONCE]):
        alive = set(Session.objects.filter(pk__in=[key for _, key in some]).values_list("pk", flat=True))
        closed = Login.objects.filter(pk__in=[pk for pk, key in some if key not in alive])
        deleted += turns.delete(closed, AT_ONCE)
        last = some[-1][0]
    return deleted


def _write(request: HttpRequest, key: str) -> None:
    now = timezone.now()
    agent = request.META.get("HTTP_USER_AGENT", "")[:300]
    address = limits.asker(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
    if not Login.objects.filter(session_key=key).update(seen_at=now, address=address):
        row = Login(owner_id=request.user.pk, session_key=key, agent=agent, address=address, began_at=now, seen_at=now)
        Login.objects.bulk_create([row], ignore_conflicts=True)


def _seen(row: Login, this: str | None) -> Seen:
    browser = next((name for mark, name in BROWSERS if mark in row.agent), "")
    system = (
        next((name for name in SYSTEMS if name in row.agent), "")
        .replace("Mac OS X", "macOS")
        .replace("CrOS", "ChromeOS")
    )
    return Seen(row.pk, browser, system, row.address, row.began_at, row.seen_at, row.session_key == this)
