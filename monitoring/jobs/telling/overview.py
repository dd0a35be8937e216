"""The queue at a glance: counts, workers, throughput, and how long jobs wait and run."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Q

from monitoring.models import Job, Worker

SILENT = timedelta(seconds=15)  # a worker that has not been heard of for longer counts as lost
SHOWN_WORKERS = timedelta(hours=1)
WINDOW = timedelta(hours=1)
SAMPLE = 5_000
State = Job.State


def status(now: datetime) -> dict:
    counts = state_counts()
    return {"queue_stats": queue_stats(counts), "worker_stats": workers(now), "status_counts": counts}


def state_counts() -> dict[str, int]:
    counted = Job.objects.order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(counted)


def queue_stats(counts: dict[str, int]) -> dict:
    """What became of all that the ledger remembers. What is to be tried again is pending; what timed out failed."""
    failed = counts[State.FAILED] + counts[State.TIMED_OUT]
    return {
        "pending_tasks": counts[State.PENDING] + counts[State.RETRYING],
        "running_tasks": counts[State.RUNNING],
        "total_submitted": sum(counts.values()),
        "total_completed": counts[State.COMPLETED],
        "total_failed": failed,
        "success_rate": rate(counts[State.COMPLETED], failed),
    }


def workers(now: datetime) -> list[dict]:
    """The workers of the last hour, each with what it runs."""
    rows = list(Worker.objects.filter(heartbeat_at__gt=now - SHOWN_WORKERS))
    running: dict = {}
    for worker, pk in Job.objects.running().order_by("started_at").values_list("worker", "pk"):
        running.setdefault(worker, []).append(str(pk))
    return [_worker(row, running.get(row.pk, []), now) for row in rows]


def dashboard(now: datetime) -> dict:
    """The last hour, from at most its newest 5,000 jobs that ended on their own."""
    ended = Job.objects.filter(finished_at__gt=now - WINDOW, started_at__isnull=False).exclude(state=State.CANCELLED)
    facts = ("name", "state", "not_before", "started_at", "finished_at")
    sample = list(ended.order_by("-finished_at").values(*facts)[:SAMPLE])
    by_name: dict[str, list[dict]] = {}
    for row in sample:
        by_name.setdefault(row["name"], []).append(row)
    return {
        **status(now),
        "window_seconds": int(WINDOW.total_seconds()),
        "last_hour": ended_counts(now),
        "unknown": unknown_counts(),
        "throughput": throughput(now),
        **_times(sample),
        "by_name": [{"name": name, "count": len(rows), **_times(rows)} for name, rows in sorted(by_name.items())],
    }


def ended_counts(now: datetime) -> dict[str, int]:
    """How many jobs ended in the last hour, by how they did."""
    ended = Job.objects.order_by().filter(finished_at__gt=now - WINDOW, state__in=Job.ENDED)
    return dict.fromkeys(map(str, Job.ENDED), 0) | dict(ended.values_list("state").annotate(Count("pk")))


def unknown_counts() -> dict[str, int]:
    """How many jobs wait for a worker that knows them, by name."""
    return dict(Job.objects.left().order_by("name").values_list("name").annotate(Count("pk")))


def throughput(now: datetime) -> dict:
    """Jobs that ended on their own, a minute, over three windows."""
    minutes = {"last_minute": 1, "last_5_minutes": 5, "last_hour": 60}
    ended = Job.objects.exclude(state=State.CANCELLED).filter(finished_at__gt=now - WINDOW)
    spans = {name: Count("pk", filter=Q(finished_at__gt=now - timedelta(minutes=n))) for name, n in minutes.items()}
    counted = ended.aggregate(**spans)
    return {f"per_minute_{name}": round(counted[name] / minutes[name], 2) for name in minutes}


def rate(completed: int, failed: int) -> float | None:
    """Completed of completed and failed, in percent; None where nothing ended."""
    return round(100 * completed / (completed + failed), 1) if completed + failed else None


def percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """The nearest-rank median, 95th and 99th percentile."""
    ordered = sorted(seconds)
    ranks = {f"p{q}": math.ceil(q / 100 * len(ordered)) - 1 for q in (50, 95, 99)}
    return {name: round(ordered[rank], 4) if ordered else None for name, rank in ranks.items()}


def _times(rows: list[dict]) -> dict:
    waited = [(row["started_at"] - row["not_before"]).total_seconds() for row in rows]
    ran = [(row["finished_at"] - row["started_at"]).total_seconds() for row in rows]
    completed = sum(row["state"] == State.COMPLETED for row in rows)
    return {
        "waiting_seconds": percentiles([max(each, 0.0) for each in waited]),
        "running_seconds": percentiles(ran),
        "window_success_rate": rate(completed, len(rows) - completed),
    }


def _worker(row: Worker, running: list[str], now: datetime) -> dict:
    is_lost = row.lost_at is not None or now - row.heartbeat_at > SILENT
    state = "stopped" if row.stopped_at else "lost" if is_lost else "running"
    return {
        "worker_id": str(row.pk),
        "host": row.host,
        "pid": row.pid,
        "state": state,
        "concurrency": row.concurrency,
        "current_task_id": running[0] if running else None,
        "current_task_ids": running,
        "processed_tasks": row.processed,
        "failed_tasks": row.failed,
        "success_rate": rate(row.processed - row.failed, row.failed),
        "since": row.started_at,
        "heartbeat_at": row.heartbeat_at,
    }
