"""The page of the jobs. It shows what the public interface tells whoever looks at it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def tasks(request: HttpRequest, task_id: UUID | None = None) -> HttpResponse:
    """The list, and beside it one job. Who has not logged in is asked to."""
    page = {"is_staff": request.user.is_staff} if request.user.is_authenticated else None
    return render(request, "tasks.html", {"page": page})
