"""The watchlist with the newest of each symbol."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import watchlist
from analysis.api.indicators import JSON_ONLY
from market.api.quotes import QUOTE, QuoteShape
from market.api.records import EXTREMES, Extremes
from market.api.shapes import Shape, shown
from market.api.symbols import SYMBOL
from market.models import Symbol

_LISTED = {name: SYMBOL[name] for name in watchlist.REFERENCE}
_WATCHLIST = {
    "source": {"name": "replay", "is_recorded": True, "epoch": 1},
    "market": {"state": "closed", "session": "2012-09-04", "exchange": "XNAS"},
    "backfill": {"done": 5, "total": 12, "symbol": "TSLA", "errors": {}},
    "symbols": [
        {
            "symbol": "AAPL", **_LISTED, "quote": QUOTE, "sparkline": [665.24, 674.97],
            "average_volume": 12610950, "records": {"52_weeks": EXTREMES, "all_time": None},
            "indicators": {"rsi_14": 68.7776, "sma_20": 650.2066},
        }
    ],
}  # fmt: skip


class Provenance(Shape):
    name = serializers.CharField()
    is_recorded = serializers.BooleanField(help_text="Recorded sessions, not live ones.")
    epoch = serializers.IntegerField(help_text="Grows when the recording starts again.")


class MarketClock(Shape):
    """Of the exchange where most of the symbols are at home; empty while no feed tells it."""

    exchange = serializers.CharField(required=False)
    state = serializers.CharField(required=False, help_text="`open`, `closed`, `pre` or `post`.")
    session = serializers.DateField(required=False, help_text="The one that runs, else the last one.")
    opens_at = serializers.DateTimeField(required=False, help_text="Next; only where its hours are known.")
    closes_at = serializers.DateTimeField(required=False, help_text="Next; only where its hours are known.")


class BackfillProgress(Shape):
    """How far the loading of history has come; null when it is complete."""

    done = serializers.IntegerField(help_text="Symbols whose history is there.")
    total = serializers.IntegerField(help_text="Symbols that are tracked.")
    symbol = serializers.CharField(allow_null=True, help_text="The one that is being loaded.")
    errors = serializers.DictField(child=serializers.CharField(), help_text="By symbol, why its history did not come.")


class ListedRecords(Shape):
    def get_fields(self) -> dict:
        return {name: Extremes(allow_null=True) for name in ("52_weeks", "all_time")}


class ListedSymbol(Shape):
    symbol = serializers.CharField()
    name = serializers.CharField()
    local_name = serializers.CharField(help_text="Its name at home; empty where that is `name`.")
    exchange = serializers.CharField()
    currency = serializers.CharField()
    asset_type = serializers.ChoiceField(Symbol.AssetType.choices)
    price_decimals = serializers.IntegerField()
    time_zone = serializers.CharField()
    quote = QuoteShape(allow_null=True)
    sparkline = serializers.ListField(
        child=serializers.FloatField(), help_text="Up to 30 closes of finished sessions, split-adjusted, oldest first."
    )
    average_volume = serializers.IntegerField(allow_null=True, help_text="The mean of the sparkline's sessions.")
    indicators = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="`rsi_14`, `sma_20`.")
    records = ListedRecords(allow_null=True)


@extend_schema_serializer(component_name="Watchlist")
class WatchlistShape(Shape):
    source = Provenance(allow_null=True)
    market = MarketClock()
    backfill = BackfillProgress(allow_null=True)
    symbols = ListedSymbol(many=True)


class DefaultWatchlist(APIView):
    """Every tracked symbol with what a watchlist shows of it, in one answer."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="watchlist_default",
        summary="The default watchlist",
        responses={(200, "application/json"): WatchlistShape},
        examples=shown(_WATCHLIST),
    )
    def get(self, request) -> Response:
        return Response(watchlist.default())
