"""Which sessions a report is of: those of each exchange's own calendar."""

from dataclasses import dataclass
from datetime import date

from market import quotes, sources
from market.bars import stored
from market.calendars import hours, sessions
from market.intervals import WEEK
from market.models import Symbol
from market.prices import SETTLING

BY_CALENDAR, BY_BARS = "calendar", "bars"
DELISTED, HALTED, NOT_HELD, NOT_TRACKED = "delisted", "halted", "not_held", "not_tracked"


@dataclass(frozen=True, slots=True)
class Span:
    """The sessions from `first` to `last`, both counted, and the one before them, None where it is not known.

    known_by: whether the exchange's calendar says so or, where it has none, the newest bars of its symbols.
    """

    first: date
    last: date
    before: date | None
    known_by: str

    def as_json(self) -> dict[str, str | None]:
        return {"from": str(self.first), "to": str(self.last), "previous": self.before and str(self.before),
                "known_by": self.known_by}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a symbol has no bar in a span. since: its last session that we know of."""

    reason: str
    since: date | None
    text: str

    def as_json(self) -> dict[str, str | None]:
        return {"reason": self.reason, "since": self.since and str(self.since), "text": self.text}


def of(exchange: str, span: str) -> Span | None:
    """The last finished session of an exchange, or its week up to there; None where neither calendar nor bars say it.

    span: "day" or "week". A week is that of weekly bars: from Monday on.
    """
    has_hours = sources.has_hours()
    told = hours.finished(exchange, has_hours=has_hours)
    last = told or stored.newest(exchange)
    if last is None:
        return None
    start = WEEK.dated(last) if span == "week" else last
    try:
        counted = sessions.between(exchange, start, last)
    except sessions.UnknownExchange:
        counted = []
    first = counted[0] if counted else start
    return Span(first, last, hours.before(exchange, first), BY_CALENDAR if told else BY_BARS)


def lacking(symbol: Symbol, span: Span, last_held: date | None) -> Lacking:
    """Why a symbol has no bar in a span. last_held: the session of the newest bar before it."""
    if symbol.last_session is not None and symbol.last_session < span.first:
        text = f"it is traded no more: its last session was {symbol.last_session}"
        return Lacking(DELISTED, symbol.last_session, text)
    traded = _last_traded(symbol, span)
    if not symbol.is_active:
        return Lacking(NOT_TRACKED, last_held, f"it is not collected any more; its last session here is {last_held}")
    if traded is not None and traded < span.first:
        since = max(traded, last_held or traded)
        return Lacking(HALTED, since, f"it has not traded since {since}")
    text = f"its bar has not come; the newest is of {last_held}" if last_held else "there are no final daily bars yet"
    return Lacking(NOT_HELD, last_held, text)


def _last_traded(symbol: Symbol, span: Span) -> date | None:
    """The session of the last price that the source has told since the span was over; None where it told none."""
    quote = quotes.latest([symbol.ticker])[symbol.ticker]
    if quote is None:
        return None
    closed_at = hours.ends_at(symbol.exchange, span.last)
    # What is recorded was received when it was played.
    is_told = closed_at and (not sources.has_hours() or quote.received_at >= closed_at + SETTLING)
    return quote.session_date if is_told else None
