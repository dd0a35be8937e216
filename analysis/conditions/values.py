"""What the operands of conditions are: over bars at once, and bar by bar as they close. Pure.

Bars are columns as bars.columns gives them. Where other bars or a time are asked for they also have `closes_at`,
float64 seconds since 1970; of a bar that forms it is now. Another symbol's or interval's value is that of its last
bar that had closed by then, so that a week which still runs is not known to its Tuesday.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np

from analysis.conditions import vocabulary
from analysis.conditions.evaluating import Condition, State
from analysis.conditions.extremes import YEAR_DAYS, Extreme
from analysis.conditions.tree import AT, INDICATOR, SIGNAL, Series
from analysis.conditions.truth import UNKNOWN
from analysis.conditions.vocabulary import Vocabulary
from analysis.indicators.entry import OWN_PANE, Indicator, made
from analysis.indicators.series import CLOSE, HIGH, LOW, OPEN, VOLUME, Before, Formula, Node, ratio

Columns = Mapping[str, np.ndarray]
Place = tuple[str, str]  # symbol and interval, as an operand has them
OWN: Place = ("", "")
Frames = Mapping[Place, Columns]
Bar = Mapping[str, float | None]


def _change(close, high, low, before):
    return (close - before,)


def _change_percent(close, high, low, before):
    return (100 * (ratio(close, before * (before > 0)) - 1),)


# `change` counts from the close of the session before, as a quote's does.
_NODES: Mapping[str, Node] = {
    "price": CLOSE, "open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME,
    "change": Formula(_change, (CLOSE, Before())), "change_percent": Formula(_change_percent, (CLOSE, Before())),
    "high_52w": Extreme("high", 1, YEAR_DAYS), "low_52w": Extreme("low", -1, YEAR_DAYS),
    "high_all": Extreme("high", 1, 0.0), "low_all": Extreme("low", -1, 0.0),
}  # fmt: skip


def _plain(name: str, node: Node) -> Indicator:
    return made(name, lambda _: node, pane=OWN_PANE, title=name, source="the bars").with_defaults()


_PLAIN = {name: _plain(name, node) for name, node in _NODES.items()}


@dataclass(frozen=True)
class Language:
    """What names mean. rules: the condition of each signal, of one symbol's bars of one interval."""

    names: Vocabulary = vocabulary.DEFAULT
    rules: Mapping[str, Condition] = field(default_factory=dict)

    def source(self, series: Series) -> tuple[Indicator, str]:
        """The indicator that computes a series, and which of its outputs."""
        if series.kind == INDICATOR:
            return self.names.named(series.name), series.output
        if series.name not in _PLAIN:
            raise KeyError(f"bars have no {series.kind} {series.name}")
        return _PLAIN[series.name], series.name


DEFAULT = Language()


class History:
    """The values of series over bars, each computed once whoever asks for it. frames: those of OWN at least."""

    def __init__(self, frames: Frames, language: Language = DEFAULT) -> None:
        self._frames, self._language = frames, language
        self._found: dict[tuple[Place, str], dict[str, np.ndarray]] = {}

    def values(self, wanted: Iterable[Series]) -> dict[Series, np.ndarray]:
        """Each float64 (bars,), NaN where it has no value."""
        return {each: self._aligned(each) for each in wanted}

    def of(self, condition: Condition) -> dict[Series, np.ndarray]:
        return self.values(condition.series)

    def _aligned(self, series: Series) -> np.ndarray:
        if series == AT:
            return self._frames[OWN]["closes_at"]
        place = series.symbol, series.interval
        values = self._fired(series) if series.kind == SIGNAL else self._outputs(place, series)
        if place == OWN:
            return values
        last = np.searchsorted(self._frames[place]["closes_at"], self._frames[OWN]["closes_at"], side="right")
        return np.concatenate([[nan], values])[last]

    def _outputs(self, place: Place, series: Series) -> np.ndarray:
        indicator, output = self._language.source(series)
        if (place, indicator.key) not in self._found:
            self._found[place, indicator.key] = _over(indicator, self._frames[place])
        return self._found[place, indicator.key][output]

    def _fired(self, series: Series) -> np.ndarray:
        """1 where it fires, 0 where it does not, NaN where nobody knows."""
        condition, place = self._language.rules[series.name], (series.symbol, series.interval)
        own = self if place == OWN else History({OWN: self._frames[place]}, self._language)
        return _as_value(condition.fires(condition.over(own.of(condition))))


class Live:
    """The values of series, moved by each bar that closes. frames: bars that have closed; it opens on them.

    A bar has what columns have, its `session_date` as days since 1970.
    """

    def __init__(self, wanted: Iterable[Series], frames: Frames, language: Language = DEFAULT) -> None:
        self._wanted = tuple(wanted)
        self._last = [nan] * len(self._wanted)
        self._moving: dict[Place, _Moving] = {}
        for place in {(each.symbol, each.interval): None for each in self._wanted}:
            self._moving[place] = self._opened(place, frames[place], language)

    def values(self) -> dict[Series, float]:
        """As of the last bars that have closed; NaN where there is none."""
        return dict(zip(self._wanted, self._last, strict=True))

    def update(self, bar: Bar, *, symbol: str = "", interval: str = "") -> dict[Series, float]:
        """Those after a bar that has closed; tell others' bars before one's own that closes when they do."""
        if moving := self._moving.get((symbol, interval)):
            moving.update(_known(bar), self._last)
        return self.values()

    def peek(self, bar: Bar) -> dict[Series, float]:
        """Those with one's own bar that still forms; changes nothing."""
        told = list(self._last)
        if moving := self._moving.get(OWN):
            moving.peek(_known(bar), told)
        return dict(zip(self._wanted, told, strict=True))

    def _opened(self, place: Place, columns: Columns, language: Language) -> "_Moving":
        history, moving = History({OWN: columns}, language), _Moving()
        for slot, series in enumerate(self._wanted):
            if (series.symbol, series.interval) != place:
                continue
            moving.add(series, slot, columns, language)
            known = history.values([_own(series)])[_own(series)]
            self._last[slot] = known[-1].item() if len(known) else nan
        return moving


class _Moving:
    """What moves with the bars of one place, each with where its outputs stand among the values: indicators by what
    they read of a bar, so that it is read and looked at once for all, and what takes the bar whole.
    """

    def __init__(self) -> None:
        self._slots: dict[str, list[tuple[int, int]]] = {}
        self._by_inputs: dict[tuple[str, ...], list[_Moved]] = {}
        self._whole: list[tuple[_Handle, list[tuple[int, int]]]] = []

    def add(self, series: Series, slot: int, columns: Columns, language: Language) -> None:
        """Have a series move, open on these bars."""
        key, output = _sought(series, language)
        if key not in self._slots:
            self._slots[key] = []
            self._open(series, self._slots[key], columns, language)
        self._slots[key].append((slot, output))

    def update(self, bar: Mapping[str, float], told: list[float]) -> None:
        """Write the values after a bar that has closed. An indicator begins anew behind what is not known."""
        for inputs, some in self._by_inputs.items():
            read = [bar[name] for name in inputs]
            is_known = isfinite(sum(read))
            for each in some:
                value = (each.plain or each.update)(*read) if is_known else each.break_off()
                if type(value) is tuple:
                    for slot, output in each.slots:
                        told[slot] = value[output]
                else:
                    for slot, _ in each.slots:
                        told[slot] = value
        for handle, slots in self._whole:
            value = handle.update(bar)
            for slot, output in slots:
                told[slot] = value[output]

    def peek(self, bar: Mapping[str, float], told: list[float]) -> None:
        """Write the values with a bar that still forms."""
        for inputs, some in self._by_inputs.items():
            read = [bar[name] for name in inputs]
            is_known = isfinite(sum(read))
            for each in some:
                value = (each.live.peek(*read) if is_known else None) or each.nothing
                for slot, output in each.slots:
                    told[slot] = value[output]
        for handle, slots in self._whole:
            value = handle.peek(bar)
            for slot, output in slots:
                told[slot] = value[output]

    def _open(self, series: Series, slots: list[tuple[int, int]], columns: Columns, language: Language) -> None:
        if series == AT:
            self._whole.append((_Closed(), slots))
        elif series.kind == SIGNAL:
            self._whole.append((_Fired(language.rules[series.name], columns, language), slots))
        else:
            indicator, _ = language.source(series)
            moved = _Moved(indicator, dict(columns), slots)
            self._by_inputs.setdefault(indicator.inputs, []).append(moved)


class _Moved:
    """One indicator. plain: the library's own step, while it has one; slots: where which of its outputs stand."""

    __slots__ = ("live", "nothing", "plain", "slots")

    def __init__(self, indicator: Indicator, columns: dict[str, np.ndarray], slots: list[tuple[int, int]]) -> None:
        self.live, self.nothing, self.slots = indicator.carried(columns), (nan,) * len(indicator.outputs), slots
        self.plain = self.live.plain

    def update(self, *bar: float) -> tuple[float, ...]:
        value = self.live.update(*bar)
        self.plain = self.live.plain
        return value or self.nothing

    def break_off(self) -> tuple[float, ...]:
        self.live.break_off()
        self.plain = self.live.plain
        return self.nothing


class _Fired:
    """A signal's rule, stepped with each bar."""

    def __init__(self, condition: Condition, columns: Columns, language: Language) -> None:
        self._condition = condition
        self._live = Live(condition.series, {OWN: columns}, language)
        history = History({OWN: columns}, language).of(condition)
        self._state = condition.opened({series: values[:, None] for series, values in history.items()})

    def update(self, bar: Mapping[str, float]) -> tuple[float]:
        value, self._state = self._stepped(self._live.update(bar))
        return value

    def peek(self, bar: Mapping[str, float]) -> tuple[float]:
        return self._stepped(self._live.peek(bar))[0]

    def _stepped(self, values: Mapping[Series, float]) -> tuple[tuple[float], State]:
        _, fires, state = self._condition.step(self._state, {key: np.array([each]) for key, each in values.items()})
        return (_as_value(fires)[0].item(),), state


class _Closed:
    """When the bar closes."""

    def update(self, bar: Mapping[str, float]) -> tuple[float]:
        return (bar["closes_at"],)

    peek = update


_Handle = _Fired | _Closed


def _sought(series: Series, language: Language) -> tuple[str, int]:
    """The name of the handle that moves a series, and the place of its output."""
    if series == AT or series.kind == SIGNAL:
        return f"{series.kind} {series.name}", 0
    indicator, output = language.source(series)
    return indicator.key, indicator.outputs.index(output)


def _over(indicator: Indicator, columns: Columns) -> dict[str, np.ndarray]:
    """Each output over bars. It begins anew behind each bar of which something that it reads is not known, and what
    was before that stands: cutting the future off changes nothing.
    """
    inputs = [columns[name] for name in indicator.inputs if name != "session_date"]
    is_whole = np.isfinite(np.sum(inputs, axis=0)) if inputs else np.ones(len(columns["session_date"]), bool)
    if is_whole.all():
        return indicator.over(dict(columns))
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], is_whole, [False]]))).reshape(-1, 2)
    found = {name: np.full(len(is_whole), nan) for name in indicator.outputs}
    for first, until in bounds.tolist():
        part = indicator.over({name: values[first:until] for name, values in columns.items()})
        for name, values in part.items():
            found[name][first:until] = values
    return found


def _as_value(fires: np.ndarray) -> np.ndarray:
    return np.where(fires == UNKNOWN, nan, fires > UNKNOWN)


def _own(series: Series) -> Series:
    return series if series == AT else Series(series.kind, series.name, series.output)


def _known(bar: Bar) -> dict[str, float]:
    return {name: nan if value is None else value for name, value in bar.items()}
