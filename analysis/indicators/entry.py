"""What an entry of the catalogue is: an indicator with any parameters within their ranges. Pure.

`ta` derives all that TA-Lib knows of a function; `made` takes a node for what it lacks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, reduce
from math import isfinite

import numpy as np

from analysis.indicators.live import Live
from analysis.indicators.series import Call, Column, Node, Values
from analysis.indicators.talib import abstract
from analysis.indicators.undefined import Guarded, Zero

PRICE_PANE, VOLUME_PANE, OWN_PANE = "price", "volume", "own"  # over the candles, over their volume, or by itself
AGAINST_MARK = "~"  # in keys, before the ticker
AGAINST = "against"  # the column that is the close of another symbol, of the bar that was over by then
PRICE, PERCENT, SHARES, INDEX = "price", "percent", "volume", "index"  # what a value is counted in; an index in nothing
INDICATOR, MATHEMATICS, PATTERN = "indicator", "mathematics", "pattern"
UNDEFINED = "0/0: nothing moved that it divides by"
_MOST_DECIMALS = 4
_NO_INPUTS = ("opened_at", "session_date")  # columns that are always known
UPPER, LOWER, CLOUD, DIRECTION, CANDLE, STEPS = "upper", "lower", "cloud", "direction", "candle", "steps"
_STYLES = {
    "Line": "line", "Dashed Line": "dashed", "Dotted Line": "dots", "Histogram": "histogram",
    "Values represent an upper limit": UPPER, "Values represent a lower limit": LOWER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter may be. A whole number where the default is one. of: what TA-Lib calls it, if not as we do."""

    default: float
    least: float
    most: float
    of: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return isinstance(self.default, int)

    def read(self, text: str) -> float | None:
        """The value of a text as keys have it, None where it is none of these; each value has one text."""
        whole, _, decimals = text.partition(".")
        if not whole.isdecimal() or not text.isascii() or len(text) > 10 or len(decimals) > _MOST_DECIMALS:
            return None
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            return None
        return value if self.least <= value <= self.most and told(value) == text else None


@dataclass(frozen=True, slots=True)
class Output:
    """One series. style: how a chart draws it; `direction`, 1 or -1, colours the line before it; four of
    `candle` are its open, high, low and close.

    offset: the parameter by whose bars it is drawn later, or with a - earlier, than it is known.
    """

    name: str
    style: str = "line"
    offset: str = ""


Parameters = Mapping[str, float]
Build = Callable[[Parameters], Node]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An indicator before its parameters are chosen. build: its node; zero: where that is 0/0.

    source: where the formula stands. levels: lines that a chart draws. unit: of its values; where that is not said, a
    price over prices, else none.
    """

    name: str
    title: str
    source: str
    build: Build
    outputs: tuple[Output, ...]
    parameters: Mapping[str, Range] = field(default_factory=dict)
    zero: Callable[[Parameters], tuple[Zero, ...]] | None = None
    undefined: str = UNDEFINED
    pane: str = OWN_PANE
    unit: str = ""
    levels: tuple[float, ...] = ()
    kind: str = INDICATOR
    library: str = ""  # the function of TA-Lib
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", self.unit or (PRICE if self.pane == PRICE_PANE else INDEX))

    @cached_property
    def is_compared(self) -> bool:
        """Whether it is measured against another symbol."""
        return AGAINST in self.with_defaults().inputs

    def with_defaults(self, against: str = "") -> "Indicator":
        return self.of({name: each.default for name, each in self.parameters.items()}, against)

    def of(self, parameters: Parameters, against: str = "") -> "Indicator":
        zeros = self.zero(parameters) if self.zero else ()
        return Indicator(self, dict(parameters), reduce(Guarded, zeros, self.build(parameters)), against)


@dataclass(frozen=True)
class Indicator:
    """One indicator with its parameters. against: the ticker of the other symbol, of one that is compared."""

    entry: Entry
    parameters: Mapping[str, float]
    node: Node
    against: str = ""

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def pane(self) -> str:
        return self.entry.pane

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns of a bar, in the order that the live twin takes them."""
        return self.node.inputs

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the series, in the order that they come back."""
        return tuple(each.name for each in self.entry.outputs)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Bars by which an output is drawn later than it is known, or below 0 earlier, where it is."""
        return {
            each.name: int(self.parameters[each.offset.lstrip("-")]) * (-1 if each.offset[0] == "-" else 1)
            for each in self.entry.outputs
            if each.offset
        }

    @cached_property
    def warm_up(self) -> int:
        """Bars before the first value."""
        return self.node.lookback

    @cached_property
    def key(self) -> str:
        """Name and parameters: sma_20; and against what: beta_20~^GSPC."""
        key = "_".join([self.name, *map(told, self.parameters.values())])
        return f"{key}{AGAINST_MARK}{self.against}" if self.against else key

    def over(self, columns: dict[str, np.ndarray], *, is_whole: bool = False) -> dict[str, np.ndarray]:
        """Each output over a whole history: float64 (n,), NaN where there is no value yet, or none at all.

        It begins anew behind a bar of which an input is not known, as nobody can compute across that; what was computed
        before such a bar stays. is_whole: all of them are, as `are_whole` found of many indicators at once.
        """
        first = 0 if is_whole else self._whole_from(columns)
        found: Values = self.node.over(self._read(columns, first))
        if not first:
            return dict(zip(self.outputs, map(self._finite, found), strict=True))
        before = self._before({name: _column(columns, name)[:first] for name in self.inputs})
        return {
            name: np.concatenate([earlier, values])
            for name, earlier, values in zip(self.outputs, before, map(self._finite, found), strict=True)
        }

    def carried(self, columns: dict[str, np.ndarray]) -> Live:
        """The live twin, open on a history."""
        return Live(self.node, self.known(columns))

    def begun(self) -> Live:
        """The live twin, open on nothing."""
        return Live(self.node, {name: np.empty(0) for name in self.inputs})

    def known(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What it reads behind the last bar of which something is not known."""
        return self._read(columns, self._whole_from(columns))

    def lacking(self, columns: dict[str, np.ndarray]) -> str:
        """Why it warms up anew at the newest bar though there are bars enough; empty where it does not."""
        first = self._whole_from(columns)
        dates = columns["session_date"]
        if not first or len(dates) - first > self.warm_up:
            return ""
        unknown = [
            f"close of {self.against or 'the other'}" if name == AGAINST else name
            for name in self.inputs
            if not np.isfinite(_column(columns, name)[first - 1])
        ]
        return not_known(unknown, dates[first - 1].item())

    def _before(self, columns: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Each output over bars of which some are not known, the last one among them: each run of known ones alone."""
        unknown = np.flatnonzero(~np.logical_and.reduce([np.isfinite(each) for each in columns.values()]))
        told = [np.full(unknown[-1] + 1, np.nan) for _ in self.outputs]
        for start, end in zip([0, *(unknown[:-1] + 1)], unknown, strict=True):
            if end - start > self.warm_up:
                run = {name: np.ascontiguousarray(each[start:end], dtype=np.float64) for name, each in columns.items()}
                for output, values in zip(told, self.node.over(run), strict=True):
                    output[start:end] = self._finite(values)
        return told

    def _read(self, columns: dict[str, np.ndarray], first: int) -> dict[str, np.ndarray]:
        return {name: np.ascontiguousarray(_column(columns, name)[first:], dtype=np.float64) for name in self.inputs}

    def _finite(self, values: np.ndarray) -> np.ndarray:
        """What is no number, or too large for one, is no value."""
        return values if _adds_up(values[self.warm_up :]) else np.where(np.isfinite(values), values, np.nan)

    def _whole_from(self, columns: dict[str, np.ndarray]) -> int:
        """The index behind the last bar of which an input is not known."""
        if all(_adds_up(_column(columns, name)) for name in self.inputs):
            return 0
        unknown = np.zeros(len(columns[self.inputs[0]]), bool)
        for name in self.inputs:
            unknown |= ~np.isfinite(_column(columns, name))
        return len(unknown) - int(unknown[::-1].argmax()) if unknown.any() else 0


def are_whole(columns: dict[str, np.ndarray]) -> bool:
    """Whether all that can be an input is known of every bar, and adds up."""
    return all(_adds_up(_column(columns, name)) for name in columns if name not in _NO_INPUTS)


def ta(
    function: str,
    *,
    source: str,
    name: str = "",
    title: str = "",
    of: tuple[Node, ...] = (),
    fixed: Mapping[str, float] | None = None,
    outputs: tuple[Output, ...] = (),
    pane: str = "",
    unit: str = "",
    zero: Callable[[Parameters], tuple[Zero, ...]] | None = None,
    levels: tuple[float, ...] = (),
    kind: str = INDICATOR,
    note: str = "",
    **parameters: Range,
) -> Entry:
    """A function of TA-Lib; inputs, outputs, drawing and warm-up are what the library says of it.

    A parameter `period` is the library's `timeperiod`, `fast` its `fastperiod`; of: other series than its own inputs.
    """
    about = abstract.Function(function).info
    known = about["parameters"]
    theirs = {ours: each.of or (_theirs(ours, known),) for ours, each in parameters.items()}
    name = name or function.lower().replace("_", "")

    def build(values: Parameters) -> Node:
        given = {their: values[ours] for ours, names in theirs.items() for their in names}
        return Call(function, of or _inputs(about), tuple({**(fixed or {}), **given}.items()))

    return Entry(
        name=name,
        title=title or about["display_name"],
        source=source,
        parameters=parameters,
        outputs=outputs or _outputs(name, about),
        build=build,
        pane=pane or (PRICE_PANE if "Output scale same as input" in about["function_flags"] else OWN_PANE),
        unit=unit,
        zero=zero,
        levels=levels,
        kind=kind,
        library=function,
        note=note,
    )


def made(name: str, build: Build, *outputs: Output | str, **about) -> Entry:
    """What TA-Lib lacks, from a node; parameters are what is a Range."""
    parameters = {key: each for key, each in about.items() if isinstance(each, Range)}
    rest = {key: each for key, each in about.items() if key not in parameters}
    told_outputs = tuple(each if isinstance(each, Output) else Output(each) for each in outputs or (name,))
    return Entry(name=name, build=build, outputs=told_outputs, parameters=parameters, **rest)


def not_known(inputs: list[str], session: date) -> str:
    """Why an indicator has no value: what it reads of a session is not known."""
    return f"the {' and the '.join(inputs)} of {session} {'is' if len(inputs) == 1 else 'are'} not known"


def told(value: float) -> str:
    """A parameter as keys have it: 2, not 2.0."""
    return f"{value:.{_MOST_DECIMALS}f}".rstrip("0").rstrip(".")


def _theirs(ours: str, known: Mapping[str, float]) -> str:
    for name in (ours, f"{ours}period", f"{ours}_period", f"time{ours}"):
        if name in known:
            return name
    raise LookupError(f"TA-Lib has no parameter {ours!r}; it has {', '.join(known)}")


def _inputs(about: Mapping) -> tuple[Node, ...]:
    """`price` is a close, `prices` are what it names."""
    names = [each if isinstance(each, list | tuple) else [each] for each in about["input_names"].values()]
    return tuple(Column(name) for group in names for name in group)


def _outputs(name: str, about: Mapping) -> tuple[Output, ...]:
    """As the library names them; an only one has the indicator's own name."""
    flags = about["output_flags"]
    styles = {each: next((_STYLES[flag] for flag in told if flag in _STYLES), "line") for each, told in flags.items()}
    if "line" not in styles.values() and styles[first := next(iter(styles))] == "dashed":
        styles[first] = "line"
    if len(styles) == 1:
        return (Output(name, *styles.values()),)
    return tuple(Output(each, style) for each, style in styles.items())


def _column(columns: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A column as numbers; of a session's date the days since 1970."""
    column = columns[name]
    return column.astype("datetime64[D]").astype(np.float64) if name == "session_date" else column


def _adds_up(values: np.ndarray) -> bool:
    """All are finite, in one pass that makes nothing; False also where only their sum is too large."""
    return isfinite(values.sum())
