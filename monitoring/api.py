"""/api/tasks/: the jobs over HTTP. Whoever may submit a job may see, cancel and retry it; staff may all."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from monitoring import jobs, shapes, submissions
from monitoring.jobs import JobError, declaration, overview, telling
from monitoring.models import Job, JobTemplate, Priority

REFUSED = OpenApiResponse(description="Only staff may.")
WRONG_STATE = OpenApiResponse(description="It does not go with the job's state, or the key belongs to another job.")
NO_JOB = {404: ("unknown_task",)}
UNENDED_AT_MOST = 100  # tasks of one person who is not of the staff
RETRY_SECONDS = 30
TOO_MANY = OpenApiResponse(description="Too many of one's own tasks have not ended.")
WRONG_BODY = {400: ("unknown_task", "invalid_arguments")}


class TooMany(exceptions.Throttled):
    default_code = "too_many_tasks"

    def __init__(self, detail: str) -> None:
        exceptions.APIException.__init__(self, detail, self.default_code)
        self.wait = RETRY_SECONDS


class Conflict(exceptions.APIException):
    status_code = 409
    default_code = "conflict"


class TaskView(APIView):
    """Says a refusal of a job in HTTP's words."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, JobError):
            return super().handle_exception(_translated(exc))
        return super().handle_exception(exc)


class StaffView(TaskView):
    permission_classes = [IsAdminUser]


class Status(StaffView):
    """Counts of the queue, its workers and its states."""

    @extend_schema(operation_id="tasks_status", summary="The queue", responses={200: shapes.StatusShape, 403: REFUSED})
    def get(self, request) -> Response:
        return Response(overview.status(timezone.now()))


class Workers(StaffView):
    """The workers of the last hour, from their heartbeats."""

    @extend_schema(operation_id="tasks_workers", summary="Workers", responses={200: shapes.WorkersShape, 403: REFUSED})
    def get(self, request) -> Response:
        return Response({"workers": overview.workers(timezone.now())})


class Dashboard(StaffView):
    """The queue with throughput, and how long jobs waited and ran in the last hour."""

    @extend_schema(
        operation_id="tasks_dashboard",
        summary="The queue in figures",
        responses={200: shapes.DashboardShape, 403: REFUSED},
    )
    def get(self, request) -> Response:
        return Response(overview.dashboard(timezone.now()))


class Kinds(TaskView):
    """The jobs that can be submitted and the conditions they can depend on, with their arguments."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="tasks_kinds", summary="Declared jobs", responses={200: shapes.KindsShape})
    def get(self, request) -> Response:
        declared = [each for each in jobs.everything().values() if _may_submit(request.user, each)]
        return Response(
            {
                "kinds": [telling.job_kind(each) for each in declared],
                "conditions": [telling.condition(*each) for each in declaration.conditions().items()],
            }
        )


class Tasks(TaskView):
    """The jobs one may see, the newest first."""

    permission_classes = [IsAuthenticated]
    csv_columns = ("task_id", "name", "about", "status", "priority", "created_at", "started_at", "finished_at")
    problems = {400: ("invalid_status", "invalid_limit", "invalid_cursor")}

    @extend_schema(
        operation_id="tasks_list",
        summary="Jobs",
        parameters=[
            OpenApiParameter("status", str, enum=Job.State.values),
            OpenApiParameter("name", str),
            OpenApiParameter("symbol", str, description="Part of what the job is about."),
            OpenApiParameter("parent", str, description="Only the jobs that this job asked for."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
        ],
        responses={200: shapes.TaskPage},
    )
    def get(self, request) -> Response:
        found = _visible(request.user).defer("result", "wrote").filter(_filters(request.query_params))
        pages = api_settings.DEFAULT_PAGINATION_CLASS()
        pages.ordering = "-id"
        now = timezone.now()
        return pages.get_paginated_response(
            [telling.brief(job, now) for job in pages.paginate_queryset(found, request, self)]
        )


class Submit(TaskView):
    """Ask for a job, or for one saved as a template."""

    permission_classes = [IsAuthenticated]
    problems = WRONG_BODY

    @extend_schema(
        operation_id="tasks_submit",
        summary="Submit a job",
        request=submissions.SubmissionBody,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses={202: shapes.SubmittedShape, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request) -> Response:
        is_template = isinstance(request.data, dict) and "template" in request.data
        body = _body_of_template(request.user, request.data) if is_template else request.data
        asked = dict(submissions.read(submissions.SubmissionBody, body))
        key = _key(request.headers.get("Idempotency-Key"), asked.pop("key", None))
        return _submitted(request.user, asked, key)


class Templates(TaskView):
    """Submissions saved under a name: one's own, and those of the staff whose jobs one may submit."""

    permission_classes = [IsAuthenticated]
    problems = WRONG_BODY

    @extend_schema(operation_id="tasks_templates", summary="Templates", responses={200: shapes.TemplatesShape})
    def get(self, request) -> Response:
        found = _templates(request.user).values("name", "submission")
        return Response({"templates": [each for each in found if _may_use(request.user, each["submission"])]})

    @extend_schema(
        operation_id="tasks_templates_save",
        summary="Save a template",
        request=submissions.TemplateBody,
        responses={201: submissions.TemplateBody, 403: REFUSED, 409: WRONG_STATE},
    )
    def post(self, request) -> Response:
        asked = submissions.read(submissions.TemplateBody, request.data)
        _may_submit_all(request.user, asked["submission"])
        submissions.check(asked["submission"])
        saved = {"name": asked["name"], "submission": submissions.stored(asked["submission"])}
        try:
            with transaction.atomic():
                JobTemplate.objects.create(owner=request.user, **saved)
        except IntegrityError:
            raise Conflict(f"There is a template {asked['name']!r} already.", "template_exists") from None
        return Response(saved, status=201)


class Template(TaskView):
    """One saved submission."""

    permission_classes = [IsAuthenticated]
    problems = {404: ("unknown_template",)}

    @extend_schema(operation_id="tasks_templates_delete", summary="Delete a template", responses={204: None})
    def delete(self, request, name: str) -> Response:
        mine = JobTemplate.objects.all() if request.user.is_staff else JobTemplate.objects.filter(owner=request.user)
        if not mine.filter(name=name).delete()[0]:
            raise exceptions.NotFound(f"There is no template {name[:100]!r}, or it is not yours.", "unknown_template")
        return Response(status=204)


class Quick(TaskView):
    """The usual jobs, by one word and a query string."""

    permission_classes = [IsAuthenticated]
    problems = {**NO_JOB, **WRONG_BODY}

    @extend_schema(
        operation_id="tasks_quick",
        summary="Submit a usual job",
        request=None,
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, description="dataset-processing, daily-report, ..."),
            OpenApiParameter("priority", str, enum=[each.name.lower() for each in Priority]),
        ],
        responses={202: shapes.SubmittedShape, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request, kind: str) -> Response:
        declared = declaration.quick(kind)
        if declared is None:
            raise exceptions.NotFound(f"There is no quick job {kind[:60]!r}.", "unknown_task")
        words = request.query_params.dict()
        options = {"priority": words.pop("priority")} if "priority" in words else {}
        asked = {"task": declared.name, "args": declared.arguments.parsed(words), **options}
        return _submitted(request.user, asked, _key(request.headers.get("Idempotency-Key"), None))


class OneTask(TaskView):
    """One job: status, progress, attempts, times."""

    permission_classes = [AllowAny]
    problems = NO_JOB

    @extend_schema(operation_id="tasks_task", summary="One job", responses={200: shapes.TaskShape})
    def get(self, request, task_id: str) -> Response:
        return Response(telling.whole(_seen(request.user, task_id), timezone.now()))


class Result(TaskView):
    """What a job came to; 202 while it has not ended."""

    permission_classes = [AllowAny]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_result",
        summary="A job's result",
        responses={200: shapes.ResultShape, 202: shapes.ResultShape},
    )
    def get(self, request, task_id: str) -> Response:
        job = _seen(request.user, task_id)
        told = telling.result(job, timezone.now())
        return Response(told) if job.is_ended else Response(told, status=202, headers={"Retry-After": "1"})


class Cancel(TaskView):
    """Cancel a job: at once where it waits, at its next checkpoint where it runs."""

    permission_classes = [IsAuthenticated]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_cancel",
        summary="Cancel a job",
        request=None,
        responses={202: shapes.SubmittedShape, 409: WRONG_STATE},
    )
    def post(self, request, task_id: str) -> Response:
        job = _owned(request.user, task_id)
        return Response({"task_id": str(job.pk), "status": jobs.cancel(job.pk), "cancel_requested": True}, status=202)


class Retry(TaskView):
    """Run a job again that failed, timed out or was cancelled."""

    permission_classes = [IsAuthenticated]
    problems = NO_JOB

    @extend_schema(
        operation_id="tasks_retry",
        summary="Run a job again",
        request=None,
        responses={202: shapes.SubmittedShape, 409: WRONG_STATE},
    )
    def post(self, request, task_id: str) -> Response:
        job = jobs.retry(_owned(request.user, task_id).pk)
        return Response({"task_id": str(job.pk), "status": job.state}, status=202)


def _submitted(user, asked: dict, key: str | None) -> Response:
    _may_submit_all(user, asked)
    _refuse_too_many(user, len(submissions.tasks(asked)))
    made = submissions.submit(asked, key=f"{user.pk}:{key}" if key is not None else None, owner=user)
    told = {"task_id": str(made[0].pk), "status": made[0].state}
    return Response(told if len(made) == 1 else {**told, "task_ids": [str(job.pk) for job in made]}, 202)


def _refuse_too_many(user, more: int) -> None:
    """A bound on what one person may have waiting, so that there is room for the others."""
    unended = 0 if user.is_staff else Job.objects.filter(owner=user).exclude(state__in=Job.ENDED).count()
    if unended + more > UNENDED_AT_MOST and not user.is_staff:
        raise TooMany(
            f"{unended} of your tasks have not ended, and {UNENDED_AT_MOST} may wait at once: wait for some, or cancel."
        )


def _key(in_header: str | None, in_body: str | None) -> str | None:
    if in_header and len(in_header) > submissions.KEY_LENGTH:
        raise exceptions.ValidationError({"key": [f"must have at most {submissions.KEY_LENGTH} characters"]})
    if in_header and in_body and in_header != in_body:
        raise exceptions.ValidationError({"key": ["differs from the Idempotency-Key header"]})
    return in_header or in_body or None


def _may_submit_all(user, asked: dict) -> None:
    """Refuse what this user may not submit, be it the job or one of those with it."""
    for step in submissions.tasks(asked):
        if not _may_submit(user, declaration.named(step["task"])):
            raise exceptions.PermissionDenied(f"Only staff may submit {step['task']}.")


def _templates(user):
    """The templates that this user sees: all for staff, else their own and the staff's."""
    if user.is_staff:
        return JobTemplate.objects.all()
    return JobTemplate.objects.filter(Q(owner=user) | Q(owner__is_staff=True) | Q(owner=None))


def _body_of_template(user, body: dict) -> dict:
    asked = submissions.read(submissions.TemplateCall, body)
    template = _templates(user).filter(name=asked["template"]).first()
    if template is None:
        raise exceptions.ValidationError({"template": ["is unknown; GET /api/tasks/templates lists them"]})
    saved = template.submission
    return {**saved, "args": {**saved.get("args", {}), **asked.get("args", {})}}


def _may_submit(user, declared: declaration.Declaration) -> bool:
    return user.is_staff or declared.rules.audience == "user"


def _may_use(user, saved: dict) -> bool:
    """Whether every job of a template is still declared, and this user may submit it."""
    kinds = [declaration.find(step["task"]) for step in submissions.tasks(saved)]
    return all(kind is not None and _may_submit(user, kind) for kind in kinds)


def _visible(user):
    return Job.objects.all() if user.is_staff else Job.objects.filter(owner=user)


def _seen(user, task_id: str) -> Job:
    """The job, if this user may see it: a public one that nobody owns is seen by whoever knows its id."""
    job = _found(task_id)
    declared = declaration.find(job.name)
    is_public = job.owner_id is None and declared is not None and declared.rules.audience == "user"
    if not (is_public or user.is_staff or (user.is_authenticated and job.owner_id == user.pk)):
        raise _unknown(task_id)
    return job


def _owned(user, task_id: str) -> Job:
    job = _found(task_id)
    if not (user.is_staff or job.owner_id == user.pk):
        raise _unknown(task_id)
    return job


def _found(task_id: str) -> Job:
    try:
        return Job.objects.get(pk=uuid.UUID(task_id))
    except (ValueError, Job.DoesNotExist):
        raise _unknown(task_id) from None


def _unknown(task_id: str) -> Http404 | exceptions.NotFound:
    return exceptions.NotFound(f"There is no task {task_id[:40]}, or it is not yours.", "unknown_task")


def _filters(words) -> Q:
    state, parent, symbol = (words.get(name) for name in ("status", "parent", "symbol"))
    if state and state not in Job.State.values:
        raise exceptions.ValidationError({"status": [f"must be one of {', '.join(Job.State.values)}"]})
    asked = {"state": state, "name": words.get("name")}
    if parent:
        asked["parent"] = _found(parent)
    about = Q(about__contains=symbol) | Q(about__contains=symbol.upper()) if symbol else Q()
    return about & Q(**{name: value for name, value in asked.items() if value})


def _translated(error: JobError) -> exceptions.APIException:
    if error.status == 400:
        told = {
            name: [exceptions.ErrorDetail(message, error.code) for message in messages]
            for name, messages in (error.errors or {"detail": [error.detail]}).items()
        }
        return exceptions.ValidationError(told)
    return Conflict(error.detail, error.code)
