"""One watchlist, with the newest of each symbol."""

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from analysis import watchlist as watchlists
from analysis.api.lists import (
    HOUSES,
    IN_THE_WAY,
    LIST,
    UNKNOWN_LIST,
    ListShape,
    ListView,
    WatchlistChange,
    changed,
    named,
)
from market import watchlists as lists
from market.api.quotes import QUOTE, QuoteShape
from market.api.records import EXTREMES, Extremes
from market.api.shapes import JSON_ONLY, Shape, shown
from market.api.symbols.listed import SYMBOL
from market.models import Symbol
from monitoring import submissions

_LISTED = {name: SYMBOL[name] for name in watchlists.REFERENCE}
_WATCHLIST = {
    **{name: HOUSES[name] for name in watchlists.LISTED},
    "source": {"name": "replay", "is_recorded": True, "epoch": 1},
    "market": {"state": "closed", "session": "2012-09-04", "exchange": "XNAS"},
    "markets": [
        {"state": "closed", "session": "2012-09-04", "exchange": "XNAS"},
        {"state": "closed", "session": "2012-09-04", "exchange": "XNYS"},
    ],
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
    """Of an exchange; empty while no feed tells it."""

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
class WatchlistShape(ListShape):
    source = Provenance(allow_null=True)
    market = MarketClock(help_text="Of the exchange where most of the symbols are at home.")
    markets = MarketClock(many=True, help_text="Of every followed exchange, by its code.")
    backfill = BackfillProgress(allow_null=True)
    symbols = ListedSymbol(many=True)


class OneWatchlist(ListView):
    """A list of symbols with what a watchlist shows of each, in one answer."""

    renderer_classes = JSON_ONLY
    problems = {400: ("unknown_symbol",), **UNKNOWN_LIST}

    @extend_schema(
        operation_id="watchlist_retrieve",
        summary="A watchlist with the newest of each symbol",
        description="`default` is your default list; for a guest, and until you change it, that of the house: all that "
        "is tracked.",
        parameters=[LIST],
        responses={(200, "application/json"): WatchlistShape},
        examples=shown(_WATCHLIST),
    )
    def get(self, request, watchlist: str) -> Response:
        return Response(watchlists.listed(request.user.pk, watchlist))

    @extend_schema(
        operation_id="watchlist_change",
        summary="Change a watchlist",
        description="The first change of the default list makes it your own.",
        parameters=[LIST],
        request=WatchlistChange,
        responses={200: ListShape, **IN_THE_WAY},
    )
    def patch(self, request, watchlist: str) -> Response:
        asked = submissions.read(WatchlistChange, request.data)
        wanted = named(asked["symbols"]) if "symbols" in asked else None
        return changed(lists.change(request.user.pk, watchlist, name=asked.get("name"), symbols=wanted))

    @extend_schema(
        operation_id="watchlist_delete",
        summary="Delete a watchlist",
        description="The default list is the house's again. Symbols and their history stay.",
        parameters=[LIST],
        request=None,
        responses={204: None},
    )
    def delete(self, request, watchlist: str) -> Response:
        lists.delete(request.user.pk, watchlist)
        return Response(status=204)
