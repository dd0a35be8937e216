"""What a recursion remembers, and the arithmetic that is the same for one symbol and for many. Pure.

A recursion reads its slots in order (`take`) and says in the same order what they become (`keep`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Number = TypeVar("Number", float, np.ndarray)
Take, Keep = Callable[[], Number], Callable[[Number], object]
LEAVING, HIGHEST, LOWEST = "leaving", "highest", "lowest"


@dataclass(frozen=True, slots=True)
class Slot:
    """A number of the bar before; or, of the `size` bars before, the one that leaves next, the highest or the lowest:
    what such a slot is told is the number that enters.
    """

    of: str = ""
    size: int = 0


PLAIN = Slot()


class Floats:
    """Of one symbol."""

    sqrt = staticmethod(math.sqrt)

    @staticmethod
    def where(is_so: bool, one: float, other: float) -> float:
        return one if is_so else other

    @staticmethod
    def higher(one: float, other: float) -> float:
        return one if one > other else other

    @staticmethod
    def lower(one: float, other: float) -> float:
        return one if one < other else other

    @staticmethod
    def quotient(part: float, whole: float, otherwise: float) -> float:
        """part / whole, or what it is where the whole is 0."""
        return part / whole if whole else otherwise


class Arrays:
    """Of many symbols; whoever calls has NumPy keep quiet about what has no value."""

    sqrt = staticmethod(np.sqrt)
    where = staticmethod(np.where)
    higher = staticmethod(np.maximum)
    lower = staticmethod(np.minimum)

    @staticmethod
    def quotient(part: np.ndarray, whole: np.ndarray, otherwise: float | np.ndarray) -> np.ndarray:
        return np.where(whole == 0, otherwise, part / whole)


class Fused:
    """A number times others, plus others, rounded once, as C's `fma` does: for floats and arrays alike.

    The product's error is exact (Dekker, Numerische Mathematik 18, 1971), as is that of the sum (Knuth, The Art of
    Computer Programming 2, 4.2.2). Only where both together lie within 2^-53 of half a last digit, which one in 10^15
    does, it may be off by that digit. Not beyond 1e290, nor for what is below 1e-250.
    """

    __slots__ = ("_high", "_low", "_times")

    def __init__(self, times: float) -> None:
        self._times = times
        self._high, self._low = _halves(times)

    def plus(self, value: Number, other: Number) -> Number:
        """times * value + other."""
        times, high, low = self._times, self._high, self._low
        upper = value * _SPLIT
        upper = upper - (upper - value)
        lower = value - upper
        product = value * times
        error = ((upper * high - product) + upper * low + lower * high) + lower * low
        total = product + other
        added = total - product
        return total + ((product - (total - added)) + (other - added) + error)


_SPLIT = 134217729.0  # 2^27 + 1


def _halves(value: float) -> tuple[float, float]:
    upper = value * _SPLIT
    upper = upper - (upper - value)
    return upper, value - upper


On = type[Floats] | type[Arrays]
