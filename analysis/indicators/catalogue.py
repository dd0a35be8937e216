"""Every indicator there is, by name and by key, and the set that everybody gets. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from analysis.indicators.entries import ENTRIES
from analysis.indicators.entry import Entry, Indicator, told
from market import intervals
from market.intervals import DAY

CONVENTION = 2  # changes with what a value means, as an answer that a client kept is then another one
__all__ = ["CONVENTION", "DEFAULTS", "ENTRIES", "UnknownIndicator", "chosen", "defaults", "named"]


class UnknownIndicator(ValueError):
    """A name that the catalogue does not hold, or parameters out of their range; the text says what it has."""


def _of(name: str, *values: float) -> Indicator:
    return ENTRIES[name].of(dict(zip(ENTRIES[name].parameters, values, strict=True)))


_EVERYWHERE = [
    *(_of(name, period) for name in ("sma", "ema") for period in (5, 10, 20, 50, 200)),
    _of("rsi", 14), _of("macd", 12, 26, 9), _of("bbands", 20, 2.0), _of("atr", 14), _of("stoch", 14, 3, 3),
    _of("adx", 14), _of("obv"),
]  # fmt: skip
# What `all` means, and what the stream tells of a symbol: on 1d and longer, and within a session.
DEFAULTS = {each.key: each for each in (*_EVERYWHERE, _of("vwap", 20))}
_WITHIN = {each.key: each for each in (*_EVERYWHERE, _of("vwapsession"))}


def defaults(interval: str = DAY.name) -> dict[str, Indicator]:
    """The default set on an interval, by key."""
    return DEFAULTS if intervals.named(interval).is_whole else _WITHIN


@lru_cache(maxsize=4096)
def named(key: str) -> Indicator | None:
    """The indicator of a key such as sma_100, or by its bare name with its defaults; None where there is no such name.

    Raises UnknownIndicator where there is, and not with these parameters.
    """
    name, _, rest = key.partition("_")
    entry = ENTRIES.get(name)
    if entry is None:
        return None
    if name == key:
        return entry.with_defaults()
    texts = rest.split("_")
    if len(texts) == len(entry.parameters):
        values = {name: each.read(text) for (name, each), text in zip(entry.parameters.items(), texts, strict=True)}
        if None not in values.values():
            return entry.of(values)
    raise UnknownIndicator(f"no indicator {key!r}; {_has(entry)}")


def chosen(names: Iterable[str] = ("all",), interval: str = DAY.name) -> list[Indicator]:
    """The indicators of some names: `all` and what is in the default set in its order, then the others as asked for.

    `sma_100` is one; `sma` every one of that name in the set, or the one with its defaults where the set has none.
    Raises UnknownIndicator.
    """
    asked = list(dict.fromkeys(name.strip().lower() for name in names))
    known = defaults(interval)
    inside = {key: each for key, each in known.items() if {"all", key, each.name} & set(asked)}
    bare = {each.name for each in known.values()}
    outside, unknown = {}, []
    for name in asked:
        if name == "all" or name in bare or name in inside:
            continue
        indicator = named(name)
        if indicator is None:
            unknown.append(name)
        else:
            outside[indicator.key] = indicator
    if unknown:
        names = f"there are all, {', '.join(sorted(bare))}, and {len(ENTRIES) - len(bare)} more in the catalogue"
        raise UnknownIndicator(f"no indicator {', '.join(map(repr, sorted(unknown)))}; {names}")
    return list((inside | outside).values())


def _has(entry: Entry) -> str:
    if not entry.parameters:
        return f"{entry.name} has no parameters"
    ranges = [f"{name} from {told(each.least)} to {told(each.most)}" for name, each in entry.parameters.items()]
    return f"{entry.name} has {', '.join(ranges)}: {entry.with_defaults().key}"
