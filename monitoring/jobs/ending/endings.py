"""How attempts that ended are written: many at once where nothing follows from them, else one by one.

Nobody waits for a lock here. What cannot be written is handed back with the reason, and the others are written.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.db import connection, connections, transaction
from django.db.models.query import RawQuerySet
from django.utils import timezone

from monitoring.jobs.database import direct, is_locked, is_there, may_pass
from monitoring.jobs.ending import attempts, parts
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.telling import changes
from monitoring.models import Job

STATEMENT_LENGTH = 1 << 20
UNWRITABLE = "unwritable"
State = Job.State
logger = logging.getLogger(__name__)


def write(endings: Sequence[Ending]) -> list[tuple[Ending, Exception]]:
    """End attempts. Those that were given up change nothing. Returns those that could not be written, and why."""
    unwritten: list[tuple[Ending, Exception]] = []
    left = _without(endings, _completed(endings))
    for position, each in enumerate(left):
        try:
            _end_or_cancel(each)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, those behind it are written
            unwritten.append((each, error))
            if _is_away(error):
                return unwritten + [(other, error) for other in left[position + 1 :]]
    return unwritten


def instead(ending: Ending, error: Exception) -> Ending | None:
    """What to write in place of an ending that could not be: itself later, or that it failed. None: nothing can be."""
    if may_pass(error):
        return ending
    logger.error("%s: how attempt %d ended can't be written", ending.job, ending.job.attempt, exc_info=error)
    if ending.error_code == UNWRITABLE:
        return None
    return Ending(ending.job, State.FAILED, error_code=UNWRITABLE, error=f"{type(error).__name__}: {error}")


def _is_away(error: Exception) -> bool:
    """Whether it is the database that is at fault, and not this one ending."""
    if is_locked(error) or not may_pass(error):
        return False
    connections.close_all()
    return not is_there()


def _without(endings: Sequence[Ending], done: Sequence[Ending]) -> list[Ending]:
    ids = set(map(id, done))
    return [each for each in endings if id(each) not in ids]


def _completed(endings: Sequence[Ending]) -> list[Ending]:
    """Those of which nothing follows, and which could be completed with others. What is wrong is found one by one."""
    plain = [each for each in endings if _is_plain(each)]
    if not plain:
        return []
    try:
        with transaction.atomic():
            return _complete_many(plain)
    except Exception as error:  # noqa: BLE001 - said again, of the one that it belongs to
        logger.warning("%d endings are written one by one: %s", len(plain), error)
        return []


def _is_plain(ending: Ending) -> bool:
    is_alone = not (ending.job.then_id or ending.wrote or ending.progress or ending.parts)
    return is_alone and ending.state == State.COMPLETED


def _complete_many(endings: list[Ending]) -> list[Ending]:
    """Complete those whose rows nobody has locked, in one statement for each attempt number."""
    free = {job.pk: job.attempt for job in _locked([each.job for each in endings])}
    done = [each for each in endings if free.get(each.job.pk) == each.job.attempt]
    by_attempt = defaultdict(list)
    for each in done:
        by_attempt[each.job.attempt].append((each, _stored(each.result)))
    for attempt, group in by_attempt.items():
        for batch in _batches(group):
            _complete_alike(attempt, batch)
    told = {"state": State.COMPLETED, "error_code": "", **parts.told(None)}
    changes.after_commit([each.job for each in done], told)
    return done


def _locked(jobs: list[Job]) -> RawQuerySet:
    """Those that run, are not to be cancelled and that nobody has locked: in SQL, as every job comes by here."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    where = f"id IN ({_marks(jobs)}) AND state='{State.RUNNING}' AND cancel_requested_at IS NULL"
    return Job.objects.raw(f"SELECT id, attempt FROM {Job._meta.db_table} WHERE {where} {lock}", _ids(jobs))


def _ids(jobs: list[Job]) -> list:
    database = direct()
    return [Job._meta.pk.get_db_prep_value(job.pk, database) for job in jobs]


def _marks(values: Sequence) -> str:
    return ", ".join(["%s"] * len(values))


def _stored(result: Any) -> str | None:
    return Job._meta.get_field("result").get_db_prep_save(result, connection)


def _batches(group: list[tuple[Ending, str | None]]) -> Iterator[list[tuple[Ending, str | None]]]:
    """So many that their results fit into one statement: a server refuses what is larger than its packet."""
    batch, size = [], 0
    for each in group:
        length = len(each[1] or "")
        if batch and size + length > STATEMENT_LENGTH:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += length
    yield batch


def _complete_alike(attempt: int, endings: list[tuple[Ending, str | None]]) -> None:
    ids = _ids([each.job for each, _ in endings])
    told = [(pk, result) for pk, (_, result) in zip(ids, endings, strict=True) if result is not None]
    cases = f"CASE id {'WHEN %s THEN %s ' * len(told)}END" if told else "NULL"
    statement = (
        f"UPDATE {Job._meta.db_table} SET state='completed', outcome='whole', lease_until=NULL, finished_at=%s, "
        f"error_code='', error='', result={cases} WHERE id IN ({_marks(ids)}) AND attempt=%s "
        "AND state='running'"
    )
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *(each for pair in told for each in pair), *ids, attempt])


def _end_or_cancel(ending: Ending) -> None:
    end = partial(attempts.end, nowait=True)
    if end(ending):
        return
    is_refused = ending.state == State.COMPLETED and attempts.is_cancelled(ending.job)
    if not (is_refused and end(Ending(ending.job, State.CANCELLED, error_code="cancelled"))):
        logger.warning("%s: attempt %d was given up before it ended", ending.job, ending.job.attempt)
