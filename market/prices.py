"""What a price is: the values that travel through Finstage, and their rules. Pure."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

# CONTRACT.md: `second`, or `day` where only the session is known.
SECOND, DAY = "second", "day"
# Beyond these float64 no longer holds a ten thousandth of it, or ratios of two prices overflow.
SMALLEST_PRICE, LARGEST_PRICE = 1e-12, 1e12
LARGEST_VOLUME = 2**63 - 1  # of the database's column
WHOLE_SESSIONS = ("1d", "1wk", "1mo")  # intervals whose bars know no time of day
MARKET_STATES = OPEN, CLOSED, PRE, POST = "open", "closed", "pre", "post"


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
    is_final: bool = False  # the session's last: its bar will not move any more

    @property
    def change(self) -> float | None:
        return None if self.previous_close is None else self.price - self.previous_close

    @property
    def change_percent(self) -> float | None:
        """Percent points: 1.25 is 1.25 %."""
        return None if not self.previous_close else (self.price / self.previous_close - 1) * 100


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

    @property
    def session_date(self) -> date:
        """The exchange's own date; for a day and more `opened_at` is its midnight in UTC."""
        return self.opened_at.date()


@dataclass(frozen=True, slots=True)
class Action:
    """A split (new shares for one old) or a dividend (cash per share, as paid)."""

    ticker: str
    kind: str  # CorporateAction.Kind
    ex_date: date
    value: float


def is_price(value: object) -> bool:
    return is_number(value) and SMALLEST_PRICE <= value <= LARGEST_PRICE


def is_volume(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_VOLUME


def is_number(value: object) -> bool:
    """Whether it is a finite number, which JSON's true, NaN and texts are not."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    )


def instant(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`, to the millisecond where there is one."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds")
    return text[:-6] + "Z"


def quote_fields(quote: Quote) -> dict[str, Any]:
    """CONTRACT.md's `price_update`, which the quote of REST shares."""
    change, percent = quote.change, quote.change_percent
    return {
        "symbol": quote.ticker,
        "current_price": quote.price,
        "previous_close": quote.previous_close,
        # Differences of float64 prices carry noise far below any price's decimals.
        "change": None if change is None else round(change, 8),
        "change_percent": None if percent is None else round(percent, 4),
        "volume": quote.volume,
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "timestamp": instant(quote.as_of),
        "as_of_precision": quote.as_of_precision,
        "received_at": instant(quote.received_at),
        "source": quote.source,
        "market_state": quote.market_state,
    }


def bar_fields(bar: Bar) -> dict[str, Any]:
    """CONTRACT.md's bar."""
    return row_fields(
        bar.ticker, bar.interval, bar.opened_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.is_final,
        bar.source, bar.received_at, bar.revision, bar.adjustment,
    )  # fmt: skip


def row_fields(
    ticker: str, interval: str, opened_at: datetime, open: float, high: float, low: float, close: float,
    volume: int | None, is_final: bool, source: str, received_at: datetime, revision: int, adjustment: str,
) -> dict[str, Any]:  # fmt: skip
    """The same of a Bar's fields, in their order, without the Bar."""
    return {
        "symbol": ticker,
        "interval": interval,
        "opened_at": instant(opened_at),
        "session_date": opened_at.date().isoformat(),
        "open": open,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "adjustment": adjustment,
        "is_final": is_final,
        "revision": revision,
        "source": source,
        "as_of": instant(opened_at),
        "as_of_precision": bar_precision(interval),
        "received_at": instant(received_at),
    }


def bar_precision(interval: str) -> str:
    """How exactly a bar's times are known."""
    return DAY if interval in WHOLE_SESSIONS else SECOND


def midnight(session_date: date) -> datetime:
    """The instant that stands for a session in `opened_at`: its date's midnight, UTC."""
    return datetime.combine(session_date, time.min, tzinfo=UTC)


def daily_bar(quote: Quote) -> Bar | None:
    """The session's bar as far as a quote knows it; None where the source does not say the open."""
    if quote.open is None:
        return None
    return Bar(
        ticker=quote.ticker,
        interval="1d",
        opened_at=midnight(quote.session_date),
        open=quote.open,
        high=max(quote.high or quote.price, quote.price, quote.open),
        low=min(quote.low or quote.price, quote.price, quote.open),
        close=quote.price,
        volume=quote.volume,
        is_final=quote.is_final,
        source=quote.source,
        received_at=quote.received_at,
    )


def rounded(quote: Quote, decimals: int) -> Quote:
    """The quote with every price rounded once, to its symbol's decimals."""
    prices = {name: getattr(quote, name) for name in ("price", "previous_close", "open", "high", "low")}
    return replace(quote, **{name: None if value is None else round(value, decimals) for name, value in prices.items()})
