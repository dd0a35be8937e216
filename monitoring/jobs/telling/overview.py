"""The queue at a glance: counts, workers, throughput, and how long jobs wait and run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema_serializer
from rest_framework.fields import CharField, ChoiceField, DateTimeField, DictField, FloatField, IntegerField, ListField

from monitoring.jobs.telling.shape import Shape, SuccessRate, said
from monitoring.models import Job, Worker

SILENT = timedelta(seconds=15)  # a worker that has not been heard of for longer counts as lost
SHOWN_WORKERS = timedelta(hours=1)
WINDOW = timedelta(hours=1)
SAMPLE = 5_000
MINUTES = {"per_minute_last_minute": 1, "per_minute_last_5_minutes": 5, "per_minute_last_hour": 60}
State = Job.State


@dataclass(frozen=True)
class Queue:
    """All that the ledger remembers, at a time."""

    now: datetime

    @cached_property
    def counts(self) -> dict[str, int]:
        counted = Job.objects.order_by().values_list("state").annotate(Count("pk"))
        return dict.fromkeys(State.values, 0) | dict(counted)

    @property
    def failed(self) -> int:
        return self.counts[State.FAILED] + self.counts[State.TIMED_OUT]

    @cached_property
    def sample(self) -> list[dict]:
        """The last hour's newest jobs that ended on their own."""
        ended = Job.objects.filter(finished_at__gt=self.now - WINDOW, started_at__isnull=False)
        facts = ("name", "state", "outcome", "not_before", "started_at", "finished_at", "leaves_undone")
        rows = ended.exclude(state=State.CANCELLED).with_undone()
        return list(rows.order_by("-finished_at").values(*facts)[:SAMPLE])


class QueueStats(Shape):
    """What became of all that the ledger remembers. What is to be tried again is pending; what timed out failed."""

    pending_tasks = said(
        IntegerField(help_text="Those that wait, also for another attempt."),
        lambda queue: queue.counts[State.PENDING] + queue.counts[State.RETRYING],
    )
    running_tasks = said(IntegerField(), lambda queue: queue.counts[State.RUNNING])
    total_submitted = said(
        IntegerField(help_text="All that the ledger remembers: 30 days, unless set otherwise."),
        lambda queue: sum(queue.counts.values()),
    )
    total_completed = said(IntegerField(), lambda queue: queue.counts[State.COMPLETED])
    total_failed = said(IntegerField(help_text="Failed or timed out."), lambda queue: queue.failed)
    success_rate = said(SuccessRate(), lambda queue: rate(queue.counts[State.COMPLETED], queue.failed))


@extend_schema_serializer(component_name="Worker")
class WorkerTold(Shape):
    """A worker, and the jobs that it runs."""

    worker_id = said(CharField(), lambda row, jobs, now: str(row.pk))
    host = said(CharField(), lambda row, jobs, now: row.host)
    pid = said(IntegerField(), lambda row, jobs, now: row.pid)
    state = said(ChoiceField(["running", "stopped", "lost"]), lambda row, jobs, now: _state(row, now))
    concurrency = said(IntegerField(), lambda row, jobs, now: row.concurrency)
    current_task_id = said(CharField(allow_null=True), lambda row, jobs, now: jobs[0] if jobs else None)
    current_task_ids = said(ListField(child=CharField()), lambda row, jobs, now: jobs)
    processed_tasks = said(
        IntegerField(help_text="Jobs that completed or failed here."), lambda row, jobs, now: row.processed
    )
    failed_tasks = said(
        IntegerField(help_text="Those of them that failed or timed out."), lambda row, jobs, now: row.failed
    )
    success_rate = said(SuccessRate(), lambda row, jobs, now: rate(row.processed - row.failed, row.failed))
    since = said(DateTimeField(), lambda row, jobs, now: row.started_at)
    heartbeat_at = said(DateTimeField(), lambda row, jobs, now: row.heartbeat_at)


@extend_schema_serializer(component_name="TaskWorkers")
class Workers(Shape):
    workers = said(WorkerTold(many=True), lambda queue: workers(queue.now))


@extend_schema_serializer(component_name="TaskStatus")
class Status(Shape):
    queue_stats = said(QueueStats(), lambda queue: QueueStats.tell(queue))
    worker_stats = said(WorkerTold(many=True), lambda queue: workers(queue.now))
    status_counts = said(
        DictField(child=IntegerField(), help_text="Every state with its count; together they are all submitted."),
        lambda queue: queue.counts,
    )


class Percentiles(Shape):
    """Of seconds, by nearest rank."""

    p50 = said(FloatField(allow_null=True), lambda ordered: percentile(50, ordered))
    p95 = said(FloatField(allow_null=True), lambda ordered: percentile(95, ordered))
    p99 = said(FloatField(allow_null=True), lambda ordered: percentile(99, ordered))


class Times(Shape):
    """How long jobs waited and ran, and how many did well."""

    waiting_seconds = said(Percentiles(), lambda of: Percentiles.tell(_waited(of.sample)))
    running_seconds = said(Percentiles(), lambda of: Percentiles.tell(_ran(of.sample)))
    window_success_rate = said(SuccessRate(), lambda of: _rate_of(of.sample))


@dataclass(frozen=True)
class Named:
    name: str
    sample: list[dict]


class TimesByName(Times):
    name = said(CharField(), lambda named: named.name)
    count = said(IntegerField(), lambda named: len(named.sample))
    partial = said(
        IntegerField(help_text="Those that completed, but not each of their parts."),
        lambda named: sum(map(_is_partial, named.sample)),
    )


class Throughput(Shape):
    """Jobs that ended on their own, a minute, over three windows."""

    per_minute_last_minute = said(FloatField(), lambda rates: rates["per_minute_last_minute"])
    per_minute_last_5_minutes = said(FloatField(), lambda rates: rates["per_minute_last_5_minutes"])
    per_minute_last_hour = said(FloatField(), lambda rates: rates["per_minute_last_hour"])


@extend_schema_serializer(component_name="TaskDashboard")
class Dashboard(Status, Times):
    """The last hour, from at most its newest 5,000 jobs that ended on their own."""

    window_seconds = said(IntegerField(), lambda queue: int(WINDOW.total_seconds()))
    last_hour = said(
        DictField(child=IntegerField(), help_text="Jobs that ended, by how they did."),
        lambda queue: ended_counts(queue.now),
    )
    unknown = said(
        DictField(child=IntegerField(), help_text="Jobs that wait for a worker that knows them, by name."),
        lambda queue: unknown_counts(),
    )
    partial_last_hour = said(
        IntegerField(help_text="Jobs that completed, but not each of their parts."),
        lambda queue: Job.objects.filter(finished_at__gt=queue.now - WINDOW).with_undone().in_part().count(),
    )
    throughput = said(Throughput(), lambda queue: Throughput.tell(throughput(queue.now)))
    by_name = said(TimesByName(many=True), lambda queue: [TimesByName.tell(each) for each in _by_name(queue.sample)])


def workers(now: datetime) -> list[dict]:
    """The workers of the last hour, each with what it runs."""
    running: dict = {}
    for worker, pk in Job.objects.running().order_by("started_at").values_list("worker", "pk"):
        running.setdefault(worker, []).append(str(pk))
    rows = Worker.objects.filter(heartbeat_at__gt=now - SHOWN_WORKERS)
    return [WorkerTold.tell(row, running.get(row.pk, []), now) for row in rows]


def ended_counts(now: datetime) -> dict[str, int]:
    """How many jobs ended in the last hour, by how they did."""
    ended = Job.objects.order_by().filter(finished_at__gt=now - WINDOW, state__in=Job.ENDED)
    return dict.fromkeys(map(str, Job.ENDED), 0) | dict(ended.values_list("state").annotate(Count("pk")))


def unknown_counts() -> dict[str, int]:
    """How many jobs wait for a worker that knows them, by name."""
    return dict(Job.objects.left().order_by("name").values_list("name").annotate(Count("pk")))


def throughput(now: datetime) -> dict[str, float]:
    """Jobs that ended on their own, a minute, over three windows."""
    ended = Job.objects.exclude(state=State.CANCELLED).filter(finished_at__gt=now - WINDOW)
    spans = {name: Count("pk", filter=Q(finished_at__gt=now - timedelta(minutes=n))) for name, n in MINUTES.items()}
    counted = ended.aggregate(**spans)
    return {name: round(counted[name] / n, 2) for name, n in MINUTES.items()}


def rate(completed: int, failed: int) -> float | None:
    """Completed of completed and failed, in percent; None where nothing ended."""
    return round(100 * completed / (completed + failed), 1) if completed + failed else None


def percentile(rank: int, ordered: Sequence[float]) -> float | None:
    """The nearest rank of values that are in order."""
    return round(ordered[math.ceil(rank / 100 * len(ordered)) - 1], 4) if ordered else None


def _by_name(sample: list[dict]) -> list[Named]:
    rows: dict[str, list[dict]] = {}
    for row in sample:
        rows.setdefault(row["name"], []).append(row)
    return [Named(name, found) for name, found in sorted(rows.items())]


def _is_partial(row: dict) -> bool:
    """Of its own parts, or of the jobs that it asked for."""
    is_undone = row["outcome"] == Job.Outcome.PARTIAL or row["leaves_undone"]
    return row["state"] == State.COMPLETED and is_undone


def _waited(sample: list[dict]) -> list[float]:
    return sorted(max((row["started_at"] - row["not_before"]).total_seconds(), 0.0) for row in sample)


def _ran(sample: list[dict]) -> list[float]:
    return sorted((row["finished_at"] - row["started_at"]).total_seconds() for row in sample)


def _rate_of(sample: list[dict]) -> float | None:
    completed = sum(row["state"] == State.COMPLETED for row in sample)
    return rate(completed, len(sample) - completed)


def _state(row: Worker, now: datetime) -> str:
    is_lost = row.lost_at is not None or now - row.heartbeat_at > SILENT
    return "stopped" if row.stopped_at else "lost" if is_lost else "running"
