"""What is refused, in HTTP's words."""

from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.jobs import JobError

REFUSED = OpenApiResponse(description="Only staff may.")
WRONG_STATE = OpenApiResponse(
    description="It does not go with the job's state, the key is another job's, or the job is just written: `job_busy`."
)
TOO_MANY = OpenApiResponse(description="Too many of one's own tasks have not ended.")
NO_JOB = {404: ("unknown_task",)}
WRONG_BODY = {400: ("unknown_task", "invalid_arguments")}
RETRY_SECONDS = 30


class TooMany(exceptions.Throttled):
    default_code = "too_many_tasks"

    def __init__(self, detail: str) -> None:
        exceptions.APIException.__init__(self, detail, self.default_code)
        self.wait = RETRY_SECONDS


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
    permission_classes = [IsAdminUser]


def _translated(error: JobError) -> exceptions.APIException:
    if error.status == 400:
        told = {
            name: [exceptions.ErrorDetail(message, error.code) for message in messages]
            for name, messages in (error.errors or {"detail": [error.detail]}).items()
        }
        return exceptions.ValidationError(told)
    return Conflict(error.detail, error.code, error.errors)
