"""Every indicator there is: its name, parameters, warm-up, outputs and pane. A new one is one entry. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from analysis.indicators import batch, live

PRICE_PANE, OWN_PANE = "price", "own"  # over the candles, or in a pane of its own below


class UnknownIndicator(ValueError):
    """A name that the catalogue does not hold; the text says which it does."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator with its parameters.

    inputs: columns of a bar, in the order that `batch` and `live` take them. outputs: names of the series, in the
    order that they come back. warm_up: bars before the first value. levels: lines that a chart draws.
    """

    name: str
    parameters: dict[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    warm_up: int
    pane: str
    batch: Callable[..., np.ndarray | tuple[np.ndarray, ...]]
    live: live.Opening
    levels: tuple[float, ...] = field(default=())

    @property
    def key(self) -> str:
        """Name and parameters: sma_20."""
        return "_".join([self.name, *map(str, self.parameters.values())])

    def over(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Each output over a whole history: float64 (n,), NaN where there is no value yet.

        It begins anew behind a bar of which an input is not known, as nobody can compute across that.
        """
        first = self._whole_from(columns)
        inputs = [columns[name][first:] for name in self.inputs]
        try:
            answer = self.batch(*inputs, **self.parameters)
        except batch.InsufficientHistory:
            answer = tuple(np.full(len(inputs[0]), np.nan) for _ in self.outputs)
        series = answer if isinstance(answer, tuple) else (answer,)
        return {
            name: np.concatenate([np.full(first, np.nan), values]) if first else values
            for name, values in zip(self.outputs, series, strict=True)
        }

    def carried(self, columns: dict[str, np.ndarray]) -> live.Live:
        """The live twin, open on a history."""
        first = self._whole_from(columns)
        return live.Live(self.live, *(columns[name][first:] for name in self.inputs), **self.parameters)

    def lacking(self, columns: dict[str, np.ndarray]) -> str:
        """Why there is no value at the newest bar though there are bars enough; empty where there is one."""
        first = self._whole_from(columns)
        dates = columns["session_date"]
        if not first or len(dates) - first > self.warm_up:
            return ""
        unknown = [name for name in self.inputs if not np.isfinite(columns[name][first - 1])]
        return not_known(unknown, dates[first - 1].item())

    def _whole_from(self, columns: dict[str, np.ndarray]) -> int:
        """The index behind the last bar of which an input is not known."""
        unknown = np.zeros(len(columns[self.inputs[0]]), bool)
        for name in self.inputs:
            unknown |= ~np.isfinite(columns[name])
        return len(unknown) - int(unknown[::-1].argmax()) if unknown.any() else 0


def not_known(inputs: list[str], session: date) -> str:
    """Why an indicator has no value: what it reads of a session is not known."""
    return f"the {' and the '.join(inputs)} of {session} {'is' if len(inputs) == 1 else 'are'} not known"


def _sma(period: int) -> Indicator:
    return Indicator(
        name="sma", parameters={"period": period}, inputs=("close",), outputs=("sma",), warm_up=period - 1,
        pane=PRICE_PANE, batch=batch.sma, live=live.sma,
    )  # fmt: skip


def _rsi(period: int) -> Indicator:
    return Indicator(
        name="rsi", parameters={"period": period}, inputs=("close",), outputs=("rsi",), warm_up=period,
        pane=OWN_PANE, batch=batch.rsi, live=live.rsi, levels=(30, 70),
    )  # fmt: skip


# What is made with other parameters than those that everybody gets.
_MADE = {"sma": _sma, "rsi": _rsi}
LEAST_PERIOD, MOST_PERIOD = 2, 1000
CATALOGUE = {indicator.key: indicator for indicator in (_sma(20), _rsi(14))}


def named(key: str) -> Indicator | None:
    """The indicator of a key such as sma_100, in the catalogue or not; None where none is made by that name.

    Raises UnknownIndicator where one is, and not with these parameters.
    """
    if key in CATALOGUE:
        return CATALOGUE[key]
    name, _, period = key.partition("_")
    if name not in _MADE:
        return None
    if period.isdecimal() and period == str(int(period)) and LEAST_PERIOD <= int(period) <= MOST_PERIOD:
        return _MADE[name](int(period))
    raise UnknownIndicator(f"no indicator {key!r}; {name} has one period, {LEAST_PERIOD} to {MOST_PERIOD}: {name}_100")


def chosen(names: Iterable[str] = ("all",)) -> list[Indicator]:
    """The indicators of some names, in the catalogue's order: `sma_20`, `sma` for every one of that name, or `all`.

    Raises UnknownIndicator.
    """
    asked = {name.strip().lower() for name in names}
    known = {"all", *CATALOGUE, *(indicator.name for indicator in CATALOGUE.values())}
    if unknown := sorted(asked - known):
        raise UnknownIndicator(f"no indicator {', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}")
    return [indicator for indicator in CATALOGUE.values() if asked & {"all", indicator.key, indicator.name}]
