"""An indicator that moves in O(1) with each bar. Pure; equal to the bit to its node over the same bars."""

import math
from collections.abc import Callable

import numpy as np

from analysis.indicators.series import Bar, Columns, Handle, Node, as_tuple
from analysis.indicators.talib import InsufficientHistory, stream


class Live:
    """One indicator of one series, open on its history and carried forward bar by bar.

    history: one float64 (n,) for each input, oldest first, finite. A value is a tuple with one float for each output,
    NaN where that is not defined, or None while the history is too short.
    """

    __slots__ = ("_handle", "_is_plain", "_lookback", "_node", "_short")

    def __init__(self, node: Node, history: Columns) -> None:
        self._node, self._lookback = node, node.lookback
        self._short: dict[str, np.ndarray] = {}
        self._open({name: history[name] for name in node.inputs})

    @property
    def value(self) -> Bar | None:
        return None if self._handle is None else as_tuple(self._handle.value)

    @property
    def plain(self) -> Callable[..., float | Bar] | None:
        """`update` of the library's own handle, for whoever knows that a bar is finite; None where there is more to do.
        It stays until `break_off`.
        """
        return self._handle.update if self._is_plain else None

    def update(self, *bar: float) -> Bar | None:
        """The value with a bar that has closed, which from now on is history. Raises ValueError if it is not finite."""
        if not self._is_plain:
            _require_finite(bar)
        if self._handle is None:
            self._open(self._with(bar))
            return self.value
        try:
            value = self._handle.update(*bar)
        except Exception:
            _require_finite(bar)
            raise
        return value if type(value) is tuple else (value,)

    def break_off(self) -> None:
        """Begin anew: of a bar that has closed something is not known, and nobody can compute across that."""
        self._open({name: np.empty(0) for name in self._node.inputs})

    def peek(self, *bar: float) -> Bar | None:
        """What `update` would return; changes nothing, so call it as often as the forming bar moves."""
        if not self._is_plain:
            _require_finite(bar)
        if self._handle is None:
            return self._first(bar)
        try:
            value = self._handle.peek(*bar)
        except Exception:
            _require_finite(bar)
            raise
        return value if type(value) is tuple else (value,)

    def _open(self, history: Columns) -> None:
        """Keep the history only for as long as it is too short."""
        self._handle = self._opened(history)
        self._short = dict(history) if self._handle is None else {}
        # The library's own refuse what is not finite, and are not moved by it; a look of ours would cost as much again.
        self._is_plain = isinstance(self._handle, stream.Stream)

    def _first(self, bar: Bar) -> Bar | None:
        """The value where this bar is the last that was wanting. A symbol whose history is short is peeked at with
        every quote, so that one which wants more bars than this is let alone.
        """
        if len(next(iter(self._short.values()))) < self._lookback:
            return None
        handle = self._opened(self._with(bar))
        return None if handle is None else as_tuple(handle.value)

    def _opened(self, history: Columns) -> Handle | None:
        # TA-Lib does not define what it does with a hole in the middle, and batch and live then differ.
        if not all(np.isfinite(column).all() for column in history.values()):
            raise ValueError("a price of the history is not finite")
        if len(next(iter(history.values()))) <= self._lookback:
            return None
        try:
            return self._node.open(history)
        except InsufficientHistory:
            return None

    def _with(self, bar: Bar) -> dict[str, np.ndarray]:
        return {name: np.append(column, value) for (name, column), value in zip(self._short.items(), bar, strict=True)}


def _require_finite(bar: Bar) -> None:
    # The sum of what is finite may be too large; where it is not, one look is enough.
    if not math.isfinite(sum(bar)) and not all(map(math.isfinite, bar)):
        raise ValueError("a price is not finite")
