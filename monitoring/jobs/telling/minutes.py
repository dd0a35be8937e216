"""The last hour of jobs, minute by minute: how many ended well, in part or not at all, and how many waited."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncMinute
from drf_spectacular.utils import extend_schema_serializer
from rest_framework.fields import DateTimeField, IntegerField

from monitoring.jobs.telling.shape import Shape, said
from monitoring.models import Job, JobQuerySet

MINUTES = 60
MINUTE = timedelta(minutes=1)
State = Job.State


@extend_schema_serializer(component_name="TaskMinute")
class Minute(Shape):
    at = said(DateTimeField(help_text="Its beginning; the newest is not over yet."), lambda at, counts: at)
    done = said(IntegerField(help_text="Completed, each part of it."), lambda at, counts: counts["done"])
    partial = said(IntegerField(help_text="Completed, but not each part."), lambda at, counts: counts["partial"])
    failed = said(IntegerField(help_text="Failed or timed out."), lambda at, counts: counts["failed"])
    cancelled = said(IntegerField(), lambda at, counts: counts["cancelled"])
    waiting = said(
        IntegerField(help_text="That could have begun and had not, at its end."), lambda at, counts: counts["waiting"]
    )


@extend_schema_serializer(component_name="TaskMinutes")
class Minutes(Shape):
    minutes = said(Minute(many=True), lambda jobs, now: [Minute.tell(*each) for each in last_hour(jobs, now)])


def last_hour(jobs: JobQuerySet, now: datetime) -> list[tuple[datetime, Counter]]:
    """Of each minute, oldest first, what ended in it and what waited at its end."""
    last = now.replace(second=0, microsecond=0)
    times = [last - MINUTE * back for back in reversed(range(MINUTES))]
    counts: dict[datetime, Counter] = {at: Counter() for at in times}
    for at, word, count in _ended(jobs, times[0]):
        if at in counts:  # what ended by a clock that is ahead is told when its minute comes
            counts[at][word] += count
    waiting = jobs.filter(state__in=Job.WAITING, not_before__lte=now, waits=0).count()
    begun, came = _begun(jobs, times[0]), _came(jobs, times[0], now)
    for at in reversed(times):
        counts[at]["waiting"] = max(waiting, 0)
        waiting += begun[at] - came[at]
    return list(counts.items())


def _ended(jobs: JobQuerySet, since: datetime) -> list[tuple[datetime, str, int]]:
    found = jobs.filter(finished_at__gte=since, state__in=Job.ENDED)
    rows = _by_minute(found.with_undone(), "finished_at", "state", "outcome", "leaves_undone")
    return [(at, _word(state, outcome, is_left), count) for at, state, outcome, is_left, count in rows]


def _word(state: str, outcome: str | None, leaves_undone: bool) -> str:
    if state == State.COMPLETED:
        return "partial" if outcome == Job.Outcome.PARTIAL or leaves_undone else "done"
    return "cancelled" if state == State.CANCELLED else "failed"


def _lately(since: datetime) -> Q:
    """What can have waited since: what has not ended, and what ended after that. Each half has an index of its own."""
    return Q(finished_at__gte=since) | Q(state__in=[*Job.WAITING, State.RUNNING])


def _begun(jobs: JobQuerySet, since: datetime) -> Counter:
    """Newest attempts that began; what waits for another one has not."""
    found = jobs.filter(_lately(since), started_at__gte=since).exclude(state__in=Job.WAITING)
    return Counter(dict(_by_minute(found, "started_at")))


def _came(jobs: JobQuerySet, since: datetime, now: datetime) -> Counter:
    """What became claimable, and was begun or waits; one that was cancelled before did neither."""
    found = jobs.filter(_lately(since), not_before__gte=since, not_before__lte=now, waits=0)
    found = found.exclude(state=State.CANCELLED, started_at=None)
    return Counter(dict(_by_minute(found, "not_before")))


def _by_minute(found: JobQuerySet, time: str, *more: str) -> list[tuple]:
    rows = found.order_by().annotate(minute=TruncMinute(time, tzinfo=UTC)).values_list("minute", *more)
    return list(rows.annotate(Count("pk")))
