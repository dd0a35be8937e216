"""Asking for tasks: by a body, by a template, or by one of the usual words."""

from django.db import IntegrityError, transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.settings import api_settings

from monitoring import submissions
from monitoring.api import idempotency, rights, saying
from monitoring.api.refusals import NO_JOB, REFUSED, TOO_MANY, WRONG_BODY, WRONG_STATE, Conflict, TaskView, TooMany
from monitoring.jobs import declaration
from monitoring.jobs.errors import KeyReused
from monitoring.jobs.telling import kinds, task
from monitoring.models import Job, JobTemplate, Priority

# What may be said to a quick job beside its own arguments.
OPTIONS = {"priority": str, "timeout": int, "max_attempts": int, "max_retries": int}
TEMPLATES_AT_MOST = 50  # of one person who is not of the staff


class Submit(TaskView):
    """Ask for a job, or for one saved as a template."""

    permission_classes = [IsAuthenticated]
    problems = {400: (*WRONG_BODY[400], "invalid_template")}

    @extend_schema(
        operation_id="tasks_submit",
        summary="Submit a job",
        request=submissions.SubmissionBody,
        parameters=[idempotency.HEADER],
        responses={202: task.Submitted, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request) -> Response:
        is_template = isinstance(request.data, dict) and "template" in request.data
        body = _body_of_template(request.user, request.data) if is_template else request.data
        asked = dict(submissions.read(submissions.SubmissionBody, body))
        key = idempotency.key(request, asked.pop("key", None))
        return _answer(submitted(request.user, asked, key, body))


class Templates(TaskView):
    """Submissions saved under a name: one's own, and those of the staff whose jobs one may submit."""

    permission_classes = [IsAuthenticated]
    problems = WRONG_BODY

    @extend_schema(operation_id="tasks_templates", summary="Templates", responses={200: kinds.Templates})
    def get(self, request) -> Response:
        found = rights.templates(request.user).values("name", "submission")
        return Response({"templates": [each for each in found if rights.may_use(request.user, each["submission"])]})

    @extend_schema(
        operation_id="tasks_templates_save",
        summary="Save a template",
        request=submissions.TemplateBody,
        responses={201: submissions.TemplateBody, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request) -> Response:
        asked = submissions.read(submissions.TemplateBody, request.data)
        rights.require_submit(request.user, asked["submission"])
        submissions.check(asked["submission"])
        if not request.user.is_staff and JobTemplate.objects.filter(owner=request.user).count() >= TEMPLATES_AT_MOST:
            raise TooMany(f"You have {TEMPLATES_AT_MOST} templates: delete one that you do not need.")
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
        # The path takes slashes, its own last one too; names that end in one were allowed once.
        if not (mine.filter(name=name).delete()[0] or mine.filter(name=name.removesuffix("/")).delete()[0]):
            raise exceptions.NotFound(f"There is no template {name[:100]!r}, or it is not yours.", "unknown_template")
        return Response(status=204)


class Quick(TaskView):
    """A usual job by one word. Its arguments come by query, form or JSON body alike."""

    permission_classes = [IsAuthenticated]
    parser_classes = [*api_settings.DEFAULT_PARSER_CLASSES, FormParser, MultiPartParser]
    problems = {**NO_JOB, 400: (*WRONG_BODY[400], "invalid_key")}

    @extend_schema(
        operation_id="tasks_quick",
        summary="Submit a usual job",
        description=(
            "Takes the job's own arguments, as GET /api/tasks/kinds tells them (`symbol`, `symbols`, `period`), and "
            "the options below: in the query, a form or a JSON body, read alike. A list is said by commas, by "
            "repeating its name, or as a list. An unknown name is refused, and so is one that is said in two ways, "
            "an empty list, an empty text in it, and an empty text where `least_length` is 1."
        ),
        request={each: OpenApiTypes.OBJECT for each in ("application/json", "application/x-www-form-urlencoded")},
        parameters=[
            OpenApiParameter(
                "kind",
                str,
                OpenApiParameter.PATH,
                description="dataset-processing, daily-report, weekly-report, market-analysis",
            ),
            OpenApiParameter("priority", str, enum=[each.name.lower() for each in Priority]),
            *(OpenApiParameter(name, int) for name in ("timeout", "max_attempts", "max_retries")),
            OpenApiParameter(
                "arguments",
                {"type": "object"},
                explode=True,
                style="form",
                description="The job's own, by their names.",
            ),
            idempotency.HEADER,
        ],
        responses={202: task.Submitted, 403: REFUSED, 409: WRONG_STATE, 429: TOO_MANY},
    )
    def post(self, request, kind: str) -> Response:
        if (found := declaration.quick(kind)) is None:
            raise exceptions.NotFound(f"There is no quick job {kind[:60]!r}.", "unknown_task")
        declared, meant = found
        said = saying.read(request, declared.arguments.kinds | OPTIONS, meant)
        options = {name: said.pop(name) for name in OPTIONS.keys() & said.keys()}
        body = {"task": declared.name, "args": said, **options}
        asked = dict(submissions.read(submissions.SubmissionBody, body))
        return _answer(submitted(request.user, asked, idempotency.key(request), body))


def submitted(user, asked: dict, key: str | None, body: dict) -> list[Job]:
    """The jobs that a checked body asks for, where this user may and has room for them. body: as it was said.

    Raises JobError, TooMany, PermissionDenied.
    """
    rights.require_submit(user, asked)
    key = f"{user.pk}:{key}" if key is not None else None
    if key is None or not Job.objects.filter(key=key).exists():
        rights.require_room(user, len(submissions.tasks(asked)))
    try:
        return submissions.submit(asked, key=key, owner=user)
    except KeyReused as error:
        raise KeyReused(*(_as_said(name, body) for name in error.others)) from error


def _answer(made: list[Job]) -> Response:
    told = {"task_id": str(made[0].pk), "status": made[0].state}
    return Response(told if len(made) == 1 else {**told, "task_ids": [str(job.pk) for job in made]}, 202)


def _as_said(name: str, body: dict) -> str:
    """An option by the name under which it was asked for."""
    return "max_retries" if name == "max_attempts" and "max_retries" in body else name


def _body_of_template(user, body: dict) -> dict:
    asked = submissions.read(submissions.TemplateCall, body)
    template = rights.templates(user).filter(name=asked["template"]).first()
    if template is None:
        raise exceptions.ValidationError({"template": ["is unknown; GET /api/tasks/templates lists them"]})
    saved = template.submission
    return {**saved, "args": {**saved.get("args", {}), **asked.get("args", {})}}
