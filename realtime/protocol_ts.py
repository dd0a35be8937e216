"""The protocol's messages as types of the JavaScript client, so that it and the server can't disagree.

`python manage.py shell -c "from realtime import protocol_ts; protocol_ts.write()"` writes static/stream/protocol.d.ts;
a test holds it current.
"""

from pathlib import Path
from typing import Any

from realtime import messages
from realtime.messages.document import camel, either, fields, literals

PATH = Path(__file__).resolve().parent.parent / "static" / "stream" / "protocol.d.ts"
HEAD = "// Made from the schema at /api/v2/realtime/schema by realtime/protocol_ts.py."
PLAIN = {"integer": "number"}


def text() -> str:
    """What static/stream/protocol.d.ts must hold."""
    told = messages.schema()["$defs"]["messages"]
    types = [_declared(name, shape) for name, shape in told.items()]
    by_name = "\n".join(f"  {name}: {camel(name)};" for name in told)
    kinds = literals(messages.TYPES)
    return "\n\n".join([HEAD, f"export type Type = {kinds};", *types, f"export interface Messages {{\n{by_name}\n}}\n"])


def write() -> None:
    PATH.write_text(text())


def _declared(name: str, shape: dict[str, Any]) -> str:
    found = [f"  {each.name}{'' if each.is_required else '?'}: {each.shape};" for each in fields(shape, _type)]
    about = f"/** {shape['description']} */"
    return "\n".join([about, f"export interface {camel(name)} {{", *found, "}"])


def _type(shape: dict[str, Any]) -> str:
    return either(shape, literals, _of_kind)


def _of_kind(kind: str, shape: dict[str, Any]) -> str:
    if kind == "array":
        return f"Array<{_type(shape['items'])}>"
    if kind == "object":
        each = shape.get("additionalProperties")
        return f"Record<string, {_type(each) if isinstance(each, dict) else 'any'}>"
    return PLAIN.get(kind, kind)
