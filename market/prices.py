"""What a price is: the values that travel through Finstage, and their rules. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

# CONTRACT.md: `second`, or `day` where only the session is known.
SECOND, DAY = "second", "day"
# Beyond these float64 no longer holds a ten thousandth of it, or ratios of two prices overflow.
SMALLEST_PRICE, LARGEST_PRICE = 1e-12, 1e12
MOST_DECIMALS = 12  # of the smallest price
COARSE = 1000  # a price of fewer smallest steps of its symbol would be off by up to 0.05 %
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOISE = 2.0**-22  # of two float32 one after the other, as sources tell prices: a part of the price
LARGEST_VOLUME = 2**63 - 1  # of the database's column
AHEAD = timedelta(minutes=5)  # the clocks of two machines may be apart by so much
DAY_AHEAD = timedelta(days=1)  # Auckland's session has tomorrow's date in UTC
SETTLING = timedelta(minutes=20)  # after its close a session's last prices are still corrected for so long
# Of a bar: it still moves; its session is over, and the source may settle it otherwise; settled.
BAR_STATES = FORMING, CLOSED_BAR, FINAL = "forming", "closed", "final"
PRICES_OF_A_QUOTE = ("price", "previous_close", "open", "high", "low")
MARKET_STATES = OPEN, CLOSED, PRE, POST = "open", "closed", "pre", "post"


@dataclass(frozen=True, slots=True)
class Extended:
    """The last price of the hours before or after a session. It stands beside a close and is of no session's bar.

    price: float64 in the symbol's own currency, as traded then, rounded to its decimals. session: PRE or POST.
    session_date: the exchange's own day of it. beside: the session whose close it stands beside. until: when the next
    session opens; then it is over. shares: what that close is multiplied by in the shares of this price; None where
    nobody has looked yet whether a split lies between.
    """

    ticker: str
    session: str
    price: float
    as_of: datetime
    received_at: datetime
    session_date: date
    beside: date
    until: datetime
    shares: float | None = None

    def is_over(self, now: datetime) -> bool:
        return now >= self.until

    def stands(self, quote: "Quote", now: datetime) -> bool:
        """Whether it is still said beside a quote: no session has opened since, nor is the quote of a later one."""
        return not self.is_over(now) and quote.session_date <= self.beside


@dataclass(frozen=True, slots=True)
class Quote:
    """The last price of a symbol and its session so far. No bid or ask: Yahoo's sense of the word.

    Prices are float64 in the symbol's own currency, as traded, rounded to its decimals; `previous_close` is the
    last session's close, restated for a split that takes effect in this session, None where it is not known.
    """

    ticker: str
    price: float
    previous_close: float | None
    open: float | None
    high: float | None
    low: float | None
    volume: int | None
    session_date: date
    as_of: datetime
    as_of_precision: str
    received_at: datetime
    source: str
    market_state: str  # one of MARKET_STATES
    is_final: bool = False  # the source has settled the session: its bar will not move any more
    state: str = ""  # of the session's bar: one of BAR_STATES; where it is not said, as is_final says
    extended: Extended | None = None  # what stands beside it; it is kept for itself, and moves nothing of this

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", self.state or (FINAL if self.is_final else FORMING))
        if self.is_final != (self.state == FINAL):
            raise ValueError(f"a quote of a bar that is {self.state} and is_final={self.is_final}")

    @property
    def has_closed(self) -> bool:
        """Whether its session is over: what follows may settle its bar, and moves it no more."""
        return self.state != FORMING

    @property
    def change(self) -> float | None:
        return None if self.previous_close is None else self.price - self.previous_close

    @property
    def change_percent(self) -> float | None:
        """Percent points: 1.25 is 1.25 %. None also of a close that is not above zero: nothing is a part of it."""
        is_counted = self.previous_close is not None and self.previous_close > 0
        return (self.price / self.previous_close - 1) * 100 if is_counted else None

    @property
    def close_beside(self) -> float | None:
        """What the change of the extended price counts from: this price in its shares; None where that is not known, or
        it stands beside another session's.
        """
        beside = self.extended
        if beside is None or beside.shares is None or beside.beside != self.session_date:
            return None
        return self.price * beside.shares


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close and volume of one interval; prices float64, as traded unless `adjustment` says else."""

    ticker: str
    interval: str
    opened_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    is_final: bool
    source: str
    received_at: datetime
    revision: int = 0
    adjustment: str = "raw"
    session_date: date | None = None  # the exchange's own; where it is not said, that of an opening at its midnight
    state: str = ""  # one of BAR_STATES; where it is not said, as is_final says, which is true of `final` alone

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", self.state or (FINAL if self.is_final else FORMING))
        if self.is_final != (self.state == FINAL):
            raise ValueError(f"a bar that is {self.state} and is_final={self.is_final}")
        if self.session_date is None and self.opened_at == midnight(self.opened_at.date()):
            object.__setattr__(self, "session_date", self.opened_at.date())

    @property
    def has_closed(self) -> bool:
        """Whether its time is over: what follows may settle it, and moves it no more."""
        return self.state != FORMING


@dataclass(frozen=True, slots=True)
class Action:
    """A split (value: new shares for one old), a dividend (cash per share, as paid) or another act of a company.

    numerator, denominator: of a split the new shares and the old ones, which a value such as 1:3 can't hold exactly.
    disputed: what the source itself contradicts of it, in words; None where nothing does.
    """

    ticker: str
    kind: str  # CorporateAction.Kind
    ex_date: date
    value: float
    numerator: float | None = None
    denominator: float | None = None
    disputed: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The actions that a source's answer names, oldest first.

    whole: the kinds of which it names all from `start` to `end`, both counted; another of these is none any more.
    """

    actions: Sequence[Action] = ()
    whole: frozenset[str] = frozenset()
    start: date = date.min
    end: date = date.max

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __len__(self) -> int:
        return len(self.actions)


def is_price(value: object, *, may_be_negative: bool = False) -> bool:
    smallest = -LARGEST_PRICE if may_be_negative else SMALLEST_PRICE
    return (type(value) is float or is_number(value)) and smallest <= value <= LARGEST_PRICE  # no NaN lies there


def is_volume(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_VOLUME


def is_number(value: object) -> bool:
    """Whether it is a finite number, which JSON's true, NaN and texts are not."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    )


def volume_fault(volume: int | None) -> str | None:
    """Why it can be no volume; None of one that is not known."""
    return None if volume is None or is_volume(volume) else f"a volume of {volume!r}"


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether an instant that should be past lies beyond now: a clock was wrong when it was written."""
    return at > now + AHEAD


@lru_cache(maxsize=4096)  # a tick's instants are told by its price, its bar and its indicators
def instant(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`, to the millisecond where there is one."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds")
    return text[:-6] + "Z"


def microseconds(at: datetime) -> int:
    """Since 1970."""
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def midnight(session_date: date) -> datetime:
    """The instant that stands for a session in `opened_at`: its date's midnight, UTC."""
    return datetime.combine(session_date, time.min, tzinfo=UTC)


def session_at(said: date | datetime, time_zone: str) -> date:
    """The session that a date or an instant means at an exchange: by an instant its own date then.

    Midnight UTC stands for the session of its date wherever it is, as in `opened_at`.
    """
    if not isinstance(said, datetime):
        return said
    return said.date() if said == midnight(said.date()) else said.astimezone(ZoneInfo(time_zone)).date()


def state_of(is_final: bool, held: str | None) -> str:
    """The state of a stored bar, where a version before this one wrote none."""
    return held or (FINAL if is_final else FORMING)


def multiplied(quote: Quote, factor: Fraction) -> Quote:
    """The quote in another unit."""
    up, down = factor.numerator, factor.denominator
    return quote if factor == 1 else changed(quote, lambda price: price * up / down)


def rounded(quote: Quote, decimals: int) -> Quote:
    """The quote with every price rounded once, to the decimals that it is kept with."""
    return changed(quote, lambda price: kept(price, decimals))


def kept(price: float, decimals: int) -> float:
    """A price with the decimals that it is kept with: its symbol's, unless they are too coarse for it, as for a coin of
    0.000008, or for a share of 0.2234 before fifty of them became one. Then it has as many as a float32 tells.
    """
    if round(price, decimals) == price:
        return price
    if abs(price) * 10**decimals >= COARSE:
        return round(round(price, decimals + 2), decimals)  # half a cent to the same side, whatever it was divided by
    for places in range(decimals, MOST_DECIMALS):
        if abs(round(price, places) - price) <= abs(price) * _NOISE:
            return round(price, places)
    return round(price, MOST_DECIMALS)


def changed(quote: Quote, change: Callable[[float], float]) -> Quote:
    """The quote with each of its prices changed alike; itself where that changes none."""
    told = ((name, getattr(quote, name)) for name in PRICES_OF_A_QUOTE)
    others = {name: new for name, value in told if value is not None and (new := change(value)) != value}
    return replace(quote, **others) if others else quote
