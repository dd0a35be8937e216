"""Bars and quotes of many symbols at once; one that we do not know fails alone, and is named."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market import quotes, symbols
from market.api import bars, tags
from market.api.queries import PAGES, Tickers, why_unknown
from market.api.quotes import QUOTE, QuoteShape, as_told
from market.api.shapes import Shape, shown
from market.bars import wire
from market.coverage import told
from market.models import Symbol
from monitoring.queries import Count, Query

NAMED = 3  # unknown symbols of which is told what was meant
MOST_BARS = 50_000  # in one answer
_OF_SYMBOLS = "^=&/"  # told as they are, beside letters, digits, dots and dashes
UNKNOWN, NO_QUOTE = "unknown_symbol", "no_quote"
ERROR = {"symbol": "APPL", "code": UNKNOWN, "detail": why_unknown("APPL", ["AAPL"])}
MANY_BARS = {
    "results": [{"symbol": "AAPL", "coverage": bars.COVERED, "next": None, "bars": [bars.BAR]}],
    "errors": [ERROR],
}
MANY_QUOTES = {"timestamp": "2026-11-21T09:30:00Z", "results": [QUOTE], "errors": [ERROR]}


class ErrorShape(Shape):
    symbol = serializers.CharField(help_text="As it was asked, in capitals.")
    code = serializers.ChoiceField([UNKNOWN, NO_QUOTE])
    detail = serializers.CharField()


class SymbolBars(Shape):
    symbol = serializers.CharField(help_text="The ticker of today of what was asked.")
    coverage = bars.CoverageShape()
    next = serializers.URLField(allow_null=True, help_text="The bars before these, of this symbol alone.")
    bars = bars.BarShape(many=True, help_text="Oldest first.")


@extend_schema_serializer(component_name="ManyBars")
class ManyBarsShape(Shape):
    results = SymbolBars(
        many=True, help_text="In the order asked. Other formats than JSON have the bars alone, one after the other."
    )
    errors = ErrorShape(
        many=True, help_text="Which symbols failed, and why. Other formats: the header `Errors`, percent-encoded."
    )


@extend_schema_serializer(component_name="ManyQuotes")
class ManyQuotesShape(Shape):
    timestamp = serializers.DateTimeField()
    results = QuoteShape(many=True, help_text="In the order asked.")
    errors = ErrorShape(many=True)


class ManyBarsQuery(bars.BarQuery):
    symbols = Tickers(help_text="Separated by commas; one that we do not know is named in `errors`.")
    limit = Count(
        min_value=1,
        max_value=10_000,
        default=100,
        help_text=f"Bars of each symbol, the newest; of all of them together at most {MOST_BARS:,}.",
    )
    cursor = None

    def validate(self, attrs: dict) -> dict:
        attrs = super().validate(attrs)
        count, limit = len(attrs["symbols"]), attrs["limit"]
        if count * limit > MOST_BARS:
            sentence = (
                f"{count} symbols of up to {limit} bars may be {count * limit:,}; one answer has at most "
                f"{MOST_BARS:,}. Ask for {MOST_BARS // count} of each, or for fewer symbols."
            )
            raise ValidationError({"limit": [ErrorDetail(sentence, "invalid_limit")]})
        return attrs


class ManyQuotesQuery(Query):
    symbols = Tickers(help_text="Separated by commas; one without a quote is named in `errors`.")


class ManyBars(APIView):
    """Open, high, low, close and volume of many symbols, each as its own page of bars tells them.

    As Parquet the bars have typed columns, and the file's metadata is `currency`: of each symbol, as JSON.
    """

    csv_columns = bars.BAR_COLUMNS
    row_shape = bars.BarShape
    problems = {400: ("invalid_range",)}

    @extend_schema(
        operation_id="bars_of_many",
        summary="Bars of many symbols",
        parameters=[ManyBarsQuery],
        responses=ManyBarsShape,
        examples=shown(MANY_BARS),
    )
    def get(self, request) -> Response:
        query = ManyBarsQuery.read(request)
        rows, errors = _found(query["symbols"])
        standings = tags.standings([row.ticker for row in rows], query)
        asked = [bars.asked_of(query, row, standings[row.ticker]) for row in rows]
        bounds = {each.ticker: each.stored for each in asked}
        named = [error["symbol"] for error in errors]
        held = {ticker: each.held for ticker, each in standings.items()}

        def tag(versions: dict) -> str | None:
            each = [
                standings[row.ticker].tag(
                    request,
                    versions[row.ticker],
                    bounds=bounds[row.ticker],
                    made=[held[row.ticker], row.price_decimals],
                )
                for row in rows
            ]
            return tags.of_many(request, each, named)

        read = {ticker: each.basis.versions for ticker, each in standings.items()}
        known = tag(read)
        if known and (answer := tags.unchanged(request, known)):
            return answer
        pages = wire.pages(asked, {ticker: each.basis for ticker, each in standings.items()})
        if moved := [ticker for ticker, page in pages.items() if page.versions != read[ticker]]:
            held |= told.held(moved, query["interval"])
            known = tag({ticker: page.versions for ticker, page in pages.items()})
        if request.accepted_renderer.format != "json":
            flat = [bar for row in rows for bar in pages[row.ticker].rows]
            beside = {"Errors": ", ".join(map(_in_head, errors))} if errors else {}
            units = {"currency": {row.ticker: row.currency for row in rows}}
            return Response({**units, "results": flat}, headers={**tags.head(known), **beside})
        results = [
            {
                "symbol": ticker,
                "coverage": held[ticker].fields(is_empty=not page.texts),
                "next": _next(request, query, ticker, page) if page.are_more else None,
                "bars": page.json,
            }
            for ticker, page in pages.items()
        ]
        return Response({"results": results, "errors": errors}, headers=tags.head(known))


class ManyQuotes(APIView):
    """The latest quotes of many symbols, each with its age and whether its market is open."""

    @extend_schema(
        operation_id="quotes_of_many",
        summary="Latest quotes of many symbols",
        parameters=[ManyQuotesQuery],
        responses=ManyQuotesShape,
        examples=shown(MANY_QUOTES),
    )
    def get(self, request) -> Response:
        rows, errors = _found(ManyQuotesQuery.read(request)["symbols"])
        latest = quotes.latest([row.ticker for row in rows])
        without = [{"symbol": row.ticker, **without_quote(row.ticker)} for row in rows if latest[row.ticker] is None]
        results = as_told(rows, latest)
        return Response({"timestamp": datetime.now(UTC), "results": results, "errors": [*errors, *without]})


def _found(asked: list[str]) -> tuple[list[Symbol], list[dict]]:
    """The symbols that are meant, each once in the order asked, and of the others what is told of them."""
    found = symbols.found(asked)
    rows = list({found[text].ticker: found[text] for text in asked if text in found}.values())
    return rows, [{"symbol": text, **fault} for text, fault in unknown(text for text in asked if text not in found)]


def unknown(texts: Iterable[str]) -> Iterator[tuple[str, dict]]:
    """What is told of each that names no symbol; of the first few what was meant, which costs a query each to find."""
    for place, text in enumerate(texts):
        near = symbols.near(text) if place < NAMED else []
        yield text, {"code": UNKNOWN, "detail": why_unknown(text, near)}


def without_quote(ticker: str) -> dict:
    return {"code": NO_QUOTE, "detail": f"There is no quote of {ticker} yet."}


def _in_head(error: dict) -> str:
    """A header has no letters beyond ASCII and no line breaks, and whoever asks may have named a symbol so."""
    return f'"{quote(error["symbol"], safe=_OF_SYMBOLS)}";{error["code"]}'


def _next(request: Request, query: dict, ticker: str, page: wire.Page) -> str:
    """Where the bars before a page's are had, of its symbol alone, asked in the same way."""
    same = {name: value for name, value in request.query_params.items() if name not in ("symbols", "format")}
    asked = urlencode(same | {"limit": query["limit"]})
    address = f"/api/v2/symbols/{quote(ticker)}/bars/?{asked}"
    return PAGES.cursors(request, query["interval"], address=address).url(PAGES.place([page.begins]))
