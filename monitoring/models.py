"""What we know of ourselves, in rows: jobs and who runs them, the slots of schedules that were taken, who did what."""

import secrets
import time
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from monitoring.exact import ExactCharField

# Each half reads an index of its own; of an OR of them MariaDB reads every job.
ABOUT = """SELECT id FROM (
    SELECT id FROM monitoring_job WHERE about IN (%s, %s)
    UNION ALL SELECT job_id FROM monitoring_jobsubject WHERE subject = %s) AS found"""


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): later ones sort behind earlier ones, which keeps the table's end hot."""
    some = secrets.randbits(74)
    return uuid.UUID(int=_first_id(time.time()).int | some >> 62 << 64 | some & (1 << 62) - 1)


def ids_from(at: datetime) -> uuid.UUID:
    """The first id that an instant could give: `pk__gte` is what was made from then on, by the clock of that time."""
    return _first_id(at.timestamp())


def _first_id(seconds: float) -> uuid.UUID:
    return uuid.UUID(int=int(seconds * 1000) << 80 | 0x7 << 76 | 0b10 << 62)


class Priority(models.IntegerChoices):
    HIGH = 0, _("high")
    NORMAL = 1, _("normal")
    LOW = 2, _("low")


def without_owner(collector, field, jobs, using) -> None:
    """A job outlives its owner, and is not taken for one that nobody in particular asked for."""
    collector.add_field_update(field, None, jobs)
    collector.add_field_update(field.model._meta.get_field("is_orphan"), True, jobs)


class JobQuerySet(models.QuerySet):
    def due(self, now) -> "JobQuerySet":
        """Jobs that a worker may claim, the best first."""
        # Each lane by name: behind the range "not null" no index tells what is due from what waits for tomorrow.
        return self.filter(lane__in=Priority.values, not_before__lte=now).order_by("lane", "not_before", "pk")

    def left(self) -> "JobQuerySet":
        """Jobs that wait for a worker that knows them, as those that looked did not; or that none of us looks for, as
        their priority is of a newer version.
        """
        return self.filter(lane__gt=max(Priority))

    def of_attempt(self, job: "Job") -> "JobQuerySet":
        """The job's row as long as this attempt of it runs: empty for one that was given up."""
        return self.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)

    def running(self) -> "JobQuerySet":
        return self.filter(state=Job.State.RUNNING)

    def undone(self) -> "JobQuerySet":
        """Jobs that ended and left all or a part of what they were to do."""
        is_partial = models.Q(state=Job.State.COMPLETED, outcome=Job.Outcome.PARTIAL)
        return self.filter(models.Q(state__in=Job.UNDONE) | is_partial)

    def with_undone(self) -> "JobQuerySet":
        """With `leaves_undone`: whether a job that it asked for did."""
        return self.annotate(leaves_undone=models.Exists(Job.objects.undone().filter(parent=models.OuterRef("pk"))))

    def in_part(self) -> "JobQuerySet":
        """Jobs that completed, while a part of theirs or a job that they asked for did not."""
        is_partial = models.Q(outcome=Job.Outcome.PARTIAL) | models.Q(leaves_undone=True)
        return self.filter(is_partial, state=Job.State.COMPLETED)

    def with_schedule(self) -> "JobQuerySet":
        """With `schedule_name`: the schedule whose run a job is, None where it is none's."""
        slots = ScheduleSlot.objects.filter(job=models.OuterRef("pk")).order_by("-slot")
        return self.annotate(schedule_name=models.Subquery(slots.values("schedule__name")[:1]))

    def scheduled(self, name: str = "") -> "JobQuerySet":
        """Runs of schedules, or of the one with this name."""
        slots = ScheduleSlot.objects.filter(job__isnull=False)
        slots = slots.filter(schedule__name=name) if name else slots
        return self.filter(pk__in=slots.values("job"))

    def about(self, subject: str) -> "JobQuerySet":
        """Jobs with this among what they are about, such as a symbol, however many others there are."""
        word = subject.upper()
        return self.filter(pk__in=RawSQL(ABOUT, [subject, word, word]))


class Job(models.Model):
    """One piece of work somebody asked for. This row is the truth about it; Celery only tells workers to look."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        RETRYING = "retrying", _("retrying")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        TIMED_OUT = "timed_out", _("timed out")

    WAITING = (State.PENDING, State.RETRYING)
    LEFT = 10  # added to the lane of a job that is left for who knows it
    UNDONE = (State.FAILED, State.CANCELLED, State.TIMED_OUT)
    ENDED = (State.COMPLETED, *UNDONE)

    class Outcome(models.TextChoices):
        WHOLE = "whole", _("whole")
        PARTIAL = "partial", _("partial")

    class RunsAfter(models.TextChoices):
        SUCCESS = "success", _("all before it completed")
        END = "end", _("all before it ended, however")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = ExactCharField(max_length=100)
    arguments = models.JSONField(default=dict)
    about = ExactCharField(max_length=200, blank=True, help_text=_("What it is about, such as its symbols."))
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    lane = models.PositiveSmallIntegerField(
        null=True, help_text=_("The priority while it may be claimed, else empty: the index that workers read.")
    )
    not_before = models.DateTimeField(help_text=_("When it became, or will become, claimable."))
    attempt = models.PositiveIntegerField(
        default=0, help_text=_("Grows with each claim; only the holder of the newest may write.")
    )
    given_back = models.PositiveIntegerField(
        db_default=0, default=0, help_text=_("How many of its claims were given back before they began.")
    )
    max_attempts = models.PositiveIntegerField()
    attempts_asked = models.PositiveIntegerField(
        null=True, help_text=_("How many attempts were asked for: so many each time that it is run again.")
    )
    losses = models.PositiveIntegerField(
        default=0, help_text=_("How many workers died over it; with one, it runs in a process of its own.")
    )
    timeout_seconds = models.PositiveIntegerField()
    worker = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(null=True)
    progress_word = models.CharField(max_length=100, blank=True)
    result = models.JSONField(null=True)
    outcome = models.CharField(
        max_length=7, choices=Outcome, null=True, help_text=_("Of a completed job: whether each part of it came.")
    )
    parts_asked = models.PositiveIntegerField(null=True)
    parts_done = models.PositiveIntegerField(null=True)
    parts_failed = models.JSONField(null=True, help_text=_("What did not come, by name, each with its reason."))
    wrote = models.JSONField(null=True, help_text=_("Which rows it wrote: model, count, first and last key."))
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    key = ExactCharField(max_length=200, null=True, unique=True, help_text=_("The same key is the same job."))
    asked_with = models.JSONField(null=True, help_text=_("With a key: the options as they were said."))
    condition = models.JSONField(null=True, help_text=_("Name and arguments; run only if it holds when claimed."))
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children", db_constraint=False
    )
    then = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="before", db_constraint=False)
    waits = models.PositiveIntegerField(default=0, help_text=_("How many jobs must end before it may run."))
    runs_after = models.CharField(max_length=7, choices=RunsAfter, default=RunsAfter.SUCCESS)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=without_owner, related_name="jobs")
    is_orphan = models.BooleanField(
        default=False, db_default=False, help_text=_("A person asked for it who is no longer here.")
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["lane", "not_before", "id"], name="job_claim_order"),
            models.Index(fields=["state", "lease_until"], name="job_lease"),
            models.Index(fields=["finished_at"], name="job_finished"),
            models.Index(fields=["name", "id"], name="job_name"),
            models.Index(fields=["about", "id"], name="job_about"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"

    @property
    def tried(self) -> int:
        """How many attempts have begun."""
        return self.attempt - self.given_back

    @property
    def priority_word(self) -> str:
        """A number where only a newer version has a word for it."""
        return Priority(self.priority).name.lower() if self.priority in Priority else str(self.priority)

    @property
    def is_ended(self) -> bool:
        return self.state in self.ENDED


class JobSubject(models.Model):
    """One of several things that a job is about, in capitals. Where it is one alone, the job's own row says so."""

    pk = models.CompositePrimaryKey("subject", "job_id")
    # Without a constraint: the version before knows nothing of these rows and deletes jobs.
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="subjects", db_constraint=False)
    subject = ExactCharField(max_length=200)

    def __str__(self) -> str:
        return self.subject


class JobAttempt(models.Model):
    """An attempt that did not complete its job. (The one that did is told by the job's own row.)"""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.UUIDField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, help_text=_("The job's state after it, or “lost” or “released”."))
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["job_id", "number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"


class Worker(models.Model):
    """A process that runs jobs, from its own heartbeat."""

    id = models.UUIDField(primary_key=True, editable=False)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    place = models.CharField(max_length=32, help_text=_("The same for processes that see each other's ids."))
    birth = models.FloatField(help_text=_("When the process began, as its machine counts."))
    concurrency = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True, help_text=_("When a neighbour saw that its process was gone."))
    processed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class JobTemplate(models.Model):
    """A submission that was saved under a name."""

    name = ExactCharField(max_length=100, unique=True)
    submission = models.JSONField(help_text=_("As POST /api/tasks/submit takes it."))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SeededSchedule(models.Model):
    """A schedule that a declaration brought once. What people make of its row, also of its absence, stays theirs."""

    name = ExactCharField(max_length=200, primary_key=True)

    def __str__(self) -> str:
        return self.name


class ScheduleSlot(models.Model):
    """A planned time of a schedule, taken once however many beats tick."""

    class Outcome(models.TextChoices):
        SUBMITTED = "submitted", _("submitted")
        REFUSED = "refused", _("refused")
        BEGUN = "begun", _("begun")  # no slot: from here on this plan counts, told in the reason

    schedule = models.ForeignKey("django_celery_beat.PeriodicTask", on_delete=models.CASCADE, related_name="slots")
    slot = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    reason = models.CharField(max_length=200, blank=True)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="slots")
    claimed_at = models.DateTimeField()

    class Meta:
        ordering = ["-slot"]
        constraints = [models.UniqueConstraint(fields=["schedule", "slot"], name="one_claim_a_slot")]
        indexes = [models.Index(fields=["schedule", "outcome", "slot"], name="slot_of_outcome")]

    def __str__(self) -> str:
        return f"{self.slot:%Y-%m-%d %H:%M:%S} {self.outcome}"


class AuditEntry(models.Model):
    """What somebody who operates the system did: written before it is done, its outcome behind that."""

    at = models.DateTimeField(auto_now_add=True)
    # Without a constraint: the version before knows nothing of these rows and deletes people.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    actor_name = models.CharField(max_length=150, help_text=_("Who it was, also when the account is gone."))
    via = models.CharField(max_length=100, blank=True, help_text=_("The prefix of the API key; empty for a login."))
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict, help_text=_("As it was asked for."))
    outcome = models.JSONField(null=True, help_text=_("Empty while it is done, or where that was cut off."))
    # Of whom and what it is is part of it: the same of two people is not the same.
    key = ExactCharField(max_length=200, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}".strip()
