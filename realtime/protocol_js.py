"""The protocol's tables as an ES module, so that pages and server can't disagree.

`python manage.py shell -c "from realtime import protocol_js; protocol_js.write()"` writes static/protocol.js; a test
holds it current.
"""

import json
from pathlib import Path

from realtime import messages

PATH = Path(__file__).resolve().parent.parent / "static" / "protocol.js"


def text() -> str:
    """What static/protocol.js must hold."""
    constants = {
        "PROTOCOL": messages.PROTOCOL,
        "HEARTBEAT_SECONDS": messages.HEARTBEAT_SECONDS,
        "SILENCE_SECONDS": messages.SILENCE_SECONDS,
        "TYPES": list(messages.TYPES),
        "UNNAMED_TYPES": list(messages.UNNAMED_TYPES),
        "ACTIONS": list(messages.ACTIONS),
        "MESSAGES": list(messages.MESSAGES),
        "CLOSE": messages.CLOSE,
    }
    lines = [f"export const {name} = {json.dumps(value)};" for name, value in constants.items()]
    return "\n".join(["// Made from realtime/messages by realtime/protocol_js.py.", *lines, ""])


def write() -> None:
    PATH.write_text(text())
