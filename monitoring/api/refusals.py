"""What is refused, in HTTP's words."""

from collections.abc import Collection

from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.jobs import JobError

REFUSED = OpenApiResponse(description="Only staff may.")
WRONG_STATE = OpenApiResponse(
    description="It does not go with the job's state (`wrong_state`), the key is another job's (`key_reused`), the "
    "name another template's (`template_exists`), or the job is just being written (`job_busy`)."
)
TOO_MANY = OpenApiResponse(description="Too many of one's own have not ended, or are saved: `too_many_tasks`.")
NO_JOB = {404: ("unknown_task",)}
WRONG_BODY = {400: ("unknown_task", "invalid_arguments")}
RETRY_SECONDS = 30


class ForStaff(IsAdminUser):
    """Says what it takes: a key of a staff account may be without the scope."""

    def has_permission(self, request, view) -> bool:
        self.message = f"This is for staff: {staffs_own(getattr(request.auth, 'scopes', None))}"
        return super().has_permission(request, view)


def staffs_own(scopes: Collection[str] | None) -> str:
    """What it takes to do what staff may. scopes: of the key that came; None where none did."""
    if scopes is None:
        return "log in with a staff account, or send a key of one that has the scope staff."
    return f"it takes the scope staff, on a key of a staff account; this one has {', '.join(sorted(scopes)) or 'none'}."


class TooMany(exceptions.Throttled):
    default_code = "too_many_tasks"

    def __init__(self, detail: str) -> None:
        exceptions.APIException.__init__(self, detail, self.default_code)
        self.wait = RETRY_SECONDS


class TooLarge(exceptions.APIException):
    """A question that whoever reads may ask, and is dear to parse: it is parsed for nobody."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body has more than {most} bytes, which is all that this operation reads.")


class Conflict(exceptions.APIException):
    status_code = 409
    default_code = "conflict"

    def __init__(self, detail: str, code: str | None = None, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(detail, code)
        self.errors = errors


class TaskView(APIView):
    """Says a refusal of a job in HTTP's words."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, JobError):
            return super().handle_exception(_translated(exc))
        return super().handle_exception(exc)


class StaffView(TaskView):
    permission_classes = [ForStaff]


def _translated(error: JobError) -> exceptions.APIException:
    if error.status == 400:
        told = {
            name: [exceptions.ErrorDetail(message, error.code) for message in messages]
            for name, messages in (error.errors or {"detail": [error.detail]}).items()
        }
        return exceptions.ValidationError(told)
    return Conflict(error.detail, error.code, error.errors)
