"""The JSON Schema of a condition: what a form, a client or a document may rely on. Pure.

It says of shapes; that a name exists, and how deep and how large a tree may be, the reader says.
"""

from typing import Any

from analysis.conditions import tree
from analysis.conditions.reading import KINDS, LEVELS, WITHOUT_LEVEL
from analysis.conditions.tree import CHANNELS, CROSSINGS, INDICATOR, LISTS, MOVES, ORDERED
from market import intervals

_NAME = {"type": "string", "minLength": 1, "maxLength": 64}
_OPERAND, _CONDITION = {"$ref": "#/$defs/operand"}, {"$ref": "#/$defs/condition"}
_BARS = {"type": "integer", "minimum": 1, "maximum": tree.MOST_BARS}
_TIME = {"type": "string", "pattern": "^[1-9][0-9]{0,6}[smhd]$"}


def condition() -> dict[str, Any]:
    """JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Condition",
        **_CONDITION,
        "$defs": {"condition": {"anyOf": [*_joined(), *_comparisons(), *_short()]}, "operand": _operands()},
    }


def _joined() -> list[dict]:
    several = {"type": "array", "items": _CONDITION, "minItems": 1}
    return [_object(all=several), _object(any=several), _object({"not": _CONDITION})]


def _comparisons() -> list[dict]:
    pair = {"type": "array", "items": _OPERAND, "minItems": 2, "maxItems": 2}
    some = {"type": "array", "items": _OPERAND, "minItems": 1}
    by = {"anyOf": [_OPERAND, _object(percent=_OPERAND)]}
    shapes = [((*ORDERED, *CROSSINGS), _OPERAND, _BARS), (CHANNELS, pair, _BARS), (LISTS, some, _BARS),
              (MOVES, by, {"anyOf": [_BARS, _TIME]})]  # fmt: skip
    return [
        _object({"left": _OPERAND, "operator": {"enum": list(operators)}, "right": right}, {"within": within})
        for operators, right, within in shapes
    ]


def _operands() -> dict:
    shared = {
        "symbol": {"type": "string", "minLength": 1, "maxLength": 32},
        "interval": {"enum": list(intervals.ALL)},
        "ago": {"type": "integer", "minimum": 0, "maximum": tree.MOST_BARS},
        "times": {"type": "number", "not": {"const": 0}},
    }
    kinds = [_object({kind: _NAME}, {**shared, **({"output": _NAME} if kind == INDICATOR else {})}) for kind in KINDS]
    return {"anyOf": [{"type": "number"}, *kinds]}


def _short() -> list[dict]:
    needed = [kind for kind, (_, level) in LEVELS.items() if level is None]
    level = {"type": "number"}
    return [
        _object(kind={"enum": needed}, level=level),
        _object({"kind": {"enum": [kind for kind in LEVELS if kind not in needed]}}, {"level": level}),
        _object(kind={"enum": list(WITHOUT_LEVEL)}),
        _object(signal=_NAME),
    ]


def _object(needed: dict | None = None, optional: dict | None = None, **more: dict) -> dict:
    needed = {**(needed or {}), **more}
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }
