"""The protocol's tables as an ES module, so that pages and server can't disagree.

`python manage.py shell -c "from realtime import protocol_js; protocol_js.write()"` writes static/stream/protocol.js; a
test holds it current.
"""

import json
from pathlib import Path

from realtime import messages
from realtime.kinds import KINDS

# Of the table of kinds, what a client needs.
COLUMNS = (
    "name", "message", "by_symbol", "by_user", "conflated", "is_cache", "has_intervals", "has_indicators", "for_staff",
)  # fmt: skip
PATH = Path(__file__).resolve().parent.parent / "static" / "stream" / "protocol.js"


def text() -> str:
    """What static/stream/protocol.js must hold."""
    constants = {
        "PROTOCOL": messages.PROTOCOL,
        "HEARTBEAT_SECONDS": messages.HEARTBEAT_SECONDS,
        "SILENCE_SECONDS": messages.SILENCE_SECONDS,
        "MAX_SYMBOLS": messages.MAX_SYMBOLS,
        "TYPES": list(messages.TYPES),
        "KINDS": {name: {column: getattr(kind, column) for column in COLUMNS} for name, kind in KINDS.items()},
        "ACTIONS": list(messages.ACTIONS),
        "MESSAGES": list(messages.MESSAGES),
        "CLOSE": messages.CLOSE,
    }
    lines = [f"export const {name} = {json.dumps(value)};" for name, value in constants.items()]
    return "\n".join(["// Made from realtime/messages by realtime/protocol_js.py.", *lines, ""])


def write() -> None:
    PATH.write_text(text())
