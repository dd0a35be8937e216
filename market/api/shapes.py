"""What the shapes of many answers share, for the documents and the tests. Rows do not pass through them."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.settings import api_settings

JSON_ONLY = api_settings.DEFAULT_RENDERER_CLASSES[:1]  # of what is no table

# The examples are real sessions of the recording; a test holds them to the shapes.
VERSION = "0199c1f1a3b27e0f6f0a3f5d1c4e8b2a"
SOURCED = {"source": "replay", "received_at": "2026-11-21T09:30:00Z"}


class Shape(serializers.Serializer):
    """A serializer that documents only."""


class Sourced(Shape):
    source = serializers.CharField(help_text="Where it came from.")
    received_at = serializers.DateTimeField(help_text="When we got it.")


class Versioned(Sourced):
    version = serializers.CharField(
        allow_blank=True,
        help_text="That of all held bars of the symbol and interval, which a forming one stands upon: equal versions "
        "are equal bars. Empty where there are none, or where they changed while they were read.",
    )


class Page(Shape):
    next = serializers.URLField(allow_null=True, help_text="The next page, null on the last.")
    previous = serializers.URLField(allow_null=True)


def shown(value: dict) -> list[OpenApiExample]:
    """One example of an answer, for `extend_schema`."""
    only = {"media_type": "application/json", "response_only": True, "status_codes": ["200"]}
    return [OpenApiExample("Recorded", value=value, **only)]
