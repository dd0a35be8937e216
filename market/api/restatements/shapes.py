"""What is told of a restatement."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from market import intervals
from market.api.shapes import SOURCED, VERSION, Page, Shape
from market.history import restated
from market.history.derived import KINDS
from market.models import CorporateAction, Decision

COLUMNS = ("what", "symbol", "interval", "opened_at", "session_date", "revised_at", "reason", "changed")
_BAR = {"revision": 0, "open": 665.76, "high": 675.14, "low": 664.5, "close": 674.97, "volume": 13139000, **SOURCED}
RESTATEMENT = {
    "what": "bar", "symbol": "AAPL", "revised_at": "2026-11-22T09:30:00Z", "interval": intervals.DAY.name,
    "opened_at": "2012-09-04T00:00:00Z", "session_date": "2012-09-04", "reason": "the source tells other values",
    "changed": ["volume"], "before": _BAR,
    "after": {**_BAR, "revision": 1, "volume": 13141300, "received_at": "2026-11-22T09:30:00Z"},
    "computed_from_it": [
        {"kind": "record", "name": "52_weeks", "version": VERSION, "computed_at": "2026-11-21T22:00:00Z"}
    ],
}  # fmt: skip


class _Values(Shape):
    source = serializers.CharField()
    received_at = serializers.DateTimeField()


class FormerBar(_Values):
    """As traded."""

    revision = serializers.IntegerField()
    open = serializers.FloatField()
    high = serializers.FloatField()
    low = serializers.FloatField()
    close = serializers.FloatField()
    volume = serializers.IntegerField(allow_null=True)


class FormerAction(_Values):
    kind = serializers.ChoiceField(CorporateAction.Kind.choices)
    ex_date = serializers.DateField()
    value = serializers.FloatField()
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    disputed = serializers.CharField(allow_null=True)
    decision = serializers.ChoiceField(Decision.choices, allow_null=True)


class DerivedShape(Shape):
    kind = serializers.CharField(help_text=f"As {', '.join(KINDS)}.")
    name = serializers.CharField()
    version = serializers.CharField(
        allow_null=True, help_text="Of the bars that it came from; null where a version of ours before did not keep it."
    )
    computed_at = serializers.DateTimeField()


_VALUES = PolymorphicProxySerializer(
    component_name="RestatedValues", serializers=[FormerBar, FormerAction], resource_type_field_name=None
)


@extend_schema_field(_VALUES)
class Values(serializers.JSONField):
    """Of a bar or an action."""


@extend_schema_serializer(component_name="Restatement")
class RestatementShape(Shape):
    what = serializers.ChoiceField(restated.KINDS, help_text="What was revised.")
    symbol = serializers.CharField()
    revised_at = serializers.DateTimeField(help_text="When it was told otherwise.")
    interval = serializers.ChoiceField(intervals.CHOICES, allow_null=True, help_text="Of a bar; an action is of all.")
    opened_at = serializers.DateTimeField(allow_null=True)
    session_date = serializers.DateField(allow_null=True, help_text="The bar's; of an action its ex date.")
    reason = serializers.CharField(
        help_text="Of a bar in words. Of an action: `withdrawn`, `moved` (to another day), `decided` or `corrected`."
    )
    changed = serializers.ListField(child=serializers.CharField(), help_text="Which values are others.")
    before = Values()
    after = Values(allow_null=True, help_text="What took its place; null where nothing did.")
    computed_from_it = DerivedShape(
        many=True, help_text="What was computed from it and is kept as it was; it goes from here once computed anew."
    )


class RestatementPage(Page):
    results = RestatementShape(many=True)
