"""What moves a node over many symbols at once: the third reading of its definition, beside batch and handle. Pure."""

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Protocol

from analysis.indicators.across import recursions
from analysis.indicators.across.recursions import Recursion, Seed
from analysis.indicators.across.slots import LEAVING, PLAIN, Floats, Keep, Number, On, Slot, Take
from analysis.indicators.series import Ago, Call, Column, Columns, Formula, Node, Step
from analysis.indicators.talib import InsufficientHistory
from analysis.indicators.undefined import Guarded, counted

Bars = Mapping[str, Number]


class Twin(Protocol):
    slots: tuple[Slot, ...]

    def seed(self, columns: Columns) -> Seed:
        """Behind a history that is longer than the node's lookback."""

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        """Every output after a bar of each symbol."""


def of(node: Node) -> Twin | None:
    """None where a part of it has none: that stays with handles."""
    match node:
        case Column():
            return _Read(node)
        case Call():
            recursion = recursions.named(node.function, dict(node.parameters))
            if recursion and all(isinstance(each, Column) for each in node.of):
                return _OfBars(recursion, [each.name for each in node.of])
            sources = _all(node.of)
            return _Called(recursion, node, sources) if recursion and sources else None
        case Formula():
            sources = _all(node.of)
            return _Computed(node, sources) if sources else None
        case Step():
            return _Stepped(node)
        case Ago():
            source = of(node.of)
            return _Past(node, source) if source else None
        case Guarded():
            own, motion = of(node.of), of(node.zero.motion)
            if own is None or motion is None:
                return None
            return _Moving(node, own) if node.zero.limit == inf else _Defined(node, own, motion)
    return None


def _all(nodes: Sequence[Node]) -> list[Twin] | None:
    found = [of(each) for each in nodes]
    return None if None in found else found


class _Read:
    slots = ()

    def __init__(self, node: Column) -> None:
        self._name = node.name

    def seed(self, columns: Columns) -> Seed:
        return []

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        return (bars[self._name],)


class _OfBars:
    """A function of what bars have."""

    def __init__(self, recursion: Recursion, names: list[str]) -> None:
        self._recursion, self._step, self._names, self.slots = recursion, recursion.step, names, recursion.slots

    def seed(self, columns: Columns) -> Seed:
        return self._recursion.seed(*[columns[name] for name in self._names])

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        return self._step(on, take, keep, *[bars[name] for name in self._names])


class _Called:
    def __init__(self, recursion: Recursion, node: Call, sources: list[Twin]) -> None:
        self._recursion, self._node, self._sources = recursion, node, sources
        self.slots = (*_together(sources), *recursion.slots)

    def seed(self, columns: Columns) -> Seed:
        first = max(each.lookback for each in self._node.of)
        inputs = [each.over(columns)[0][first:] for each in self._node.of]
        return [*_seeds(self._sources, columns), *self._recursion.seed(*inputs)]

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        return self._recursion.step(on, take, keep, *[each.step(on, take, keep, bars)[0] for each in self._sources])


class _Computed:
    def __init__(self, node: Formula, sources: list[Twin]) -> None:
        self._formula, self._sources, self.slots = node.formula, sources, _together(sources)

    def seed(self, columns: Columns) -> Seed:
        return _seeds(self._sources, columns)

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        return self._formula(*[value for each in self._sources for value in each.step(on, take, keep, bars)])


class _Stepped:
    def __init__(self, node: Step) -> None:
        self._formula, self._inputs, self.slots = node.formula, node.inputs, (PLAIN,) * len(node.inputs)

    def seed(self, columns: Columns) -> Seed:
        return [columns[name][-1].item() for name in self._inputs]

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        now = [bars[name] for name in self._inputs]
        before = [take() for _ in now]
        for each in now:
            keep(each)
        return (self._formula(*now, *before),)


class _Past:
    def __init__(self, node: Ago, source: Twin) -> None:
        self._node, self._source = node, source
        self.slots = (*source.slots, Slot(LEAVING, node.bars))

    def seed(self, columns: Columns) -> Seed:
        return [*self._source.seed(columns), self._node.of.over(columns)[0][-self._node.bars :]]

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        value, *_ = self._source.step(on, take, keep, bars)
        keep(value)
        return (take(),)


class _Moving:
    """What is 0/0 until it moves, and then never again: a series that has not moved has no place here."""

    def __init__(self, node: Guarded, own: Twin) -> None:
        self._zero, self._own, self.slots, self.step = node.zero, own, own.slots, own.step

    def seed(self, columns: Columns) -> Seed:
        still, since = counted(self._zero, columns)
        if not still[-1] < inf or since[-1] <= max(self._zero.lasting.values(), default=0):
            raise InsufficientHistory("nothing has moved")
        return self._own.seed(columns)


class _Defined:
    """Without what is 0/0. It remembers bars in a row without motion, and bars since the last 0/0."""

    def __init__(self, node: Guarded, own: Twin, motion: Twin) -> None:
        self._zero, self._own, self._motion, self._limit = node.zero, own, motion, node.zero.limit
        self._longest = max(node.zero.lasting.values(), default=0)
        self.slots = (*own.slots, *motion.slots, PLAIN, PLAIN)

    def seed(self, columns: Columns) -> Seed:
        still, since = (each[-1].item() for each in counted(self._zero, columns))
        return [*self._own.seed(columns), *self._motion.seed(columns), still, since]

    def step(self, on: On, take: Take, keep: Keep, bars: Bars) -> tuple[Number, ...]:
        values = self._own.step(on, take, keep, bars)
        motion = self._motion.step(on, take, keep, bars)[0]
        still = on.where(motion != 0, 0.0, take() + 1.0)
        since = on.where(still >= self._limit, 0.0, take() + 1.0)
        keep(still)
        keep(since)
        if on is Floats and since > self._longest:
            return values
        lasting = self._zero.lasting
        return tuple(on.where(since <= lasting.get(place, 0), nan, each) for place, each in enumerate(values))


def _together(sources: Sequence[Twin]) -> tuple[Slot, ...]:
    return tuple(slot for each in sources for slot in each.slots)


def _seeds(sources: Sequence[Twin], columns: Columns) -> Seed:
    return [part for each in sources for part in each.seed(columns)]
