"""What a submission over HTTP may say, checked once for requests and for saved templates."""

import json
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings

from monitoring import jobs, names
from monitoring.jobs import JobError, Step, declaration, submitting
from monitoring.jobs.errors import InvalidArguments
from monitoring.models import Job, Priority
from monitoring.queries import Choice, Count, Moment, Text

STEPS = 50
NO_OBJECT = "It must be an object: values by name."
UNKNOWN_FIELD = "unknown_field"  # the code of a name that there is not
KEY_LENGTH = 100
# A path's last slash says nothing, so no name may depend on it; and one that says nothing between two is lost too.
NO_SLASH_AT_AN_END = RegexValidator(
    r"^\s*[^\s/\u0000]([^\u0000]*[^\s/\u0000])?\s*$", "must not begin or end with a slash"
)
OF_STEPS = ("task", "args", "beside", "then", "key")  # what is not an option of all jobs of a body


class Body(serializers.Serializer):
    """A name that is not here is refused as `unknown_field`: a misspelt option must not be dropped in silence. What a
    field can't be is refused as `invalid_<field>`, whatever is wrong with it.
    """

    default_error_messages = {"invalid": NO_OBJECT}

    def to_internal_value(self, data: Any) -> dict:
        said = data if isinstance(data, dict) else {}
        if told := names.unknown(said, self.fields, f"there are {', '.join(self.fields)}"):
            raise serializers.ValidationError(told, UNKNOWN_FIELD)
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            raise serializers.ValidationError(
                {
                    name: _coded(told, f"invalid_{name}") if name in self.fields else told
                    for name, told in refusal.detail.items()
                }
            ) from None


class Condition(Body):
    name = Text(max_length=100, help_text="A declared condition.")
    arguments = serializers.DictField(default=dict)


class StepBody(Body):
    task = Text(max_length=100, help_text="The name of a declared job; GET /api/tasks/kinds lists them.")
    args = serializers.DictField(default=dict, help_text="Its arguments, as declared.")


class SubmissionBody(StepBody):
    """A job to run, and optionally others beside it and behind it."""

    priority = Choice([each.name.lower() for each in Priority], required=False)
    timeout = Count(
        min_value=1,
        max_value=submitting.LONGEST_TIMEOUT_SECONDS,
        required=False,
        help_text="Seconds an attempt may take.",
    )
    max_attempts = Count(
        min_value=1, max_value=submitting.MOST_ATTEMPTS, required=False, help_text="How often it may be tried, in all."
    )
    max_retries = Count(
        min_value=0,
        max_value=submitting.MOST_ATTEMPTS - 1,
        required=False,
        help_text="How often it may be tried again: n is `max_attempts` n + 1.",
    )
    not_before = Moment(required=False, help_text="The earliest instant to begin, with its offset.")
    only_if = Condition(required=False, help_text="Run only if this holds when a worker claims it.")
    key = Text(
        max_length=KEY_LENGTH,
        required=False,
        help_text="Idempotency: the same key is the same job. Or as `Idempotency-Key`.",
    )
    beside = StepBody(
        many=True,
        required=False,
        max_length=STEPS,
        help_text="Jobs at the same time. `then` is one job, which runs when all have ended, however.",
    )
    then = StepBody(
        many=True, required=False, max_length=STEPS, help_text="Jobs that follow, each if all before completed."
    )

    def validate(self, asked: dict) -> dict:
        if asked.get("beside") and len(asked.get("then", [])) != 1:
            raise serializers.ValidationError({"then": ["must be one job, which finishes the group"]})
        return _in_attempts(asked)


class TemplateCall(Body):
    """A saved submission, with other arguments where given."""

    template = Text(max_length=100)
    args = serializers.DictField(required=False)


class TemplateBody(Body):
    name = Text(max_length=100, validators=[NO_SLASH_AT_AN_END])
    submission = SubmissionBody()

    def validate_submission(self, asked: dict) -> dict:
        if "key" in asked:
            raise serializers.ValidationError({"key": ["would make every use of the template the same job"]})
        return asked


def _coded(told: Any, code: str) -> Any:
    """What is wrong with a field, and with what is in it, by one code."""
    if isinstance(told, dict):
        return {name: _coded(each, code) for name, each in told.items()}
    if isinstance(told, list):
        return [_coded(each, code) for each in told]
    return ErrorDetail(told, code)


def read(kind: type[serializers.Serializer], body: Any) -> dict:
    """The checked body. Raises ValidationError, one message for each field."""
    if body is None:  # a null, in JSON
        raise serializers.ValidationError(NO_OBJECT)
    checked = kind(data=body)
    checked.is_valid(raise_exception=True)
    return checked.validated_data


def tasks(asked: dict) -> list[dict]:
    """Every job that a body asks for, the first one first."""
    return [asked, *asked.get("beside", []), *asked.get("then", [])]


def submit(asked: dict, *, key: str | None = None, **owner: Any) -> list[Job]:
    """Ask for what a checked body says. Raises JobError."""
    first, *others = steps(asked)
    options = {name: value for name, value in asked.items() if name not in OF_STEPS} | owner
    if not others:
        return [jobs.submit(first.name, first.arguments, key=key, **options)]
    if key is not None:
        raise InvalidArguments("The key is wrong.", {"key": ["goes with a single job only"]})
    if asked.get("beside"):
        made, finishing = jobs.group([first, *others[:-1]], others[-1], **options)
        return [*made, finishing]
    return jobs.chain([first, *others], **options)


def check(asked: dict) -> None:
    """Refuse a checked body that could not be submitted as it is. Raises JobError."""
    options = {name: value for name, value in asked.items() if name not in OF_STEPS}
    jobs.check(steps(asked), **options)


def steps(asked: dict) -> list[Step]:
    """The jobs of a checked body. Raises JobError, with the place of a wrong field."""
    places = ["", *(f"{part}.{number}." for part in ("beside", "then") for number in range(len(asked.get(part, []))))]
    return [_step(each, place) for each, place in zip(tasks(asked), places, strict=True)]


def stored(asked: dict) -> dict:
    """A checked body as JSON that is kept, and read again by `read`."""
    return json.loads(json.dumps(SubmissionBody(asked).data))


def _step(asked: dict, place: str) -> Step:
    try:
        declaration.named(asked["task"]).check(asked["args"])
    except JobError as error:
        error.errors = {f"{place}{name}": messages for name, messages in error.errors.items()}
        raise
    return Step(asked["task"], asked["args"])


def _in_attempts(asked: dict) -> dict:
    """The same with retries counted as attempts."""
    if "max_retries" not in asked:
        return asked
    attempts = asked["max_retries"] + 1
    if asked.get("max_attempts", attempts) != attempts:
        told = f"disagrees with max_attempts {asked['max_attempts']}: so many retries are {attempts} attempts"
        raise serializers.ValidationError({"max_retries": [told]})
    return {name: value for name, value in asked.items() if name != "max_retries"} | {"max_attempts": attempts}


def _of_field(name: str, told: str) -> str:
    return told if name == api_settings.NON_FIELD_ERRORS_KEY else f"{name}: {told}"


def sentences(told: dict | list) -> str:
    """What a refusal says, field by field, in one line."""
    if isinstance(told, dict):
        return "; ".join(_of_field(name, sentences(each)) for name, each in told.items())
    return " ".join(map(str, told))
