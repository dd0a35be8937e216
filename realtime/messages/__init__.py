"""Everything said on `/ws/realtime`: `shapes` is the protocol, `reading` takes frames in, `building` sends them out."""

from realtime.messages.building import (
    Message,
    Service,
    alert,
    bar,
    connected,
    correction,
    current_prices,
    encode,
    epoch,
    error,
    gap,
    indicators,
    jobs,
    merged,
    price,
    renamed,
    server_shutdown,
    service_status,
    system,
    unsubscribed,
)
from realtime.messages.reading import Refused, read
from realtime.messages.shapes import (
    ACTIONS,
    ASKED,
    CLOSE,
    HEARTBEAT_SECONDS,
    MAX_FRAME_BYTES,
    MESSAGES,
    NAMED_TYPES,
    NOT_YET,
    PROTOCOL,
    PUBLIC_TYPES,
    RIGHTS_ENDED,
    RIGHTS_UNKNOWN,
    SILENCE_SECONDS,
    STAFF_TYPES,
    TYPES,
    TYPES_NOT_YET,
    UNNAMED_TYPES,
    schema,
)

__all__ = [
    "ACTIONS", "ASKED", "CLOSE", "HEARTBEAT_SECONDS", "MAX_FRAME_BYTES", "MESSAGES", "NAMED_TYPES", "NOT_YET",
    "PROTOCOL", "PUBLIC_TYPES", "RIGHTS_ENDED", "RIGHTS_UNKNOWN", "SILENCE_SECONDS", "STAFF_TYPES", "TYPES",
    "TYPES_NOT_YET", "UNNAMED_TYPES", "Message", "Refused", "Service", "alert", "bar", "connected", "correction",
    "current_prices", "encode", "epoch", "error", "gap", "indicators", "jobs", "merged", "price", "read", "renamed",
    "schema", "server_shutdown", "service_status", "system", "unsubscribed",
]  # fmt: skip
