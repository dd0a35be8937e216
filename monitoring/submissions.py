"""What a submission over HTTP may say, checked once for requests and for saved templates."""

from typing import Any

from rest_framework import serializers

from monitoring import jobs
from monitoring.jobs import Step, submission
from monitoring.models import Priority

STEPS = 50


class Condition(serializers.Serializer):
    name = serializers.CharField(max_length=100, help_text="A declared condition.")
    arguments = serializers.DictField(default=dict)


class StepBody(serializers.Serializer):
    task = serializers.CharField(
        max_length=100, help_text="The name of a declared job; GET /api/tasks/kinds lists them."
    )
    args = serializers.DictField(default=dict, help_text="Its arguments, as declared.")


class SubmissionBody(StepBody):
    """A job to run, and optionally others behind it."""

    priority = serializers.ChoiceField([each.name.lower() for each in Priority], required=False)
    timeout = serializers.IntegerField(
        min_value=1,
        max_value=submission.LONGEST_TIMEOUT_SECONDS,
        required=False,
        help_text="Seconds an attempt may take.",
    )
    max_attempts = serializers.IntegerField(min_value=1, max_value=100, required=False)
    not_before = serializers.DateTimeField(required=False, help_text="The earliest instant to begin.")
    only_if = Condition(required=False, help_text="Run only if this holds when a worker claims it.")
    key = serializers.CharField(
        max_length=100, required=False, help_text="Idempotency: the same key is the same job. Or as `Idempotency-Key`."
    )
    then = StepBody(
        many=True, required=False, max_length=STEPS, help_text="Jobs that follow, each if all before completed."
    )


class TemplateCall(serializers.Serializer):
    """A saved submission, with other arguments where given."""

    template = serializers.CharField(max_length=100)
    args = serializers.DictField(required=False)


class TemplateBody(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    submission = SubmissionBody()

    def validate_submission(self, asked: dict) -> dict:
        if "key" in asked:
            raise serializers.ValidationError({"key": ["would make every use of the template the same job"]})
        return asked


def read(kind: type[serializers.Serializer], body: Any) -> dict:
    """The checked body. Raises ValidationError, one message for each field; an unknown field is one."""
    if isinstance(body, dict):
        unknown = [name for name in body if name not in kind().fields]
        if unknown:
            allowed = ", ".join(kind().fields)
            raise serializers.ValidationError(
                {str(name)[:100]: [f"is unknown; there are {allowed}"] for name in unknown}
            )
    checked = kind(data=body)
    checked.is_valid(raise_exception=True)
    return checked.validated_data


def steps(asked: dict) -> tuple[list[Step], dict]:
    """A checked body as the jobs to ask for, one after another, and the options of all of them."""
    options = {name: value for name, value in asked.items() if name not in ("task", "args", "then", "key")}
    return [Step(each["task"], each["args"]) for each in [asked, *asked.get("then", [])]], options


def check(asked: dict) -> None:
    """Refuse a checked body that could not be submitted as it is. Raises JobError."""
    made, options = steps(asked)
    jobs.check(made, **options)


def sentences(told: dict | list) -> str:
    """What a refusal says, field by field, in one line."""
    if isinstance(told, dict):
        return "; ".join(f"{name}: {sentences(each)}" for name, each in told.items())
    return " ".join(map(str, told))
