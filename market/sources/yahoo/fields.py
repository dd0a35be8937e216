"""Single fields of Yahoo's answers: each is what it should be, or None. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from market import prices

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


def price(answer: dict, name: str) -> float | None:
    return found if prices.is_price(found := answer.get(name)) else None


def is_price(value: object, kind: object) -> bool:
    """Whether it can be a price of a symbol of a kind, as Yahoo names it: of futures one may be below zero."""
    return prices.is_price(value) or (kind == "FUTURE" and prices.is_number(value) and prices.is_price(-value))


def volume(answer: dict, name: str, kind: object) -> int | None:
    """A count of units. kind: the symbol's as Yahoo names it; of a currency pair, which has none, Yahoo writes 0."""
    return count(answer.get(name), kind)


def count(value: object, kind: object) -> int | None:
    if kind == "CURRENCY" or not prices.is_number(value) or not prices.is_volume(found := round(value)):
        return None
    return found if found or kind in _COUNTED else None


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
