"""Asking for work: a row in the caller's transaction, and a ring when it commits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring.jobs import declaration, doorbell
from monitoring.jobs.database import direct, eagerly
from monitoring.jobs.errors import InvalidArguments, KeyReused
from monitoring.jobs.running import context
from monitoring.jobs.telling import changes
from monitoring.models import Job, JobSubject, Priority

LONGEST_TIMEOUT_SECONDS = 24 * 3600
MOST_ATTEMPTS = 100
KEY_LENGTH = 200
BATCH = 500  # rows of one statement


@dataclass(frozen=True)
class Step:
    """A job that is part of a chain or a group. only_if: {"name", "arguments"} of a declared condition."""

    name: str
    arguments: dict = field(default_factory=dict)
    priority: str | None = None
    timeout: int | None = None
    only_if: dict | None = None


def submit(name: str, arguments: dict | None = None, *, key: str | None = None, **options: Any) -> Job:
    """Ask for one job. It is asked for when the caller's transaction commits, and not when it rolls back.

    options: priority ("high", "normal", "low"), timeout (seconds), max_attempts, not_before (an instant), only_if (a
    condition), owner (a user; else whose the job is that asks for it). With a key that came before, the job of that
    time is returned.
    Raises UnknownJob, InvalidArguments (naming fields), KeyReused (the key belongs to another job, or came with other
    options).
    """
    job = _row(name, arguments or {}, **options)
    if key is None:
        _insert([job])
        return job
    if not 0 < len(key) <= KEY_LENGTH:
        raise InvalidArguments("The key is wrong.", {"key": [f"must have 1 to {KEY_LENGTH} characters"]})
    job.key, job.asked_with = key, _said(options | {"only_if": job.condition})
    return _insert_once(job)


def submit_many(name: str, calls: Sequence[dict], **options: Any) -> list[Job]:
    """Ask for the same job with many arguments, in one insert."""
    jobs = [_row(name, arguments, **options) for arguments in calls]
    _insert(jobs)
    return jobs


def chain(steps: Sequence[Step], **options: Any) -> list[Job]:
    """Ask for jobs one after another; where one does not complete, those behind it are cancelled."""
    jobs = [_step_row(step, options) for step in steps]
    for before, after in pairwise(jobs):
        before.then = after
        after.lane, after.waits = None, 1
    _insert(jobs)
    return jobs


def group(steps: Sequence[Step], then: Step, **options: Any) -> tuple[list[Job], Job]:
    """Ask for jobs side by side, and one that runs when all have ended, however: it sees what became of each."""
    finishing = _step_row(then, options)
    finishing.waits, finishing.runs_after = len(steps), Job.RunsAfter.END
    if steps:
        finishing.lane = None
    jobs = [_step_row(step, options) for step in steps]
    for job in jobs:
        job.then = finishing
    _insert([finishing, *jobs])
    return jobs, finishing


def check(steps: Sequence[Step], **options: Any) -> None:
    """Refuse what `chain` would refuse, and ask for nothing."""
    for step in steps:
        _step_row(step, options)


def _step_row(step: Step, options: dict) -> Job:
    own = {"priority": step.priority, "timeout": step.timeout, "only_if": step.only_if}
    return _row(
        step.name, step.arguments, **options | {name: value for name, value in own.items() if value is not None}
    )


def _row(
    name: str,
    arguments: dict,
    *,
    priority: str | None = None,
    timeout: int | None = None,
    max_attempts: int | None = None,
    not_before: datetime | None = None,
    only_if: dict | None = None,
    owner: Any = None,
) -> Job:
    declared = declaration.named(name)
    declared.check(arguments)
    rank = _rank(priority) if priority is not None else declared.rules.priority
    now = timezone.now()
    whose = _parents_owner() if owner is None else {"owner": owner}
    line, subjects = declared.about(arguments)
    attempts = _whole("max_attempts", max_attempts, MOST_ATTEMPTS) or declared.rules.max_attempts
    job = Job(
        name=name,
        arguments=arguments,
        about=line,
        priority=rank,
        lane=rank,
        not_before=max(not_before or now, now),  # an instant that is past would overtake those that wait longer
        max_attempts=attempts,
        attempts_asked=attempts,
        timeout_seconds=_whole("timeout", timeout, LONGEST_TIMEOUT_SECONDS) or declared.rules.timeout_seconds,
        condition=declaration.condition_asked(only_if),
        parent_id=context.current_id(),
        created_at=now,
        **whose,
    )
    job.named_apart = subjects
    return job


def _parents_owner() -> dict:
    """Whose a job is that another asks for: read anew, as that person may be gone by now."""
    parent = context.current().job
    if parent is None or (parent.owner_id is None and not parent.is_orphan):
        return {}
    return Job.objects.filter(pk=parent.pk).values("owner_id", "is_orphan").first() or {"is_orphan": True}


def _rank(priority: object) -> Priority:
    names = [each.name.lower() for each in Priority]
    if priority not in names:
        raise InvalidArguments("The priority is wrong.", {"priority": [f"must be one of {', '.join(names)}"]})
    return Priority[str(priority).upper()]


def _whole(name: str, value: object, most: int) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise InvalidArguments(f"The {name} is wrong.", {name: [f"must be a whole number from 1 to {most}"]})
    return value


def _insert(jobs: list[Job]) -> None:
    subjects = [JobSubject(job=job, subject=each) for job in jobs for each in job.named_apart]
    eagerly(partial(_write_all, jobs, subjects))
    changes.after_commit(jobs, {"state": Job.State.PENDING})
    transaction.on_commit(lambda: doorbell.ring(len(jobs)))


def _write_all(jobs: list[Job], subjects: list[JobSubject]) -> None:
    if len(jobs) == 1 and not subjects:
        _write(jobs)
        return
    with transaction.atomic():
        for first in range(0, len(jobs), BATCH):
            _write(jobs[first : first + BATCH])
        JobSubject.objects.bulk_create(subjects, batch_size=BATCH)


def _write(jobs: list[Job]) -> None:
    """One statement, of the columns that say something: of a new job half are empty, and each of them costs."""
    database = direct()
    columns = [
        each for each in Job._meta.concrete_fields if any(getattr(job, each.attname) is not None for job in jobs)
    ]
    rows = [[each.get_db_prep_save(getattr(job, each.attname), database) for each in columns] for job in jobs]
    names = ", ".join(database.ops.quote_name(each.column) for each in columns)
    row = f"({', '.join(['%s'] * len(columns))})"
    with database.cursor() as cursor:
        statement = f"INSERT INTO {Job._meta.db_table} ({names}) VALUES {', '.join([row] * len(jobs))}"
        cursor.execute(statement, [value for values in rows for value in values])
    for job in jobs:
        job._state.adding, job._state.db = False, database.alias


def _insert_once(job: Job) -> Job:
    try:
        eagerly(transaction.atomic(partial(_insert, [job])))
    except IntegrityError:
        earlier = Job.objects.filter(key=job.key).first()
        if earlier is None:
            raise
        if others := _differences(earlier, job):
            raise KeyReused(*others) from None
        return earlier
    return job


def _said(options: dict) -> dict:
    """The options as they were said, as JSON; what was left to the declaration is left out."""
    told = {name: value for name, value in options.items() if value is not None and name != "owner"}
    if at := told.get("not_before"):
        told["not_before"] = at.astimezone(UTC).isoformat()
    return told


def _differences(earlier: Job, job: Job) -> list[str]:
    """What was meant otherwise when the key came first: to say what goes without saying is to say the same.

    A version that kept no options is not asked for them.
    """
    if earlier.name != job.name:
        return ["task"]
    declared = declaration.named(job.name)
    changed = _unlike(earlier.arguments, job.arguments, declared.arguments.defaults)
    unsaid = {
        "priority": declared.rules.priority.name.lower(),
        "timeout": declared.rules.timeout_seconds,
        "max_attempts": declared.rules.max_attempts,
    }
    others = [] if earlier.asked_with is None else _unlike(earlier.asked_with, job.asked_with, unsaid)
    return [f"args.{name}" for name in changed] + others


def _unlike(before: dict, now: dict, unsaid: dict) -> list[str]:
    before, now = unsaid | before, unsaid | now
    names = sorted(before.keys() | now.keys())
    return [name for name in names if (name in before, before.get(name)) != (name in now, now.get(name))]
