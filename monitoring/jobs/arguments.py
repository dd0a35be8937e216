"""A job's arguments: what its function's annotations allow, checked before anything is queued."""

import inspect
import json
import math
import re
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from monitoring import names

TEXT_LENGTH = 2_000
LIST_LENGTH = 2_000
BYTES = 64 * 1024
DEPTH = 20  # MariaDB reads JSON up to 32 deep, and a template has some around the arguments

# How a number is written: in ASCII digits, where Python takes those of every script, and `1_000` too.
_WRITTEN = {int: re.compile(r"-?[0-9]+"), float: re.compile(r"-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")}
_PLAIN = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Between:
    """What a number may be: `days: Annotated[int, Between(1, 365)]`."""

    least: float
    most: float


class Arguments:
    """The signature of a job. `errors(values)` says what is wrong with a call, by field."""

    def __init__(self, function: Callable) -> None:
        hints = get_type_hints(function, include_extras=True)
        self.kinds = {name: hints.get(name) for name in inspect.signature(function).parameters}
        parameters = inspect.signature(function).parameters.values()
        self.required = {each.name for each in parameters if each.default is inspect.Parameter.empty}
        self.defaults = {each.name: each.default for each in parameters if each.name not in self.required}
        for name, kind in self.kinds.items():
            if not _is_understood(kind):
                raise TypeError(f"{function.__qualname__}: a job's argument cannot be {name}: {kind}")

    def described(self) -> list[dict]:
        """The arguments for people: name, kind, whether it is required, and its default."""
        return [
            {
                "name": name,
                "kind": describe(_bare(kind)),
                **_bounds(kind),
                **_least_length(kind, self.defaults.get(name)),
                "required": name in self.required,
                "default": self.defaults.get(name),
            }
            for name, kind in self.kinds.items()
        ]

    def errors(self, values: object) -> dict[str, list[str]]:
        """What is wrong with these values; empty where all is well."""
        if not isinstance(values, dict):
            return {"args": ["must be an object"]}
        found = {name: ["is required"] for name in self.required - values.keys()}
        for name in (name for name in self.kinds if name in values):
            if error := _error(self.kinds[name], values[name]) or self._emptiness(name, values[name]):
                found[name] = [error]
        found |= names.unknown(values, self.kinds, f"the arguments are {', '.join(self.kinds) or 'none'}")
        return found or _size_errors(values)

    def _emptiness(self, name: str, value: object) -> str | None:
        """An empty text or list says nothing, unless the declaration itself begins with it."""
        if name in self.required:
            return _emptiness(value)
        told = None if value == self.defaults[name] else _emptiness(value)
        return told and f"{told}; leave it out to mean {json.dumps(self.defaults[name])}"


def describe(kind: Any) -> str:
    """A type as a person would say it."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if bounds := _bounds(kind):
        return f"{describe(_bare(kind))} from {bounds['least']:g} to {bounds['most']:g}"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) is list:
        return f"a list, each {describe(get_args(kind)[0])}"
    return " or ".join("null" if each is types.NoneType else describe(each) for each in get_args(kind))


def understood(kind: Any, said: object) -> object:
    """The value of a word, as a query string has it; what is no word of this kind stays as it is, to be refused."""
    if not isinstance(said, str):
        return said
    for each in _kinds(kind):
        if get_origin(each) is list:
            parts = said.rstrip().removesuffix(",").split(",")
            return [understood(get_args(each)[0], part.strip()) for part in parts]
        if each is bool and said in ("true", "false"):
            return said == "true"
        if each in _WRITTEN and _WRITTEN[each].fullmatch(said):
            with suppress(ValueError):  # too many digits
                return each(said)
    return said


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are in each other deeper than every database can hold."""
    level = _containers([value])
    for _ in range(DEPTH):
        level = [each for outer in level for each in _containers(outer)]
        if not level:
            return False
    return True


def _containers(outer: dict | list) -> list[dict | list]:
    inner = outer.values() if isinstance(outer, dict) else outer
    return [each for each in inner if isinstance(each, dict | list | tuple)]


def is_list(kind: Any) -> bool:
    return any(get_origin(each) is list for each in _kinds(kind))


def _kinds(kind: Any) -> list:
    """The kinds of which a value may be, without their bounds."""
    return [_bare(each) for each in (get_args(kind) if _is_union(kind) else (kind,))]


def _is_understood(kind: Any) -> bool:
    if kind in _PLAIN or get_origin(kind) is Literal:
        return True
    if get_origin(kind) is Annotated:
        return _bare(kind) in (int, float)
    if get_origin(kind) is list:
        return _is_understood(get_args(kind)[0])
    return _is_union(kind) and all(each is types.NoneType or _is_understood(each) for each in get_args(kind))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _bare(kind: Any) -> Any:
    """The type itself, without its bounds."""
    return kind.__origin__ if get_origin(kind) is Annotated else kind


def _bounds(kind: Any) -> dict[str, float]:
    found = [each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Between)]
    return {"least": found[0].least, "most": found[0].most} if found else {}


def _least_length(kind: Any, default: object) -> dict[str, int]:
    """Where a value has a length, that of the shortest; where none may be empty, it is 1."""
    has_length = any(each is str or get_origin(each) is list for each in _kinds(kind))
    return {"least_length": 0 if _emptiness(default) else 1} if has_length else {}


def _emptiness(value: object) -> str | None:
    if isinstance(value, str):
        return None if value.strip() else "must not be empty"
    return "must have at least one item" if value == [] else None


def _error(kind: Any, value: object) -> str | None:
    if kind in _PLAIN:
        return _plain_error(kind, value)
    if bounds := _bounds(kind):
        wrong = _plain_error(_bare(kind), value) or not bounds["least"] <= value <= bounds["most"]
        return f"must be {describe(kind)}" if wrong else None
    if get_origin(kind) is Literal:
        is_allowed = any(value == each and type(value) is type(each) for each in get_args(kind))
        return None if is_allowed else f"must be {describe(kind)}"
    if get_origin(kind) is list:
        return _list_error(kind, value)
    if value is None:
        return None if types.NoneType in get_args(kind) else f"must be {describe(kind)}"
    errors = [_error(each, value) for each in get_args(kind) if each is not types.NoneType]
    if None in errors:
        return None
    return errors[0] if len(errors) == 1 else f"must be {describe(kind)}"


def _plain_error(kind: type, value: object) -> str | None:
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**63 else math.inf
    if type(value) is not kind:
        return f"must be {_PLAIN[kind]}"
    if kind is str and len(value) > TEXT_LENGTH:
        return f"has {len(value)} characters; {TEXT_LENGTH} are allowed"
    if kind is float and not math.isfinite(value):
        return "must be finite"
    if kind is int and not -(2**63) <= value < 2**63:
        return "must fit into 64 bits"
    return None


def _list_error(kind: Any, value: object) -> str | None:
    if type(value) is not list:
        return f"must be {describe(kind)}"
    if len(value) > LIST_LENGTH:
        return f"has {len(value)} items; {LIST_LENGTH} are allowed"
    for position, item in enumerate(value):
        if error := _error(get_args(kind)[0], item) or _emptiness(item):
            return f"item {position} {error}"
    return None


def _size_errors(values: dict) -> dict[str, list[str]]:
    """What JSON cannot carry, and what is too much of it."""
    total = 0
    for name, value in values.items():
        try:
            size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
        except (TypeError, ValueError, RecursionError) as error:
            return {name: [f"is not JSON: {error}"]}
        if is_too_deep(value):
            return {name: [f"is nested deeper than {DEPTH} lists and objects"]}
        total += size
        if total > BYTES:
            return {name: [f"makes the arguments larger than {BYTES} bytes"]}
    return {}
