"""The end of an account: what was the person's goes, and what says what happened stays, without them.

The row stays, empty and closed: the ledger of jobs and the logs point at it, and go on telling that one and the same
account, which is no more, did this and that. The audit log keeps the names that it wrote down of those who operate.
"""

import logging

from django.contrib.sessions.models import Session
from django.db import transaction

from finstage.models import ApiKey, Login, Preference, User
from market.models import Watchlist
from monitoring import jobs
from monitoring.jobs import JobError
from monitoring.models import AuditEntry, Job, JobTemplate
from realtime.models import Alert, AlertRule, Event

logger = logging.getLogger(__name__)
NAME = "deleted:{pk}"  # a name that nobody can take
EMPTY = {"first_name": "", "last_name": "", "email": "", "is_staff": False, "is_superuser": False, "is_active": False}


def is_needed(user: User) -> bool:
    """Whether nobody else could look after this Finstage."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.exists()


def delete(user: User) -> None:
    """Delete what is this person's. Safe to run again."""
    _cancel(user)
    with transaction.atomic():
        Session.objects.filter(session_key__in=list(user.logins.values_list("session_key", flat=True))).delete()
        for rows in (Login, Preference, ApiKey, Alert, AlertRule, Event, Watchlist):
            rows.objects.filter(owner=user).delete()
        # Those of the staff are everybody's.
        if not user.is_staff:
            JobTemplate.objects.filter(owner=user).delete()
        name = NAME.format(pk=user.pk)
        AuditEntry.objects.create(actor=user, actor_name=name, action="account.delete", target=name, outcome={})
        _empty(user, name)


def _empty(user: User, name: str) -> None:
    for field, value in EMPTY.items():
        setattr(user, field, value)
    user.username, user.last_login = name, None
    user.set_unusable_password()
    user.save(update_fields=[*EMPTY, "username", "last_login", "password"])
    user.groups.clear()
    user.user_permissions.clear()


def _cancel(user: User) -> None:
    """What still waits or runs for this person; one that just ends or is locked stays as it is."""
    for pk in list(Job.objects.filter(owner=user).exclude(state__in=Job.ENDED).values_list("pk", flat=True)):
        try:
            jobs.cancel(pk)
        except JobError as error:
            logger.warning("job %s of a deleted account was not cancelled: %s", pk, error)
