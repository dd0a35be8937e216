"""Open, high, low, close and volume."""

from datetime import datetime

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from market import bars, intervals, prices
from market.actions.adjustments import ADJUSTMENTS
from market.api import tags
from market.api.queries import PAGES, TICKER, Sessions, row_of, sessions
from market.api.shapes import SOURCED, VERSION, Shape, Versioned, shown
from market.api.tags import Standing
from market.bars import resampling, wire
from market.coverage import told
from market.intervals import DAY
from market.models import Symbol
from monitoring.queries import Choice, Count, Past, Text

# In the order of CONTRACT.md; the heads of the tables.
BAR_COLUMNS = (
    "symbol", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "adjustment",
    "state", "is_final", "revision", "source", "as_of", "as_of_precision", "received_at", "version",
)  # fmt: skip
BAR = {
    "symbol": "AAPL", "interval": DAY.name, "opened_at": "2012-09-04T00:00:00Z", "session_date": "2012-09-04",
    "open": 665.76, "high": 675.14, "low": 664.5, "close": 674.97, "volume": 13139000, "adjustment": "split",
    "state": prices.FINAL, "is_final": True, "revision": 0,
    "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED, "version": VERSION,
}  # fmt: skip
_NEXT = (
    "http://127.0.0.1:8000/api/v2/symbols/AAPL/bars/"
    "?cursor=W1siMjAxMi0wOS0wNFQwMDowMDowMFoiXSxmYWxzZSxmYWxzZV0%3AhzyqPVBcTmeI9tUuJfFC3zrJXWzvR4UOxyGHUYGzF8o&limit=1"
)
COVERAGE = "Coverage"
COVERED = {
    "interval": DAY.name, "first": "2000-03-01T00:00:00Z", "last": "2012-09-04T00:00:00Z",
    "unbroken_until": "2012-09-04", "held": 3149, "refused": 0, "quarantined": 0, "complete": True, "reason": None,
}  # fmt: skip
BAR_PAGE = {"next": _NEXT, "coverage": COVERED, "results": [BAR]}


@extend_schema_serializer(component_name="Bar")
class BarShape(Versioned):
    symbol = serializers.CharField()
    interval = serializers.ChoiceField(intervals.CHOICES)
    opened_at = serializers.DateTimeField(help_text="For a day and more: midnight UTC of the session's date.")
    session_date = serializers.DateField(help_text="The exchange's own date.")
    open = serializers.FloatField()
    high = serializers.FloatField()
    low = serializers.FloatField()
    close = serializers.FloatField()
    volume = serializers.IntegerField(allow_null=True)
    adjustment = serializers.ChoiceField(ADJUSTMENTS)
    state = serializers.ChoiceField(
        prices.BAR_STATES, help_text="`closed` once its session is over, `final` once the source has settled it."
    )
    is_final = serializers.BooleanField(help_text="Whether it is settled.")
    revision = serializers.IntegerField(help_text="How often a source has corrected it.")
    as_of = serializers.DateTimeField(help_text="Its opening, as every value computed from it says it.")
    as_of_precision = serializers.ChoiceField(
        [prices.SECOND, prices.DAY], help_text="`day` where only the session is known."
    )


class CoverageShape(Shape):
    interval = serializers.ChoiceField(
        intervals.STORED_CHOICES,
        help_text="Of the bars that these facts are of: that which is asked for, or which its bars are made from, as "
        "weeks and months are from days.",
    )
    first = serializers.DateTimeField(allow_null=True, help_text="The opening of the oldest bar that we hold.")
    last = serializers.DateTimeField(allow_null=True, help_text="The opening of the newest one.")
    unbroken_until = serializers.DateField(
        allow_null=True, help_text="No session of the exchange's calendar is missing up to here; null: nobody knows."
    )
    held = serializers.IntegerField(help_text="How many we hold.")
    refused = serializers.IntegerField(help_text="How many could be none, of all that came.")
    quarantined = serializers.IntegerField(help_text="How many are held back until somebody looks at them.")
    complete = serializers.BooleanField(help_text="Whether all that the source has was loaded.")
    reason = serializers.ChoiceField(
        told.REASONS,
        allow_null=True,
        help_text="Why there are none here: we hold none of this interval; the history is not loaded yet; the source "
        "has none; or those we hold are of other sessions. Null where there are some.",
    )


class BarPage(Shape):
    coverage = CoverageShape(
        help_text="What we hold of this interval, or of what its bars are made from. Other formats than JSON have it "
        f"as the header `{COVERAGE}`."
    )
    next = serializers.URLField(allow_null=True, help_text="The bars before these, null where there are none.")
    results = BarShape(many=True)


class BarQuery(Sessions):
    interval = Choice(list(intervals.ALL), default=DAY.name)
    adjusted = Choice(ADJUSTMENTS, default="split", help_text="As traded, or restated.")
    as_known_at = Past(
        required=False,
        help_text="The past as it was known at an instant: the values, splits and dividends received up to it.",
    )
    limit = Count(min_value=1, max_value=10_000, default=500, help_text="Bars in a page; the newest come first.")
    cursor = Text(required=False, help_text="Where the page ends, as `next` says it.")


class Bars(APIView):
    """Open, high, low, close and volume; oldest first in a page, and the newest page first.

    As Parquet a page has typed columns, and the file's metadata tells `coverage` as JSON, `next`, and the symbol's
    `currency` and `time_zone`.
    """

    csv_columns = BAR_COLUMNS
    row_shape = BarShape
    problems = {400: ("invalid_range",), 404: ("unknown_symbol",)}

    @extend_schema(
        operation_id="bars_list",
        summary="Bars of a symbol",
        parameters=[TICKER, BarQuery],
        responses=BarPage,
        examples=shown(BAR_PAGE),
    )
    def get(self, request, symbol: str) -> Response:
        query = BarQuery.read(request)
        cursors = PAGES.cursors(request, query["interval"])
        row = row_of(symbol)
        standing = tags.standing(row.ticker, query)
        asked = asked_of(query, row, standing, cursors.asked())
        held, decimals, bounds = standing.held, row.price_decimals, asked.stored
        tag = standing.tag(request, standing.basis.versions, bounds=bounds, made=[held, decimals])
        if answer := tags.unchanged(request, tag):
            return answer
        page = wire.page(asked, standing.basis)
        if page.versions != standing.basis.versions:
            held = told.held([row.ticker], query["interval"])[row.ticker]
            tag = standing.tag(request, page.versions, bounds=bounds, made=[held, decimals])
        following = cursors.url(PAGES.place([page.begins])) if page.are_more else None
        link = {"Link": f'<{following}>; rel="next"'} if following else {}
        covered = held.fields(is_empty=not page.texts)
        is_json = request.accepted_renderer.format == "json"
        beside = {} if is_json else {COVERAGE: _dictionary(covered)}
        if is_json:
            answer = {"next": following, "coverage": covered, "results": page.json}
        else:
            units = {"currency": row.currency, "time_zone": row.time_zone}
            answer = {"next": following or "", "coverage": covered, **units, "results": page.rows}
        return Response(answer, headers={**tags.head(tag), **link, **beside})


def _dictionary(facts: dict[str, str | int | bool | None]) -> str:
    """As RFC 8941 writes a dictionary; what is null is left out."""
    written = {bool: lambda value: f"?{value:d}", int: str, str: lambda value: f'"{value}"'}
    return ", ".join(f"{name}={written[type(value)](value)}" for name, value in facts.items() if value is not None)


def asked_of(query: dict, row: Symbol, standing: Standing, place=None) -> wire.Asked:
    """What is asked for, up to where the cursor stands. Within a session an instant is one, as openings are."""
    interval = intervals.named(query["interval"])
    start, end = sessions(query, row) if interval.is_whole else (query.get("start"), query.get("end"))
    before = None if place is None else datetime.fromisoformat(place.values[0])
    return wire.Asked(
        row.ticker,
        interval.name,
        query["adjusted"],
        resampling.bounds_of_bars(bars.Bounds(start, end, before), interval),
        query["limit"],
        row.price_decimals,
        known_at=query.get("as_known_at"),
        known=standing.basis.known,
    )
