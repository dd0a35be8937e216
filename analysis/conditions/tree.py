"""What a condition is once it was read: nodes over operands, each one checked. Pure.

`reading` makes them of JSON and `texts` of a line; `evaluating` says of what is true.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_DEPTH, MOST_NODES, MOST_BARS = 32, 500, 500
FIELD, INDICATOR, SIGNAL, RECORD, TIME = "field", "indicator", "signal", "record", "time"

# By how many operands stand to the right.
ORDERED = ("gt", "lt", "gte", "lte", "eq")
CROSSINGS = ("crosses", "crosses_up", "crosses_down")
MOVES = ("rises_by", "falls_by")
CHANNELS = ("between", "inside", "outside", "enters", "exits")
LISTS = ("in",)
OPERATORS = (*ORDERED, *LISTS, *CROSSINGS, *CHANNELS, *MOVES)
# True at the one bar at which it happens; the others are true for as long as it is so.
EVENTS = frozenset([*CROSSINGS, "enters", "exits"])


@dataclass(frozen=True, slots=True)
class Series:
    """What has a value at every bar. symbol, interval: empty where it is of the bars that are judged."""

    kind: str
    name: str
    output: str = ""
    symbol: str = ""
    interval: str = ""

    @property
    def is_own(self) -> bool:
        return not (self.symbol or self.interval)

    def __str__(self) -> str:
        """As a line has it: "SPY".macd_12_26_9.macdsignal@1wk."""
        output = "" if self.output in ("", self.name.partition("_")[0]) else f".{self.output}"
        interval = f"@{self.interval}" if self.interval else ""
        return (f'"{self.symbol}".' if self.symbol else "") + self.name + output + interval

    def as_json(self) -> dict:
        told = {self.kind: self.name, "output": self.output, "symbol": self.symbol, "interval": self.interval}
        return {name: value for name, value in told.items() if value}


# When a bar closes, in seconds since 1970: what a window of time is measured by.
AT = Series(TIME, "at")


@dataclass(frozen=True, slots=True)
class Number:
    value: float

    def as_json(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Term:
    """A series some bars ago, multiplied."""

    series: Series
    ago: int = 0
    times: float = 1.0

    def as_json(self) -> dict:
        told = self.series.as_json()
        if self.ago:
            told["ago"] = self.ago
        if self.times != 1:
            told["times"] = self.times
        return told


Operand = Number | Term


@dataclass(frozen=True, slots=True)
class Comparison:
    """within: bars in any of which it was true, the newest counted; of rises_by and falls_by, those it may take.

    seconds: the same of these two as a time, 0 where it is bars. percent: whether `right` is one of the value before.
    """

    left: Operand
    operator: str
    right: tuple[Operand, ...]
    within: int = 1
    seconds: int = 0
    percent: bool = False

    @property
    def moves(self) -> bool:
        return self.operator in MOVES

    @property
    def bars(self) -> int:
        """Over how many bars back a motion is looked for."""
        return MOST_BARS if self.seconds else self.within

    def as_json(self) -> dict:
        right = [each.as_json() for each in self.right]
        told = {"left": self.left.as_json(), "operator": self.operator, "right": right}
        if self.operator not in (*LISTS, *CHANNELS):
            told["right"] = {"percent": right[0]} if self.percent else right[0]
        if self.seconds:
            told["within"] = f"{self.seconds}s"
        elif self.within != 1:
            told["within"] = self.within
        return told


@dataclass(frozen=True, slots=True)
class All:
    of: tuple["Node", ...]

    def as_json(self) -> dict:
        return {"all": [each.as_json() for each in self.of]}


@dataclass(frozen=True, slots=True)
class Any:
    of: tuple["Node", ...]

    def as_json(self) -> dict:
        return {"any": [each.as_json() for each in self.of]}


@dataclass(frozen=True, slots=True)
class Not:
    of: "Node"

    def as_json(self) -> dict:
        return {"not": self.of.as_json()}


Node = All | Any | Not | Comparison


def comparisons(node: Node) -> Iterator[Comparison]:
    """All of them, in the order that they are written."""
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, Not):
        yield from comparisons(node.of)
    else:
        for each in node.of:
            yield from comparisons(each)


def happens(node: Node) -> bool:
    """Whether it is of a moment: true at the bar of an event, and not for as long as something is so."""
    if isinstance(node, Comparison):
        return node.operator in EVENTS and node.within == 1
    if isinstance(node, All):
        return any(map(happens, node.of))
    return isinstance(node, Any) and all(map(happens, node.of))
