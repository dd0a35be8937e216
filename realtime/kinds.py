"""What each kind of stream is, in one table: whatever must know derives from it, the script of the pages too.

A stream is `kind:symbol`, with an interval other than 1d `kind:symbol@interval`, of an indicator beyond those that
everybody gets `kind:symbol/indicator` (a slash of a ticker is written %2F), a user's own `kind:@user`, or `kind` alone
where there is one for all.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from market import intervals
from market.intervals import DAY

EVENTS = "/api/v2/events/"  # where what has rows is
PLACE = re.compile(r"([0-9A-Za-z]{1,32}):([0-9]{1,15})")  # epoch and seq, behind which it is asked for
ALL, FORMING, NONE = "all", "forming", "none"  # of a kind's messages
_WITHIN = frozenset(interval.name for interval in intervals.ALL.values() if not interval.is_whole)  # a session


class Address(NamedTuple):
    """Of what a symbol's stream tells; without an indicator of all that everybody gets."""

    ticker: str
    interval: str = DAY.name
    indicator: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table.

    message: the type of what its streams tell. by_symbol, by_user: there is a stream for each; a user's own is known
    to them as `name:@me`. conflated: which of its messages a later one may replace. dropped: which are not in the
    history. is_cache: its newest message says all that counts. is_renewed: it begins anew where recorded sessions do.
    has_market: what is of no symbol has a stream too. has_rows: what it tells is written down, one row a message.
    rest: where REST has what it tells.
    """

    name: str
    message: str
    by_symbol: bool = True
    by_user: bool = False
    has_intervals: bool = False
    conflated: str = NONE
    dropped: str = NONE
    is_cache: bool = False
    is_renewed: bool = True
    for_staff: bool = False
    has_indicators: bool = False
    has_market: bool = False
    is_published: bool = True
    has_rows: bool = False
    rest: str | None = None

    def of(self, ticker: str, interval: str = DAY.name, indicator: str = "") -> str:
        """The stream of a symbol, by its interval where that is not 1d, and of one indicator alone."""
        symbol = ticker.replace("/", "%2F")
        at = "" if interval == DAY.name else f"@{interval}"
        return f"{self.name}:{symbol}{at}/{indicator}" if indicator else f"{self.name}:{symbol}{at}"

    def of_user(self, user_id: int) -> str:
        return f"{self.name}:@{user_id}"

    @property
    def of_market(self) -> str:
        """The stream of what is of no symbol."""
        return f"{self.name}:*market"

    @property
    def own(self) -> str:
        """What everybody calls their own of the streams by user."""
        return f"{self.name}:@me"

    def conflates(self, *, is_forming: bool) -> bool:
        return self.conflated == ALL or (self.conflated == FORMING and is_forming)

    def keeps(self, *, is_forming: bool) -> bool:
        return self.dropped == NONE or (self.dropped == FORMING and not is_forming)


PRICES = Kind("prices", "price_update", conflated=ALL, is_cache=True, rest="/api/v2/symbols/{ticker}/quote/")
BARS = Kind(
    "bars",
    "bar",
    has_intervals=True,
    conflated=FORMING,
    dropped=FORMING,
    is_cache=True,
    rest="/api/v2/symbols/{ticker}/bars/",
)
INDICATORS = Kind(
    "indicators",
    "indicators",
    has_intervals=True,
    has_indicators=True,
    conflated=FORMING,
    dropped=FORMING,
    is_cache=True,
    rest="/api/v2/technical-analysis/indicators/{ticker}",
)
SIGNALS = Kind("signals", "signal", has_intervals=True, has_rows=True)
ALERTS = Kind("alerts", "alert", by_user=True, has_rows=True)
NEWS = Kind("news", "news", has_market=True, is_renewed=False, is_published=False, has_rows=True)
SYSTEM = Kind("system", "system_status", by_symbol=False, is_renewed=False, has_rows=True)
JOBS = Kind("jobs", "jobs", by_symbol=False, is_renewed=False, for_staff=True, rest="/api/tasks/tasks")
METRICS = Kind("metrics", "metric", by_symbol=False, is_renewed=False, for_staff=True, is_published=False)

KINDS = {
    kind.name: kind for kind in (PRICES, BARS, INDICATORS, SIGNALS, ALERTS, NEWS, SYSTEM, JOBS, METRICS)
}  # fmt: skip
_BARS, _INDICATORS = f"{BARS.name}:", f"{INDICATORS.name}:"
PUBLIC = tuple(kind for kind in KINDS.values() if not kind.for_staff)
BY_SYMBOL = tuple(kind for kind in KINDS.values() if kind.by_symbol)
WITH_ROWS = tuple(kind for kind in KINDS.values() if kind.has_rows)
RENEWED = tuple(kind for kind in BY_SYMBOL if kind.is_renewed)


def of(stream: str) -> Kind:
    """The kind of a stream. Raises KeyError where there is none like it."""
    return KINDS[stream.partition(":")[0]]


def address(stream: str) -> Address:
    """Of what a stream by symbol tells."""
    kind, _, rest = stream.partition(":")
    indicator, at, interval = "", "", ""
    if KINDS[kind].has_indicators:
        rest, _, indicator = rest.partition("/")
    if KINDS[kind].has_intervals:
        rest, at, interval = rest.partition("@")
    return Address(rest.replace("%2F", "/"), interval if at else DAY.name, indicator)


def renamed(stream: str, ticker: str) -> str:
    """The same stream of another ticker."""
    _, interval, indicator = address(stream)
    return of(stream).of(ticker, interval, indicator)


def is_by_symbol(name: str) -> bool:
    """Whether this may be a stream of a symbol; a client says any name."""
    kind, colon, _ = name.partition(":")
    return bool(colon) and kind in KINDS and KINDS[kind].by_symbol


def is_extra(stream: str) -> bool:
    """Whether it is of one indicator."""
    return "/" in stream


def is_carried(stream: str) -> bool:
    """Whether it is of indicators."""
    return stream.startswith(_INDICATORS)


def is_within(stream: str) -> bool:
    """Whether it is of bars within sessions, or of indicators on those."""
    return stream.startswith((_BARS, _INDICATORS)) and address(stream).interval in _WITHIN


def is_while_held(stream: str) -> bool:
    """Whether it is told only while somebody holds it."""
    return is_extra(stream) or is_within(stream)


def owner(stream: str) -> str | None:
    """The id of the user whose own stream this is."""
    kind, _, address = stream.partition(":")
    return address[1:] if address.startswith("@") and KINDS[kind].by_user else None


def ticker(stream: str) -> str | None:
    """The symbol that a stream is of, if it is of one: not a user's own, nor the market's."""
    found = address(stream).ticker
    return None if found[:1] in ("", "@", "*") else found


def public(stream: str) -> str:
    """A stream as a client knows it, who is told of no user's own but theirs."""
    return stream if owner(stream) is None else of(stream).own


def rest(stream: str) -> str | None:
    """Where REST has what a stream tells."""
    if of(stream).has_rows:
        return f"{EVENTS}?stream={quote(stream, safe=':@')}"
    path = of(stream).rest
    if path is None:
        return None
    ticker, interval, indicator = address(stream)
    asked = [] if interval == DAY.name else [f"interval={interval}"]
    asked += [f"indicators={indicator}"] if indicator else []
    return path.format(ticker=ticker) + ("?" + "&".join(asked) if asked else "")


def of_symbols(tickers: list[str], kinds: tuple[Kind, ...] = BY_SYMBOL) -> list[str]:
    """All that these symbols have of these kinds."""
    return [kind.of(ticker) for ticker in tickers for kind in kinds]
