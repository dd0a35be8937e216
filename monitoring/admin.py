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

from monitoring import jobs, submissions
from monitoring.jobs import JobError, crontabs, schedules
from monitoring.jobs.errors import printable
from monitoring.models import Job, JobAttempt, JobTemplate, ScheduleSlot, Worker

logger = logging.getLogger(__name__)
admin.site.unregister([beat.PeriodicTask, beat.SolarSchedule])


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
    list_display = ["id", "name", "about", "state", "priority", "attempt", "error_code", "created_at", "finished_at"]
    list_filter = ["state", "priority", "name"]
    search_fields = ["id", "name", "about"]
    date_hierarchy = None
    show_full_result_count = False
    inlines = [AttemptInline]
    actions = ["cancel", "run_again"]

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

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
    list_display = [
        "id",
        "host",
        "pid",
        "concurrency",
        "started_at",
        "heartbeat_at",
        "stopped_at",
        "lost_at",
        "processed",
        "failed",
    ]


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
    list_display = ["name", "enabled", "scheduler", "kwargs", "one_off", "start_time", "last_run_at"]
    list_editable = ["enabled"]
    list_filter = ["enabled"]
    list_select_related = ["interval", "crontab", "clocked"]
    search_fields = ["name", "kwargs"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(task=schedules.TICK)

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


@admin.register(ScheduleSlot)
class ScheduleSlotAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["schedule", "slot", "outcome", "reason", "job"]
    list_filter = ["outcome", "schedule"]
    list_select_related = ["schedule", "job"]
