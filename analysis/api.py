"""Reading the analysis over HTTP: a symbol's indicators, and the watchlist with the newest of each."""

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from analysis import catalogue, frames, periods, watchlist
from analysis.shapes import IndicatorsShape, WatchlistShape
from market import examples, overview
from market.actions.adjustments import ADJUSTMENTS
from market.models import Interval
from market.queries import TICKER, known
from monitoring import queries

_INDICATORS = {
    "symbol": "AAPL", "interval": "1d", "period": "1d", "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day",
    "adjustment": "split", "is_final": True, **examples.SOURCED, "times": ["2012-09-04T00:00:00Z"],
    "indicators": {
        "sma_20": {
            "name": "sma", "parameters": {"period": 20}, "values": {"sma": [650.2066]}, "latest": {"sma": 650.2066},
        }
    },
}  # fmt: skip
_LISTED = {name: examples.SYMBOL[name] for name in overview.REFERENCE}
_WATCHLIST = {
    "source": {"name": "replay", "is_recorded": True, "epoch": 1},
    "market": {"state": "closed", "session": "2012-09-04", "exchange": "XNAS"},
    "backfill": {"done": 5, "total": 12, "symbol": "TSLA", "errors": {}},
    "symbols": [
        {
            "symbol": "AAPL", **_LISTED, "quote": examples.QUOTE, "sparkline": [665.24, 674.97],
            "average_volume": 12610950, "records": {"52_weeks": examples.EXTREMES, "all_time": None},
            "indicators": {"rsi_14": 68.7776, "sma_20": 650.2066},
        }
    ],
}  # fmt: skip
JSON_ONLY = api_settings.DEFAULT_RENDERER_CLASSES[:1]


@extend_schema_field({"type": "array", "items": {"type": "string"}, "minItems": 1, "default": ["all"]})
class Names(queries.Text):
    """Names of indicators, by commas or one by one."""

    are_many = True


class IndicatorQuery(queries.Query):
    period = queries.Choice(periods.PERIODS, default="1mo", help_text="Counted back from the last bar.")
    interval = queries.Choice(Interval.values, default=Interval.DAY)
    adjusted = queries.Choice(ADJUSTMENTS, default="split")
    indicators = Names(default="all", max_length=1000, help_text="`all`, or names: `rsi`, `sma_20`.")

    def validate_indicators(self, text: str) -> list[str]:
        names = text.split(",")
        try:
            catalogue.chosen(names)
        except catalogue.UnknownIndicator as error:
            raise ValidationError(f"There is {error}.") from error
        return names


class Indicators(APIView):
    """One symbol's indicators over a period; each value counts the whole history."""

    renderer_classes = JSON_ONLY
    problems = {
        400: ("invalid_period", "invalid_interval", "invalid_adjusted", "invalid_indicators"),
        404: ("unknown_symbol",),
    }

    @extend_schema(
        operation_id="indicators_retrieve",
        summary="Indicators of a symbol",
        parameters=[TICKER, IndicatorQuery],
        responses={(200, "application/json"): IndicatorsShape},
        examples=examples.shown(_INDICATORS),
    )
    def get(self, request, symbol: str) -> Response:
        query = IndicatorQuery.read(request)
        answer = frames.indicators(
            known(symbol),
            period=query["period"],
            interval=query["interval"],
            names=query["indicators"],
            adjusted=query["adjusted"],
        )
        return Response(answer)


class DefaultWatchlist(APIView):
    """Every tracked symbol with what a watchlist shows of it, in one answer."""

    renderer_classes = JSON_ONLY

    @extend_schema(
        operation_id="watchlist_default",
        summary="The default watchlist",
        responses={(200, "application/json"): WatchlistShape},
        examples=examples.shown(_WATCHLIST),
    )
    def get(self, request) -> Response:
        return Response(watchlist.default())
