"""What staff say to those who are connected: to all as a numbered message where they hold it, else unnumbered."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from realtime import events, messages, streams
from realtime.administration.asking import Answers, ask, begin
from realtime.administration.commands import SYMBOL, TARGETS
from realtime.kinds import SYSTEM

logger = logging.getLogger(__name__)
ALL = "all"
TARGET_TYPES = (ALL, *TARGETS)


@dataclass(frozen=True, slots=True)
class Told:
    """delivered: to how many clients. missing: processes whose part is not in that. seq: of a numbered message."""

    delivered: int
    missing: int
    seq: int | None = None


def to_all(id: str, text: str, type: str, now: datetime) -> Told:
    """Publish it: who comes later gets it too, by its position. Who does not hold the stream hears it unnumbered.

    Raises redis' errors.
    """
    said = [messages.system(text, now, type=type)]
    published = streams.publish(said, batch=id)
    try:
        events.keep(said, published)
    except DatabaseError as error:  # what was told is answered as told, or it would be told again
        logger.warning("what was told to all has no row before it is mended: %s", error)
    seq = published.places()[0].seq
    unnumbered = messages.announcement(text, now, type=type, symbol=None)
    # Both at once: a process that hangs is waited for once.
    holders = begin("holders", stream=SYSTEM.name, seq=seq)
    others = begin("others", question_id=id, message=unnumbered, stream=SYSTEM.name)
    answers, rest = holders.answers(), others.answers()
    return Told(_sum(answers) + _sum(rest), max(answers.missing, rest.missing), seq)


def to_some(id: str, target_type: str, target: str, text: str, type: str, now: datetime) -> Told:
    """Say it to those who are there; by the same id once. Raises redis' errors."""
    symbol = target if target_type == SYMBOL else None
    message = messages.announcement(text, now, type=type, symbol=symbol)
    answers = ask("deliver", question_id=id, message=message, target_type=target_type, target=target)
    return Told(_sum(answers), answers.missing)


def _sum(answers: Answers) -> int:
    return sum(int(each.get("delivered", 0)) for each in answers.given)
