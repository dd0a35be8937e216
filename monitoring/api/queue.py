"""The queue as a whole: its figures, its workers, and what can be asked for."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from monitoring import jobs
from monitoring.api.refusals import REFUSED, StaffView, TaskView
from monitoring.jobs import declaration
from monitoring.jobs.telling import kinds, overview
from monitoring.jobs.telling.overview import Queue


class Status(StaffView):
    """Counts of the queue, its workers and its states."""

    @extend_schema(operation_id="tasks_status", summary="The queue", responses={200: overview.Status, 403: REFUSED})
    def get(self, request) -> Response:
        return Response(overview.Status.tell(Queue(timezone.now())))


class Workers(StaffView):
    """The workers of the last hour, from their heartbeats."""

    @extend_schema(operation_id="tasks_workers", summary="Workers", responses={200: overview.Workers, 403: REFUSED})
    def get(self, request) -> Response:
        return Response(overview.Workers.tell(Queue(timezone.now())))


class Dashboard(StaffView):
    """The queue with throughput, and how long jobs waited and ran in the last hour."""

    @extend_schema(
        operation_id="tasks_dashboard",
        summary="The queue in figures",
        responses={200: overview.Dashboard, 403: REFUSED},
    )
    def get(self, request) -> Response:
        return Response(overview.Dashboard.tell(Queue(timezone.now())))


class Kinds(TaskView):
    """The jobs that can be submitted and the conditions they can depend on, with their arguments."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="tasks_kinds", summary="Declared jobs", responses={200: kinds.Kinds})
    def get(self, request) -> Response:
        declared = [each for each in jobs.everything().values() if each.allows(request.user)]
        return Response(
            {
                "kinds": [kinds.kind(each) for each in declared],
                "conditions": [kinds.condition(*each) for each in declaration.conditions().items()],
            }
        )
