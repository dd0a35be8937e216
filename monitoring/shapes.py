"""The shapes that /api/tasks/ answers with, for the documents and the tests. Rows do not pass through them."""

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from monitoring.models import Job, Priority


class Shape(serializers.Serializer):
    """A serializer that documents only."""


class SuccessRate(serializers.FloatField):
    def __init__(self) -> None:
        told = "Completed of completed and failed, in percent; null while nothing has ended."
        super().__init__(allow_null=True, help_text=told)


class QueueStats(Shape):
    pending_tasks = serializers.IntegerField(help_text="Those that wait, also for another attempt.")
    running_tasks = serializers.IntegerField()
    total_submitted = serializers.IntegerField(
        help_text="All that the ledger remembers: 30 days, unless set otherwise."
    )
    total_completed = serializers.IntegerField()
    total_failed = serializers.IntegerField(help_text="Failed or timed out.")
    success_rate = SuccessRate()


@extend_schema_serializer(component_name="Worker")
class WorkerShape(Shape):
    worker_id = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    state = serializers.ChoiceField(["running", "stopped", "lost"])
    concurrency = serializers.IntegerField()
    current_task_id = serializers.CharField(allow_null=True)
    current_task_ids = serializers.ListField(child=serializers.CharField())
    processed_tasks = serializers.IntegerField(help_text="Jobs that completed or failed here.")
    failed_tasks = serializers.IntegerField(help_text="Those of them that failed or timed out.")
    success_rate = SuccessRate()
    since = serializers.DateTimeField()
    heartbeat_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="TaskWorkers")
class WorkersShape(Shape):
    workers = WorkerShape(many=True)


@extend_schema_serializer(component_name="TaskStatus")
class StatusShape(Shape):
    queue_stats = QueueStats()
    worker_stats = WorkerShape(many=True)
    status_counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Every state with its count; together they are all submitted."
    )


class Percentiles(Shape):
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class Times(Shape):
    waiting_seconds = Percentiles()
    running_seconds = Percentiles()
    window_success_rate = SuccessRate()


class TimesByName(Times):
    name = serializers.CharField()
    count = serializers.IntegerField()


class Throughput(Shape):
    per_minute_last_minute = serializers.FloatField()
    per_minute_last_5_minutes = serializers.FloatField()
    per_minute_last_hour = serializers.FloatField()


@extend_schema_serializer(component_name="TaskDashboard")
class DashboardShape(StatusShape, Times):
    window_seconds = serializers.IntegerField()
    last_hour = serializers.DictField(child=serializers.IntegerField(), help_text="Jobs that ended, by how they did.")
    unknown = serializers.DictField(
        child=serializers.IntegerField(), help_text="Jobs that wait for a worker that knows them, by name."
    )
    throughput = Throughput()
    by_name = TimesByName(many=True)


class Progress(Shape):
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    word = serializers.CharField(allow_blank=True)
    percent = serializers.FloatField(allow_null=True)


class TaskError(Shape):
    code = serializers.CharField()
    message = serializers.CharField(allow_blank=True)


@extend_schema_serializer(component_name="TaskBrief")
class BriefShape(Shape):
    task_id = serializers.CharField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True, help_text="Such as its symbols.")
    status = serializers.ChoiceField(Job.State.choices)
    priority = serializers.ChoiceField([each.name.lower() for each in Priority])
    progress = Progress()
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    error = TaskError(allow_null=True)
    cancel_requested = serializers.BooleanField()
    execution_time = serializers.FloatField(allow_null=True, help_text="Seconds of its newest attempt.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="TaskAttempt")
class AttemptShape(Shape):
    number = serializers.IntegerField()
    worker_id = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(help_text="The state after it, or “lost” or “released”.")
    error = TaskError(allow_null=True)


@extend_schema_serializer(component_name="Task")
class TaskShape(BriefShape):
    args = serializers.DictField()
    timeout = serializers.IntegerField()
    isolated = serializers.BooleanField()
    not_before = serializers.DateTimeField()
    worker_id = serializers.CharField(allow_null=True)
    attempts = AttemptShape(many=True)
    condition = serializers.DictField(allow_null=True)
    parent = serializers.CharField(allow_null=True)
    children = serializers.IntegerField(help_text="Jobs that it asked for; `?parent=` lists them.")
    then = serializers.CharField(allow_null=True)
    waits_for = serializers.IntegerField(help_text="How many jobs must end before it may run.")
    wrote = serializers.ListField(child=serializers.DictField())
    result_url = serializers.CharField()


class TaskPage(Shape):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = BriefShape(many=True)


@extend_schema_field({})
class Anything(serializers.JSONField):
    """Whatever a job came to, null among it."""


@extend_schema_serializer(component_name="TaskResult")
class ResultShape(Shape):
    task_id = serializers.CharField()
    status = serializers.ChoiceField(Job.State.choices)
    progress = Progress()
    execution_time = serializers.FloatField(allow_null=True)
    error = TaskError(allow_null=True)
    result = Anything()


@extend_schema_serializer(component_name="TaskSubmitted")
class SubmittedShape(Shape):
    task_id = serializers.CharField()
    status = serializers.ChoiceField(Job.State.choices)
    task_ids = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Of a chain or a group, the finishing job last."
    )
    cancel_requested = serializers.BooleanField(required=False)


@extend_schema_serializer(component_name="TaskKinds")
class KindsShape(Shape):
    kinds = serializers.ListField(child=serializers.DictField())
    conditions = serializers.ListField(child=serializers.DictField(), help_text="For `only_if`.")


@extend_schema_serializer(component_name="TaskTemplates")
class TemplatesShape(Shape):
    templates = serializers.ListField(child=serializers.DictField())
