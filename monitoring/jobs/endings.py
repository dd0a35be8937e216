"""How attempts that ended are written: many at once where nothing follows from them, else one by one."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from monitoring.jobs import ledger
from monitoring.jobs.ledger import Ending
from monitoring.models import Job

STATEMENT_LENGTH = 1 << 20
State = Job.State
logger = logging.getLogger(__name__)


def write(endings: Iterable[Ending]) -> int:
    """End attempts, many in one transaction. Those that were given up change nothing. Returns how many did."""
    return ledger.patiently(partial(_end, list(endings)))


def _end(endings: list[Ending]) -> int:
    plain = [each for each in endings if _is_plain(each)]
    with transaction.atomic():
        ended = _complete_many(plain)
        if ended < len(plain):
            transaction.set_rollback(True)
    if ended < len(plain):  # some were given up or cancelled: one by one
        return sum(map(_end_or_cancel, endings))
    return ended + sum(_end_or_cancel(each) for each in endings if not _is_plain(each))


def _is_plain(ending: Ending) -> bool:
    is_alone = not (ending.job.then_id or ending.wrote or ending.progress)
    return is_alone and ending.state == State.COMPLETED


def _complete_many(endings: list[Ending]) -> int:
    """Complete jobs of which nothing follows, in one statement for each attempt number. Returns how many did."""
    by_attempt = defaultdict(list)
    for each in endings:
        by_attempt[each.job.attempt].append((each, _stored(each.result)))
    alike = [(attempt, batch) for attempt, group in by_attempt.items() for batch in _batches(group)]
    count = sum(_complete_alike(attempt, batch) for attempt, batch in alike)
    ledger.tell([each.job for each in endings], {"state": State.COMPLETED, "error_code": ""})
    return count


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


def _complete_alike(attempt: int, endings: list[tuple[Ending, str | None]]) -> int:
    ids = [Job._meta.pk.get_db_prep_value(each.job.pk, connection) for each, _ in endings]
    told = [(pk, result) for pk, (_, result) in zip(ids, endings, strict=True) if result is not None]
    cases = f"CASE id {'WHEN %s THEN %s ' * len(told)}END" if told else "NULL"
    statement = (
        f"UPDATE {Job._meta.db_table} SET state='completed', lease_until=NULL, finished_at=%s, error_code='', "
        f"error='', result={cases} WHERE id IN ({','.join(['%s'] * len(ids))}) AND attempt=%s AND state='running' "
        "AND cancel_requested_at IS NULL"
    )
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *(each for pair in told for each in pair), *ids, attempt])
        return cursor.rowcount


def _end_or_cancel(ending: Ending) -> bool:
    if ledger.end_one(ending):
        return True
    if ending.state == State.COMPLETED and ledger.is_cancelled(ending.job):
        return ledger.end_one(Ending(ending.job, State.CANCELLED, error_code="cancelled"))
    logger.warning("%s: attempt %d was given up before it ended", ending.job, ending.job.attempt)
    return False
