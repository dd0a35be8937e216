"""The protocol's messages as types of the Python client, so that it and the server can't disagree.

`python manage.py shell -c "from realtime import protocol_py; protocol_py.write()"` writes the client's protocol.py; a
test holds it current.
"""

import json
from pathlib import Path
from typing import Any

from realtime import messages
from realtime.messages.document import FIRST_FINAL, camel, either, fields

PATH = Path(__file__).resolve().parent.parent / "clients" / "python" / "finstage_client" / "protocol.py"
HEAD = '''"""Made from the schema at /api/v2/realtime/schema by realtime/protocol_py.py."""
# ruff: noqa
# fmt: off

from typing import Any, Literal, NotRequired, TypedDict
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def text() -> str:
    """What the client's protocol.py must hold."""
    told = messages.schema()["$defs"]["messages"]
    constants = {
        "PROTOCOL": messages.PROTOCOL,
        "MAX_SYMBOLS": messages.MAX_SYMBOLS,
        "MAX_FRAME_BYTES": messages.MAX_FRAME_BYTES,
        "FIRST_FINAL": FIRST_FINAL,
    }
    lines = [f"{name} = {value}" for name, value in constants.items()]
    types = [_declared(name, shape) for name, shape in told.items()]
    union = ["Message = (", "    " + "\n    | ".join(map(camel, told)), ")"]
    return "\n".join([HEAD, *lines, "", *types, *union, ""])


def write() -> None:
    PATH.write_text(text())


def _declared(name: str, shape: dict[str, Any]) -> str:
    """A message, in the way of writing that allows a field `from`."""
    found = [
        f'        "{each.name}": {each.shape if each.is_required else f"NotRequired[{each.shape}]"},'
        for each in fields(shape, _type)
    ]
    return "\n".join([f"{camel(name)} = TypedDict(", f'    "{camel(name)}",', "    {", *found, "    },", ")"])


def _type(shape: dict[str, Any]) -> str:
    return either(shape, _literals, _of_kind)


def _of_kind(kind: str, shape: dict[str, Any]) -> str:
    if kind == "array":
        return f"list[{_type(shape['items'])}]"
    if kind == "object":
        each = shape.get("additionalProperties")
        return f"dict[str, {_type(each)}]" if isinstance(each, dict) else "dict[str, Any]"
    return PLAIN[kind]


def _literals(values: list[Any]) -> str:
    return f"Literal[{', '.join(json.dumps(each) if isinstance(each, str) else repr(each) for each in values)}]"
