"""The combined rating of a symbol."""

from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import wording
from analysis.api.signals.shapes import LanguageQuery, RatingShape
from analysis.seen import rated
from market import bars, intervals
from market.api.queries import TICKER, row_of
from market.api.shapes import JSON_ONLY
from market.intervals import DAY
from monitoring.queries import Choice


class RatingQuery(LanguageQuery):
    interval = Choice(list(intervals.ALL), default=DAY.name)


class Rating(APIView):
    """The combined technical rating of a symbol at its newest bar, with its 26 parts."""

    renderer_classes = JSON_ONLY
    problems = {404: ("unknown_symbol", "no_bars")}

    @extend_schema(
        operation_id="technical_rating",
        summary="Technical rating",
        parameters=[TICKER, RatingQuery],
        responses={(200, "application/json"): RatingShape},
    )
    def get(self, request, symbol: str) -> Response:
        query, row = RatingQuery.read(request), row_of(symbol)
        series = bars.series(row.ticker, interval=query["interval"])
        if series.newest is None:
            raise NotFound(f"There are no bars of {row.ticker} at {query['interval']} yet.", "no_bars")
        found = rated.at_newest(series)
        with translation.override(query["language"]):
            return Response(_rated(series, found))


def _rated(series: bars.Series, found: rated.Rated) -> dict:
    bar = found.bar
    return {
        "symbol": series.ticker,
        "interval": series.interval,
        "as_of": bar.opened_at,
        "as_of_precision": intervals.named(series.interval).precision,
        "session_date": bar.session_date,
        "state": bar.state,
        "source": bar.source,
        "received_at": bar.received_at,
        "version": series.version,
        "rating": found.word,
        "title": wording.rating(found.word),
        "all": found.all,
        "averages": found.averages,
        "oscillators": found.oscillators,
        "parts": [
            {"name": name, "title": wording.part(name), "group": group, "says": says}
            for name, group, says in found.parts
        ],
    }
