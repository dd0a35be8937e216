"""What can be asked for, as programs and forms read it: declared jobs, conditions, templates."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema_serializer
from rest_framework.fields import DictField, ListField

from monitoring.jobs.arguments import Arguments
from monitoring.jobs.declaration import Declaration
from monitoring.jobs.telling.shape import Shape
from monitoring.models import Priority


@extend_schema_serializer(component_name="TaskKinds")
class Kinds(Shape):
    kinds = ListField(child=DictField())
    conditions = ListField(child=DictField(), help_text="For `only_if`.")


@extend_schema_serializer(component_name="TaskTemplates")
class Templates(Shape):
    templates = ListField(child=DictField())


def kind(declared: Declaration) -> dict:
    """A declared job, for a form that submits it."""
    return {
        "name": declared.name,
        "title": str(declared.rules.title),
        "about": str(declared.rules.says) or _first_line(declared),
        "audience": declared.rules.audience,
        "priority": Priority(declared.rules.priority).name.lower(),
        "timeout": declared.rules.timeout_seconds,
        "max_attempts": declared.rules.max_attempts,
        "max_retries": declared.rules.max_attempts - 1,
        "quick": list(declared.rules.quick),
        "isolated": declared.rules.isolated,
        "arguments": declared.arguments.described(),
    }


def condition(name: str, function: Callable[..., bool]) -> dict:
    """A declared condition, for `only_if`."""
    return {"name": name, "about": _first_line(function), "arguments": Arguments(function).described()}


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").strip().split("\n")[0]
