"""Every indicator there is: its name, parameters, warm-up, outputs and pane. A new one is one entry. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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
        """Each output over a whole history: float64 (n,), NaN where there is no value yet."""
        inputs = [columns[name] for name in self.inputs]
        try:
            answer = self.batch(*inputs, **self.parameters)
        except batch.InsufficientHistory:
            answer = tuple(np.full(len(inputs[0]), np.nan) for _ in self.outputs)
        series = answer if isinstance(answer, tuple) else (answer,)
        return dict(zip(self.outputs, series, strict=True))

    def carried(self, columns: dict[str, np.ndarray]) -> live.Live:
        """The live twin, open on a history."""
        return live.Live(self.live, *(columns[name] for name in self.inputs), **self.parameters)


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


CATALOGUE = {indicator.key: indicator for indicator in (_sma(20), _rsi(14))}


def chosen(names: Iterable[str] = ("all",)) -> list[Indicator]:
    """The indicators of some names, in the catalogue's order: `sma_20`, `sma` for every one of that name, or `all`.

    Raises UnknownIndicator.
    """
    asked = {name.strip().lower() for name in names}
    known = {"all", *CATALOGUE, *(indicator.name for indicator in CATALOGUE.values())}
    if unknown := sorted(asked - known):
        raise UnknownIndicator(f"no indicator {', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}")
    return [indicator for indicator in CATALOGUE.values() if asked & {"all", indicator.key, indicator.name}]
