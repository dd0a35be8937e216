"""What was paid, where Yahoo says it in two ways or in another unit than the prices. Pure.

Yahoo names the dividends of London, Johannesburg and Tel Aviv in pence (cents, agorot) for some symbols, in pounds for
others and in both for some, and takes out of the adjusted close whatever number it named, as if it were pence. So
the unit is told by what a payment would be of the price: more than all of it can't be, a large one makes the price
fall, and one symbol's are of a size. What its adjusted close contradicts is marked as disputed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from market.sources.yahoo.charts.candles import Dated
from market.sources.yahoo.charts.events.told import Events

# Of the price. A dividend of more makes a fall that other news do not hide; less than this is no usual one in pence.
LARGE = 0.08
USUAL_FALL = 0.02  # of a day without any payment
DISPUTED = 0.002  # what two adjustments of one day may be apart
_SOON = timedelta(days=4)  # nobody pays twice in so many days
_ALIKE = 0.1


class Payment(NamedTuple):
    """Cash per share of today, in the unit of the prices. disputed: what the source itself contradicts, in words."""

    ex_date: date
    kind: str  # dividend or capital_gain
    amount: float
    disputed: str | None


@dataclass(frozen=True, slots=True)
class _Day:
    """What is told of an ex date. close: of the session before; None where the answer does not have it.

    fell: by what part of that close the price opened lower; taken: what part the adjusted close takes out.
    """

    ex_date: date
    amounts: tuple[float, ...]
    gain: float
    close: float | None
    fell: float | None
    taken: float | None

    @property
    def paid(self) -> float:
        return sum(self.amounts)

    @property
    def part(self) -> float | None:
        """What it pays, of the price."""
        return self.paid / self.close if self.close else None

    @property
    def is_seen(self) -> bool:
        """Whether the price fell as only so large a payment makes it."""
        return self.part is not None and self.part >= LARGE and self.fell is not None and self.fell >= self.part / 2


def payments(told: Events, rows: Dated, parts: int, usual: float | None = None) -> list[Payment]:
    """What was paid, oldest first. parts: how many units of the prices are one of the currency.

    usual: what its dividends that we hold are of the price, the one in the middle; they tell where the answer is short.
    """
    dates = sorted({ex_date for ex_date, _ in (*told.dividends, *told.gains)})
    days = _in_one_unit([_day(ex_date, told, rows) for ex_date in dates], parts, usual)
    known = [day.part for day in days]
    decided = [_decided(day, _usual(known, place) or usual) for place, day in enumerate(days)]
    return [payment for found in _named_twice(decided) for payment in found]


def _day(ex_date: date, told: Events, rows: Dated) -> _Day:
    amounts = tuple(amount for day, amount in told.dividends if day == ex_date)
    gain = sum(amount for day, amount in told.gains if day == ex_date)
    index = rows.since(ex_date)
    if not 0 < index < len(rows):
        return _Day(ex_date, amounts, gain, rows[index - 1][1].close if index else None, None, None)
    before, on = rows[index - 1][1], rows[index][1]
    taken = 1 - (before.adjusted / before.close) / (on.adjusted / on.close) if before.adjusted and on.adjusted else None
    return _Day(ex_date, amounts, gain, before.close, 1 - on.open / before.close, taken)


def _in_one_unit(days: list[_Day], parts: int, held: float | None) -> list[_Day]:
    """Each amount in the unit of the prices."""
    if parts == 1:
        return days
    sure = [[_is_whole(amount, day, parts) for amount in day.amounts] for day in days]
    known = [
        amount * (parts if whole else 1) / day.close
        for day, found in zip(days, sure, strict=True)
        for amount, whole in zip(day.amounts, found, strict=True)
        if whole is not None and day.close
    ]
    usual = held or (median(known) if known else None)
    return [
        replace(
            day,
            amounts=tuple(
                amount * (parts if (_is_nearer(amount, day, parts, usual) if whole is None else whole) else 1)
                for amount, whole in zip(day.amounts, found, strict=True)
            ),
        )
        for day, found in zip(days, sure, strict=True)
    ]


def _is_whole(amount: float, day: _Day, parts: int) -> bool | None:
    """Whether it is told in pounds while the prices are in pence; None where it may be either."""
    if not day.close:
        return None
    as_whole = amount * parts / day.close
    if as_whole >= 1:
        return False
    if as_whole < LARGE:
        return True
    return True if day.fell is not None and day.fell >= as_whole / 2 else None


def _is_nearer(amount: float, day: _Day, parts: int, usual: float | None) -> bool:
    """Whether as pounds it is more like the others than as pence; pence, which the prices are in, where none tell."""
    if usual is None or not day.close:
        return False
    return _distance(amount * parts / day.close, usual) < _distance(amount / day.close, usual)


def _usual(known: Sequence[float | None], but: int) -> float | None:
    """What the others pay of the price; None of fewer than two."""
    others = [part for part in (*known[:but], *known[but + 1 :]) if part]
    return median(others) if len(others) > 1 else None


def _decided(day: _Day, usual: float | None) -> list[Payment]:
    amounts, gain, dispute = list(day.amounts), day.gain, _dispute(day)
    if gain and amounts and _is_inside(day):
        amounts = [sum(amounts) - gain]
    elif dispute and not gain and len(amounts) == 1 and _is_taken_right(day, usual):
        amounts = [_taken(day)]
    named = [Payment(day.ex_date, "dividend", amount, dispute) for amount in amounts if amount > 0]
    return named + ([Payment(day.ex_date, "capital_gain", gain, dispute)] if gain else [])


def _is_inside(day: _Day) -> bool:
    """Whether a fund's gain is a part of its dividend, and not beside it: by what the price fell by, or, where it is
    small, by what the adjusted close takes out, which counts some twice.
    """
    if day.paid < day.gain or not day.close:
        return False
    inside, beside = day.paid / day.close, (day.paid + day.gain) / day.close
    seen = day.fell if day.gain / day.close >= USUAL_FALL else day.taken
    return seen is not None and abs(seen - inside) < abs(seen - beside)


def _dispute(day: _Day) -> str | None:
    if not day.close:
        return None
    total = day.paid + (0 if day.gain and _is_inside(day) else day.gain)
    part = total / day.close
    if day.taken is not None and (day.taken >= 1 or abs((1 - part) / (1 - day.taken) - 1) > DISPUTED):
        return (
            f"it is {total:.6g} in the unit of the prices, and the adjusted close takes out {day.taken * day.close:.6g}"
        )
    if part >= LARGE and day.fell is not None and day.fell < part / 4:
        return f"it is {part:.1%} of the price, which opened {day.fell:.1%} lower"
    return None


def _is_taken_right(day: _Day, usual: float | None) -> bool:
    """Whether what the adjusted close takes out is more like the others than what is named."""
    if usual is None or not day.part or not day.taken or day.taken <= DISPUTED / 2:
        return False
    return not day.is_seen and _distance(day.taken, usual) < _distance(day.part, usual)


def _taken(day: _Day) -> float:
    """What the adjusted close takes out; exact where the amount is a multiple of it, by a split that it missed."""
    taken = day.taken * day.close
    times = round(day.paid / taken)
    return day.paid / times if times and abs(day.paid / taken - times) < times / 1000 else float(f"{taken:.4g}")


def _named_twice(found: list[list[Payment]]) -> list[list[Payment]]:
    """The same with those in dispute that are named again within days."""
    flat = [payment for day in found for payment in day]
    twice = {
        payment
        for one, other in pairwise(flat)
        if one.kind == other.kind
        and timedelta(0) < other.ex_date - one.ex_date <= _SOON
        and abs(other.amount / one.amount - 1) < _ALIKE
        for payment in (one, other)
    }
    why = "it is named twice within days"
    return [[each._replace(disputed=each.disputed or why) if each in twice else each for each in day] for day in found]


def _distance(one: float, other: float) -> float:
    return abs(math.log(one / other))
