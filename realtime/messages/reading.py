"""What a client says, turned into a checked action. Every byte is hostile; every refusal has a code and says why."""

import json
import re
from typing import Any, NoReturn

import orjson

from realtime.messages.shapes import (
    ACTIONS,
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    MAX_ID_CHARACTERS,
    MAX_SYMBOLS,
    MOST_OF_ID,
    TYPES,
)


class Refused(Exception):
    """A frame or an action that is not carried out; `code` is one of ERROR_CODES.

    symbols: those that it is about. retry_after: seconds after which it may be otherwise.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        id: str | int | None = None,
        symbols: list[str] | None = None,
        retry_after: float | None = None,
    ):
        super().__init__(message)
        self.code = code
        self.id = id
        self.symbols = symbols
        self.retry_after = retry_after

    @property
    def more(self) -> dict[str, Any]:
        """What its message says beside the code and the text."""
        found = {"id": self.id, "symbols": self.symbols or None, "retry_after": self.retry_after}
        return {name: value for name, value in found.items() if value is not None}


def read(text: str | None) -> dict[str, Any]:
    """The action in a text frame (None: a binary frame), its shape as ACTIONS says. Raises Refused."""
    if text is None:
        raise Refused("binary", "Binary frames are not understood; send JSON as text.")
    if len(text) > MAX_FRAME_BYTES or len(text.encode(errors="replace")) > MAX_FRAME_BYTES:
        raise Refused("oversized", f"A frame may have {MAX_FRAME_BYTES} bytes at most.")
    if not text.strip():
        raise Refused("empty", "The frame is empty; send a JSON object with an action.")
    _check_depth(text)
    return _checked(_parsed(text))


def id_of(text: str | None) -> str | int | None:
    """The id that a frame brings, whatever else is wrong with it, as far as it can be read."""
    try:
        return read(text).get("id")
    except Refused as refused:
        return refused.id


def _check_depth(text: str) -> None:
    """Refuse deep nesting before a parser recurses into it; brackets inside strings do not count."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:  # nearly always, and sooner told
        return
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused("too_deep", f"JSON may be nested {MAX_DEPTH} levels deep at most.")
        elif character in "]}":
            depth -= 1


def _parsed(text: str) -> Any:
    try:
        found = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_bounded, parse_float=_number
        )
        orjson.dumps(found)
    except Refused:
        raise
    except TypeError:  # Python's parser takes half a surrogate pair, which no UTF-8 can say back
        raise Refused("malformed", "A text in the frame holds half a surrogate pair.") from None
    except (ValueError, RecursionError):
        raise Refused("malformed", "The frame is not valid JSON.") from None
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("duplicate_key", "An object names the same key twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Refused("not_a_number", f"{name} is not a JSON number.")


def _bounded(digits: str) -> int:
    if len(digits.lstrip("-")) > 18:
        raise Refused("malformed", "An integer has more than 18 digits.")
    return int(digits)


def _number(digits: str) -> float | int:
    """JSON knows no integers apart: 50.0 is one."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= MOST_OF_ID else value


def _checked(action: Any) -> dict[str, Any]:
    if not isinstance(action, dict):
        raise Refused("malformed", "A frame must hold one JSON object.")
    id = _checked_id(action.get("id"))
    name = action.get("action")
    if not isinstance(name, str) or name not in ACTIONS:
        raise Refused("unknown_action", f"action must be one of {', '.join(ACTIONS)}.", id=id)
    shape = ACTIONS[name]
    if "type" in shape["properties"] and action.get("type") not in TYPES:
        raise Refused("unknown_type", f"type must be one of {', '.join(TYPES)}.", id=id)
    symbols = action.get("symbols")
    if "symbols" in shape["properties"] and isinstance(symbols, list) and len(symbols) > MAX_SYMBOLS:
        raise Refused("too_many_symbols", f"{len(symbols)} symbols are too many at once; {MAX_SYMBOLS} at most.", id=id)
    if (problem := _mismatch(action, shape, name)) is not None:
        raise Refused("invalid", problem, id=id)
    return action


def _checked_id(id: Any) -> str | int | None:
    if id is None or (isinstance(id, int) and not isinstance(id, bool)):
        return id
    if isinstance(id, str) and len(id) <= MAX_ID_CHARACTERS:
        return id
    raise Refused("invalid", f"id must be a string of {MAX_ID_CHARACTERS} characters at most, or an integer.")


_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _mismatch(value: Any, shape: dict, path: str) -> str | None:
    """The first way in which a value is not of a shape, or None: the part of JSON Schema that our tables use."""
    if "const" in shape:
        return None if value == shape["const"] else f"{path} must be {shape['const']!r}."
    if "enum" in shape:
        return None if value in shape["enum"] else f"{path} must be one of {', '.join(map(str, shape['enum']))}."
    if not _is_kind(value, shape["type"]):
        return f"{path} must be {_worded(shape['type'])}."
    if isinstance(value, dict):
        return _object_mismatch(value, shape, path)
    if isinstance(value, list):
        return _list_mismatch(value, shape, path)
    return _size_mismatch(value, shape, path)


def _is_kind(value: Any, kind: str | list[str]) -> bool:
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _KINDS[one]) for one in kinds)


def _worded(kind: str | list[str]) -> str:
    return kind if isinstance(kind, str) else " or ".join(kind)


def _object_mismatch(value: dict, shape: dict, path: str) -> str | None:
    known = shape.get("properties", {})
    for name in shape.get("required", []):
        if name not in value:
            return f"{path}.{name} is missing."
    if len(value) > shape.get("maxProperties", len(value)):
        return f"{path} has too many entries; {shape['maxProperties']} at most."
    rest = shape.get("additionalProperties", True)
    for name, part in value.items():
        part_shape = known.get(name, rest)
        if part_shape is False:
            return f"{path}.{name[:64]} is not known here; known are {', '.join(known)}."
        if part_shape is not True and (problem := _mismatch(part, part_shape, f"{path}.{name[:64]}")):
            return problem
    return None


def _list_mismatch(value: list, shape: dict, path: str) -> str | None:
    if len(value) < shape.get("minItems", 0):
        return f"{path} must not be empty."
    if len(value) > shape.get("maxItems", len(value)):
        return f"{path} has {len(value)} entries; {shape['maxItems']} at most."
    problems = (_mismatch(item, shape["items"], f"{path}[{index}]") for index, item in enumerate(value))
    return next((problem for problem in problems if problem), None)


def _size_mismatch(value: Any, shape: dict, path: str) -> str | None:
    if isinstance(value, str):
        least, most = shape.get("minLength", 0), shape.get("maxLength", len(value))
        if not least <= len(value) <= most:
            return f"{path} must have {least} to {most} characters."
        is_like = "pattern" not in shape or re.fullmatch(shape["pattern"], value)
        return None if is_like else f"{path} must be like {shape['examples'][0]}."
    if value is None or isinstance(value, bool):
        return None
    if value < shape.get("minimum", value) or value > shape.get("maximum", value):
        return f"{path} must be {_bounds(shape)}."
    if "exclusiveMinimum" in shape and value <= shape["exclusiveMinimum"]:
        return f"{path} must be above {shape['exclusiveMinimum']}."
    return None


def _bounds(shape: dict) -> str:
    return f"from {shape['minimum']} to {shape['maximum']}" if "maximum" in shape else f"{shape['minimum']} or more"
