"""A job as programs read it."""

from datetime import datetime

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    FloatField,
    IntegerField,
    ListField,
)

from monitoring.jobs import declaration
from monitoring.jobs.telling import wording
from monitoring.jobs.telling.shape import Shape, said
from monitoring.models import Job, JobAttempt, Priority

FAILED_TOLD = 100  # jobs that a job asked for and that left something undone; `?parent=` lists them all


class Progress(Shape):
    done = said(IntegerField(), lambda job: job.progress_done)
    total = said(IntegerField(allow_null=True), lambda job: job.progress_total)
    word = said(CharField(allow_blank=True), lambda job: job.progress_word)
    percent = said(FloatField(allow_null=True), lambda job: _percent(job))


class TaskError(Shape):
    code = said(CharField(), lambda failed: failed.error_code)
    message = said(CharField(allow_blank=True), lambda failed: failed.error)
    says = said(
        CharField(allow_blank=True, help_text="What happened, in a sentence of the language that was asked for."),
        lambda failed: wording.reason(failed.error_code, failed.error).says,
    )
    remedy = said(
        CharField(allow_blank=True, help_text="What to do about it, in that language."),
        lambda failed: wording.reason(failed.error_code, failed.error).remedy,
    )


class Failure(Shape):
    """A part that did not come."""

    name = said(CharField(), lambda name, why: name)
    code = said(CharField(allow_blank=True), lambda name, why: wording.code_of(why))
    message = said(CharField(), lambda name, why: why)
    says = said(CharField(allow_blank=True), lambda name, why: wording.part(why).says)
    remedy = said(CharField(allow_blank=True), lambda name, why: wording.part(why).remedy)


class Parts(Shape):
    """Of a completed job: whether each of its parts came, and all of what the jobs did that it asked for."""

    outcome = said(
        ChoiceField(
            Job.Outcome.choices,
            allow_null=True,
            help_text="Partial too where a job that it asked for failed, was cancelled or is partial.",
        ),
        lambda job, now: _outcome(job),
    )
    done = said(
        IntegerField(allow_null=True, help_text="How many of its parts came; null where it has none."),
        lambda job, now: job.parts_done,
    )
    asked = said(IntegerField(allow_null=True, help_text="Of how many."), lambda job, now: job.parts_asked)


class WithFailed(Parts):
    failed = said(
        DictField(
            child=CharField(),
            help_text="Its parts that did not come, by name, each with why; and such jobs as it asked for.",
        ),
        lambda job, now: _failed(job),
    )
    failures = said(
        Failure(many=True, help_text="The same, each in a sentence of the language that was asked for."),
        lambda job, now: [Failure.tell(name, why) for name, why in _failed(job).items()],
    )


@extend_schema_serializer(component_name="TaskAttempt")
class Attempt(Shape):
    number = said(IntegerField(), lambda attempt: attempt.number)
    worker_id = said(CharField(allow_null=True), lambda attempt: _word(attempt.worker))
    started_at = said(DateTimeField(allow_null=True), lambda attempt: attempt.started_at)
    ended_at = said(DateTimeField(allow_null=True), lambda attempt: attempt.ended_at)
    outcome = said(CharField(help_text="The state after it, or “lost” or “released”."), lambda attempt: attempt.outcome)
    error = said(TaskError(allow_null=True), lambda attempt: _error(attempt))


@extend_schema_serializer(component_name="TaskBrief")
class Brief(Parts):
    """A job in a list."""

    task_id = said(CharField(), lambda job, now: str(job.pk))
    name = said(CharField(), lambda job, now: job.name)
    title = said(
        CharField(allow_blank=True, help_text="What people call such a job, in the language that was asked for."),
        lambda job, now: _title(job),
    )
    about = said(CharField(allow_blank=True, help_text="Such as its symbols."), lambda job, now: job.about)
    status = said(ChoiceField(Job.State.choices), lambda job, now: job.state)
    priority = said(
        ChoiceField(
            [each.name.lower() for each in Priority], help_text="A number where only a newer version has a word for it."
        ),
        lambda job, now: job.priority_word,
    )
    progress = said(Progress(), lambda job, now: Progress.tell(job))
    attempt = said(IntegerField(), lambda job, now: job.tried)
    max_attempts = said(IntegerField(), lambda job, now: job.max_attempts)
    error = said(TaskError(allow_null=True), lambda job, now: _error(job))
    cancel_requested = said(BooleanField(), lambda job, now: job.cancel_requested_at is not None)
    execution_time = said(
        FloatField(allow_null=True, help_text="Seconds of its newest attempt."),
        lambda job, now: _execution_seconds(job, now),
    )
    created_at = said(DateTimeField(), lambda job, now: job.created_at)
    started_at = said(DateTimeField(allow_null=True), lambda job, now: job.started_at)
    finished_at = said(DateTimeField(allow_null=True), lambda job, now: job.finished_at)
    worker_id = said(CharField(allow_null=True), lambda job, now: _word(job.worker))
    schedule = said(
        CharField(allow_null=True, help_text="The schedule whose run it is."), lambda job, now: _schedule(job)
    )
    asked_by = said(
        CharField(allow_null=True, help_text="Whose it is; null for the system's own."),
        lambda job, now: job.owner.username if job.owner else None,
    )


@extend_schema_serializer(component_name="Task")
class Whole(Brief, WithFailed):
    """A job with its attempts, what it belongs to and which rows it wrote."""

    args = said(DictField(), lambda job, now: job.arguments)
    timeout = said(IntegerField(), lambda job, now: job.timeout_seconds)
    isolated = said(BooleanField(), lambda job, now: _is_isolated(job))
    not_before = said(DateTimeField(), lambda job, now: job.not_before)
    attempts = said(Attempt(many=True), lambda job, now: [Attempt.tell(each) for each in _attempts(job)])
    condition = said(DictField(allow_null=True), lambda job, now: job.condition)
    parent = said(CharField(allow_null=True), lambda job, now: _word(job.parent_id))
    children = said(
        IntegerField(help_text="Jobs that it asked for; `?parent=` lists them."), lambda job, now: job.children.count()
    )
    then = said(CharField(allow_null=True), lambda job, now: _word(job.then_id))
    waits_for = said(IntegerField(help_text="How many jobs must end before it may run."), lambda job, now: job.waits)
    wrote = said(ListField(child=DictField()), lambda job, now: job.wrote or [])
    result_url = said(CharField(), lambda job, now: f"/api/tasks/task/{job.pk}/result")


@extend_schema_serializer(component_name="TaskPage")
class Page(Shape):
    next = CharField(allow_null=True)
    previous = CharField(allow_null=True)
    results = Brief(many=True)


@extend_schema_field({})
class Anything(serializers.JSONField):
    """Whatever a job came to, null among it."""


@extend_schema_serializer(component_name="TaskResult")
class Result(WithFailed):
    task_id = said(CharField(), lambda job, now: str(job.pk))
    status = said(ChoiceField(Job.State.choices), lambda job, now: job.state)
    progress = said(Progress(), lambda job, now: Progress.tell(job))
    execution_time = said(FloatField(allow_null=True), lambda job, now: _execution_seconds(job, now))
    error = said(TaskError(allow_null=True), lambda job, now: _error(job))
    result = said(Anything(), lambda job, now: job.result)


@extend_schema_serializer(component_name="TaskSubmitted")
class Submitted(Shape):
    task_id = CharField()
    status = ChoiceField(Job.State.choices)
    task_ids = ListField(child=CharField(), required=False, help_text="Of a chain or a group, the finishing job last.")
    cancel_requested = BooleanField(required=False)


def _title(job: Job) -> str:
    declared = declaration.find(job.name)
    return str(declared.rules.title) if declared else ""


def _schedule(job: Job) -> str | None:
    if hasattr(job, "schedule_name"):
        return job.schedule_name
    return job.slots.values_list("schedule__name", flat=True).first()


def _word(key: object) -> str | None:
    return str(key) if key else None


def _outcome(job: Job) -> str | None:
    """Of its own parts it was told when it ended; the jobs that it asked for may end after it."""
    if job.outcome != Job.Outcome.WHOLE:
        return job.outcome
    known = getattr(job, "leaves_undone", None)
    leaves_undone = job.children.undone().exists() if known is None else known
    return Job.Outcome.PARTIAL if leaves_undone else Job.Outcome.WHOLE


def _failed(job: Job) -> dict[str, str]:
    children = job.children.undone().order_by("pk").defer("arguments", "result", "wrote") if job.is_ended else []
    return (job.parts_failed or {}) | {str(child): _why(child) for child in children[:FAILED_TOLD]}


def _why(child: Job) -> str:
    if child.state == Job.State.COMPLETED:
        return f"partial: {child.parts_done} of {child.parts_asked} came"
    return f"{child.error_code}: {child.error}" if child.error else child.error_code or child.state


def _percent(job: Job) -> float | None:
    total = job.progress_total
    return round(100 * min(job.progress_done / total, 1), 1) if total else None


def _error(failed: Job | JobAttempt) -> dict | None:
    return TaskError.tell(failed) if failed.error_code else None


def _is_isolated(job: Job) -> bool:
    declared = declaration.find(job.name)
    return bool(declared and declared.rules.isolated)


def _execution_seconds(job: Job, now: datetime) -> float | None:
    """How long its newest attempt runs, or ran."""
    was_waiting = job.state in Job.WAITING or (job.state == Job.State.CANCELLED and job.worker is None)
    if job.started_at is None or was_waiting:
        return None
    return round(((job.finished_at or now) - job.started_at).total_seconds(), 6)


def _attempts(job: Job) -> list[JobAttempt]:
    """The timeline: attempts that came to nothing, and the newest as the row tells it."""
    earlier = list(job.attempts.all())
    if job.state not in (Job.State.RUNNING, Job.State.COMPLETED):
        return earlier
    newest = JobAttempt(number=job.tried, worker=job.worker, started_at=job.started_at, ended_at=job.finished_at)
    newest.outcome = job.state
    return [*earlier, newest]
