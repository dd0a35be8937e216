"""Made from the schema at /api/v2/realtime/schema by realtime/protocol_py.py."""
# ruff: noqa
# fmt: off

from typing import Any, Literal, NotRequired, TypedDict

PROTOCOL = 1
MAX_SYMBOLS = 500
MAX_FRAME_BYTES = 65536
FIRST_FINAL = 4500

Connected = TypedDict(
    "Connected",
    {
        "type": Literal["connected"],
        "client_id": str,
        "heartbeat_seconds": int,
        "protocol": int,
    },
)
Subscribed = TypedDict(
    "Subscribed",
    {
        "type": Literal["subscribed"],
        "streams": dict[str, dict[str, Any]],
        "snapshot": list[dict[str, Any]],
        "id": NotRequired[str | int],
        "subscriptions": NotRequired[list[str]],
        "more": NotRequired[Literal[True]],
        "starting": NotRequired[list[str]],
        "published": NotRequired[Literal[False]],
    },
)
Unsubscribed = TypedDict(
    "Unsubscribed",
    {
        "type": Literal["unsubscribed"],
        "streams": list[str],
        "subscriptions": list[str],
        "reason": Literal["asked", "rights_ended", "rights_unknown"],
        "id": NotRequired[str | int],
    },
)
CurrentPrices = TypedDict(
    "CurrentPrices",
    {
        "type": Literal["current_prices"],
        "timestamp": str,
        "prices": dict[str, dict[str, Any] | None],
        "id": NotRequired[str | int],
    },
)
Configured = TypedDict(
    "Configured",
    {
        "type": Literal["configured"],
        "batch": bool,
        "pace_ms": int | None,
        "fields": list[Literal["current_price", "previous_close", "change", "change_percent", "volume", "timestamp", "session_date", "as_of_precision", "source", "received_at", "market_state", "open", "high", "low", "extended"]] | None,
        "id": NotRequired[str | int],
    },
)
Pong = TypedDict(
    "Pong",
    {
        "type": Literal["pong"],
        "timestamp": str,
        "id": NotRequired[str | int],
    },
)
PriceUpdate = TypedDict(
    "PriceUpdate",
    {
        "type": Literal["price_update"],
        "symbol": str,
        "current_price": float,
        "previous_close": float | None,
        "change": float | None,
        "change_percent": float | None,
        "volume": int | None,
        "timestamp": str,
        "session_date": str,
        "as_of_precision": Literal["second", "day"],
        "source": str,
        "received_at": str,
        "market_state": Literal["open", "closed", "pre", "post"],
        "open": float | None,
        "high": float | None,
        "low": float | None,
        "seq": int,
        "extended": NotRequired[dict[str, Any] | None],
        "replay": NotRequired[Literal[True]],
    },
)
PriceUpdates = TypedDict(
    "PriceUpdates",
    {
        "type": Literal["price_updates"],
        "updates": list[dict[str, Any]],
    },
)
Bar = TypedDict(
    "Bar",
    {
        "type": Literal["bar"],
        "symbol": str,
        "interval": str,
        "opened_at": str,
        "session_date": str,
        "open": float,
        "high": float,
        "low": float,
        "close": float,
        "volume": int | None,
        "adjustment": Literal["raw", "split", "split_dividend"],
        "state": Literal["forming", "closed", "final"],
        "is_final": bool,
        "revision": int,
        "as_of": str,
        "as_of_precision": Literal["second", "day"],
        "source": str,
        "received_at": str,
        "version": str,
        "stream": str,
        "seq": int,
        "replay": NotRequired[Literal[True]],
    },
)
Correction = TypedDict(
    "Correction",
    {
        "type": Literal["correction"],
        "symbol": str,
        "interval": str,
        "from": str,
        "to": str,
        "reason": Literal["revision", "settled", "split", "dividend", "capital_gain", "spin_off", "renamed"],
        "version": str,
        "stream": str,
        "seq": int,
        "replay": NotRequired[Literal[True]],
    },
)
Indicators = TypedDict(
    "Indicators",
    {
        "type": Literal["indicators"],
        "symbol": str,
        "interval": str,
        "as_of": str,
        "session_date": str,
        "as_of_precision": Literal["second", "day"],
        "adjustment": str,
        "state": Literal["forming", "closed", "final"],
        "is_final": bool,
        "values": dict[str, dict[str, float | None]],
        "reasons": dict[str, str],
        "source": str,
        "received_at": str,
        "version": str,
        "stream": str,
        "seq": int,
        "analysis": NotRequired[dict[str, Any]],
        "replay": NotRequired[Literal[True]],
    },
)
Signal = TypedDict(
    "Signal",
    {
        "type": Literal["signal"],
        "symbol": str,
        "interval": str,
        "rule": str,
        "direction": Literal["up", "down", "none"],
        "state": Literal["provisional", "confirmed", "withdrawn", "revised"],
        "as_of": str,
        "as_of_precision": Literal["second", "day"],
        "session_date": str,
        "price": float,
        "record": dict[str, Any] | None,
        "source": str,
        "received_at": str,
        "version": str,
        "stream": str,
        "seq": int,
        "id": NotRequired[int],
        "holds": NotRequired[bool],
        "values": NotRequired[dict[str, Any] | None],
        "replay": NotRequired[Literal[True]],
    },
)
Alert = TypedDict(
    "Alert",
    {
        "type": Literal["alert"],
        "symbol": str | None,
        "kind": str,
        "severity": Literal["info", "warning", "critical"],
        "message": str,
        "timestamp": str,
        "session_date": NotRequired[str],
        "as_of_precision": NotRequired[Literal["second", "day"]],
        "price": NotRequired[float],
        "id": NotRequired[int],
        "source": NotRequired[str],
        "received_at": NotRequired[str],
        "values": NotRequired[dict[str, float | None]],
        "stream": NotRequired[str],
        "seq": NotRequired[int],
        "replay": NotRequired[Literal[True]],
    },
)
News = TypedDict(
    "News",
    {
        "type": Literal["news"],
        "id": int,
        "title": str,
        "url": str,
        "publisher": str,
        "published_at": str,
        "symbols": list[str],
        "source": str,
        "stream": str,
        "seq": int,
    },
)
SystemStatus = TypedDict(
    "SystemStatus",
    {
        "type": Literal["system_status"],
        "message": str,
        "timestamp": str,
        "market": NotRequired[dict[str, Any]],
        "stream": NotRequired[str],
        "seq": NotRequired[int],
    },
)
ServiceStatus = TypedDict(
    "ServiceStatus",
    {
        "type": Literal["service_status"],
        "redis": bool,
        "feed": bool,
        "source": bool,
        "detail": str | None,
        "timestamp": str,
    },
)
Jobs = TypedDict(
    "Jobs",
    {
        "type": Literal["jobs"],
        "jobs": list[dict[str, Any]],
        "is_whole": bool,
        "stream": str,
        "seq": int,
    },
)
Metric = TypedDict(
    "Metric",
    {
        "type": Literal["metric"],
        "metrics": dict[str, Any],
        "timestamp": str,
        "stream": str,
        "seq": int,
    },
)
History = TypedDict(
    "History",
    {
        "type": Literal["history"],
        "symbol": str,
        "prices": list[dict[str, Any]],
        "id": NotRequired[str | int],
    },
)
Authenticated = TypedDict(
    "Authenticated",
    {
        "type": Literal["authenticated"],
        "user": str,
        "id": NotRequired[str | int],
    },
)
Replay = TypedDict(
    "Replay",
    {
        "type": Literal["replay"],
        "state": Literal["playing", "paused", "ended", "stopped"],
        "at": str,
        "id": NotRequired[str | int],
        "symbols": NotRequired[list[str]],
        "start": NotRequired[str],
        "end": NotRequired[str],
        "speed": NotRequired[float],
        "messages": NotRequired[int],
        "reason": NotRequired[Literal["asked", "idle", "rights_ended", "failed"]],
        "session_date": NotRequired[str],
        "event": NotRequired[dict[str, Any]],
    },
)
Epoch = TypedDict(
    "Epoch",
    {
        "type": Literal["epoch"],
        "stream": str,
        "epoch": str,
        "seq": int,
    },
)
Renamed = TypedDict(
    "Renamed",
    {
        "type": Literal["renamed"],
        "stream": str,
        "to": str,
    },
)
Gap = TypedDict(
    "Gap",
    {
        "type": Literal["gap"],
        "stream": str,
        "epoch": str,
        "from": int,
        "to": int,
        "reason": Literal["history_expired", "epoch_changed", "limit", "not_kept"],
        "rest": NotRequired[str],
    },
)
ServerShutdown = TypedDict(
    "ServerShutdown",
    {
        "type": Literal["server_shutdown"],
        "retry_after": float,
    },
)
Error = TypedDict(
    "Error",
    {
        "type": Literal["error"],
        "code": Literal["malformed", "binary", "empty", "oversized", "too_deep", "duplicate_key", "not_a_number", "unknown_action", "invalid", "unknown_type", "unknown_symbol", "too_many_symbols", "rate_limited", "login_required", "staff_only", "invalid_token", "temporarily_unavailable", "too_many_indicators", "no_room", "too_many_connections", "no_bars", "no_replay", "too_many_replays", "no_event", "not_started"],
        "message": str,
        "id": NotRequired[str | int],
        "symbols": NotRequired[list[str]],
        "retry_after": NotRequired[float],
    },
)
Message = (
    Connected
    | Subscribed
    | Unsubscribed
    | CurrentPrices
    | Configured
    | Pong
    | PriceUpdate
    | PriceUpdates
    | Bar
    | Correction
    | Indicators
    | Signal
    | Alert
    | News
    | SystemStatus
    | ServiceStatus
    | Jobs
    | Metric
    | History
    | Authenticated
    | Replay
    | Epoch
    | Renamed
    | Gap
    | ServerShutdown
    | Error
)
