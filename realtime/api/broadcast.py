"""Staff say something to those who are connected."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from market import symbols
from monitoring import audit
from monitoring.api import idempotency
from monitoring.api.refusals import Conflict, ForStaff
from monitoring.models import AuditEntry
from monitoring.queries import Choice, Text
from monitoring.submissions import Body, read
from realtime import streams
from realtime.administration import broadcasts
from realtime.administration.broadcasts import ALL, TARGET_TYPES
from realtime.administration.commands import SYMBOL, TYPE
from realtime.api.shapes import REFUSED, Delivered
from realtime.kinds import ALERTS, SYSTEM
from realtime.messages import TYPES

ACTION = "sockets.broadcast"
LONGEST = 1000  # characters of a message
TAKES_AT_MOST = timedelta(seconds=10)  # what has no outcome then was cut off
TWICE = OpenApiResponse(description="The key came with another body, or just now.")


class BroadcastBody(Body):
    message = Text(max_length=LONGEST)
    message_type = Choice([SYSTEM.message, ALERTS.message], default=SYSTEM.message)
    target_type = Choice(TARGET_TYPES, default=ALL)
    target = Text(max_length=symbols.LONGEST, required=False, help_text="A type, a symbol or the id of a client.")

    def validate(self, asked: dict) -> dict:
        kind, target = asked["target_type"], asked.get("target")
        if (target is None) != (kind == ALL):
            told = "It goes with no target." if kind == ALL else f"Say which {kind}."
            raise ValidationError({"target": [ErrorDetail(told, "invalid_target")]})
        if kind == TYPE and target not in TYPES:
            told = f'"{target}" is not known here; it can be {", ".join(TYPES)}.'
            raise ValidationError({"target": [ErrorDetail(told, "invalid_target")]})
        if kind == SYMBOL:
            return {**asked, "target": _ticker(target)}
        return asked


class Broadcast(APIView):
    """Say something to all, numbered on the stream `system`, or unnumbered to some of those who are connected."""

    permission_classes = [ForStaff]
    problems = {
        400: ("unknown_symbol", "invalid_key"),
        409: ("key_reused", "in_progress"),
    }

    @extend_schema(
        operation_id="sockets_broadcast",
        summary="Broadcast",
        description=f"What is sent again with the same `{idempotency.NAME}` is said once, and answered as it was.",
        parameters=[idempotency.HEADER],
        request=BroadcastBody,
        responses={200: Delivered, 403: REFUSED, 409: TWICE},
    )
    def post(self, request) -> Response:
        asked, key = read(BroadcastBody, request.data), idempotency.key(request)
        if (entry := audit.earlier(request, ACTION, key)) is not None:
            return Response(_again(entry, asked))
        facts = {**asked, "id": streams.new_batch()}
        about = f"{asked['target_type']} {asked.get('target', '')}".strip()
        try:
            with audit.act(request, ACTION, about, key, **facts) as outcome:
                outcome |= _told(facts)
        except audit.Repeated:
            raise _in_progress() from None
        return Response(outcome)


def _again(entry: AuditEntry, asked: dict[str, Any]) -> dict[str, Any]:
    """What was answered to the same; what was cut off is said with its own id, so that nobody hears it twice."""
    before = {name: value for name, value in entry.facts.items() if name != "id"}
    if others := sorted(name for name in before.keys() | asked.keys() if before.get(name) != asked.get(name)):
        told = f"This key belongs to another broadcast: it came with another {', '.join(others)} before."
        raise Conflict(told, "key_reused", {"key": [f"came with another {name} before" for name in others]})
    if entry.outcome is None and timezone.now() - entry.at < TAKES_AT_MOST:
        raise _in_progress()
    if entry.outcome is not None and "error" not in entry.outcome:
        return entry.outcome
    with audit.again(entry) as outcome:
        outcome |= _told(entry.facts)
    return outcome


def _in_progress() -> Conflict:
    return Conflict("A broadcast with this key is under way; ask again in a few seconds.", "in_progress")


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    id, said, now = facts["id"], (facts["message"], facts["message_type"]), timezone.now()
    if facts["target_type"] == ALL:
        told = broadcasts.to_all(id, *said, now)
    else:
        told = broadcasts.to_some(id, facts["target_type"], facts["target"], *said, now)
    return {"delivered": told.delivered, "id": id, "seq": told.seq, "missing_processes": told.missing}


def _ticker(text: str) -> str:
    if (symbol := symbols.found([text]).get(text)) is None:
        told = f"We do not know the symbol {symbols.folded(text)}; GET /api/v2/symbols/ lists those we have."
        raise ValidationError({"target": [ErrorDetail(told, "unknown_symbol")]})
    return symbol.ticker
