"""What reads of the market ask by: symbols in a path and in a query, and pages."""

from datetime import date

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.settings import api_settings

from market import prices, symbols
from market.models import Symbol
from monitoring.queries import Instant, Span

PAGES = api_settings.DEFAULT_PAGINATION_CLASS
MAX_SYMBOLS = 500
TICKER = OpenApiParameter(
    "symbol", str, OpenApiParameter.PATH, description="As Yahoo writes it, in any case; `BRK.B` and former tickers too."
)


_BY_INSTANT = (
    ": its date, or an instant, which means the exchange's own date then. Midnight UTC means the session of its date, "
    "as in `opened_at`. Bars within a session count by their openings where an instant is said."
)
_ONE = {"type": "string", "pattern": r"^[^,\u0000]*[^,\s\u0000][^,\u0000]*$", "maxLength": 32}


@extend_schema_field({"type": "array", "items": _ONE, "minItems": 1, "maxItems": MAX_SYMBOLS})
class Tickers(serializers.Field):
    """Symbols by commas or one by one, in capitals, each once, in the order asked."""

    are_many = True
    default_error_messages = {
        "required": "Name the symbols, separated by commas: symbols=AAPL,GOOGL.",
        "empty": "Name at least one symbol: symbols=AAPL,GOOGL.",
        "too_many": f"{{count}} symbols are too many for one request; it takes up to {MAX_SYMBOLS}.",
        "too_long": '"{ticker}…" is too long for a symbol; one has up to 32 characters.',
    }

    def to_internal_value(self, data: str) -> list[str]:
        tickers = list(dict.fromkeys(symbols.folded(part) for part in data.split(",") if part.strip()))
        if not tickers:
            self.fail("empty")
        if len(tickers) > MAX_SYMBOLS:
            self.fail("too_many", count=len(tickers))
        for ticker in tickers:
            if len(ticker) > 32:
                self.fail("too_long", ticker=ticker[:32])
        return tickers

    def to_representation(self, value: list[str]) -> str:
        return ",".join(value)


class Sessions(Span):
    """From `start` to `end`, both included, as the exchange counts its days."""

    start = Instant(required=False, help_text=f"The first session that counts{_BY_INSTANT}")
    end = Instant(required=False, help_text=f"The last session that counts{_BY_INSTANT}")


def sessions(query: dict, row: Symbol) -> tuple[date | None, date | None]:
    """The first and the last session that a span means at a symbol's exchange."""
    start, end = (query.get(name) for name in ("start", "end"))
    return (
        None if start is None else prices.session_at(start, row.time_zone),
        None if end is None else prices.session_at(end, row.time_zone),
    )


def row_of(symbol: str) -> Symbol:
    """The symbol that was written; raises a 404 that says how to list them."""
    try:
        return symbols.resolve(symbol)
    except symbols.UnknownSymbol:
        raise unknown(symbol) from None


def known(symbol: str) -> str:
    """The ticker of today of what was written; raises the same."""
    return row_of(symbol).ticker


def unknown(symbol: str) -> NotFound:
    return NotFound(why_unknown(symbol, symbols.near(symbol)), "unknown_symbol")


def why_unknown(symbol: str, near: list[str]) -> str:
    """What is told of a symbol that there is not. near: what may have been meant."""
    asked = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"We do not know the symbol {symbol[:40]}; GET /api/v2/symbols/ lists those we have.{asked}"
