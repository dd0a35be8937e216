"""A condition of JSON, read: every fault is named by the path of its node. Pure.

What is refused is told together, so that a form can show each where it stands: {"where.all.0.left": ["..."]}.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any as Json

from analysis.conditions import tree, vocabulary
from analysis.conditions.tree import (
    CHANNELS,
    FIELD,
    INDICATOR,
    LISTS,
    MOVES,
    OPERATORS,
    RECORD,
    SIGNAL,
    All,
    Any,
    Comparison,
    Node,
    Not,
    Number,
    Operand,
    Series,
    Term,
)
from analysis.conditions.vocabulary import UnknownName, Vocabulary
from market import intervals

KINDS = (FIELD, INDICATOR, SIGNAL, RECORD)
LARGEST = 1e300
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_LONGEST_SPAN = 366 * 86_400
_SHAPES = 'it must be {"all": [..]}, {"any": [..]}, {"not": ..}, {"left", "operator", "right"} or a short form'
_PERCENT = 5.0


class Invalid(ValueError):
    """A condition that can be none. errors: what is wrong with each node, by its path."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(f"{path}: {' '.join(told)}" for path, told in self.errors.items()))


class _Full(Exception):
    """There are more nodes than are read."""


def read(told: Json, names: Vocabulary = vocabulary.DEFAULT, *, path: str = "condition") -> Node:
    """The nodes of a tree as CONTRACT.md has it, short forms among them. path: what errors call its root.

    Raises Invalid.
    """
    reader = _Reader(names)
    try:
        found = reader.node(told, path, 1)
    except _Full:
        found = None
    if reader.errors or found is None:
        raise Invalid(reader.errors)
    return found


def operand(told: Json, names: Vocabulary = vocabulary.DEFAULT, *, path: str = "operand") -> Operand:
    """One operand. Raises Invalid."""
    reader = _Reader(names)
    found = reader.operand(told, path)
    if found is None:
        raise Invalid(reader.errors)
    return found


class _Reader:
    """What it refuses becomes None and an error at its path; the rest is read on, as far as nodes may be."""

    def __init__(self, names: Vocabulary) -> None:
        self._names, self._nodes = names, 0
        self.errors: dict[str, list[str]] = defaultdict(list)

    def node(self, told: Json, path: str, depth: int) -> Node | None:
        self._count(path)
        if depth > tree.MOST_DEPTH:
            return self._refuse(path, f"a condition is at most {tree.MOST_DEPTH} deep")
        if not isinstance(told, dict):
            return self._refuse(path, _SHAPES)
        if "kind" in told:
            return self._short(told, path, depth)
        if SIGNAL in told:
            return self._comparison({"left": told, "operator": "eq", "right": 1}, path, {"left": path})
        for name, of in (("all", All), ("any", Any)):
            if name in told:
                return self._several(told, name, of, path, depth)
        if "not" in told:
            self._only(told, ("not",), path)
            found = self.node(told["not"], f"{path}.not", depth + 1)
            return found and Not(found)
        if "operator" in told:
            return self._comparison(told, path, {})
        return self._refuse(path, _SHAPES)

    def operand(self, told: Json, path: str) -> Operand | None:
        self._count(path)
        if not isinstance(told, dict):
            value = _number(told)
            return self._refuse(path, "it must be a number or an operand") if value is None else Number(value)
        kinds = [kind for kind in KINDS if kind in told]
        if len(kinds) != 1:
            return self._refuse(path, f"an operand has one of {', '.join(KINDS)}")
        self._only(told, (*kinds, "output", "symbol", "interval", "ago", "times"), path)
        series = self._series(told, kinds[0], path)
        ago, times = self._ago(told, path), self._times(told, path)
        return None if None in (series, ago, times) else Term(series, ago, times)

    def _several(self, told: dict, name: str, of: type, path: str, depth: int) -> Node | None:
        self._only(told, (name,), path)
        given = told[name]
        if not isinstance(given, list) or not given:
            return self._refuse(f"{path}.{name}", "it must be a list of one condition or more")
        found = [self.node(each, f"{path}.{name}.{place}", depth + 1) for place, each in enumerate(given)]
        return None if None in found else of(tuple(found))

    def _comparison(self, told: dict, path: str, paths: dict[str, str]) -> Comparison | None:
        """paths: of its parts, where they are not those of their names."""
        self._only(told, ("left", "operator", "right", "within"), path)
        operator = told["operator"]
        if operator not in OPERATORS:
            return self._refuse(f"{path}.operator", f"it must be one of {', '.join(OPERATORS)}")
        left = self.operand(told.get("left"), paths.get("left", f"{path}.left"))
        right, percent = self._right(told.get("right"), operator, paths.get("right", f"{path}.right"))
        span = self._within(told.get("within", 1), operator, f"{path}.within")
        if left is None or right is None or span is None:
            return None
        if not any(isinstance(each, Term) for each in (left, *right)):
            return self._refuse(path, "one side at least must be no number")
        if operator in MOVES and isinstance(left, Number):
            return self._refuse(f"{path}.left", "a number neither rises nor falls")
        return Comparison(left, operator, right, *span, percent)

    def _right(self, told: Json, operator: str, path: str) -> tuple[tuple[Operand, ...] | None, bool]:
        if operator in (*LISTS, *CHANNELS):
            return self._operands(told, operator, path), False
        is_percent = operator in MOVES and isinstance(told, dict) and set(told) == {"percent"}
        found = self.operand(told["percent"], f"{path}.percent") if is_percent else self.operand(told, path)
        if operator in MOVES and isinstance(found, Number) and found.value <= 0:
            return self._refuse(path, "by how much must be above 0"), is_percent
        return found and (found,), is_percent

    def _operands(self, told: Json, operator: str, path: str) -> tuple[Operand, ...] | None:
        wanted = "one operand or more" if operator in LISTS else "two operands, the lower one first"
        if not isinstance(told, list) or not told or (operator in CHANNELS and len(told) != 2):
            return self._refuse(path, f"it must be a list of {wanted}")
        found = [self.operand(each, f"{path}.{place}") for place, each in enumerate(told)]
        if operator in CHANNELS and all(isinstance(each, Number) for each in found) and found[0].value > found[1].value:
            return self._refuse(path, f"it must be a list of {wanted}")
        return None if None in found else tuple(found)

    def _within(self, told: Json, operator: str, path: str) -> tuple[int, int] | None:
        if operator in MOVES and isinstance(told, str):
            span = seconds(told)
            return self._refuse(path, "a time is written 30m, 4h or 5d, a year at most") if span is None else (1, span)
        if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= tree.MOST_BARS:
            time = ", or a time such as 30m" if operator in MOVES else ""
            return self._refuse(path, f"it must be a number of bars from 1 to {tree.MOST_BARS}{time}")
        return told, 0

    def _series(self, told: dict, kind: str, path: str) -> Series | None:
        try:
            name = self._names.checked(kind, told[kind])
            output = self._names.output(name, told.get("output")) if kind == INDICATOR else ""
        except UnknownName as error:
            return self._refuse(path, str(error))
        if kind != INDICATOR and "output" in told:
            return self._refuse(path, f"a {kind} has no outputs")
        symbol, interval = told.get("symbol", ""), told.get("interval", "")
        if not isinstance(symbol, str) or len(symbol) > 32 or ("symbol" in told and not symbol.strip()):
            return self._refuse(f"{path}.symbol", "it must be a ticker")
        if "interval" in told and (not isinstance(interval, str) or interval not in intervals.ALL):
            return self._refuse(f"{path}.interval", f"it must be one of {', '.join(intervals.ALL)}")
        return Series(kind, name, output, symbol, interval)

    def _ago(self, told: dict, path: str) -> int | None:
        ago = told.get("ago", 0)
        if isinstance(ago, bool) or not isinstance(ago, int) or not 0 <= ago <= tree.MOST_BARS:
            return self._refuse(f"{path}.ago", f"it must be a number of bars from 0 to {tree.MOST_BARS}")
        return ago

    def _times(self, told: dict, path: str) -> float | None:
        times = _number(told.get("times", 1))
        return times or self._refuse(f"{path}.times", "it must be a number other than 0")

    def _short(self, told: dict, path: str, depth: int) -> Node | None:
        kind = told["kind"]
        if not isinstance(kind, str) or kind not in SHORT:
            return self._refuse(f"{path}.kind", f"it must be one of {', '.join(SHORT)}")
        if kind in WITHOUT_LEVEL:
            self._only(told, ("kind",), path)
            return self.node(WITHOUT_LEVEL[kind], path, depth)
        self._only(told, ("kind", "level"), path)
        written, default = LEVELS[kind]
        level = _number(told.get("level", default))
        if level is None:
            return self._refuse(f"{path}.level", "it must be a number")
        return self.node(written(level), path, depth)

    def _only(self, told: dict, known: tuple[str, ...], path: str) -> None:
        unknown = [str(name)[:40] for name in told if name not in known]
        if unknown:
            self._refuse(path, f"unknown: {', '.join(sorted(unknown))}; it has {', '.join(known)}")

    def _count(self, path: str) -> None:
        self._nodes += 1
        if self._nodes > tree.MOST_NODES:
            self._refuse(path, f"a condition has at most {tree.MOST_NODES} nodes")
            raise _Full

    def _refuse(self, path: str, why: str) -> None:
        self.errors[path].append(f"{why[0].upper()}{why[1:]}.")


def seconds(text: str) -> int | None:
    """Those of a time such as 30m; None of what is none."""
    found = _SPAN.fullmatch(text)
    length = int(found[1]) * _SECONDS[found[2]] if found else 0
    return length if 0 < length <= _LONGEST_SPAN else None


def _number(told: Json) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if abs(told) <= LARGEST else None  # no NaN is


def _beyond(name: str, operator: str) -> Callable[[float], dict]:
    return lambda level: {"left": {FIELD: name}, "operator": operator, "right": level}


def _changed(level: float) -> dict:
    return _beyond("change_percent", "gte" if level >= 0 else "lte")(level)


def _over_the_record(record: str, name: str, operator: str) -> dict:
    """Beyond what stood before this bar."""
    return {"left": {FIELD: name}, "operator": operator, "right": {RECORD: record, "ago": 1}}


# The kinds of CONTRACT.md: the tree of a level, and the level where none is said; None where one must be.
LEVELS: dict[str, tuple[Callable[[float], dict], float | None]] = {
    "price_above": (_beyond("price", "gt"), None),
    "price_below": (_beyond("price", "lt"), None),
    "percent_change": (_changed, None),
    "surge": (_beyond("change_percent", "gte"), _PERCENT),
    "plunge": (_beyond("change_percent", "lte"), -_PERCENT),
}
WITHOUT_LEVEL = {
    "new_high": _over_the_record("high_52w", "high", "gt"),
    "new_low": _over_the_record("low_52w", "low", "lt"),
}
SHORT = (*LEVELS, *WITHOUT_LEVEL)
