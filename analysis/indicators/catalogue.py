"""Every indicator there is, by name and by key, and the set that everybody gets. Pure."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from analysis.indicators.entries import ENTRIES
from analysis.indicators.entry import AGAINST_MARK, Entry, Indicator, told
from market import intervals
from market.intervals import DAY

ALL = "all"
SHOWN, LIKE = 3, 0.6  # of what may have been meant: how many, and how much alike as difflib measures it
NAMED, LONGEST = 3, 20  # unknown names for which it is looked for, and their characters
COMPARED = [name for name, entry in ENTRIES.items() if entry.is_compared]
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
    """The indicator of a key such as sma_100 or beta_20~^GSPC, or by its bare name with its defaults; None where there
    is no such name.

    Raises UnknownIndicator where there is, and not with these parameters, or not against another symbol.
    """
    own, mark, against = key.partition(AGAINST_MARK)
    name, _, rest = own.partition("_")
    entry = ENTRIES.get(name)
    if entry is None:
        return None
    if entry.is_compared != bool(against) or bool(mark) != bool(against):
        raise UnknownIndicator(f"no indicator {key!r}; {_compared(entry)}")
    if name == own:
        return entry.with_defaults(against)
    texts = rest.split("_")
    if len(texts) == len(entry.parameters):
        values = {name: each.read(text) for (name, each), text in zip(entry.parameters.items(), texts, strict=True)}
        if None not in values.values():
            return entry.of(values, against)
    raise UnknownIndicator(f"no indicator {key!r}; {_has(entry)}")


def spelled(name: str, against: str = "") -> str:
    """A name as keys have it. against: the ticker that is meant where one that is compared names none."""
    own, mark, other = name.strip().partition(AGAINST_MARK)
    own, other = own.strip().lower(), other.strip().upper()
    entry = ENTRIES.get(own.partition("_")[0])
    if not mark and against and entry is not None and entry.is_compared:
        mark, other = AGAINST_MARK, against
    return f"{own}{mark}{other}"


def is_compared(name: str) -> bool:
    """Whether a name is of one that is measured against another symbol, whether it says which or not."""
    return name.partition(AGAINST_MARK)[0].partition("_")[0] in COMPARED


def others(names: Iterable[str]) -> list[str]:
    """The tickers against which some names, as they are spelled, are measured."""
    return list(dict.fromkeys(other for name in names if (other := name.partition(AGAINST_MARK)[2])))


def against(name: str, tickers: Mapping[str, str]) -> str:
    """A spelled name with the ticker that stands for its other."""
    own, mark, other = name.partition(AGAINST_MARK)
    return f"{own}{mark}{tickers[other]}" if mark else name


def chosen(names: Iterable[str] = (ALL,), interval: str = DAY.name) -> list[Indicator]:
    """The indicators of some names: `all` and what is in the default set in its order, then the others as asked for.

    `sma_100` is one; `sma` every one of that name in the set, or the one with its defaults where the set has none.
    Raises UnknownIndicator.
    """
    asked = list(dict.fromkeys(map(spelled, names)))
    known = defaults(interval)
    inside = {key: each for key, each in known.items() if {ALL, key, each.name} & set(asked)}
    bare = {each.name for each in known.values()}
    outside, missing = {}, []
    for name in asked:
        if name == ALL or name in bare or name in inside:
            continue
        indicator = named(name)
        if indicator is None:
            missing.append(name)
        else:
            outside[indicator.key] = indicator
    if missing:
        names = f"there are all, {', '.join(sorted(bare))}, and {len(ENTRIES) - len(bare)} more in the catalogue"
        raise UnknownIndicator(f"{unknown(missing)}; {names}")
    return list((inside | outside).values())


def is_default(names: Iterable[str]) -> bool:
    """Whether the default set is among what is asked for: who asks for all takes what there is."""
    return any(name.strip().lower() == ALL for name in names)


def unknown(names: Iterable[str]) -> str:
    """What is told of names that the catalogue does not hold: what may have been meant, and where all are."""
    asked = sorted(names)
    told = f"no indicator {', '.join(map(repr, asked))}"
    near = dict.fromkeys(each for name in asked[:NAMED] for each in _near(name))
    return f"{told} (did you mean {' or '.join(near)}?)" if near else told


def _near(name: str) -> list[str]:
    """Names of the catalogue that are written alike, the likeliest first."""
    word = name.partition("_")[0].rstrip("0123456789")
    return get_close_matches(word, ENTRIES, SHOWN, LIKE) if len(word) <= LONGEST else []


def _compared(entry: Entry) -> str:
    if not entry.is_compared:
        return f"{entry.name} is measured against no other symbol"
    key = entry.with_defaults().key
    return f"{entry.name} is measured against another symbol, which its key names: {key}{AGAINST_MARK}^GSPC"


def _has(entry: Entry) -> str:
    if not entry.parameters:
        return f"{entry.name} has no parameters"
    ranges = [f"{name} from {told(each.least)} to {told(each.most)}" for name, each in entry.parameters.items()]
    return f"{entry.name} has {', '.join(ranges)}: {entry.with_defaults().key}"
