"""The screens that people keep, within bounds that hold also where two ask at once.

Whose a screen is stands in every query.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from analysis.models import Screen
from analysis.screener.asking import Asked

MOST = 200  # of one person
_TOKEN_BYTES = 16
_LONGEST = 18  # digits of a key


class Refused(Exception):
    """What can't be, for the reason `code`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Unknown(LookupError):
    """There is no such screen, or it is not theirs."""

    code = "unknown_screen"


def owned(owner_id: int | None) -> QuerySet[Screen]:
    return Screen.objects.filter(owner_id=owner_id)


def one(owner_id: int | None, which: str) -> Screen:
    """By its key one's own, by the token of its link also another's that is shared. Raises Unknown."""
    if which.isascii() and which.isdigit() and len(which) <= _LONGEST:
        row = owned(owner_id).filter(pk=int(which)).first()
    else:
        row = Screen.objects.filter(token=which).first()
        if row is not None and not row.is_shared and row.owner_id != owner_id:
            row = None
    if row is None:
        raise Unknown("There is no such screen, or it is neither yours nor shared.")
    return row


@transaction.atomic
def make(owner_id: int, name: str, asked: Asked, *, is_shared: bool) -> Screen:
    """Raises Unknown and Refused."""
    _hold(owner_id)
    if owned(owner_id).count() >= MOST:
        raise Refused("too_many_screens", f"You have {MOST} screens: delete one that you do not need.")
    _require_free(owner_id, name)
    now = datetime.now(UTC)
    return Screen.objects.create(
        owner_id=owner_id,
        name=name,
        asked=asked.as_json(),
        token=secrets.token_urlsafe(_TOKEN_BYTES),
        is_shared=is_shared,
        created_at=now,
        changed_at=now,
    )


@transaction.atomic
def change(owner_id: int, which: str, **told: Any) -> Screen:
    """told: name, asked, is_shared; what stays out stays as it is. Raises Unknown and Refused."""
    row = _held(owner_id, which)
    if "name" in told and told["name"] != row.name:
        _require_free(owner_id, told["name"])
    for name, value in told.items():
        setattr(row, name, value.as_json() if isinstance(value, Asked) else value)
    row.changed_at = datetime.now(UTC)
    row.save(update_fields=[*told, "changed_at"])
    return row


@transaction.atomic
def delete(owner_id: int, which: str) -> None:
    """Raises Unknown."""
    _held(owner_id, which).delete()


def _hold(owner_id: int) -> None:
    """One at a time for each person, until the transaction ends."""
    people = get_user_model()._base_manager.select_for_update()
    if not people.filter(pk=owner_id).values_list("pk").first():
        raise Unknown("There is no such person any more.")


def _held(owner_id: int, which: str) -> Screen:
    _hold(owner_id)
    row = one(owner_id, which)
    if row.owner_id != owner_id:
        raise Unknown("There is no such screen, or it is not yours.")
    return row


def _require_free(owner_id: int, name: str) -> None:
    if owned(owner_id).filter(name=name).exists():
        raise Refused("name_taken", f"You have a screen {name} already; choose another name.")
