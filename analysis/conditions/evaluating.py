"""Whether a condition is true: of many symbols at once, at every bar of a history, and bar by bar as they close. Pure.

One evaluator walks the nodes; what differs between the readings is only how it remembers what was before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from analysis.conditions import tree, truth
from analysis.conditions.tree import AT, CROSSINGS, EVENTS, All, Any, Comparison, Node, Not, Number, Operand, Series
from analysis.conditions.truth import FALSE, TRUE, UNKNOWN, Truth

ColumnsOf = Mapping[Series, np.ndarray]
# The last known truth, then the newest values of what is read further back, then the memory of each node that has one.
State = tuple[np.ndarray, ...]
_UP = "crosses_up"


@dataclass(frozen=True)
class Condition:
    """A tree that can be evaluated. Values are float64, NaN or infinite where nobody knows one.

    An answer is int8: truth.FALSE, UNKNOWN or TRUE. every: it fires at each bar at which it is true.
    """

    node: Node
    every: bool = False

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """What it reads, each once; AT is among them where it measures a time."""
        return tuple(self._depths)

    @cached_property
    def bars(self) -> int:
        """How many bars it takes to know it, apart from those on which something is not known or touches."""
        spans = [each.within - 1 for each in tree.comparisons(self.node) if not each.moves]
        events = any(each.operator in EVENTS for each in tree.comparisons(self.node))
        return 1 + max(self._depths.values()) + max(spans, default=0) + events

    @cached_property
    def happens(self) -> bool:
        """Whether it is of a moment: then it fires whenever it is true, and else where it becomes true."""
        return self.every or tree.happens(self.node)

    def over(self, values: ColumnsOf) -> Truth:
        """At every bar: of arrays (bars,) of one symbol, or (bars, symbols) of many, oldest first."""
        with np.errstate(all="ignore"):
            return _answer(self.node, _Along({each: values[each] for each in self.series}))

    def now(self, values: ColumnsOf) -> Truth:
        """At the newest bar of many symbols: of their last bars, (bars, symbols). `bars` of them are enough."""
        return self.over(values)[-1]

    def fires(self, truths: Truth) -> Truth:
        """Where it begins to be true, of what `over` says: a step from false to true, whatever was unknown between.
        What is true at the first bar began nobody knows when.
        """
        now, is_known = truth.side_of(truths)
        return truths if self.happens else truth.crossed(_UP, now, is_known, _before(now))

    def begun(self, symbols: int = 1) -> State:
        """What is known of as many symbols before their first bar."""
        memory = _Beginning(self._depths, symbols)
        _answer(self.node, memory)
        return np.zeros(symbols, np.int8), *memory.begun

    def opened(self, values: ColumnsOf) -> State:
        """What is known after a history of many symbols, (bars, symbols): there `step` goes on."""
        told = {each: values[each] for each in self.series}
        shape = next(iter(told.values())).shape
        if not shape[0]:
            return self.begun(shape[1])
        memory = _Opening(told)
        with np.errstate(all="ignore"):
            now, _ = truth.side_of(_answer(self.node, memory))
        rings = [_last(told[series], depth) for series, depth in self._depths.items() if depth]
        return _newest(now), *rings, *memory.after

    def step(self, state: State, values: ColumnsOf) -> tuple[Truth, Truth, State]:
        """Whether it is true at one bar more of each symbol, and fires: arrays (symbols,), as `over` and `fires` tell.

        The state that comes back is that after the bar. That of before is not changed, so that a bar which still forms
        is judged as often as it moves.
        """
        armed, *rest = state
        memory = _Step(self._depths, rest, values)
        with np.errstate(all="ignore"):
            told = _answer(self.node, memory)
        now, is_known = truth.side_of(told)
        fires = told if self.happens else truth.crossed(_UP, now, is_known, armed)
        return told, fires, (np.where(now != 0, now, armed), *memory.after)

    @cached_property
    def _depths(self) -> dict[Series, int]:
        """How many bars back each series is read."""
        found: dict[Series, int] = {}
        for each in tree.comparisons(self.node):
            lags = each.bars if each.moves else 0
            for term, back in [(each.left, lags), *((right, 0) for right in each.right)]:
                if not isinstance(term, Number):
                    found[term.series] = max(found.get(term.series, 0), term.ago + back)
            if each.seconds:
                found[AT] = max(found.get(AT, 0), each.left.ago + lags)
        return found


class _Along:
    """Memory of a history: what was before stands in the arrays."""

    def __init__(self, values: ColumnsOf) -> None:
        self._values = values
        self.shape = next(iter(values.values())).shape
        self._at = np.arange(self.shape[0]).reshape(-1, *[1] * (len(self.shape) - 1))

    def value(self, series: Series, ago: int) -> np.ndarray:
        values = self._values[series]
        if not ago:
            return values
        lacking = np.full((min(ago, len(values)), *self.shape[1:]), np.nan)
        return np.concatenate([lacking, values[:-ago]])

    def before(self, now: np.ndarray) -> np.ndarray:
        return _before(now)

    def within(self, told: Truth, bars: int) -> Truth:
        """Any of some bars; those before the first are unknown."""
        return _any_of(*self._since(told, bars), bars)

    def _since(self, told: Truth, bars: int) -> list[np.ndarray]:
        """How long ago it was true, and unknown."""
        last = [np.where(told == each, self._at, before) for each, before in ((TRUE, -bars), (UNKNOWN, -1))]
        return [np.minimum(self._at - np.maximum.accumulate(each), bars) for each in last]


class _Opening(_Along):
    """The same, which writes down what a step after it will ask for."""

    def __init__(self, values: ColumnsOf) -> None:
        super().__init__(values)
        self.after: list[np.ndarray] = []

    def before(self, now: np.ndarray) -> np.ndarray:
        self.after.append(_newest(now))
        return _before(now)

    def within(self, told: Truth, bars: int) -> Truth:
        since = self._since(told, bars)
        self.after += [each[-1] for each in since]
        return _any_of(*since, bars)


class _Step:
    """Memory of a live step: the newest values of what is read further back, the sides, and how long ago was what."""

    def __init__(self, depths: Mapping[Series, int], state: Sequence[np.ndarray], values: ColumnsOf) -> None:
        deep = [series for series, depth in depths.items() if depth]
        self._values, self._state = values, iter(state[len(deep) :])
        self._past = dict(zip(deep, state, strict=False))
        self._rings = [np.concatenate([past[1:], values[series][None]]) for series, past in self._past.items()]
        self._after: list[np.ndarray] = []
        self.shape = values[next(iter(depths))].shape

    @property
    def after(self) -> State:
        return (*self._rings, *self._after)

    def value(self, series: Series, ago: int) -> np.ndarray:
        return self._past[series][-ago] if ago else self._values[series]

    def before(self, now: np.ndarray) -> np.ndarray:
        before = next(self._state)
        self._after.append(np.where(now != 0, now, before))
        return before

    def within(self, told: Truth, bars: int) -> Truth:
        true, unknown = next(self._state), next(self._state)
        true = np.where(told == TRUE, 0, np.minimum(true + 1, bars))
        unknown = np.where(told == UNKNOWN, 0, np.minimum(unknown + 1, bars))
        self._after += [true, unknown]
        return _any_of(true, unknown, bars)


class _Beginning:
    """Memory before the first bar, which writes down what a step will ask for."""

    def __init__(self, depths: Mapping[Series, int], symbols: int) -> None:
        self.shape = (symbols,)
        self.begun = [np.full((depth, symbols), np.nan) for depth in depths.values() if depth]

    def value(self, series: Series, ago: int) -> np.ndarray:
        return np.full(self.shape, np.nan)

    def before(self, now: np.ndarray) -> np.ndarray:
        self.begun.append(np.zeros(self.shape, np.int8))
        return self.begun[-1]

    def within(self, told: Truth, bars: int) -> Truth:
        self.begun += [np.full(self.shape, bars), np.zeros(self.shape, np.int64)]
        return told


Memory = _Along | _Step | _Beginning


def _answer(node: Node, memory: Memory) -> Truth:
    if isinstance(node, Not):
        return truth.negated(_answer(node.of, memory))
    if isinstance(node, All | Any):
        answers: Sequence[Truth] = [_answer(each, memory) for each in node.of]
        return reduce(np.minimum if isinstance(node, All) else np.maximum, answers)
    told = _ASKED.get(node.operator, _compared)(node, memory)
    return told if node.moves or node.within == 1 else memory.within(told, node.within)


def _compared(node: Comparison, memory: Memory) -> Truth:
    return truth.compared(node.operator, _value(node.left, memory), _value(node.right[0], memory))


def _listed(node: Comparison, memory: Memory) -> Truth:
    left = _value(node.left, memory)
    return reduce(np.maximum, [truth.compared("eq", left, _value(each, memory)) for each in node.right])


def _crossed(node: Comparison, memory: Memory) -> Truth:
    now, is_known = truth.side(_value(node.left, memory), _value(node.right[0], memory))
    return truth.crossed(node.operator, now, is_known, memory.before(now))


def _inside(node: Comparison, memory: Memory) -> Truth:
    return truth.inside(_value(node.left, memory), *(_value(each, memory) for each in node.right))


def _outside(node: Comparison, memory: Memory) -> Truth:
    return truth.negated(_inside(node, memory))


def _entered(node: Comparison, memory: Memory) -> Truth:
    now, is_known = truth.side_of(_inside(node, memory))
    operator = _UP if node.operator == "enters" else "crosses_down"
    return truth.crossed(operator, now, is_known, memory.before(now))


def _moved(node: Comparison, memory: Memory) -> Truth:
    """Whether it moved so far from any of the bars before that are near enough."""
    now, amount = _value(node.left, memory), _value(node.right[0], memory)
    told, is_past = np.full(memory.shape, FALSE, np.int8), np.zeros(memory.shape, bool)
    for lag in range(1, node.bars + 1):
        base = _value(node.left, memory, lag)
        reached = truth.moved(node.operator, now, base, amount, percent=node.percent)
        if node.seconds:
            ago = node.left.ago
            is_past |= memory.value(AT, ago) - memory.value(AT, ago + lag) > node.seconds
            reached = np.where(is_past, FALSE, reached)
        told = np.maximum(told, reached).astype(np.int8)
        if is_past.all() or (told == TRUE).all():
            break
    return told


_ASKED: dict[str, Callable[[Comparison, Memory], Truth]] = {
    "in": _listed,
    **dict.fromkeys(CROSSINGS, _crossed),
    **dict.fromkeys(("between", "inside"), _inside),
    "outside": _outside,
    **dict.fromkeys(("enters", "exits"), _entered),
    **dict.fromkeys(tree.MOVES, _moved),
}


def _value(operand: Operand, memory: Memory, lag: int = 0) -> np.ndarray | float:
    if isinstance(operand, Number):
        return operand.value
    values = memory.value(operand.series, operand.ago + lag)
    return values if operand.times == 1 else values * operand.times


def _before(now: np.ndarray) -> np.ndarray:
    """At every bar the last side before it that was not 0."""
    at = np.arange(len(now)).reshape(-1, *[1] * (now.ndim - 1))
    last = np.maximum.accumulate((now != 0) * at)  # the first where there was none: there it is 0 itself
    known = now[last] if now.ndim == 1 else np.take_along_axis(now, last, axis=0)
    return np.concatenate([np.zeros_like(now[:1]), known[:-1]])


def _newest(now: np.ndarray) -> np.ndarray:
    """The last side of each that was not 0; 0 where there was none."""
    return _before(np.concatenate([now, np.zeros_like(now[:1])]))[-1]


def _last(values: np.ndarray, depth: int) -> np.ndarray:
    """So many of the end, NaN before the first."""
    lacking = np.full((max(0, depth - len(values)), *values.shape[1:]), np.nan)
    return np.concatenate([lacking, values[-depth:]])


def _any_of(since_true: np.ndarray, since_unknown: np.ndarray, bars: int) -> Truth:
    told = np.where(since_unknown < bars, UNKNOWN, FALSE)
    return np.where(since_true < bars, TRUE, told).astype(np.int8)
