"""A job as programs read it."""

from collections.abc import Callable
from datetime import datetime

from monitoring.jobs import declaration
from monitoring.jobs.arguments import Arguments
from monitoring.models import Job, Priority


def brief(job: Job, now: datetime) -> dict:
    """A job in a list."""
    return {
        "task_id": str(job.pk),
        "name": job.name,
        "about": job.about,
        "status": job.state,
        "priority": Priority(job.priority).name.lower(),
        "progress": _progress(job),
        "attempt": job.tried,
        "max_attempts": job.max_attempts,
        "error": _error(job),
        "cancel_requested": job.cancel_requested_at is not None,
        "execution_time": _execution_seconds(job, now),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def whole(job: Job, now: datetime) -> dict:
    """A job with its attempts, what it belongs to and which rows it wrote."""
    declared = declaration.find(job.name)
    return {
        **brief(job, now),
        "args": job.arguments,
        "timeout": job.timeout_seconds,
        "isolated": bool(declared and declared.rules.isolated),
        "not_before": job.not_before,
        "worker_id": str(job.worker) if job.worker else None,
        "attempts": _attempts(job),
        "condition": job.condition,
        "parent": str(job.parent_id) if job.parent_id else None,
        "children": job.children.count(),
        "then": str(job.then_id) if job.then_id else None,
        "waits_for": job.waits,
        "wrote": job.wrote or [],
        "result_url": f"/api/tasks/task/{job.pk}/result",
    }


def result(job: Job, now: datetime) -> dict:
    told = brief(job, now)
    names = ("task_id", "status", "progress", "execution_time", "error")
    return {**{name: told[name] for name in names}, "result": job.result}


def job_kind(declared: declaration.Declaration) -> dict:
    """A declared job, for a form that submits it."""
    return {
        "name": declared.name,
        "about": (declared.__doc__ or "").strip().split("\n")[0],
        "audience": declared.rules.audience,
        "priority": Priority(declared.rules.priority).name.lower(),
        "timeout": declared.rules.timeout_seconds,
        "max_attempts": declared.rules.max_attempts,
        "max_retries": declared.rules.max_attempts - 1,
        "quick": list(declared.rules.quick),
        "isolated": declared.rules.isolated,
        "arguments": declared.arguments.described(),
    }


def condition(name: str, function: Callable[..., bool]) -> dict:
    """A declared condition, for `only_if`."""
    about = (function.__doc__ or "").strip().split("\n")[0]
    return {"name": name, "about": about, "arguments": Arguments(function).described()}


def _progress(job: Job) -> dict:
    total = job.progress_total
    percent = round(100 * min(job.progress_done / total, 1), 1) if total else None
    return {"done": job.progress_done, "total": total, "word": job.progress_word, "percent": percent}


def _error(job: Job) -> dict | None:
    return {"code": job.error_code, "message": job.error} if job.error_code else None


def _execution_seconds(job: Job, now: datetime) -> float | None:
    """How long its newest attempt runs, or ran."""
    was_waiting = job.state in Job.WAITING or (job.state == Job.State.CANCELLED and job.worker is None)
    if job.started_at is None or was_waiting:
        return None
    return round(((job.finished_at or now) - job.started_at).total_seconds(), 6)


def _attempts(job: Job) -> list[dict]:
    """The timeline: attempts that came to nothing, and the newest as the row tells it."""
    earlier = [
        {
            "number": each.number,
            "worker_id": str(each.worker) if each.worker else None,
            "started_at": each.started_at,
            "ended_at": each.ended_at,
            "outcome": each.outcome,
            "error": {"code": each.error_code, "message": each.error} if each.error_code else None,
        }
        for each in job.attempts.all()
    ]
    if job.state not in (Job.State.RUNNING, Job.State.COMPLETED):
        return earlier
    newest = {"number": job.tried, "worker_id": str(job.worker), "started_at": job.started_at}
    return [*earlier, {**newest, "ended_at": job.finished_at, "outcome": job.state, "error": None}]
