"""Schedules: rows of django-celery-beat that name a job. Beat only ticks. Which planned times (slots) are due is worked
out here, and each is claimed once under a unique key: two beats, a missed tick, a change of the clocks do no harm.
A slot whose predecessor still runs is refused, so that work which takes longer than its interval does not pile up.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from monitoring.jobs import crontabs, declaration, submitting
from monitoring.jobs.claiming.clock import CLOCKS_APART
from monitoring.jobs.errors import InvalidArguments, JobError
from monitoring.models import Job, ScheduleSlot, SeededSchedule

TICK = "monitoring.tick"
LOOK_BACK = timedelta(days=32)  # further back nothing is caught up
NEW = timedelta(minutes=2)  # how far back a schedule without any slot begins

ASKED = {"job", "arguments", "priority", "timeout", "only_if", "catch_up"}
SWITCHED_OFF = "switched off"
CAUGHT_UP = 2_000  # slots at one tick; those behind them come at the next
PREDECESSORS = 100  # of which one may still run: a slot is taken only when those before it have ended

# Of a schedule's row; what beat counts in it is beat's.
READ = ("name", "kwargs", "enabled", "one_off", "start_time", "expires", "crontab", "interval", "clocked")

Outcome = ScheduleSlot.Outcome
logger = logging.getLogger(__name__)


def run_due(now: datetime) -> int:
    """Submit the jobs of all slots that are due and nobody has claimed. Returns how many were submitted here."""
    rows = list(_planned().all())
    plans = _plans(rows)
    for schedule in rows:
        schedule.plan = plans.get(schedule.pk)
    return sum(_run_alone(schedule, now) for schedule in rows)


def slots(schedule: PeriodicTask, after: datetime, until: datetime) -> Iterator[datetime]:
    """The planned times in (after, until], in UTC."""
    if schedule.interval:
        return _interval_slots(schedule.interval.schedule.run_every, after, until)
    if row := schedule.crontab:
        plan = crontabs.plan(row.minute, row.hour, row.day_of_month, row.month_of_year, row.day_of_week)
        return crontabs.slots(plan, row.timezone, after, until)
    if schedule.clocked:
        return iter([at] if after < (at := schedule.clocked.clocked_time) <= until else [])
    raise InvalidArguments("The schedule has no times: give it an interval, a crontab or an instant.")


def check(asked: dict) -> None:
    """Refuse what a schedule could not submit. Raises JobError."""
    if not isinstance(asked, dict) or not isinstance(asked.get("job"), str):
        raise InvalidArguments('The schedule must name a job, such as {"job": "market.records"}.')
    if unknown := sorted(asked.keys() - ASKED):
        raise InvalidArguments(f"The schedule asks for {', '.join(unknown)}; there are {', '.join(sorted(ASKED))}.")
    if not isinstance(asked.get("catch_up", False), bool):
        raise InvalidArguments("catch_up must be true or false.")
    submitting.check([_step(asked)])


def _step(asked: dict) -> submitting.Step:
    options = {name: asked.get(name) for name in ("priority", "timeout", "only_if")}
    return submitting.Step(asked["job"], asked.get("arguments", {}), **options)


def seed() -> None:
    """Give the database the schedules that the declarations come with, each once. What became of a row stays so."""
    minute, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.MINUTES)
    PeriodicTask.objects.get_or_create(name=TICK, defaults={"task": TICK, "interval": minute, "expire_seconds": 60})
    for name, declared in declaration.everything().items():
        for number, planned in enumerate(declared.rules.schedules, 1):
            title = name if number == 1 else f"{name} {number}"
            if SeededSchedule.objects.get_or_create(name=title)[1]:
                _seed(title, name, planned)


def _seed(title: str, job: str, planned: declaration.Schedule) -> None:
    names = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"]
    times = dict(zip(names, planned.crontab.split(), strict=True))
    row, _ = CrontabSchedule.objects.get_or_create(**times, timezone=planned.time_zone)
    asked = {"job": job, "arguments": planned.arguments}
    if planned.only_if:
        asked["only_if"] = {"name": planned.only_if, "arguments": planned.only_if_arguments}
    facts = {"task": TICK, "crontab": row, "kwargs": json.dumps(asked), "expire_seconds": 60}
    PeriodicTask.objects.get_or_create(name=title, defaults=facts)


@cache
def _planned() -> QuerySet[PeriodicTask]:
    """The schedules, each with its newest slot."""
    rows = PeriodicTask.objects.filter(task=TICK).exclude(name=TICK).select_related("crontab", "interval", "clocked")
    newest = ScheduleSlot.objects.filter(schedule=OuterRef("pk")).order_by("-slot")
    return rows.only(*READ).annotate(taken_at=Subquery(newest.values("slot")[:1]))


def _plans(rows: list[PeriodicTask]) -> dict[int, str]:
    """The plan that each schedule's slots follow since that was changed. Sorted here: asked for the newest one alone,
    MariaDB goes through all slots from the end.
    """
    begun = ScheduleSlot.objects.filter(schedule__in=[row.pk for row in rows], outcome=Outcome.BEGUN).order_by()
    return {pk: plan for _, pk, plan in sorted(begun.values_list("slot", "schedule_id", "reason"))}


def _run_alone(schedule: PeriodicTask, now: datetime) -> int:
    """Whatever is wrong with one schedule, those behind it come too."""
    try:
        return _run_due(schedule, now)
    except Exception:
        logger.exception("the schedule %s cannot be read now", schedule.name)
        return 0


def _run_due(schedule: PeriodicTask, now: datetime) -> int:
    _look_back(schedule, now)
    last = _begin(schedule, now)
    if last is None:
        return 0
    start = schedule.start_time and schedule.start_time - timedelta(microseconds=1)  # it counts itself
    begin = max(filter(None, [last, now - LOOK_BACK, start]))
    due = list(islice(slots(schedule, begin, min(now, schedule.expires or now)), CAUGHT_UP))
    asked = _asked(schedule)
    if asked.get("catch_up") is True and not schedule.one_off:
        return sum(_submit(schedule, slot, asked) for slot in due)
    return sum(_submit(schedule, slot, asked, missed=len(due) - 1) for slot in due[-1:])


def _look_back(schedule: PeriodicTask, now: datetime) -> None:
    """Slots beyond now were taken by a clock that was ahead: nothing waits until they come. Those beyond what the
    clocks of two machines may be apart are freed, as their time is still to come.
    """
    if schedule.taken_at is None or schedule.taken_at <= now:
        return
    taken = ScheduleSlot.objects.filter(schedule=schedule, slot__lte=now)
    schedule.taken_at = taken.values_list("slot", flat=True).first()
    schedule.plan = taken.filter(outcome=Outcome.BEGUN).values_list("reason", flat=True).first()
    beyond = ScheduleSlot.objects.filter(schedule=schedule, slot__gt=now + CLOCKS_APART)
    if count := beyond.count():
        logger.warning("the schedule %s: %d slots are of a time to come: taken back", schedule.name, count)
        beyond.delete()


def _asked(schedule: PeriodicTask) -> dict:
    """What the row asks for. Empty where that is no object: its slots are refused, as they name no job."""
    try:
        asked = json.loads(schedule.kwargs)
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


def _begin(schedule: PeriodicTask, now: datetime) -> datetime | None:
    """The last slot that was taken, or when the plan began: a new or changed plan has no missed slots before that.

    None while the schedule is switched off; it begins again when that ends.
    """
    plan = str(schedule.crontab or schedule.interval or schedule.clocked)[:200] if schedule.enabled else SWITCHED_OFF
    if schedule.plan != plan:
        since = now - NEW if schedule.plan is None else now
        with suppress(IntegrityError), transaction.atomic():
            _claim(schedule, since, Outcome.BEGUN, plan)
        return since if schedule.enabled else None
    return schedule.taken_at if schedule.enabled else None


def _submit(schedule: PeriodicTask, slot: datetime, asked: dict, missed: int = 0) -> bool:
    """Claim the slot and submit its job as one, or refuse it. False where it is refused or somebody else has it."""
    try:
        refusal = _refusal(schedule, asked)  # a condition computes: nobody may wait for our locks meanwhile
        if not refusal:
            return _submit_claimed(schedule, slot, _step(asked), f"{missed} missed before it" if missed else "")
    except (OperationalError, InterfaceError):
        raise  # the slot stays free for the next tick
    except Exception as error:
        logger.exception("the schedule %s cannot be submitted", schedule.name)
        refusal = (str(error) if isinstance(error, JobError) else f"{type(error).__name__}: {error}")[:200]
    with suppress(IntegrityError), transaction.atomic():
        _claim(schedule, slot, Outcome.REFUSED, refusal)
        _switch_off_once(schedule, slot)
    return False


def _refusal(schedule: PeriodicTask, asked: dict) -> str:
    """Why a slot of now is not submitted; empty where it is. Raises JobError, or whatever its condition does."""
    if asked.get("catch_up") is not True and (unended := _unended(schedule)):
        return f"{unended} of an earlier slot has not ended"
    check(asked)
    condition = declaration.condition_asked(asked.get("only_if"))
    return "" if declaration.holds(condition) else f"not {condition['name']}"


def _submit_claimed(schedule: PeriodicTask, slot: datetime, step: submitting.Step, reason: str) -> bool:
    """The job and its slot are there together; where somebody else has the slot, neither is."""
    try:
        with transaction.atomic():
            job = submitting.submit(step.name, step.arguments, priority=step.priority, timeout=step.timeout)
            _claim(schedule, slot, Outcome.SUBMITTED, reason, job)
            _switch_off_once(schedule, slot)
    except IntegrityError:
        if not ScheduleSlot.objects.filter(schedule=schedule, slot=slot).exists():
            raise  # it was something else that the database refused
        return False
    return True


def _switch_off_once(schedule: PeriodicTask, slot: datetime) -> None:
    if schedule.one_off:  # it was this once; what beat counts, beat counts itself
        count = F("total_run_count") + 1
        PeriodicTask.objects.filter(pk=schedule.pk).update(enabled=False, last_run_at=slot, total_run_count=count)


def _unended(schedule: PeriodicTask) -> str:
    """A job of one of the newest slots that has not ended, if any. One that is deleted had ended."""
    submitted = ScheduleSlot.objects.filter(schedule=schedule, outcome=Outcome.SUBMITTED).order_by("-slot")
    newest = submitted.values_list("job__name", "job_id", "job__state")[:PREDECESSORS]
    return next((f"{name} {pk}" for name, pk, state in newest if pk and state not in Job.ENDED), "")


def _claim(schedule: PeriodicTask, slot: datetime, outcome: str, reason: str, job: Job | None = None) -> None:
    """Raises IntegrityError where somebody else has the slot."""
    facts = {"outcome": outcome, "reason": reason, "job": job, "claimed_at": timezone.now()}
    ScheduleSlot.objects.create(schedule=schedule, slot=slot, **facts)


def _interval_slots(every: timedelta, after: datetime, until: datetime) -> Iterator[datetime]:
    """Whole multiples of the interval since 1970: the same on every machine and after every restart."""
    seconds = every.total_seconds()
    number = after.timestamp() // seconds + 1
    while (slot := number * seconds) <= until.timestamp():
        yield datetime.fromtimestamp(slot, UTC)
        number += 1
