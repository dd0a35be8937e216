"""The whole protocol of `/ws/realtime` on one page: what a client may say, and what it may hear.

`ACTIONS` and `MESSAGES` hold each shape as JSON Schema; `schema()` is the document that clients and tests use.
"""

from market.actions.adjustments import ADJUSTMENTS
from market.prices import BAR_STATES, DAY, MARKET_STATES, SECOND

PROTOCOL = 1
HEARTBEAT_SECONDS = 30
SILENCE_SECONDS = 120
MAX_FRAME_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_SYMBOLS = 500
MAX_ID_CHARACTERS = 64

# Types a client may subscribe to. `all` is prices, bars, indicators, signals, alerts, news and system together.
PUBLIC_TYPES = ("prices", "bars", "indicators", "signals", "alerts", "news", "system")
STAFF_TYPES = ("jobs", "metrics")
TYPES = (*PUBLIC_TYPES, "all", *STAFF_TYPES)
UNNAMED_TYPES = ("system", *STAFF_TYPES)  # streams that have no symbol
NAMED_TYPES = tuple(kind for kind in PUBLIC_TYPES if kind not in UNNAMED_TYPES)

# Close codes: 4000-4499 reconnect, 4500-4999 do not.
CLOSE = {
    "slow_client": 4008,
    "server_shutdown": 4012,
    "too_many_requests": 4013,
    "silent": 4014,
    "invalid_token": 4501,
    "authentication_timeout": 4502,
    "origin_not_allowed": 4503,
    "too_many_errors": 4509,
}

# Why streams end: the client asked; it may not hold them any more; nobody can tell for now whether it may.
ASKED, RIGHTS_ENDED, RIGHTS_UNKNOWN = "asked", "rights_ended", "rights_unknown"

# Why bars that were told before say something else now.
CORRECTIONS = ("revision", "split", "dividend", "capital_gain", "spin_off", "renamed")

# Every code that an `error` may carry.
ERROR_CODES = (
    "malformed", "binary", "empty", "oversized", "too_deep", "duplicate_key", "not_a_number", "unknown_action",
    "invalid", "unknown_type", "unknown_symbol", "too_many_symbols", "rate_limited", "not_available",
    "login_required", "staff_only", "invalid_token", "temporarily_unavailable",
)  # fmt: skip

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_MAYBE_NUMBER = {"type": ["number", "null"]}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_FLAG = {"type": "boolean"}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
_DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
_ID = {"type": ["string", "integer"], "maxLength": MAX_ID_CHARACTERS}
_SYMBOL = {"type": "string", "minLength": 1, "maxLength": 32}
_SYMBOLS = {"type": "array", "items": _SYMBOL, "minItems": 1, "maxItems": MAX_SYMBOLS}
_POSITION = {
    "type": "object",
    "properties": {"epoch": _TEXT, "seq": _COUNT},
    "required": ["epoch", "seq"],
    "additionalProperties": False,
}
_PRECISION = {"enum": [SECOND, DAY]}
_SOURCED = {"source": _TEXT, "received_at": _TIME}
# Of the held bars of the symbol and interval, which a forming one stands upon, as the feed knew it: equal versions are
# equal bars. Empty where there are none.
_VERSION = {"version": {**_TEXT, "description": "Of the held bars that it is of or stands upon; empty without any."}}
_MARK = {"replay": {"const": True}}


def _object(required: dict, optional: dict | None = None) -> dict:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _action(name: str, required: dict | None = None, optional: dict | None = None) -> dict:
    return _object({"action": {"const": name}, **(required or {})}, {"id": _ID, **(optional or {})})


def _message(name: str, required: dict | None = None, optional: dict | None = None) -> dict:
    return _object({"type": {"const": name}, **(required or {})}, optional)


ACTIONS = {
    "subscribe": _action(
        "subscribe",
        {"type": {"enum": list(TYPES)}},
        {
            "symbols": _SYMBOLS,
            "mode": {"enum": ["latest", "every"]},
            "since": {"type": "object", "additionalProperties": _POSITION, "maxProperties": 8 * MAX_SYMBOLS},
        },
    ),
    "unsubscribe": _action("unsubscribe", {"type": {"enum": list(TYPES)}}, {"symbols": _SYMBOLS}),
    "get_current_prices": _action("get_current_prices", {"symbols": _SYMBOLS}),
    "get_history": _action("get_history", {"symbol": _SYMBOL}, {"limit": {**_COUNT, "minimum": 1, "maximum": 1000}}),
    "configure": _action("configure", {"batch": {"type": "boolean"}}),
    "authenticate": _action("authenticate", {"token": {"type": "string", "maxLength": 4096}}),
    "ping": _action("ping"),
    "replay": _action(
        "replay",
        {"symbols": _SYMBOLS, "start": _TEXT, "end": _TEXT},
        {"speed": {"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}},
    ),
    "pause": _action("pause"),
    "resume": _action("resume"),
    "seek": _action("seek", {"to": _TEXT}),
    "stop": _action("stop"),
}
# Types that nobody publishes yet, likewise; `all` is without them.
TYPES_NOT_YET = frozenset({"signals", "news", "metrics"})
# In the protocol, and answered with `not_available` until their behaviour is built.
NOT_YET = frozenset({"get_history", "authenticate", "replay", "pause", "resume", "seek", "stop"})

_PRICE = {
    "symbol": _SYMBOL, "current_price": _NUMBER, "previous_close": _MAYBE_NUMBER, "change": _MAYBE_NUMBER,
    "change_percent": _MAYBE_NUMBER, "volume": _MAYBE_COUNT, "timestamp": _TIME, "session_date": _DATE,
    "as_of_precision": _PRECISION, "market_state": {"enum": list(MARKET_STATES)},
    "open": _MAYBE_NUMBER, "high": _MAYBE_NUMBER, "low": _MAYBE_NUMBER, **_SOURCED,
}  # fmt: skip
_BAR = {
    "symbol": _SYMBOL, "interval": _TEXT, "opened_at": _TIME, "session_date": _DATE, "open": _NUMBER, "high": _NUMBER,
    "low": _NUMBER, "close": _NUMBER, "volume": _MAYBE_COUNT,
    "adjustment": {"enum": list(ADJUSTMENTS)}, "state": {"enum": list(BAR_STATES)}, "is_final": {"type": "boolean"},
    "revision": _COUNT, "as_of": _TIME, "as_of_precision": _PRECISION, **_SOURCED, **_VERSION,
}  # fmt: skip
_VALUES = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _MAYBE_NUMBER}}
_ALERT = {
    "symbol": _SYMBOL, "kind": _TEXT, "severity": {"enum": ["info", "warning", "critical"]}, "message": _TEXT,
    "timestamp": _TIME, "session_date": _DATE, "as_of_precision": _PRECISION, "price": _NUMBER, "id": _COUNT,
    **_SOURCED,
}  # fmt: skip
_STREAMED = {"stream": _TEXT, "seq": _COUNT}
_HELD = _object({"epoch": _TEXT, "seq": _COUNT, "recovered": {"type": "boolean"}})
_STATE = {"type": "object", "additionalProperties": _HELD}

# fmt: off
MESSAGES = {
    "connected": _message("connected", {"client_id": _TEXT, "heartbeat_seconds": _COUNT, "protocol": _COUNT}),
    "subscribed": _message(
        "subscribed",
        {"streams": _STATE, "subscriptions": {"type": "array", "items": _TEXT}, "snapshot": {"type": "array"}},
        {"id": _ID},
    ),
    "unsubscribed": _message(
        "unsubscribed",
        {
            "streams": {"type": "array", "items": _TEXT}, "subscriptions": {"type": "array", "items": _TEXT},
            "reason": {"enum": [ASKED, RIGHTS_ENDED, RIGHTS_UNKNOWN]},
        },
        {"id": _ID},
    ),
    "current_prices": _message(
        "current_prices",
        {"timestamp": _TIME, "prices": {"type": "object", "additionalProperties": {"type": ["object", "null"]}}},
        {"id": _ID},
    ),
    "configured": _message("configured", {"batch": {"type": "boolean"}}, {"id": _ID}),
    "pong": _message("pong", {"timestamp": _TIME}, {"id": _ID}),
    "price_update": _message("price_update", {**_PRICE, "seq": _COUNT}, _MARK),
    "price_updates": _message("price_updates", {"updates": {"type": "array", "items": {"type": "object"}}}),
    "bar": _message("bar", {**_BAR, **_STREAMED}, _MARK),
    "correction": _message(
        "correction",
        {
            "symbol": _SYMBOL, "interval": _TEXT, "from": _DATE, "to": _DATE, "reason": {"enum": list(CORRECTIONS)},
            **_VERSION, **_STREAMED,
        },
    ),
    "indicators": _message(
        "indicators",
        {
            "symbol": _SYMBOL, "interval": _TEXT, "as_of": _TIME, "session_date": _DATE,
            "as_of_precision": _PRECISION, "adjustment": _TEXT, "state": {"enum": list(BAR_STATES)},
            "is_final": {"type": "boolean"}, "values": _VALUES,
            "reasons": {"type": "object", "additionalProperties": _TEXT}, **_SOURCED, **_VERSION, **_STREAMED,
        },
        _MARK,
    ),
    "signal": _message(
        "signal",
        {
            "id": _COUNT, "symbol": _SYMBOL, "interval": _TEXT, "rule": _TEXT, "direction": {"enum": ["up", "down"]},
            "as_of": _TIME, "session_date": _DATE, "price": _NUMBER,
            "record": {"type": ["object", "null"]}, **_VERSION, **_STREAMED,
        },
        _MARK,
    ),
    "alert": _message("alert", {**_ALERT, **_STREAMED}, _MARK),
    "news": _message(
        "news",
        {
            "id": _COUNT, "title": _TEXT, "url": _TEXT, "publisher": _TEXT, "published_at": _TIME,
            "symbols": {"type": "array", "items": _SYMBOL}, "source": _TEXT, **_STREAMED,
        },
    ),
    "system_status": _message("system_status", {"message": _TEXT, "timestamp": _TIME, **_STREAMED}),
    "service_status": _message(
        "service_status",
        {"redis": _FLAG, "feed": _FLAG, "source": _FLAG, "detail": _MAYBE_TEXT, "timestamp": _TIME},
    ),
    "jobs": _message("jobs", {"jobs": {"type": "array", "items": {"type": "object"}}, "is_whole": _FLAG, **_STREAMED}),
    "metric": _message("metric", {"metrics": {"type": "object"}, "timestamp": _TIME, **_STREAMED}),
    "history": _message("history", {"symbol": _SYMBOL, "prices": {"type": "array"}}, {"id": _ID}),
    "authenticated": _message("authenticated", {"user": _TEXT}, {"id": _ID}),
    "replay": _message("replay", {"state": _TEXT, "at": _TIME}, {"id": _ID}),
    "epoch": _message("epoch", {"stream": _TEXT, "epoch": _TEXT, "seq": _COUNT}),
    "renamed": _message("renamed", {"stream": _TEXT, "to": _TEXT}),
    "gap": _message(
        "gap",
        {
            "stream": _TEXT, "epoch": _TEXT, "from": _COUNT, "to": _COUNT,
            "reason": {"enum": ["history_expired", "epoch_changed", "limit"]},
        },
        {"rest": _TEXT},
    ),
    "server_shutdown": _message("server_shutdown", {"retry_after": _NUMBER}),
    "error": _message(
        "error",
        {"code": {"enum": list(ERROR_CODES)}, "message": _TEXT},
        {"id": _ID, "symbols": {"type": "array", "items": _TEXT}, "retry_after": _NUMBER},
    ),
}
# fmt: on


def schema() -> dict:
    """The protocol as one JSON Schema document: `$defs.actions`, `$defs.messages`, and any of them at the top."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Finstage /ws/realtime, protocol {PROTOCOL}",
        "$defs": {"actions": ACTIONS, "messages": MESSAGES, "close_codes": {"enum": sorted(CLOSE.values())}},
        "anyOf": [
            *({"$ref": f"#/$defs/actions/{name}"} for name in ACTIONS),
            *({"$ref": f"#/$defs/messages/{name}"} for name in MESSAGES),
        ],
    }
