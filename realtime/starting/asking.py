"""What is asked for in somebody's name, and what became of it. It blocks: the sockets' threads run it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth import get_user_model

from market import symbols
from market.sources import adding
from market.sources.adding import Addition, TooManyAdded
from monitoring.models import Job
from realtime.people import Person

AT_ONCE = 20  # symbols of one subscription
SUGGESTED = 3  # symbols of which it is said what may have been meant
WRITE = "write"

GUEST = "Log in, or show a key with the scope write: then subscribing starts what the source knows."
READER = "Subscribing starts what the source knows only with the scope write, which this key has not."
UNKNOWN = "The source does not know it, or this server plays a recording, which has no others."
TOO_MANY = f"A subscription starts {AT_ONCE} new symbols at once: ask for the others when those have come."


@dataclass(frozen=True, slots=True)
class Answer:
    """started: what is being looked for, or there by now, by what the client called it. refused: the others, with why;
    near: what may have been meant by them.
    """

    started: dict[str, Addition] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    why: str = ""
    near: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a symbol: its ticker of today, or the code of why there is none, and what may have been meant."""

    ticker: str = ""
    code: str = ""
    near: dict[str, list[str]] = field(default_factory=dict)


def ask(person: Person | None, texts: list[str], most: int) -> Answer:
    """Ask for what somebody subscribes to and nobody collects, of so many at most. Raises the database's and redis'
    errors.
    """
    if person is None:
        return _refused(texts, GUEST)
    if person.scopes is not None and WRITE not in person.scopes:
        return _refused(texts, READER)
    started, refused, why = {}, texts[most:], TOO_MANY
    user = get_user_model()._base_manager.get(pk=person.user_id)
    user.is_staff = person.is_staff  # as far as its key goes
    for number, text in enumerate(texts[:most]):
        try:
            started[text] = adding.ask(text, user, person.via)
        except symbols.UnknownSymbol:
            refused, why = [text, *refused], UNKNOWN if not texts[most:] else why
        except TooManyAdded as many:
            refused, why = [*texts[number:most], *refused], f"{many} There is room again in {_worded(many.seconds)}."
            break
    return _refused(refused, why, started)


def outcomes(waited: Collection[tuple[str, UUID | None]]) -> dict[tuple[str, UUID | None], Outcome]:
    """What became of those that have ended, by two queries and a few for each unknown one; others are left out."""
    jobs = Job.objects.in_bulk([job for _, job in waited if job is not None])
    ended = {each for each in waited if each[1] is None or each[1] not in jobs or jobs[each[1]].is_ended}
    there = {text: row.ticker for text, row in symbols.found(text for text, _ in ended).items() if row.is_active}
    return {each: _outcome(each[0], there, jobs.get(each[1])) for each in ended}


def _outcome(text: str, there: dict[str, str], job: Job | None) -> Outcome:
    if text in there:
        return Outcome(there[text])
    code = "" if job is None else job.error_code
    return Outcome(code=code or "nothing_done", near=_near([text]) if code == symbols.UnknownSymbol.code else {})


def _refused(texts: list[str], why: str, started: dict[str, Addition] | None = None) -> Answer:
    return Answer(started or {}, texts, why, _near(texts))


def _near(texts: Iterable[str]) -> dict[str, list[str]]:
    found = {text: symbols.near(text) for text in list(texts)[:SUGGESTED]}
    return {text: near for text, near in found.items() if near}


def _worded(seconds: int) -> str:
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds >= 3600 else f"{max(1, seconds // 60)} min"
