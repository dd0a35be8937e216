"""Functions of TA-Lib as recursions over symbols: the operations that its C makes, in its order, so that each bit is.

A function, or parameters, that are not here stay with the library's own handles. Source: TA-Lib 0.8, src/ta_func.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Protocol

import numpy as np

from analysis.indicators.across.slots import HIGHEST, LEAVING, LOWEST, PLAIN, Fused, Keep, Number, On, Slot, Take
from analysis.indicators.talib import functions

Parameters = Mapping[str, float]
Seed = list["float | np.ndarray"]  # of each slot what it holds; of those of bars before these, oldest first


class Recursion(Protocol):
    slots: tuple[Slot, ...]

    def seed(self, *inputs: np.ndarray) -> Seed:
        """Behind a history of which every bar is known, and that is longer than the function's lookback."""

    def step(self, on: On, take: Take, keep: Keep, *inputs: Number) -> tuple[Number, ...]: ...


def named(function: str, parameters: Parameters) -> Recursion | None:
    """None where there is none."""
    if function not in _RECURSIONS:
        return None
    periods = [int(value) for name, value in parameters.items() if "period" in name]
    if any(period < 2 for period in periods) or any(parameters.get(name) for name in _AVERAGES):
        return None  # a period of one is a case of its own there, as are other averages than the plain one
    return _RECURSIONS[function](parameters, *periods)


_AVERAGES = ("matype", "slowk_matype", "slowd_matype")


@dataclass(frozen=True)
class _Mean:
    """SMA: a sum from which the bar that leaves is taken once the mean was read."""

    parameters: Parameters
    period: int

    @property
    def slots(self) -> tuple[Slot, ...]:
        return PLAIN, Slot(LEAVING, self.period - 1)

    def seed(self, values: np.ndarray) -> Seed:
        return [_sum(values, self.period), values[1 - self.period :]]

    def step(self, on: On, take: Take, keep: Keep, value: Number) -> tuple[Number, ...]:
        total = take() + value
        keep(total - take())
        keep(value)
        return (total / self.period,)


class _Exponential:
    """EMA."""

    slots = (PLAIN,)

    def __init__(self, parameters: Parameters, period: int) -> None:
        self._period, self._times = period, Fused(2.0 / (period + 1))

    def seed(self, values: np.ndarray) -> Seed:
        return [_last(functions.EMA(values, self._period))]

    def step(self, on: On, take: Take, keep: Keep, value: Number) -> tuple[Number, ...]:
        before = take()
        mean = self._times.plus(value - before, before)
        keep(mean)
        return (mean,)


class _Relative:
    """RSI."""

    slots = (PLAIN, PLAIN, PLAIN)

    def __init__(self, parameters: Parameters, period: int) -> None:
        self._period, self._kept, self._share = period, float(period - 1), 1.0 / period

    def seed(self, values: np.ndarray) -> Seed:
        moved = np.diff(values)
        gains = np.where(moved > 0, moved, 0.0)
        bars = list(zip(gains.tolist(), (gains - moved).tolist(), strict=True))
        gain = loss = 0.0
        for rise, fall in bars[: self._period]:
            gain, loss = gain + rise, loss + fall
        gain, loss, kept, share = gain * self._share, loss * self._share, self._kept, self._share
        for rise, fall in bars[self._period :]:
            gain, loss = (gain * kept + rise) * share, (loss * kept + fall) * share
        return [gain, loss, _last(values)]

    def step(self, on: On, take: Take, keep: Keep, value: Number) -> tuple[Number, ...]:
        gain, loss = take() * self._kept, take() * self._kept
        moved = value - take()
        rise = on.where(moved > 0, moved, 0.0)
        gain, loss = (gain + rise) * self._share, (loss + (rise - moved)) * self._share
        keep(gain)
        keep(loss)
        keep(value)
        return (100.0 * on.quotient(gain, gain + loss, 0.0),)


class _Convergence:
    """MACD: both averages begin together, and its line is smoothed as it comes."""

    slots = (PLAIN, PLAIN, PLAIN)

    def __init__(self, parameters: Parameters, fast: int, slow: int, signal: int) -> None:
        self._periods = min(fast, slow), max(fast, slow), signal
        self._times = [Fused(2.0 / (period + 1)) for period in self._periods]

    def seed(self, values: np.ndarray) -> Seed:
        fast, slow, signal = self._periods
        line = functions.MACD(values, fast, slow, signal)[1]
        return [_last(functions.EMA(values[slow - fast :], fast)), _last(functions.EMA(values, slow)), _last(line)]

    def step(self, on: On, take: Take, keep: Keep, value: Number) -> tuple[Number, ...]:
        of_fast, of_slow, of_signal = self._times
        fast, slow, signal = take(), take(), take()
        fast = of_fast.plus(value - fast, fast)
        slow = of_slow.plus(value - slow, slow)
        line = fast - slow
        signal = of_signal.plus(line - signal, signal)
        keep(fast)
        keep(slow)
        keep(signal)
        return line, signal, line - signal


class _Range:
    """TRANGE."""

    slots = (PLAIN,)

    def __init__(self, parameters: Parameters) -> None: ...

    def seed(self, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Seed:
        return [_last(close)]

    def step(self, on: On, take: Take, keep: Keep, high: Number, low: Number, close: Number) -> tuple[Number, ...]:
        keep(close)
        return (_reach(on, high, low, take()),)


class _AverageRange:
    """ATR."""

    slots = (PLAIN, PLAIN)

    def __init__(self, parameters: Parameters, period: int) -> None:
        kept = (period - 1.0) / period
        self._period, self._share, self._times = period, 1.0 - kept, Fused(kept)

    def seed(self, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Seed:
        return [_last(functions.ATR(high, low, close, self._period)), _last(close)]

    def step(self, on: On, take: Take, keep: Keep, high: Number, low: Number, close: Number) -> tuple[Number, ...]:
        before = take()
        mean = self._times.plus(before, _reach(on, high, low, take()) * self._share)
        keep(mean)
        keep(close)
        return (mean,)


class _Directional:
    """ADX."""

    slots = (PLAIN,) * 7

    def __init__(self, parameters: Parameters, period: int) -> None:
        self._period, self._kept = float(period), float(period - 1)

    def seed(self, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Seed:
        period = int(self._period)
        moved = [_last(each(high, low, period)) for each in (functions.PLUS_DM, functions.MINUS_DM)]
        ranges = functions.TRANGE(high, low, close)[1:].tolist()
        total = 0.0
        for each in ranges[: period - 1]:
            total += each
        for each in ranges[period - 1 :]:
            total = total - total / period + each
        strength = _last(functions.ADX(high, low, close, period))
        return [*moved, total, strength, _last(high), _last(low), _last(close)]

    def step(self, on: On, take: Take, keep: Keep, high: Number, low: Number, close: Number) -> tuple[Number, ...]:
        up, down, total, strength = take(), take(), take(), take()
        rise, fall = high - take(), take() - low
        total = total - total / self._period + _reach(on, high, low, take())
        up, down = up - up / self._period, down - down / self._period
        is_down = (fall > 0) & (rise < fall)
        is_up = (rise > 0) & (rise > fall)
        up, down = on.where(is_up, up + rise, up), on.where(is_down, down + fall, down)
        plus, minus = 100.0 * on.quotient(up, total, 0.0), 100.0 * on.quotient(down, total, 0.0)
        both = plus + minus
        share = 100.0 * on.quotient(abs(minus - plus), both, 0.0)
        strength = on.where(both != 0, (strength * self._kept + share) / self._period, strength)
        keep(up)
        keep(down)
        keep(total)
        keep(strength)
        keep(high)
        keep(low)
        keep(close)
        return (strength,)


class _Stochastic:
    """STOCH."""

    def __init__(self, parameters: Parameters, period: int, slowk: int, slowd: int) -> None:
        self._period, self._slowk, self._slowd = period, slowk, slowd
        means = PLAIN, Slot(LEAVING, slowk - 1), PLAIN, Slot(LEAVING, slowd - 1)
        self.slots = (Slot(HIGHEST, period - 1), Slot(LOWEST, period - 1), *means)

    def seed(self, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Seed:
        past = self._period - 1
        highest, lowest = functions.MAX(high, self._period)[past:], functions.MIN(low, self._period)[past:]
        reach = highest - lowest
        raw = 100.0 * np.divide(close[past:] - lowest, reach, out=np.zeros(len(reach)), where=reach != 0)
        slow = functions.SMA(raw, self._slowk)[self._slowk - 1 :]
        means = [_sum(raw, self._slowk), raw[1 - self._slowk :], _sum(slow, self._slowd), slow[1 - self._slowd :]]
        return [high[-past:], low[-past:], *means]

    def step(self, on: On, take: Take, keep: Keep, high: Number, low: Number, close: Number) -> tuple[Number, ...]:
        highest, lowest = on.higher(take(), high), on.lower(take(), low)
        keep(high)
        keep(low)
        raw = 100.0 * on.quotient(close - lowest, highest - lowest, 0.0)
        total = take() + raw
        keep(total - take())
        keep(raw)
        slow = total / self._slowk
        total = take() + slow
        keep(total - take())
        keep(slow)
        return slow, total / self._slowd


class _Balance:
    """OBV."""

    slots = (PLAIN, PLAIN)

    def __init__(self, parameters: Parameters) -> None: ...

    def seed(self, close: np.ndarray, volume: np.ndarray) -> Seed:
        return [_last(functions.OBV(close, volume)), _last(close)]

    def step(self, on: On, take: Take, keep: Keep, close: Number, volume: Number) -> tuple[Number, ...]:
        balance, before = take(), take()
        fell = on.where(close < before, balance - volume, balance)
        balance = on.where(close > before, balance + volume, fell)
        keep(balance)
        keep(close)
        return (balance,)


class _Weighted:
    """VWMA."""

    def __init__(self, parameters: Parameters, period: int) -> None:
        self._period = period
        self.slots = (PLAIN, Slot(LEAVING, period - 1)) * 2

    def seed(self, price: np.ndarray, volume: np.ndarray) -> Seed:
        return [
            part for each in (price * volume, volume) for part in (_sum(each, self._period), each[1 - self._period :])
        ]

    def step(self, on: On, take: Take, keep: Keep, price: Number, volume: Number) -> tuple[Number, ...]:
        money = price * volume
        total = take() + money
        keep(total - take())
        keep(money)
        shares = take() + volume
        keep(shares - take())
        keep(volume)
        return (on.quotient(total / self._period, shares / self._period, nan),)


class _Channel:
    """DONCHIAN."""

    def __init__(self, parameters: Parameters, period: int) -> None:
        self._past = period - 1
        self.slots = (Slot(HIGHEST, period - 1), Slot(LOWEST, period - 1))

    def seed(self, high: np.ndarray, low: np.ndarray) -> Seed:
        return [high[-self._past :], low[-self._past :]]

    def step(self, on: On, take: Take, keep: Keep, high: Number, low: Number) -> tuple[Number, ...]:
        upper, lower = on.higher(take(), high), on.lower(take(), low)
        keep(high)
        keep(low)
        return upper, (upper + lower) / 2.0, lower


_RECURSIONS: Mapping[str, Callable[..., Recursion]] = {
    "SMA": _Mean, "EMA": _Exponential, "RSI": _Relative, "MACD": _Convergence, "TRANGE": _Range,
    "ATR": _AverageRange, "ADX": _Directional, "STOCH": _Stochastic, "OBV": _Balance, "VWMA": _Weighted,
    "DONCHIAN": _Channel,
}  # fmt: skip


def _reach(on: On, high: Number, low: Number, before: Number) -> Number:
    """The true range of a bar behind a close."""
    return on.higher(on.higher(high - low, abs(high - before)), abs(low - before))


def _sum(values: np.ndarray, period: int) -> float:
    """A running sum behind a history: each bar added, then the one that leaves taken, one after the other."""
    steps = np.empty(2 * len(values) - period + 1)
    steps[: period - 1] = values[: period - 1]
    steps[period - 1 :: 2] = values[period - 1 :]
    steps[period::2] = -values[: len(values) - period + 1]
    return np.add.accumulate(steps)[-1].item()


def _last(values: np.ndarray) -> float:
    return values[-1].item()
