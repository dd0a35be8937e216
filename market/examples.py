"""What the reads of the market answer, by example: real sessions of the recording. A test holds them to the shapes."""

from drf_spectacular.utils import OpenApiExample

SOURCED = {"source": "replay", "received_at": "2026-11-21T09:30:00Z"}
BAR = {
    "symbol": "AAPL", "interval": "1d", "opened_at": "2012-09-04T00:00:00Z", "session_date": "2012-09-04",
    "open": 665.76, "high": 675.14, "low": 664.5, "close": 674.97, "volume": 13139000, "adjustment": "split",
    "is_final": True, "revision": 0, "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED,
}  # fmt: skip
QUOTE = {
    "symbol": "AAPL", "current_price": 674.97, "previous_close": 665.24, "change": 9.73, "change_percent": 1.4626,
    "volume": 13139000, "open": 665.76, "high": 675.14, "low": 664.5, "timestamp": "2012-09-04T00:00:00Z",
    "as_of_precision": "day", "market_state": "closed", "freshness": "closed", **SOURCED,
}  # fmt: skip
SYMBOL = {
    "symbol": "AAPL", "name": "Apple Inc.", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York",
    "asset_type": "equity", "price_decimals": 2, "active": True,
    "coverage": {"1d": {"first": "2000-03-01T00:00:00Z", "last": "2012-09-04T00:00:00Z", "count": 3149}},
}  # fmt: skip
SPLIT = {"symbol": "AAPL", "kind": "split", "ex_date": "2005-02-28", "value": 2.0, **SOURCED}
EXTREMES = {"high": 680.87, "high_date": "2012-08-27", "low": 354.24, "low_date": "2011-10-04"}
RECORDS = {
    "symbol": "AAPL",
    "adjustment": "split",
    "records": {
        "52_weeks": {**EXTREMES, "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day", **SOURCED},
        "all_time": None,
    },
}
PRICES = {"timestamp": "2026-11-21T09:30:00Z", "prices": {"AAPL": 674.97, "GOOGL": None}}
_NEXT = (
    "http://127.0.0.1:8000/api/v2/symbols/AAPL/bars/"
    "?cursor=W1siMjAxMi0wOS0wNFQwMDowMDowMFoiXSxmYWxzZSxmYWxzZV0%3AhzyqPVBcTmeI9tUuJfFC3zrJXWzvR4UOxyGHUYGzF8o&limit=1"
)
SYMBOL_PAGE = {"next": None, "previous": None, "results": [SYMBOL]}
BAR_PAGE = {"next": _NEXT, "results": [BAR]}
ACTION_PAGE = {"next": None, "previous": None, "results": [SPLIT]}


def shown(value: dict) -> list[OpenApiExample]:
    """One example of an answer, for `extend_schema`."""
    only = {"media_type": "application/json", "response_only": True, "status_codes": ["200"]}
    return [OpenApiExample("Recorded", value=value, **only)]
