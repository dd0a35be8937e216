"""What an indicator is made of: series that are made of series, each with its live twin. Pure.

A node gives its values over columns (`over`) and a handle that moves with each bar (`open`), so that batch and live
are one definition: Column, Call (a function of TA-Lib), Formula (of the same bar's values), Ago, EachSession, Before.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import itemgetter
from typing import Protocol

import numpy as np

from analysis.indicators.talib import InsufficientHistory, abstract, functions, stream

Columns = Mapping[str, np.ndarray]
Values = tuple[np.ndarray, ...]
Bar = tuple[float, ...]


class Handle(Protocol):
    """Open on a history. A bar has what the node's `inputs` name, finite; `peek` says what `update` would, and moves
    nothing. A value is a tuple with one float for each output, or a bare float.
    """

    @property
    def value(self) -> float | Bar: ...

    def update(self, *bar: float) -> float | Bar: ...

    def peek(self, *bar: float) -> float | Bar: ...


class Node(Protocol):
    """inputs: the columns that it reads, finite. lookback: bars before the first value."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def lookback(self) -> int: ...

    def over(self, columns: Columns) -> Values:
        """One float64 (n,) for each output, NaN where there is no value."""

    def open(self, columns: Columns) -> Handle:
        """Raises InsufficientHistory."""


@dataclass(frozen=True)
class Column:
    """A column of the bars themselves."""

    name: str
    lookback = 0

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name,)

    def over(self, columns: Columns) -> Values:
        return (columns[self.name],)

    def open(self, columns: Columns) -> Handle:
        return _Told(columns[self.name][-1].item() if len(columns[self.name]) else math.nan)


class _Told:
    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value

    def update(self, value: float) -> float:
        self.value = value
        return value

    def peek(self, value: float) -> float:
        return value


@dataclass(frozen=True)
class Call:
    """A function of TA-Lib over columns or other nodes, of which it takes the first output.

    Its lookback, and the stream twin, are the library's own.
    """

    function: str
    of: tuple[Node, ...]
    parameters: tuple[tuple[str, float], ...] = ()

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return together(self.of)

    @cached_property
    def lookback(self) -> int:
        own = abstract.Function(self.function)
        own.parameters = dict(self.parameters)
        return own.lookback + max(each.lookback for each in self.of)

    def over(self, columns: Columns) -> Values:
        inputs = [each.over(columns)[0] for each in self.of]
        count, nothing = len(inputs[0]), self.lookback
        if count <= nothing:
            names = abstract.Function(self.function).output_names
            return tuple(np.full(count, np.nan) for _ in names)
        found = getattr(functions, self.function)(*inputs, **dict(self.parameters))
        return tuple(_floats(each, nothing) for each in (found if isinstance(found, tuple) else (found,)))

    def open(self, columns: Columns) -> Handle:
        inputs = [each.over(columns)[0] for each in self.of]
        own = getattr(stream, self.function)(*inputs, **dict(self.parameters))
        if self._is_plain:
            return own
        return _Chained(own, [fed(each, self.inputs, columns) for each in self.of])

    @cached_property
    def _is_plain(self) -> bool:
        return all(isinstance(each, Column) for each in self.of) and len(self.inputs) == len(self.of)


class _Chained:
    """A handle that is fed by others."""

    __slots__ = ("_own", "_sources")

    def __init__(self, own: Handle, sources: list["Fed"]) -> None:
        self._own, self._sources = own, sources

    @property
    def value(self) -> float | Bar:
        return self._own.value

    def update(self, *bar: float) -> float | Bar:
        found = [each.update(bar) for each in self._sources]
        return self._own.update(*[each[0] if type(each) is tuple else each for each in found])

    def peek(self, *bar: float) -> float | Bar:
        found = [each.peek(bar) for each in self._sources]
        return self._own.peek(*[each[0] if type(each) is tuple else each for each in found])


@dataclass(frozen=True)
class Formula:
    """Arithmetic on one bar's values: it gets every output of each node in turn, as floats or as arrays alike.

    It returns a tuple. Only what is the same to the bit for both: + - * / by numbers, `ratio`, abs.
    """

    formula: Callable[..., tuple]
    of: tuple[Node, ...]

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return together(self.of)

    @cached_property
    def lookback(self) -> int:
        return max(each.lookback for each in self.of)

    def over(self, columns: Columns) -> Values:
        found = self.formula(*[values for each in self.of for values in each.over(columns)])
        before = np.arange(len(found[0])) < self.lookback  # they begin together, as live they do
        return tuple(np.where(before, np.nan, each) for each in found)

    def open(self, columns: Columns) -> Handle:
        if len(columns[self.inputs[0]]) <= self.lookback:
            raise InsufficientHistory(f"{self.lookback + 1} bars are needed")
        if all(isinstance(each, Column) for each in self.of) and len(self.inputs) == len(self.of):
            return _OfTheBar(self.formula, tuple(columns[name][-1].item() for name in self.inputs))
        return _Computed(self.formula, [fed(each, self.inputs, columns) for each in self.of])


class _OfTheBar:
    """Of the bar's own columns alone."""

    __slots__ = ("peek", "value")

    def __init__(self, formula: Callable[..., tuple], bar: Bar) -> None:
        self.peek, self.value = formula, formula(*bar)

    def update(self, *bar: float) -> Bar:
        self.value = value = self.peek(*bar)
        return value


class _Computed:
    __slots__ = ("_formula", "_sources", "value")

    def __init__(self, formula: Callable[..., tuple], sources: list["Fed"]) -> None:
        self._formula, self._sources = formula, sources
        self.value: Bar = formula(*[value for each in sources for value in as_tuple(each.opened.value)])

    def update(self, *bar: float) -> Bar:
        self.value = self._formula(*_flat([each.update(bar) for each in self._sources]))
        return self.value

    def peek(self, *bar: float) -> Bar:
        return self._formula(*_flat([each.peek(bar) for each in self._sources]))


def _flat(values: list[float | Bar]) -> list[float]:
    found: list[float] = []
    for each in values:
        if type(each) is tuple:
            found += each
        else:
            found.append(each)
    return found


@dataclass(frozen=True)
class Ago:
    """A node's first output some bars ago."""

    of: Node
    bars: int

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.of.inputs

    @property
    def lookback(self) -> int:
        return self.of.lookback + self.bars

    def over(self, columns: Columns) -> Values:
        values = self.of.over(columns)[0]
        return (np.concatenate([np.full(min(self.bars, len(values)), np.nan), values[: -self.bars]]),)

    def open(self, columns: Columns) -> Handle:
        if len(columns[self.inputs[0]]) <= self.lookback:
            raise InsufficientHistory(f"{self.lookback + 1} bars are needed")
        return _Ago(self.of.open(columns), self.of.over(columns)[0][-self.bars - 1 :])


class _Ago:
    __slots__ = ("_own", "_past")

    def __init__(self, own: Handle, past: np.ndarray) -> None:
        self._own, self._past = own, deque(past.tolist(), len(past))

    @property
    def value(self) -> float:
        return self._past[0]

    def update(self, *bar: float) -> float:
        self._past.append(as_tuple(self._own.update(*bar))[0])
        return self._past[0]

    def peek(self, *bar: float) -> float:
        return self._past[1]


@dataclass(frozen=True)
class Step:
    """Arithmetic on a bar and the one before: it gets the columns of the bar, then those of the bar before.

    One output, as floats or as arrays alike; a node without handles of its own, for what moves with every quote.
    """

    formula: Callable[..., float]
    inputs: tuple[str, ...]
    lookback = 1

    def over(self, columns: Columns) -> Values:
        now = [columns[name] for name in self.inputs]
        found = self.formula(*[each[1:] for each in now], *[each[:-1] for each in now])
        return (np.concatenate([np.full(min(1, len(now[0])), np.nan), found]),)

    def open(self, columns: Columns) -> Handle:
        if len(columns[self.inputs[0]]) <= self.lookback:
            raise InsufficientHistory("two bars are needed")
        last = [columns[name][-2:].tolist() for name in self.inputs]
        value = self.formula(*[each[1] for each in last], *[each[0] for each in last])
        return _Stepped(self.formula, tuple(each[1] for each in last), value)


class _Stepped:
    __slots__ = ("_before", "_formula", "value")

    def __init__(self, formula: Callable[..., float], before: Bar, value: float) -> None:
        self._formula, self._before, self.value = formula, before, value

    def update(self, *bar: float) -> float:
        self.value, self._before = self._formula(*bar, *self._before), bar
        return self.value

    def peek(self, *bar: float) -> float:
        return self._formula(*bar, *self._before)


@dataclass(frozen=True)
class EachSession:
    """A node that begins anew with every session; it must have a value from the first bar on."""

    of: Node
    lookback = 0

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return ("session_date", *self.of.inputs)

    def over(self, columns: Columns) -> Values:
        dates = columns["session_date"]
        if not len(dates):
            return self.of.over(columns)
        parts = np.split(np.arange(len(dates)), np.flatnonzero(np.diff(dates)) + 1)
        found = [self.of.over({name: columns[name][part] for name in self.of.inputs}) for part in parts]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))

    def open(self, columns: Columns) -> Handle:
        dates = columns["session_date"]
        if not len(dates):
            raise InsufficientHistory("no bar")
        first = int(np.searchsorted(dates, dates[-1]))
        own = self.of.open({name: columns[name][first:] for name in self.of.inputs})
        return _Anew(self.of, dates[-1].item(), own)


class _Anew:
    __slots__ = ("_node", "_own", "_session")

    def __init__(self, node: Node, session: float, own: Handle) -> None:
        self._node, self._session, self._own = node, session, own

    @property
    def value(self) -> float | Bar:
        return self._own.value

    def update(self, session: float, *bar: float) -> float | Bar:
        if session == self._session:
            return self._own.update(*bar)
        self._session, self._own = session, self._begun(bar)
        return self._own.value

    def peek(self, session: float, *bar: float) -> float | Bar:
        return self._own.peek(*bar) if session == self._session else self._begun(bar).value

    def _begun(self, bar: Bar) -> Handle:
        columns = zip(self._node.inputs, bar, strict=True)
        return self._node.open({name: np.array([value], np.float64) for name, value in columns})


@dataclass(frozen=True)
class Before:
    """High, low and close of the session before, NaN in the first; a bar of a day or more is a session of its own."""

    lookback = 1
    inputs = ("session_date", "high", "low", "close")

    def over(self, columns: Columns) -> Values:
        dates = columns["session_date"]
        if not len(dates):
            return tuple(np.empty(0) for _ in range(3))
        first = np.concatenate([[0], np.flatnonzero(np.diff(dates)) + 1])
        last = np.append(first[1:], len(dates)) - 1
        told = (np.maximum.reduceat(columns["high"], first), np.minimum.reduceat(columns["low"], first))
        lengths = last - first + 1
        return tuple(np.repeat(np.append(np.nan, each[:-1]), lengths) for each in (*told, columns["close"][last]))

    def open(self, columns: Columns) -> Handle:
        dates = columns["session_date"]
        if len(dates) <= self.lookback:
            raise InsufficientHistory("two bars are needed")
        first = int(np.searchsorted(dates, dates[-1]))
        now = (columns["high"][first:].max().item(), columns["low"][first:].min().item(), columns["close"][-1].item())
        return _Before(dates[-1].item(), tuple(each[-1].item() for each in self.over(columns)), now)


class _Before:
    __slots__ = ("_now", "_session", "value")

    def __init__(self, session: float, before: Bar, now: Bar) -> None:
        self._session, self.value, self._now = session, before, now

    def update(self, session: float, high: float, low: float, close: float) -> Bar:
        if session != self._session:
            self._session, self.value, self._now = session, self._now, (high, low, close)
        else:
            self._now = (max(self._now[0], high), min(self._now[1], low), close)
        return self.value

    def peek(self, session: float, high: float, low: float, close: float) -> Bar:
        return self.value if session == self._session else self._now


def ratio(part, whole):
    """part / whole, NaN where the whole is 0."""
    if isinstance(whole, float):
        return part / whole if whole else math.nan
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0)


class Fed:
    """A handle within another, whose bars it gets, each as one tuple: it takes of them what its own inputs are.

    opened: the handle. A column is read off the bar, without asking its handle, which stays where it was opened.
    """

    __slots__ = ("opened", "peek", "update")

    def __init__(self, handle: Handle, at: Sequence[int], bars: int) -> None:
        self.opened = handle
        if isinstance(handle, _Told):
            self.update = self.peek = itemgetter(*at)
        else:
            self.update, self.peek = _picked(handle.update, at, bars), _picked(handle.peek, at, bars)


def _picked(step: Callable[..., float | Bar], at: Sequence[int], bars: int) -> Callable[[Bar], float | Bar]:
    """The same step, of those places of a bar."""
    if list(at) == list(range(bars)):
        return lambda bar: step(*bar)
    if len(at) == 1:
        (only,) = at
        return lambda bar: step(bar[only])
    pick = itemgetter(*at)
    return lambda bar: step(*pick(bar))


OPEN, HIGH, LOW, CLOSE, VOLUME = map(Column, ("open", "high", "low", "close", "volume"))


def call(function: str, *of: Node, **parameters: float) -> Call:
    """A function of TA-Lib, its parameters as the library names them."""
    return Call(function, of, tuple(parameters.items()))


TYPICAL = Formula(lambda high, low, close: ((high + low + close) / 3,), (HIGH, LOW, CLOSE))
RANGE = call("SUB", HIGH, LOW)
TRUE_RANGE = call("TRANGE", HIGH, LOW, CLOSE)
# Of two bars: 0 where both stand at one price.
REACH = Step(
    lambda high, low, high_before, low_before: abs(high - low) + abs(high - high_before) + abs(low - low_before),
    ("high", "low"),
)


def change(of: Node) -> Node:
    """Against the bar before; 0 only where nothing changed."""
    if isinstance(of, Column):
        return Step(lambda now, before: now - before, of.inputs)
    return call("MOM", of, timeperiod=1)


def fed(node: Node, inputs: tuple[str, ...], columns: Columns) -> Fed:
    """A node's handle that takes its part of a bar that has `inputs`."""
    return Fed(node.open(columns), [inputs.index(name) for name in node.inputs], len(inputs))


def as_tuple(value: float | Bar) -> Bar:
    return value if type(value) is tuple else (value,)


def together(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Every input once, in the order that they are first read."""
    return tuple(reduce(lambda known, each: {**known, **dict.fromkeys(each.inputs)}, nodes, {}))


def _floats(values: np.ndarray, lookback: int) -> np.ndarray:
    """TA-Lib's whole numbers have no NaN: it says 0 where there is no value yet."""
    if values.dtype == np.float64:
        return values
    found = values.astype(np.float64)
    found[:lookback] = np.nan
    return found
