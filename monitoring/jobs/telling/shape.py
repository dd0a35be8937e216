"""What an answer is made of, in one place: a shape documents its fields, and tells them from what they are of."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers


class Shape(serializers.Serializer):
    # A serializer that documents, and tells faster than one. (A docstring would stand in the document.)

    @classmethod
    def tell(cls, *of: Any) -> dict:
        """The answer, of a job and the time or whatever the fields are `of`."""
        return {name: field.of(*of) for name, field in cls._declared_fields.items()}


def said(field: serializers.Field, of: Callable[..., Any]) -> serializers.Field:
    """A field of a shape, and where its value comes from."""
    field.of = of
    return field


class SuccessRate(serializers.FloatField):
    def __init__(self) -> None:
        told = "Completed of completed and failed, in percent; null while nothing has ended."
        super().__init__(allow_null=True, help_text=told)
