"""The whole protocol of `/ws/realtime` on one page: what a client may say, and what it may hear.

`ACTIONS` and `MESSAGES` hold each shape as JSON Schema; `document` makes of them what clients, pages and tests use.
"""

from market import intervals
from market.actions.adjustments import ADJUSTMENTS
from market.prices import BAR_STATES, DAY, MARKET_STATES, POST, PRE, SECOND
from realtime import kinds
from realtime.kinds import KINDS

PROTOCOL = 1
HEARTBEAT_SECONDS = 30
SILENCE_SECONDS = 120
MAX_FRAME_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_SYMBOLS = 500
MAX_ID_CHARACTERS = 64
MOST_OF_ID = 10**18 - 1

# Types a client may subscribe to. `all` is everybody's together.
EVERYTHING = "all"
TYPES = (*(kind.name for kind in kinds.PUBLIC), EVERYTHING, *(kind.name for kind in KINDS.values() if kind.for_staff))

# Close codes: 4000-4499 reconnect, 4500-4999 do not.
CLOSE = {
    "slow_client": 4008,
    "server_shutdown": 4012,
    "too_many_requests": 4013,
    "silent": 4014,
    "lifetime_over": 4015,
    "too_many_connections": 4016,
    "invalid_token": 4501,
    "authentication_timeout": 4502,
    "origin_not_allowed": 4503,
    "too_many_errors": 4509,
    "closed_by_staff": 4510,
}
REASONS = {code: name.replace("_", " ") for name, code in CLOSE.items()}

# Why streams end: the client asked; it may not hold them any more; nobody can tell for now whether it may.
ASKED, RIGHTS_ENDED, RIGHTS_UNKNOWN = "asked", "rights_ended", "rights_unknown"

# Why bars that were told before say something else now.
CORRECTIONS = ("revision", "settled", "split", "dividend", "capital_gain", "spin_off", "renamed")

# How a replay stands, and why it stopped: its client asked; it stood still for too long; its client may not hear it any
# more; it broke.
REPLAY_STATES = ("playing", "paused", "ended", "stopped")
REPLAY_REASONS = ("asked", "idle", "rights_ended", "failed")
MOST_SPEED = 100_000
# What a replay can go on to: a session with which shares change, in which a rule rings for its client, or that is
# higher or lower than the 52 weeks before it.
REPLAY_EVENTS = ("split", "alert", "record")

SIGNAL_STATES = ("provisional", "confirmed", "withdrawn", "revised")

# Every code that an `error` may carry.
ERROR_CODES = (
    "malformed", "binary", "empty", "oversized", "too_deep", "duplicate_key", "not_a_number", "unknown_action",
    "invalid", "unknown_type", "unknown_symbol", "too_many_symbols", "rate_limited",
    "login_required", "staff_only", "invalid_token", "temporarily_unavailable", "too_many_indicators", "no_room",
    "too_many_connections", "no_bars", "no_replay", "too_many_replays", "no_event",
    "not_started",
)  # fmt: skip

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_MAYBE_NUMBER = {"type": ["number", "null"]}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_FLAG = {"type": "boolean"}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
_DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "examples": ["2012-09-04"]}
_ID = {"type": ["string", "integer"], "maxLength": MAX_ID_CHARACTERS, "minimum": -MOST_OF_ID, "maximum": MOST_OF_ID}
_SYMBOL = {"type": "string", "minLength": 1, "maxLength": 32}
_SYMBOLS = {"type": "array", "items": _SYMBOL, "minItems": 1, "maxItems": MAX_SYMBOLS}
_INTERVAL = {"enum": list(intervals.ALL)}
_WITHIN = [name for name, each in intervals.ALL.items() if not each.is_whole]
_INTERVALS = {"type": "array", "items": {"enum": _WITHIN}, "minItems": 1, "maxItems": len(_WITHIN)}
# Name and parameters; which there are, /api/v2/technical-analysis/catalogue says.
_INDICATOR = {
    "type": "string",
    "maxLength": 40,
    "pattern": r"^[a-z][a-z0-9]*(_[0-9]{1,5}(\.[0-9]{1,4})?){0,6}$",
    "examples": ["sma_100"],
}
_INDICATORS = {"type": "array", "items": _INDICATOR, "minItems": 1, "maxItems": MAX_SYMBOLS}
_NARROWING = {"interval": _INTERVAL, "indicators": _INDICATORS}
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


# Beside a close, until a session opens: its change is from that close, and moves nothing of the session's.
_EXTENDED = _object(
    {
        "session": {"enum": [PRE, POST]}, "price": _NUMBER, "change": _MAYBE_NUMBER, "change_percent": _MAYBE_NUMBER,
        "timestamp": _TIME, "received_at": _TIME, "until": _TIME,
    }
)  # fmt: skip
_BESIDE = {"extended": {"anyOf": [_EXTENDED, {"type": "null"}]}}
_SESSION = {
    "market_state": {"enum": list(MARKET_STATES)}, "open": _MAYBE_NUMBER, "high": _MAYBE_NUMBER, "low": _MAYBE_NUMBER,
}  # fmt: skip
_MOVE = {
    "symbol": _SYMBOL, "current_price": _NUMBER, "previous_close": _MAYBE_NUMBER, "change": _MAYBE_NUMBER,
    "change_percent": _MAYBE_NUMBER, "volume": _MAYBE_COUNT, "timestamp": _TIME, "session_date": _DATE,
    "as_of_precision": _PRECISION, **_SOURCED,
}  # fmt: skip
_PRICE = {**_MOVE, **_SESSION, **_BESIDE}
# What a `price_update` always says, and what may be left out of it.
ALWAYS = ("type", "symbol", "seq")
PRICE_FIELDS = tuple(name for name in _PRICE if name not in ALWAYS)
MIN_PACE_MS, MAX_PACE_MS = 100, 60_000
_SPEED = {"speed": {"type": "number", "minimum": 1, "maximum": MOST_SPEED}}
# Null: as without it.
_TERMS = {
    "batch": _FLAG,
    "pace_ms": {"type": ["integer", "null"], "minimum": MIN_PACE_MS, "maximum": MAX_PACE_MS},
    "fields": {
        "type": ["array", "null"],
        "items": {"enum": list(PRICE_FIELDS)},
        "minItems": 1,
        "maxItems": len(PRICE_FIELDS),
    },
}

ACTIONS = {
    "subscribe": _action(
        "subscribe",
        {"type": {"enum": list(TYPES)}},
        {
            "symbols": _SYMBOLS,
            **_NARROWING,
            "mode": {"enum": ["latest", "every"]},
            "since": {"type": "object", "additionalProperties": _POSITION, "maxProperties": 8 * MAX_SYMBOLS},
        },
    ),
    "unsubscribe": _action("unsubscribe", {"type": {"enum": list(TYPES)}}, {"symbols": _SYMBOLS, **_NARROWING}),
    "get_current_prices": _action("get_current_prices", {"symbols": _SYMBOLS}),
    "get_history": _action("get_history", {"symbol": _SYMBOL}, {"limit": {**_COUNT, "minimum": 1, "maximum": 1000}}),
    "configure": _action("configure", None, _TERMS),
    "authenticate": _action("authenticate", {"token": {"type": "string", "maxLength": 4096}}),
    "ping": _action("ping"),
    "replay": _action(
        "replay",
        {"symbols": _SYMBOLS, "start": _DATE, "end": _DATE},
        {**_SPEED, "at": _DATE, "paused": _FLAG, "indicators": _INDICATORS, "intervals": _INTERVALS},
    ),
    "pause": _action("pause"),
    "resume": _action("resume", None, _SPEED),
    "seek": _action("seek", None, {"to": _DATE, "event": {"enum": list(REPLAY_EVENTS)}}),
    "stop": _action("stop"),
}

# What a feed of the version before tells, or told within a day, has nothing beside the close.
_UPDATE = _message("price_update", {**_MOVE, **_SESSION, "seq": _COUNT}, {**_BESIDE, **_MARK})
# For a client that configured `fields`.
PRICE_OF_FIELDS = _message(
    "price_update", {"symbol": _SYMBOL, "seq": _COUNT}, {name: _PRICE[name] for name in PRICE_FIELDS} | _MARK
)
_QUOTE = {"anyOf": [_object(_PRICE), {"type": "null"}]}
# A price of the past; one that only a snapshot keeps has no number, nor what else its session had.
_TOLD = _message("price_update", _MOVE, {**_SESSION, **_BESIDE, "seq": _COUNT})
_BAR = {
    "symbol": _SYMBOL, "interval": _TEXT, "opened_at": _TIME, "session_date": _DATE, "open": _NUMBER, "high": _NUMBER,
    "low": _NUMBER, "close": _NUMBER, "volume": _MAYBE_COUNT,
    "adjustment": {"enum": list(ADJUSTMENTS)}, "state": {"enum": list(BAR_STATES)}, "is_final": {"type": "boolean"},
    "revision": _COUNT, "as_of": _TIME, "as_of_precision": _PRECISION, **_SOURCED, **_VERSION,
}  # fmt: skip
_VALUES = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _MAYBE_NUMBER}}
_SAID = {
    "symbol": {"type": ["string", "null"], "maxLength": 32}, "kind": _TEXT,
    "severity": {"enum": ["info", "warning", "critical"]}, "message": _TEXT, "timestamp": _TIME,
}  # fmt: skip
_ALERT = {
    **_SAID, "session_date": _DATE, "as_of_precision": _PRECISION, "price": _NUMBER, "id": _COUNT,
    **_SOURCED,
}  # fmt: skip
_ALERT_VALUES = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
_STREAMED = {"stream": _TEXT, "seq": _COUNT}
# What the half-hourly analysis found, of a symbol at its newest bar, and of all together: how many, and which.
_FINDING = _object(
    {
        "session_date": _DATE, "close": _NUMBER, "change_percent": _MAYBE_NUMBER, "trend": _MAYBE_TEXT,
        "momentum": _MAYBE_TEXT, "new_high": _FLAG, "new_low": _FLAG,
    }
)  # fmt: skip
_MARKET = _object(
    {
        "interval": _TEXT, "symbols": _COUNT, "without_bar": _COUNT, "failed": _COUNT,
        "breadth": {"type": "object", "additionalProperties": _COUNT},
        **{name: {"type": "array", "items": _SYMBOL} for name in ("overbought", "oversold", "new_high", "new_low")},
        "source": _TEXT,
    },
    {"pass": _COUNT},
)  # fmt: skip
_NUMBERED_TOGETHER = {"dependentRequired": {"stream": ["seq"], "seq": ["stream"]}}
# published: nobody tells of it yet.
_SILENT = {"published": {"const": False}}
_HELD = _object({"epoch": _TEXT, "seq": _COUNT, "recovered": {"type": "boolean"}}, _SILENT)
_STATE = {"type": "object", "additionalProperties": _HELD}

# fmt: off
_BAR_TOLD = _message("bar", {**_BAR, **_STREAMED}, _MARK)
_INDICATORS_TOLD = _message(
    "indicators",
    {
        "symbol": _SYMBOL, "interval": _TEXT, "as_of": _TIME, "session_date": _DATE,
        "as_of_precision": _PRECISION, "adjustment": _TEXT, "state": {"enum": list(BAR_STATES)},
        "is_final": {"type": "boolean"}, "values": _VALUES,
        "reasons": {"type": "object", "additionalProperties": _TEXT}, **_SOURCED, **_VERSION, **_STREAMED,
    },
    {"analysis": _FINDING, **_MARK},
)
# The newest of what streams keep the newest of.
_SNAPSHOT = {"type": "array", "items": {"anyOf": [_UPDATE, _BAR_TOLD, _INDICATORS_TOLD]}}
MESSAGES = {
    "connected": _message("connected", {"client_id": _TEXT, "heartbeat_seconds": _COUNT, "protocol": _COUNT}),
    "subscribed": _message(
        "subscribed",
        {"streams": _STATE, "snapshot": _SNAPSHOT},
        # A large answer comes in pieces: all but the last have `more`, the last says what is held. What is `starting`
        # comes in an answer of its own, with the same id.
        {"id": _ID, "subscriptions": _TEXTS, "more": {"const": True}, "starting": _TEXTS, **_SILENT},
    ),
    "unsubscribed": _message(
        "unsubscribed",
        {
            "streams": _TEXTS, "subscriptions": _TEXTS,
            "reason": {"enum": [ASKED, RIGHTS_ENDED, RIGHTS_UNKNOWN]},
        },
        {"id": _ID},
    ),
    "current_prices": _message(
        "current_prices",
        {"timestamp": _TIME, "prices": {"type": "object", "additionalProperties": _QUOTE}},
        {"id": _ID},
    ),
    "configured": _message("configured", _TERMS, {"id": _ID}),
    "pong": _message("pong", {"timestamp": _TIME}, {"id": _ID}),
    "price_update": _UPDATE,
    "price_updates": _message(
        "price_updates", {"updates": {"type": "array", "items": {"anyOf": [_UPDATE, PRICE_OF_FIELDS]}}}
    ),
    "bar": _BAR_TOLD,
    "correction": _message(
        "correction",
        {
            "symbol": _SYMBOL, "interval": _TEXT, "from": _DATE, "to": _DATE, "reason": {"enum": list(CORRECTIONS)},
            **_VERSION, **_STREAMED,
        },
        _MARK,
    ),
    "indicators": _INDICATORS_TOLD,
    "signal": _message(
        "signal",
        {
            "symbol": _SYMBOL, "interval": _TEXT, "rule": _TEXT,
            "direction": {"enum": ["up", "down", "none"]}, "state": {"enum": list(SIGNAL_STATES)},
            "as_of": _TIME, "as_of_precision": _PRECISION, "session_date": _DATE, "price": _NUMBER,
            "record": {"type": ["object", "null"]}, **_SOURCED, **_VERSION, **_STREAMED,
        },
        # What is played is stored nowhere, and has no id.
        {"id": _COUNT, "holds": _FLAG, "values": {"type": ["object", "null"]}, **_MARK},
    ),
    "alert": {
        # Worded from kind and values; what rang before there were values has its message alone.
        **_message("alert", _SAID, {**_ALERT, "values": _ALERT_VALUES, **_STREAMED, **_MARK}),
        # What staff say as an alert is of no price, and of a stream only where it is said to all.
        "if": {"properties": {"kind": {"const": kinds.SYSTEM.message}}},
        "then": _NUMBERED_TOGETHER,
        "else": {
            "required": [name for name in (*_ALERT, *_STREAMED) if name != "id"],
            "properties": {"symbol": _SYMBOL},
            "anyOf": [{"required": ["id"]}, {"required": ["replay"]}],  # what is played is stored nowhere
        },
    },
    "news": _message(
        "news",
        {
            "id": _COUNT, "title": _TEXT, "url": _TEXT, "publisher": _TEXT, "published_at": _TIME,
            "symbols": {"type": "array", "items": _SYMBOL}, "source": _TEXT, **_STREAMED,
        },
    ),
    # What is said to some of those who are connected has no number.
    "system_status": _message(
        "system_status", {"message": _TEXT, "timestamp": _TIME}, {"market": _MARKET, **_STREAMED}
    ) | _NUMBERED_TOGETHER,
    "service_status": _message(
        "service_status",
        {"redis": _FLAG, "feed": _FLAG, "source": _FLAG, "detail": _MAYBE_TEXT, "timestamp": _TIME},
    ),
    "jobs": _message("jobs", {"jobs": {"type": "array", "items": {"type": "object"}}, "is_whole": _FLAG, **_STREAMED}),
    "metric": _message("metric", {"metrics": {"type": "object"}, "timestamp": _TIME, **_STREAMED}),
    "history": _message("history", {"symbol": _SYMBOL, "prices": {"type": "array", "items": _TOLD}}, {"id": _ID}),
    "authenticated": _message("authenticated", {"user": _TEXT}, {"id": _ID}),
    "replay": _message(
        "replay",
        {"state": {"enum": list(REPLAY_STATES)}, "at": _TIME},
        {
            "id": _ID, "symbols": {"type": "array", "items": _SYMBOL}, "start": _DATE, "end": _DATE, "speed": _NUMBER,
            "messages": _COUNT, "reason": {"enum": list(REPLAY_REASONS)}, "session_date": _DATE,
            "event": _object({"kind": {"enum": list(REPLAY_EVENTS)}, "symbol": _SYMBOL}),
        },
    ),
    "epoch": _message("epoch", {"stream": _TEXT, "epoch": _TEXT, "seq": _COUNT}),
    "renamed": _message("renamed", {"stream": _TEXT, "to": _TEXT}),
    "gap": _message(
        "gap",
        {
            "stream": _TEXT, "epoch": _TEXT, "from": _COUNT, "to": _COUNT,
            "reason": {"enum": ["history_expired", "epoch_changed", "limit", "not_kept"]},
        },
        {"rest": _TEXT},
    ),
    "server_shutdown": _message("server_shutdown", {"retry_after": _NUMBER}),
    "error": _message(
        "error",
        {"code": {"enum": list(ERROR_CODES)}, "message": _TEXT},
        {"id": _ID, "symbols": _TEXTS, "retry_after": _NUMBER},
    ),
}
# fmt: on
