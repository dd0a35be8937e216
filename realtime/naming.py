"""Which streams an action means, by its type, symbols, interval and indicators."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from analysis.indicators import catalogue
from analysis.indicators.catalogue import UnknownIndicator
from analysis.indicators.entry import Indicator
from market import intervals
from market.intervals import DAY
from realtime import kinds, messages
from realtime.kinds import KINDS, Kind
from realtime.messages import Refused

_WHERE = "/api/v2/technical-analysis/catalogue"
MAX_EXTRA = 50  # streams of one indicator that one client may hold


def meant(type: str) -> tuple[Kind, ...]:
    """The kinds that a type stands for: `all` is what is published to everybody."""
    if type == messages.EVERYTHING:
        return tuple(kind for kind in kinds.PUBLIC if kind.is_published)
    return (KINDS[type],)


def needs_symbols(type: str) -> bool:
    """Whether a subscription to it says which symbols, and be it all."""
    return type in KINDS and KINDS[type].is_cache


def check(action: dict[str, Any]) -> None:
    """Raises Refused where symbols, interval or indicators say nothing about the type, or an indicator can't be made
    so. All symbols, `*`, may stand with any type.
    """
    kind = KINDS.get(action["type"])
    if kind is not None and not kind.by_symbol and "*" not in action.get("symbols", ["*"]):
        raise Refused("invalid", f"{action['type']} is of no symbol; leave symbols out.")
    if "interval" in action and (kind is None or not kind.has_intervals):
        raise Refused("invalid", f"{action['type']} has no interval; {_those_with('has_intervals')} have.")
    if "indicators" in action and (kind is None or not kind.has_indicators):
        raise Refused("invalid", f"{action['type']} has no indicators; {_those_with('has_indicators')} has.")
    check_indicators(action.get("indicators", ()))


def check_indicators(names: Iterable[str]) -> None:
    """Raises Refused where the catalogue has not one of them, or not so; `all` is what everybody gets."""
    names = [name for name in names if name != catalogue.ALL]
    if unknown := [name for name in names if _named(name) is None]:
        raise Refused("invalid", f"There is {catalogue.unknown(unknown)}; {_WHERE} lists those there are.")


def by_symbol(kind: Kind, tickers: Iterable[str], action: dict[str, Any]) -> Iterator[str]:
    """The streams of symbols; what everybody gets of indicators is one together, any other is one alone."""
    interval = action.get("interval", DAY.name)
    keys = list(dict.fromkeys(_key(name, interval) for name in action.get("indicators", [""])))
    for ticker in tickers:
        for key in keys:
            yield kind.of(ticker, interval, key)


def extra(names: Iterable[str], symbols: int) -> dict[str, Indicator]:
    """By key those of some names that not everybody gets, for so many symbols. Raises Refused where one can't be made,
    or they are too many.
    """
    names = list(names)
    check_indicators(names)
    found = {each.key: each for name in names if _key(name) and (each := _named(name))}
    if len(found) * symbols > MAX_EXTRA:
        most = f"{MAX_EXTRA} indicators beyond those that everybody gets, one of a symbol each, at most"
        raise Refused("too_many_indicators", f"{most}; this would be {len(found) * symbols}.")
    return found


def narrowed(held: Iterable[str], tickers: Collection[str] | None, action: dict[str, Any]) -> list[str]:
    """Of what is held what an action gives up: of its type all, and each further word makes it less."""
    wanted = action.get("indicators", ())
    found = [stream for stream in held if kinds.of(stream) in _ended(action["type"])]
    if tickers is None and "interval" not in action and not wanted:
        return found
    return [stream for stream in found if _is_among(stream, tickers, action.get("interval"), wanted)]


def is_published(stream: str, *, is_recorded: bool = False) -> bool:
    """Whether anybody tells what is asked of a stream; a recording has days alone, and what is made of them.

    Indicators are told of the days and of what is within them, signals of the days.
    """
    kind = kinds.of(stream)
    if not kind.is_published or not kind.has_intervals:
        return kind.is_published
    _, interval, indicator = kinds.address(stream)
    is_whole = intervals.named(interval).is_whole
    if kind is kinds.SIGNALS:
        return interval == DAY.name
    if kind is kinds.BARS:
        return is_whole or not is_recorded  # of weeks and months their corrections
    is_told = interval == DAY.name or not (is_whole or is_recorded)
    return is_told and (not indicator or _is_made(indicator))


def _named(name: str) -> Indicator | None:
    """Raises Refused where it can't be made so; None where there is none of that name."""
    if catalogue.is_compared(name):
        raise Refused("invalid", f"What is measured against another symbol, as {name}, has no stream: REST tells it.")
    try:
        return catalogue.named(name)
    except UnknownIndicator as error:
        raise Refused("invalid", f"{str(error)[0].upper()}{str(error)[1:]}.") from None


def _key(name: str, interval: str = DAY.name) -> str:
    """Of an indicator's stream: "" of what everybody gets on that interval, and of one with its defaults what they
    are.
    """
    known = catalogue.defaults(interval)
    if name == catalogue.ALL or name in known or any(each.name == name for each in known.values()):
        return ""
    indicator = catalogue.named(name) if name else None
    return indicator.key if indicator else name


def _is_made(key: str) -> bool:
    """Under its own key alone: a bare name is told under the key with its defaults."""
    try:
        indicator = catalogue.named(key)
    except UnknownIndicator:
        return False
    return indicator is not None and indicator.key == key and not indicator.against


def _is_among(stream: str, tickers: Collection[str] | None, interval: str | None, names: Collection[str]) -> bool:
    address = kinds.address(stream)
    return (
        (tickers is None or address.ticker in tickers)
        and interval in (None, address.interval)
        and (not names or address.indicator in {_key(name, address.interval) for name in names})
    )


def _ended(type: str) -> tuple[Kind, ...]:
    return kinds.PUBLIC if type == messages.EVERYTHING else (KINDS[type],)


def _those_with(column: str) -> str:
    return ", ".join(kind.name for kind in KINDS.values() if getattr(kind, column))
