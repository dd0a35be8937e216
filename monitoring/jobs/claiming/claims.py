"""Taking the best of the rows that wait, holding on to them, and giving back what was not begun.

A job that this worker does not know, be it its name, condition or arguments, is left for one that does: it leaves the
lane that everybody reads, keeps its place by age, and comes back when a worker that knows it looks.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from monitoring.jobs import declaration, doorbell
from monitoring.jobs.database import direct, is_locked, patiently, update_free
from monitoring.jobs.ending import attempts
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.telling import changes
from monitoring.models import Job, Priority

LEASE = timedelta(seconds=12)
LOOKED_THROUGH = 500  # rows, where the best are of a kind that nobody here knows
LOOKS = 20  # of those for one claim; the reaper rings for the rest
TAKEN_UP = 500  # rows looked through at a round, so that many which stay unknown cost no more than a few do
NAMES_TOLD = 20
ASKED = ("name", "condition", "arguments")
TOLD = "No worker that looked knows {}; it waits for one that does."
KNOWN = {"error_code": "", "error": ""}
State = Job.State

_TABLE, _KEY = Job._meta.db_table, Job._meta.pk
_TAKE = (
    f"UPDATE {_TABLE} SET state='{State.RUNNING}', lane=NULL, attempt=attempt + 1, "
    "lease_until=%s, started_at=%s, deadline_at=%s, worker=%s"
)
logger = logging.getLogger(__name__)


@dataclass
class Round:
    """Where among the jobs that were left the next look begins: behind this one, None for the best of them."""

    behind: tuple[int, datetime, uuid.UUID] | None = None


_round = Round()  # this process's


def claim(worker: uuid.UUID, limit: int, now: datetime) -> list[Job]:
    """Take up to `limit` of the best due jobs: highest priority, then oldest. Empty where another took them first."""
    # SQLite's transactions take the write lock, so look first.
    if connection.vendor == "sqlite" and not _due(now, 1):
        return []
    claimed, is_more = patiently(partial(_claim, worker, limit, now))
    left: set[str] = set()
    try:
        for _ in range(LOOKS):
            if not is_more or not (names := patiently(partial(_leave_unknown, now))):
                break
            left |= names
            more, is_more = patiently(partial(_claim, worker, limit - len(claimed), now))
            claimed += more
    except Exception as error:  # whatever breaks, what is claimed has to be held
        if not claimed:
            raise
        logger.warning("looking behind the jobs that nobody here knows: %r", error)
    if left:
        logger.info("jobs are left for workers that know %s", ", ".join(sorted(left)))
    return claimed


def extend(worker: uuid.UUID, held: Iterable[Job], now: datetime) -> int:
    """Hold on to the attempts that a worker runs. Returns how many: what somebody locked has to wait."""
    by_attempt = defaultdict(list)
    for job in held:
        by_attempt[job.attempt].append(job.pk)
    rows = Job.objects.running().filter(worker=worker)
    return sum(
        update_free(rows.filter(pk__in=ids, attempt=attempt), lease_until=now + LEASE)
        for attempt, ids in by_attempt.items()
    )


def give_back(job: Job) -> bool:
    """Undo the claim of a job that has not begun: it is where it was in its lane, and no attempt has been. False where
    its row is locked. Its number stays used, so that whoever has it may not write.
    """
    try:
        with transaction.atomic():
            _give_back(job)
    except OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return True


def take_up(here: Round = _round) -> int:
    """Bring back into their lanes those that others did not know and this worker does, of some at each round, from the
    best to the last and again. Returns how many.
    """
    rows = _left_behind(here.behind)
    here.behind = rows[-1][:3] if len(rows) == TAKEN_UP else None
    ours = [pk for _, _, pk, name, rank in rows if declaration.find(name) and rank in Priority.values]
    asked = Job.objects.filter(pk__in=ours).values_list("pk", *ASKED) if ours else []
    known = [pk for pk, *asked in asked if declaration.knows(*asked)]
    if not known:
        return 0
    with transaction.atomic():
        free = Job.objects.left().filter(pk__in=known).select_for_update(skip_locked=True)
        taken = list(free.values_list("pk", flat=True))
        _move(taken, F("priority"), KNOWN)
    return len(taken)


def left_since(instant: datetime) -> set[str]:
    """What no worker knew of jobs that wait since before then for one that does: a few names, or what of those."""
    waiting = Job.objects.left().filter(not_before__lt=instant).order_by()
    told = waiting.values_list("name", "error", "priority").distinct()[:NAMES_TOLD]
    return {_unknown_of(name, error, rank) for name, error, rank in told}


def _unknown_of(name: str, error: str, rank: int) -> str:
    """As its row says; a version before this one said only that it is so."""
    if rank not in Priority.values:
        return f"the priority of some {name}"
    before, after = TOLD.split("{}")
    told = error.removeprefix(before).removesuffix(after)
    return told if f"{before}{told}{after}" == error and told.endswith(name) else name


def _left_behind(place: tuple[int, datetime, uuid.UUID] | None) -> list[tuple]:
    """In the order of the index that workers read, so that a database reads no row before them."""
    left = Job.objects.filter(lane__gte=Job.LEFT)
    if place:
        lane, at, pk = place
        same = Q(lane=lane, not_before__gt=at) | Q(lane=lane, not_before=at, pk__gt=pk)
        left = Job.objects.filter(Q(lane__gt=lane) | same, lane__gte=lane)
    ordered = left.order_by("lane", "not_before", "pk")
    return list(ordered.values_list("lane", "not_before", "pk", "name", "priority")[:TAKEN_UP])


def _claim(worker: uuid.UUID, limit: int, now: datetime) -> tuple[list[Job], bool]:
    """The jobs, and whether there may be more behind some that nobody here knows."""
    with transaction.atomic():
        found = _due(now, limit, is_taken=True)
        jobs = [job for job in found if declaration.knows(job.name, job.condition, job.arguments)]
        by_timeout = defaultdict(list)
        for job in jobs:
            by_timeout[job.timeout_seconds].append(job)
        for seconds, alike in by_timeout.items():
            _take(alike, worker, now, now + timedelta(seconds=seconds))
        changes.after_commit(jobs, {"state": State.RUNNING, "worker": str(worker)})
    return jobs, len(jobs) < len(found)


def _due(now: datetime, limit: int, *, is_taken: bool = False) -> list[Job]:
    """The best of `Job.objects.due`, without its arguments and the like where they are not taken."""
    database = direct()
    is_lockable = is_taken and database.features.has_select_for_update_skip_locked
    lock = database.ops.for_update_sql(skip_locked=True) if is_lockable else ""
    sql, lanes = _due_sql(is_taken, database.vendor)
    at = database.ops.adapt_datetimefield_value(now)
    return list(Job.objects.raw(f"{sql} LIMIT {limit:d} {lock}", [*lanes, at]))


@cache
def _due_sql(is_taken: bool, vendor: str) -> tuple[str, list[int]]:
    """To build that query takes longer than a database does to answer it: with its lanes, and without its instant.

    vendor: in whose dialect it is, as a process may ask two.
    """
    due = Job.objects.due(timezone.now()) if is_taken else Job.objects.due(timezone.now()).only("pk")
    sql, (*lanes, _) = due.query.sql_with_params()
    return sql, lanes


def _take(jobs: list[Job], worker: uuid.UUID, now: datetime, deadline: datetime) -> None:
    database = direct()
    lease, *others = (database.ops.adapt_datetimefield_value(at) for at in (now + LEASE, now, deadline))
    ids = [_KEY.get_db_prep_value(each, database) for each in (worker, *(job.pk for job in jobs))]
    with database.cursor() as cursor:
        cursor.execute(f"{_TAKE} WHERE id IN ({', '.join(['%s'] * len(jobs))})", [lease, *others, *ids])
    for job in jobs:
        job.attempt += 1
        job.started_at, job.worker, job.state = now, worker, State.RUNNING


def _give_back(job: Job) -> None:
    claimed = Job.objects.of_attempt(job)
    row = claimed.select_for_update(nowait=True).values("cancel_requested_at").first()
    if row is None:  # it is somebody else's by now
        return
    if row["cancel_requested_at"]:
        attempts.end(Ending(job, State.CANCELLED, error_code="cancelled"), nowait=True)
        return
    state = State.RETRYING if job.tried > 1 else State.PENDING
    free = {"state": state, "lane": F("priority"), "given_back": F("given_back") + 1}
    claimed.update(**free, **dict.fromkeys(["worker", "started_at", "lease_until", "deadline_at"]))
    changes.after_commit([job], {"state": state})
    transaction.on_commit(doorbell.ring)


def _leave_unknown(now: datetime) -> set[str]:
    """Take the jobs that nobody here knows out of the way of those behind them. Returns what is unknown of them."""
    with transaction.atomic():
        best = Job.objects.due(now).values_list("pk", *ASKED)
        rows = list(best.select_for_update(skip_locked=True)[:LOOKED_THROUGH])
        unknown = defaultdict(list)
        for pk, *asked in rows:
            if what := declaration.unknown(*asked):
                unknown[what].append(pk)
        for what, ids in unknown.items():
            _move(ids, F("priority") + Job.LEFT, {"error_code": "unknown_job", "error": TOLD.format(what)})
    return set(unknown)


def _move(ids: Iterable[uuid.UUID], lane: object, news: dict) -> None:
    if not ids:
        return
    Job.objects.filter(pk__in=ids).update(lane=lane, **news)
    jobs = Job.objects.filter(pk__in=ids).defer("arguments", "result", "wrote")
    for job in jobs:
        changes.after_commit([job], {"state": job.state, "error_code": news["error_code"]})
