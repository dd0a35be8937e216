"""The shapes that reads of the analysis answer with, for the documents and the tests."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from analysis import periods
from market import prices, shapes
from market.actions.adjustments import ADJUSTMENTS
from market.models import Interval, Symbol


class IndicatorSeries(shapes.Shape):
    name = serializers.CharField()
    parameters = serializers.DictField(child=serializers.FloatField())
    pane = serializers.CharField(required=False, help_text="Where a chart draws it: over the `price`, or in its `own`.")
    values = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(allow_null=True)),
        help_text="One series for each output, as long as `times`; null before its first value.",
    )
    latest = serializers.DictField(child=serializers.FloatField(allow_null=True))


@extend_schema_serializer(component_name="Indicators")
class IndicatorsShape(shapes.Shape):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(Interval.choices)
    period = serializers.ChoiceField(periods.PERIODS)
    as_of = serializers.DateTimeField(allow_null=True, help_text="The opening of the last bar; null without bars.")
    as_of_precision = serializers.ChoiceField([prices.SECOND, prices.DAY])
    is_final = serializers.BooleanField(allow_null=True, help_text="False while the last bar still forms.")
    source = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    times = serializers.ListField(child=serializers.DateTimeField())
    indicators = serializers.DictField(child=IndicatorSeries(), help_text="By name and parameters: `sma_20`.")


class Provenance(shapes.Shape):
    name = serializers.CharField()
    is_recorded = serializers.BooleanField(help_text="Recorded sessions, not live ones.")
    epoch = serializers.IntegerField(help_text="Grows when the recording starts again.")


class MarketClock(shapes.Shape):
    """Of the exchange where most of the symbols are at home; empty while no feed tells it."""

    exchange = serializers.CharField(required=False)
    state = serializers.CharField(required=False, help_text="`open`, `closed`, `pre` or `post`.")
    session = serializers.DateField(required=False, help_text="The one that runs, else the last one.")
    opens_at = serializers.DateTimeField(required=False, help_text="Next; only where its hours are known.")
    closes_at = serializers.DateTimeField(required=False, help_text="Next; only where its hours are known.")


class BackfillProgress(shapes.Shape):
    """How far the loading of history has come; null when it is complete."""

    done = serializers.IntegerField(help_text="Symbols whose history is there.")
    total = serializers.IntegerField(help_text="Symbols that are tracked.")
    symbol = serializers.CharField(allow_null=True, help_text="The one that is being loaded.")
    errors = serializers.DictField(child=serializers.CharField(), help_text="By symbol, why its history did not come.")


class ListedRecords(shapes.Shape):
    def get_fields(self) -> dict:
        return {name: shapes.Extremes(allow_null=True) for name in ("52_weeks", "all_time")}


class ListedSymbol(shapes.Shape):
    symbol = serializers.CharField()
    name = serializers.CharField()
    exchange = serializers.CharField()
    currency = serializers.CharField()
    asset_type = serializers.ChoiceField(Symbol.AssetType.choices)
    price_decimals = serializers.IntegerField()
    time_zone = serializers.CharField()
    quote = shapes.QuoteShape(allow_null=True)
    sparkline = serializers.ListField(
        child=serializers.FloatField(), help_text="Up to 30 closes of finished sessions, split-adjusted, oldest first."
    )
    average_volume = serializers.IntegerField(allow_null=True, help_text="The mean of the sparkline's sessions.")
    indicators = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="`rsi_14`, `sma_20`.")
    records = ListedRecords(allow_null=True)


@extend_schema_serializer(component_name="Watchlist")
class WatchlistShape(shapes.Shape):
    source = Provenance(allow_null=True)
    market = MarketClock()
    backfill = BackfillProgress(allow_null=True)
    symbols = ListedSymbol(many=True)
