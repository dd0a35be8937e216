"""Single fields of Yahoo's answers: each is what it should be, or None. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from market import prices
from market.prices import LARGEST_VOLUME

_COUNTED = ("EQUITY", "ETF", "INDEX", "CRYPTOCURRENCY", "FUTURE", "MUTUALFUND")  # where no unit traded, 0 is a fact


class Misshapen(ValueError):
    """An answer about one symbol that can't be understood; the text says what is wrong with it."""


class Mismatch(Misshapen):
    """An answer that is not what was asked for; the text says in what."""


def part(answer: object, *path: str) -> dict:
    """The object at the end of a path; empty where something on the way is missing or no object."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, dict) else {}


def price(answer: dict, name: str, *, may_be_negative: bool = False) -> float | None:
    return found if is_told(found := answer.get(name), may_be_negative=may_be_negative) else None


def is_told(value: object, *, may_be_negative: bool) -> bool:
    """Whether it is a price: where none is known Yahoo writes 0."""
    return prices.is_price(value, may_be_negative=may_be_negative) and value != 0


def is_price(value: object, kind: object) -> bool:
    """Whether it can be a price of a symbol of a kind, as Yahoo names it: of futures one may be below zero."""
    return is_told(value, may_be_negative=kind == "FUTURE")


def volume(answer: dict, name: str, kind: object) -> int | None:
    """A count of units. kind: the symbol's as Yahoo names it; of a currency pair, which has none, Yahoo writes 0."""
    return count(answer.get(name), kind)


def count(value: object, kind: object) -> int | None:
    if kind == "CURRENCY" or not prices.is_number(value) or not prices.is_volume(found := round(value)):
        return None
    return found if found or kind in _COUNTED else None


def are_counts(values: Sequence[object], kind: object) -> bool:
    """Whether each is the count that it says."""
    return kind in _COUNTED and set(map(type, values)) == {int} and 0 <= min(values) <= max(values) <= LARGEST_VOLUME


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """The instant of a timestamp in seconds."""
    if not prices.is_number(value) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value, zone)
    except (OverflowError, OSError, ValueError):
        return None


def zone(answer: dict) -> ZoneInfo:
    """The exchange's own zone. Raises Misshapen: without it nobody can say which session a price is of."""
    name = answer.get("exchangeTimezoneName")
    try:
        return ZoneInfo(name)
    except (TypeError, ValueError, KeyError, OSError, AttributeError) as error:
        raise Misshapen(f"its time zone is {name!r}"[:80]) from error
