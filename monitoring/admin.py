"""The ledger in the admin: read, cancelled and run again, never written by hand."""

import json
import logging
from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _
from django_celery_beat import admin as beat  # registers its pages, of which ours take the place
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rest_framework.exceptions import ValidationError

from monitoring import jobs, shown, submissions
from monitoring.jobs import JobError, crontabs, declaration, schedules
from monitoring.jobs.errors import printable
from monitoring.models import AuditEntry, Job, JobAttempt, JobTemplate, ScheduleSlot, Worker

logger = logging.getLogger(__name__)
ACTS = {
    "account.delete": _("an account deleted itself"),
    "actions.decide": _("a disputed action was decided"),
    "keys.change": _("a key was changed"),
    "keys.make": _("a key was made"),
    "keys.revoke": _("a key was revoked"),
    "quarantine.release": _("a bar that was held back was released"),
    "sockets.broadcast": _("a broadcast was sent"),
    "sockets.close": _("a client was closed"),
    "replay.steer": _("the recording was steered"),
    "replay.go_live": _("live prices were asked for"),
    "source.change": _("prices come from another source"),
    "source.pause": _("the source was left alone for a while"),
    "source.resume": _("the source was asked again"),
    "symbols.stopped": _("symbols were let go"),
    "symbols.streaming": _("symbols were taken up"),
}
admin.site.unregister([beat.PeriodicTask, beat.SolarSchedule])


def titled(name: str) -> str:
    """What people call a job, or a schedule that bears its name and a number."""
    job, _space, number = name.partition(" ")
    declared = declaration.find(job)
    return f"{declared.rules.title} {number}".strip() if declared and declared.rules.title else name


class ReadOnly:
    """Rows that the platform writes and people only look at."""

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False


class AttemptInline(ReadOnly, admin.TabularInline):
    model = JobAttempt
    extra = 0
    can_delete = False


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["short_id", "title", "about", "told_state", "priority", "attempt", "told_code", "asked", "ended"]
    list_filter = ["state", "priority", ("name", shown.worded(titled))]
    search_fields = ["id", "name", "about"]
    date_hierarchy = None
    show_full_result_count = False
    inlines = [AttemptInline]
    actions = ["cancel", "run_again"]

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.display(description=_("id"), ordering="id")
    def short_id(self, job: Job) -> str:
        return shown.short(job.pk)

    @admin.display(description=_("name"), ordering="name")
    def title(self, job: Job) -> str:
        return titled(job.name)

    @admin.display(description=_("state"), ordering="state")
    def told_state(self, job: Job) -> str:
        if job.outcome and job.outcome != Job.Outcome.WHOLE:
            return shown.badge("partial", job.get_outcome_display())
        return shown.badge(job.state, job.get_state_display())

    @admin.display(description=_("error code"), ordering="error_code", empty_value="–")
    def told_code(self, job: Job) -> str | None:
        return shown.code(job.error_code) if job.error_code else None

    @admin.display(description=_("created at"), ordering="id")
    def asked(self, job: Job) -> str:
        return shown.ago(job.created_at)

    @admin.display(description=_("finished at"), ordering="finished_at")
    def ended(self, job: Job) -> str:
        return shown.ago(job.finished_at)

    @admin.action(description=_("Cancel"))
    def cancel(self, request, queryset) -> None:
        self._each(request, queryset, jobs.cancel, _("cancelled, or asked to stop"))

    @admin.action(description=_("Run again"))
    def run_again(self, request, queryset) -> None:
        self._each(request, queryset, jobs.retry, _("waiting to run again"))

    def _each(self, request, queryset, move: Callable[[UUID], object], done: str) -> None:
        """What becomes of one is its own: those behind it come too, and how many did is said at the end."""
        refused, asked = 0, list(queryset.only("name"))
        for job in asked:
            try:
                move(job.pk)
            except Exception as error:
                refused += 1
                if not isinstance(error, JobError):
                    logger.exception("%s: it could not be moved", job)
                self.message_user(request, f"{job}: {printable(error, 500)}", messages.WARNING)
        counts = {"moved": len(asked) - refused, "done": done, "refused": refused}
        level = messages.WARNING if refused else messages.SUCCESS
        self.message_user(request, _("%(moved)d %(done)s, %(refused)d refused.") % counts, level)


@admin.register(Worker)
class WorkerAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["short_id", "host", "pid", "told_state", "seen", "concurrency", "processed", "failed"]

    @admin.display(description=_("id"))
    def short_id(self, worker: Worker) -> str:
        return shown.short(worker.pk)

    @admin.display(description=_("state"))
    def told_state(self, worker: Worker) -> str:
        if worker.lost_at:
            return shown.badge("lost", _("lost"))
        return shown.badge("cancelled", _("stopped")) if worker.stopped_at else shown.badge("running", _("running"))

    @admin.display(description=_("heartbeat at"), ordering="heartbeat_at")
    def seen(self, worker: Worker) -> str:
        return shown.ago(worker.heartbeat_at)


class ScheduleForm(forms.ModelForm):
    """Takes what a tick could submit, and refuses the rest before it is due."""

    class Meta:
        model = PeriodicTask
        times = ["interval", "crontab", "clocked", "one_off", "start_time", "expires"]
        fields = ["name", "enabled", "description", *times, "kwargs"]
        labels = {"kwargs": _("Asks for")}
        help_texts = {
            "kwargs": _(
                'JSON, such as {"job": "market.records", "arguments": {}, "priority": "low", "only_if": {"name": '
                '"market.is_open", "arguments": {}}, "catch_up": false}. /api/tasks/kinds lists jobs and conditions.'
            )
        }

    def clean_kwargs(self) -> str:
        try:
            if self.instance.name != schedules.TICK:
                schedules.check(json.loads(self.cleaned_data["kwargs"]))
        except (ValueError, RecursionError) as error:
            told = {"error": printable(error, 200)}
            raise forms.ValidationError(_("This is not JSON: %(error)s"), params=told) from error
        except JobError as error:
            raise forms.ValidationError(printable(error.detail, 500)) from error
        return self.cleaned_data["kwargs"]

    def clean_interval(self) -> IntervalSchedule | None:
        every = self.cleaned_data["interval"]
        if every is not None and every.schedule.run_every < crontabs.MINUTE:
            raise forms.ValidationError(_("A schedule ticks once a minute at most."))
        return every


@admin.register(PeriodicTask)
class ScheduleAdmin(admin.ModelAdmin):
    """Schedules of jobs. The row of the tick itself is what beat sends once a minute."""

    form = ScheduleForm
    list_display = ["name", "enabled", "scheduler", "kwargs", "one_off", "start_time", "last_run"]
    list_editable = ["enabled"]
    list_filter = ["enabled"]
    list_select_related = ["interval", "crontab", "clocked"]
    search_fields = ["name", "kwargs"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(task=schedules.TICK)

    @admin.display(description=_("last run"), ordering="last_run_at")
    def last_run(self, schedule: PeriodicTask) -> str:
        return shown.ago(schedule.last_run_at)

    def save_model(self, request, obj, form, change) -> None:
        obj.task = schedules.TICK
        if obj.expires:  # beat takes only one of the two
            obj.expire_seconds = None
        super().save_model(request, obj, form, change)


class Submission(forms.JSONField):
    """JSON of any kind of nonsense is refused, not raised, and what was typed is shown as it was."""

    def bound_data(self, data, initial):
        return InvalidJSONInput(data)

    def to_python(self, value):
        try:
            return super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(self.error_messages["invalid"], params={"value": "…"}) from error


class TemplateForm(forms.ModelForm):
    """Takes what the interface takes, and refuses it with the same words."""

    class Meta:
        model = JobTemplate
        fields = ["name", "submission", "owner"]
        field_classes = {"submission": Submission}

    def clean_name(self) -> str:
        submissions.NO_SLASH_AT_AN_END(self.cleaned_data["name"])
        return self.cleaned_data["name"]

    def clean_submission(self) -> dict:
        saved = {"name": self.cleaned_data.get("name", ""), "submission": self.cleaned_data["submission"]}
        try:
            submissions.check(submissions.read(submissions.TemplateBody, saved)["submission"])
        except JobError as error:
            raise forms.ValidationError(printable(error.detail, 500)) from error
        except ValidationError as error:
            told = error.detail.get("submission")
            if told is not None:  # what is wrong with the name is said at the name
                raise forms.ValidationError(printable(submissions.sentences(told), 500)) from error
        return saved["submission"]


@admin.register(JobTemplate)
class JobTemplateAdmin(admin.ModelAdmin):
    form = TemplateForm
    list_display = ["name", "owner", "updated_at"]


class ScheduleFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field, request, model_admin) -> list[tuple[int, str]]:
        planned = PeriodicTask.objects.filter(task=schedules.TICK).exclude(name=schedules.TICK).order_by("name")
        return [(pk, titled(name)) for pk, name in planned.values_list("pk", "name")]


@admin.register(ScheduleSlot)
class ScheduleSlotAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["schedule", "slot", "outcome", "reason", "job"]
    list_filter = ["outcome", ("schedule", ScheduleFilter)]
    list_select_related = ["schedule", "job"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["done", "actor_name", "via", "told_action", "target", "outcome"]
    list_filter = [("action", shown.worded(lambda action: ACTS.get(action, action)))]
    search_fields = ["actor_name", "target"]
    date_hierarchy = "at"

    @admin.display(description=_("action"), ordering="action")
    def told_action(self, entry: AuditEntry) -> str:
        return ACTS.get(entry.action, entry.action)

    @admin.display(description=_("at"), ordering="at")
    def done(self, entry: AuditEntry) -> str:
        return shown.ago(entry.at)

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
