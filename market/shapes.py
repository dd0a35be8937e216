"""The shapes that reads of the market answer with, for the documents and the tests. Rows do not pass through them."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from market.actions.adjustments import ADJUSTMENTS
from market.models import CorporateAction, Interval, Symbol
from market.prices import DAY, MARKET_STATES, SECOND

FRESHNESS = ("live", "delayed", "stale", "closed")

# In the order of CONTRACT.md; the heads of the tables.
BAR_COLUMNS = (
    "symbol", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "adjustment",
    "is_final", "revision", "source", "as_of", "as_of_precision", "received_at",
)  # fmt: skip
ACTION_COLUMNS = ("symbol", "kind", "ex_date", "value", "source", "received_at")
SYMBOL_COLUMNS = ("symbol", "name", "exchange", "currency", "time_zone", "asset_type", "price_decimals", "active")


class Shape(serializers.Serializer):
    """A serializer that documents only."""


class Sourced(Shape):
    source = serializers.CharField(help_text="Where it came from.")
    received_at = serializers.DateTimeField(help_text="When we got it.")


class Coverage(Shape):
    first = serializers.DateTimeField(help_text="The opening of the oldest bar.")
    last = serializers.DateTimeField(help_text="The opening of the newest bar.")
    count = serializers.IntegerField()


@extend_schema_serializer(component_name="Symbol")
class SymbolShape(Shape):
    symbol = serializers.CharField(help_text="As Yahoo writes it: AAPL, 005930.KS, ^GSPC.")
    name = serializers.CharField()
    exchange = serializers.CharField(help_text="Market identifier code (ISO 10383).")
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    asset_type = serializers.ChoiceField(Symbol.AssetType.choices)
    price_decimals = serializers.IntegerField()
    active = serializers.BooleanField(help_text="Only active symbols are collected.")
    coverage = serializers.DictField(child=Coverage(), help_text="The bars that we hold, by interval.")


@extend_schema_serializer(component_name="Bar")
class BarShape(Sourced):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(Interval.choices)
    opened_at = serializers.DateTimeField(help_text="For a day and more: midnight UTC of the session's date.")
    session_date = serializers.DateField(help_text="The exchange's own date.")
    open = serializers.FloatField()
    high = serializers.FloatField()
    low = serializers.FloatField()
    close = serializers.FloatField()
    volume = serializers.IntegerField(allow_null=True)
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    is_final = serializers.BooleanField(help_text="False while the bar still forms.")
    revision = serializers.IntegerField(help_text="How often a source has corrected it.")
    as_of = serializers.DateTimeField(help_text="Its opening, as every value computed from it says it.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY], help_text="`day` where only the session is known.")


@extend_schema_serializer(component_name="Quote")
class QuoteShape(Sourced):
    symbol = serializers.CharField()
    current_price = serializers.FloatField()
    previous_close = serializers.FloatField(allow_null=True)
    change = serializers.FloatField(allow_null=True)
    change_percent = serializers.FloatField(allow_null=True, help_text="Percent points: 1.25 is 1.25 %.")
    volume = serializers.IntegerField(allow_null=True)
    open = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    timestamp = serializers.DateTimeField(help_text="The market's time of the price.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY])
    market_state = serializers.ChoiceField(MARKET_STATES)
    freshness = serializers.ChoiceField(FRESHNESS)


class Extremes(Shape):
    high = serializers.FloatField()
    high_date = serializers.DateField()
    low = serializers.FloatField()
    low_date = serializers.DateField()


class DatedExtremes(Extremes, Sourced):
    as_of = serializers.DateTimeField(help_text="The last session counted.")
    as_of_precision = serializers.ChoiceField([SECOND, DAY])


@extend_schema_serializer(component_name="Records")
class RecordsShape(Shape):
    symbol = serializers.CharField()
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    records = serializers.DictField(
        child=DatedExtremes(allow_null=True), help_text="`52_weeks` and `all_time`; null before the first are computed."
    )


@extend_schema_serializer(component_name="CorporateAction")
class ActionShape(Sourced):
    symbol = serializers.CharField()
    kind = serializers.ChoiceField(CorporateAction.Kind.choices)
    ex_date = serializers.DateField(help_text="The first session that trades without it.")
    value = serializers.FloatField(help_text="Split: new shares for one old. Dividend: cash per share, as paid.")


@extend_schema_serializer(component_name="Prices")
class PricesShape(Shape):
    timestamp = serializers.DateTimeField()
    prices = serializers.DictField(
        child=serializers.FloatField(allow_null=True), help_text="Null: we have no price of it."
    )


class Page(Shape):
    next = serializers.URLField(allow_null=True, help_text="The next page, null on the last.")
    previous = serializers.URLField(allow_null=True)


class SymbolPage(Page):
    results = SymbolShape(many=True)


class BarPage(Shape):
    next = serializers.URLField(allow_null=True, help_text="The bars before these, null where there are none.")
    results = BarShape(many=True)


class ActionPage(Page):
    results = ActionShape(many=True)
