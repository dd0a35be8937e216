"""What somebody says of an action that a source itself contradicts: it counts as told, or adjusted views leave it out.

A decision is an action in place of the former one, so that what was known before reads as it was. It is of what was
told: the same that is told again has it still, another value is to be decided anew.
"""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from market.actions import effects
from market.actions.write import KEPT, superseded
from market.models import CorporateAction, Decision


def can_be_decided(row: CorporateAction) -> bool:
    return row.disputed is not None or row.decision is not None


def disputed(*, symbol: int | None = None, is_decided: bool | None = None) -> QuerySet[CorporateAction]:
    """Those that a source contradicts or somebody decided; None: of all symbols, decided or not."""
    wanted = Q(disputed__isnull=False) | Q(decision__isnull=False)
    if is_decided is not None:
        wanted &= Q(decision__isnull=not is_decided)
    if symbol is not None:
        wanted &= Q(symbol=symbol)
    return CorporateAction.objects.filter(wanted).select_related("symbol")


def by_key(key: int) -> CorporateAction | None:
    return CorporateAction.objects.filter(pk=key).select_related("symbol").first()


def in_place_of(row: CorporateAction) -> CorporateAction | None:
    """What stands where an action stood."""
    place = {"symbol": row.symbol_id, "kind": row.kind, "ex_date": row.ex_date, "ordinal": row.ordinal}
    return CorporateAction.objects.filter(**place).select_related("symbol").first()


def decide(row: CorporateAction, decision: Decision, by: str) -> bool:
    """Have adjusted views count an action, or not; returns whether that is new. Safe to run again.

    One that has been told otherwise meanwhile is not decided.
    """
    with transaction.atomic():
        covered = effects.hold([row.symbol_id])
        stands = CorporateAction.objects.filter(pk=row.pk).first()
        if stands is None or not can_be_decided(stands) or stands.decision == decision:
            return False
        decided = _put(stands, decision, by)
        if decided.is_counted != stands.is_counted:
            effects.renew(covered, {row.symbol_id: {decided.kind: decided.ex_date}})
    return True


def _put(stands: CorporateAction, decision: Decision, by: str) -> CorporateAction:
    now, kept = datetime.now(UTC), {name: getattr(stands, name) for name in KEPT}
    CorporateAction.objects.filter(pk=stands.pk).delete()
    said = {"decision": decision, "decided_at": now, "decided_by": by}
    decided = CorporateAction.objects.create(**kept | said)
    superseded(stands, stands.pk, now, decided.pk).save(force_insert=True)
    return decided
