"""The protocol as one document: JSON Schema, with what each part means and an example of it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from realtime.messages import explained
from realtime.messages.shapes import ACTIONS, CLOSE, ERROR_CODES, MESSAGES, PRICE_OF_FIELDS, PROTOCOL

TEXT_OF_EXAMPLES = 100  # characters that stand in one line
FIRST_FINAL = 4500  # close codes from here on: do not reconnect


def schema() -> dict[str, Any]:
    """`$defs` has `actions`, `messages` and the codes by their names; a message or action is any of them at the top."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Finstage /ws/realtime, protocol {PROTOCOL}",
        "$defs": {
            "actions": _described(ACTIONS, explained.ACTIONS),
            "messages": _described(MESSAGES, explained.MESSAGES),
            "price_of_fields": PRICE_OF_FIELDS,
            "error_codes": {"oneOf": [_constant(code, explained.REFUSALS[code]) for code in ERROR_CODES]},
            "close_codes": {"oneOf": [_constant(code, closing(name)) for name, code in CLOSE.items()]},
        },
        "anyOf": [
            *({"$ref": f"#/$defs/actions/{name}"} for name in ACTIONS),
            *({"$ref": f"#/$defs/messages/{name}"} for name in MESSAGES),
            {"$ref": "#/$defs/price_of_fields"},
        ],
    }


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an action or a message, in the words of JSON Schema."""

    name: str
    is_required: bool
    shape: str


@dataclass(frozen=True, slots=True)
class Part:
    """An action or a message as a page shows it."""

    name: str
    description: str
    example: str
    fields: list[Field]


def parts(kind: str) -> list[Part]:
    """All `actions` or `messages` of the schema, in its order."""
    return [_part(name, shape) for name, shape in schema()["$defs"][kind].items()]


def codes(kind: str) -> list[tuple[str | int, str]]:
    """All `error_codes` or `close_codes`, and what each means."""
    return [(each["const"], each["description"]) for each in schema()["$defs"][kind]["oneOf"]]


def closing(name: str) -> str:
    """Why a connection was closed, and what a client does then."""
    return f"{explained.CLOSES[name]} {'Do not reconnect.' if CLOSE[name] >= FIRST_FINAL else 'Reconnect.'}"


def camel(name: str) -> str:
    """A message's name as that of its type, where clients have types."""
    return "".join(map(str.capitalize, name.split("_")))


def _part(name: str, shape: dict[str, Any]) -> Part:
    [example] = shape["examples"]
    line = json.dumps(example, ensure_ascii=False)
    text = line if len(line) <= TEXT_OF_EXAMPLES else json.dumps(example, ensure_ascii=False, indent=2)
    return Part(name, shape["description"], text, fields(shape, worded))


def fields(shape: dict[str, Any], say: Callable[[dict[str, Any]], str]) -> list[Field]:
    """The fields of an action or a message, their shapes as `say` says them."""
    return [Field(name, name in shape["required"], say(each)) for name, each in shape["properties"].items()]


def either(
    shape: dict[str, Any], values: Callable[[list[Any]], str], kind: Callable[[str, dict[str, Any]], str]
) -> str:
    """A shape in the words of some language, which says one of these values, and one kind of JSON's."""
    if "anyOf" in shape:
        return " | ".join(dict.fromkeys(either(each, values, kind) for each in shape["anyOf"]))
    if "const" in shape or "enum" in shape:
        return values(shape["enum"] if "enum" in shape else [shape["const"]])
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    return " | ".join(dict.fromkeys(kind(each, shape) for each in kinds))


def literals(values: Iterable[Any]) -> str:
    """One of these, as JSON and JavaScript write them."""
    return " | ".join(map(json.dumps, values))


def worded(shape: dict[str, Any]) -> str:
    """A shape in a few words: `integer 1 to 1000`, `array of string`."""
    return either(shape, literals, _worded)


def _worded(kind: str, shape: dict[str, Any]) -> str:
    if kind == "array":
        return f"array of ({worded(shape['items'])})" if "items" in shape else kind
    if kind == "object" and (named := shape.get("properties", {}).get("type", {}).get("const")):
        return named
    if kind in ("integer", "number") and "maximum" in shape and shape["maximum"] < 10**9:
        return f"{kind} {shape.get('minimum', shape.get('exclusiveMinimum'))} to {shape['maximum']}"
    return kind


def _described(shapes: dict[str, dict], said: dict[str, tuple[str, dict]]) -> dict[str, dict]:
    return {name: {"description": said[name][0], "examples": [said[name][1]], **shapes[name]} for name in shapes}


def _constant(value: str | int, description: str) -> dict[str, Any]:
    return {"const": value, "description": description}
