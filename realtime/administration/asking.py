"""A question to all web processes at once. Each hears it on a channel and answers into a list of the question's."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson

from monitoring import formats, redis
from realtime.administration import processes

ANSWER_SECONDS = 1.0
KEPT_SECONDS = 10  # answers that nobody fetches any more
LEAST_SECONDS = 0.01  # none at all means for ever to Redis


@dataclass(frozen=True, slots=True)
class Question:
    """id: the same question is answered once, however often it is heard."""

    id: str
    command: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    process: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered in time; missing: how many processes that live, as far as is known, did not."""

    given: list[dict[str, Any]]
    missing: int


QUESTION, REPLY = formats.Format(Question), formats.Format(Reply)


def channel() -> str:
    return QUESTION.key("web", "asks")


def answers(id: str) -> str:
    """The list into which a question is answered."""
    return REPLY.key("web", "answers", id)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way. heard: how many processes do; until: by the monotonic clock, what comes later is late."""

    id: str
    heard: int
    until: float

    def answers(self) -> Answers:
        """Those of the processes that heard it, as far as they come in time. Raises redis' errors."""
        given: dict[str, dict[str, Any]] = {}
        while len(given) < self.heard:
            left = max(self.until - time.monotonic(), LEAST_SECONDS)  # what has come meanwhile is there at once
            found = redis.client().blpop([answers(self.id)], timeout=left)
            if found is None:
                break
            if (reply := REPLY.unpack(found[1])) is not None:
                given[reply.process] = reply.answer
        living = {report.name for report in processes.told()}
        return Answers(list(given.values()), len(living - given.keys()))


def begin(command: str, /, *, question_id: str = "", **arguments: Any) -> Asked:
    """Ask all; each has a second to answer. Raises redis' errors.

    question_id: of what may be asked again, and done once.
    """
    question = Question(question_id or secrets.token_hex(8), command, arguments)
    until = time.monotonic() + ANSWER_SECONDS
    return Asked(question.id, redis.client().publish(channel(), QUESTION.pack(question)), until)


def ask(command: str, /, **arguments: Any) -> Answers:
    """Ask all, and wait for those that heard it, a second at most. Raises redis' errors."""
    return begin(command, **arguments).answers()


def packed(process: str, answer: dict[str, Any]) -> bytes:
    return orjson.dumps({"process": process, "answer": answer})
