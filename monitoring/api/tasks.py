"""One task, and the list of them."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.settings import api_settings

from monitoring import jobs
from monitoring.api import rights
from monitoring.api.refusals import NO_JOB, TOO_MANY, WRONG_STATE, TaskView
from monitoring.jobs import declaration
from monitoring.jobs.telling import minutes, task
from monitoring.models import Job
from monitoring.queries import PAGING, Choice, Query, Text

OF_SYMBOL = (
    "What it is about, alone or among others. A job about all that is tracked names none of it, such as an hourly "
    "`market.records`: that is found by `name`."
)


class TaskQuery(Query):
    status = Choice(Job.State.values, required=False, source="state")
    name = Text(required=False, max_length=100, help_text="A declared job.")
    symbol = Text(required=False, max_length=100, help_text=OF_SYMBOL)
    parent = Text(required=False, max_length=36, help_text="Only the jobs that this job asked for.")
    view = Choice(["mine", "scheduled"], required=False, help_text="One's own alone, or the runs of schedules.")
    schedule = Text(required=False, max_length=200, help_text="Only the runs of this schedule.")
    outcome = Choice([Job.Outcome.PARTIAL.value], required=False, help_text="Completed, but not each part of it.")


class Tasks(TaskView):
    """The jobs one may see, the newest first."""

    permission_classes = [IsAuthenticated]
    csv_columns = (
        *("task_id", "name", "about", "status", "outcome", "done", "asked", "priority"),
        *("created_at", "started_at", "finished_at"),
    )
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_list",
        summary="Jobs",
        parameters=[TaskQuery, *PAGING],
        responses={200: task.Page},
    )
    def get(self, request) -> Response:
        asked = TaskQuery.read(request)
        found = _found(request.user, asked).defer("result", "wrote", "parts_failed")
        found = found.with_undone().with_schedule().select_related("owner")
        if "outcome" in asked:
            found = found.in_part()
        pages = api_settings.DEFAULT_PAGINATION_CLASS()
        pages.ordering = "-id"
        now = timezone.now()
        return pages.get_paginated_response(
            [task.Brief.tell(job, now) for job in pages.paginate_queryset(found, request, self)]
        )


class Minutes(TaskView):
    """The last hour of the jobs one may see, minute by minute."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="tasks_minutes", summary="The last hour", responses={200: minutes.Minutes})
    def get(self, request) -> Response:
        return Response(minutes.Minutes.tell(rights.visible(request.user), timezone.now()))


class OneTask(TaskView):
    """One job: status, progress, attempts, times."""

    permission_classes = [AllowAny]
    problems = NO_JOB

    @extend_schema(operation_id="tasks_task", summary="One job", responses={200: task.Whole})
    def get(self, request, task_id: str) -> Response:
        return Response(task.Whole.tell(rights.seen(request.user, task_id), timezone.now()))


class Result(TaskView):
    """What a job came to; 202 while it has not ended."""

    permission_classes = [AllowAny]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_result",
        summary="A job's result",
        responses={200: task.Result, 202: task.Result},
    )
    def get(self, request, task_id: str) -> Response:
        job = rights.seen(request.user, task_id)
        told = task.Result.tell(job, timezone.now())
        return Response(told) if job.is_ended else Response(told, status=202, headers={"Retry-After": "1"})


class Cancel(TaskView):
    """Cancel a job: at once where it waits, at its next checkpoint where it runs."""

    permission_classes = [IsAuthenticated]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_cancel",
        summary="Cancel a job",
        request=None,
        responses={202: task.Submitted, 409: WRONG_STATE},
    )
    def post(self, request, task_id: str) -> Response:
        job = rights.owned(request.user, task_id)
        return Response({"task_id": str(job.pk), "status": jobs.cancel(job.pk), "cancel_requested": True}, status=202)


class Retry(TaskView):
    """Run a job again that failed, timed out or was cancelled."""

    permission_classes = [IsAuthenticated]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_retry",
        summary="Run a job again",
        request=None,
        responses={202: task.Submitted, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request, task_id: str) -> Response:
        asked = rights.owned(request.user, task_id)
        rights.require_room(request.user, 1)
        job = jobs.retry(asked.pk)
        return Response({"task_id": str(job.pk), "status": job.state}, status=202)


def _found(user, asked: dict) -> QuerySet[Job]:
    wanted = {name: value for name, value in asked.items() if name in ("state", "name")}
    if "parent" in asked:
        wanted["parent"] = rights.seen(user, str(asked["parent"]))
    found = rights.visible(user).filter(**wanted)
    if asked.get("view") == "mine":
        found = found.filter(owner=user)
    if "schedule" in asked or asked.get("view") == "scheduled":
        found = found.scheduled(asked.get("schedule", ""))
    return found.about(declaration.spelling(asked["symbol"])) if "symbol" in asked else found
