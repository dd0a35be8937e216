"""The page of the jobs. It shows what the public interface tells whoever looks at it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import NotFound

from monitoring.api import rights


def tasks(request: HttpRequest, task_id: UUID | None = None) -> HttpResponse:
    """The list, and beside it one job. Who has not logged in is asked to, whether there is such a job or not."""
    if task_id is not None and request.user.is_authenticated:
        _require(request, task_id)
    user = request.user
    page = {"is_staff": user.is_staff, "user": user.get_username()} if user.is_authenticated else None
    return render(request, "tasks.html", {"page": page})


def _require(request: HttpRequest, task_id: UUID) -> None:
    try:
        rights.seen(request.user, str(task_id))
    except NotFound as error:
        raise Http404(str(error)) from error
