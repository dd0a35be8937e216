"""What we know of exchanges that the library of calendars does not, each fact with where it is from. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from market.calendars.table import Session, Table, days, instant
from market.prices import CLOSED, OPEN, POST, PRE

NEW_YORK, LONDON, UTC = ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), ZoneInfo("UTC")
_HOUR, _DAY = 3600, 86_400

# Exchanges under the name that the library has for them. Yahoo's own codes are of what has no MIC: the parts of the
# Chicago exchange, and of New York's ICE, keep one calendar.
NAMES = {name: "CMES" for name in ("XCME", "XCBT", "XNYM", "XCEC", "CME", "CBT", "NYM", "CMX")} | {"NYB": "IEPA"}

# Days on which an exchange was shut, and the days on which it opened and closed an hour later.
SHUT = {"XKRX": frozenset({date(2026, 6, 3)})}  # local elections
# Seoul: the day of the university entrance exam, so that the roads are free for those who sit it (KRX's notices).
AN_HOUR_LATER = {"XKRX": frozenset({date(2024, 11, 14), date(2025, 11, 13), date(2026, 11, 19)})}


@dataclass(frozen=True, slots=True)
class Extended:
    """Trading before and after the session, in the exchange's own time. short_end: after one that closes early."""

    start: time
    end: time
    short_end: time
    usual_close: time


# Those that are kept though no symbol is at home there yet, and how people call them.
EXCHANGES = {
    "24/7": "Always open", "CCC": "Coins", "CCY": "Currencies", "XHKG": "Hong Kong", "XKRX": "Korea Exchange",
    "XLON": "London", "XNAS": "Nasdaq", "XNYS": "New York (NYSE)", "XPAR": "Euronext Paris", "XSHG": "Shanghai",
    "XTKS": "Tokyo",
}  # fmt: skip

# Where we know of none there is none. NYSE and Nasdaq: on half days the late session ends at five.
_NEW_YORKS = Extended(time(4), time(20), time(17), time(16))
EXTENDED = dict.fromkeys(("XNYS", "XNAS", "XASE", "ARCX", "BATS"), _NEW_YORKS)  # all of one national market


def state(mic: str, table: Table, now: datetime) -> str:
    """open, pre or post where shares trade before and after hours, else closed. Raises Untold."""
    if table.is_open(now):
        return OPEN
    local, extended = now.astimezone(table.zone), EXTENDED.get(mic)
    session = extended and table.of(local.date())
    if not session:
        return CLOSED
    if now < instant(session.opens):
        return PRE if local.time() >= extended.start else CLOSED
    is_short = instant(session.closes).astimezone(table.zone).time() < extended.usual_close
    return POST if local.time() < (extended.short_end if is_short else extended.end) else CLOSED


def corrected(mic: str, sessions: Iterable[Session]) -> list[Session]:
    """The library's sessions of an exchange as they were in fact."""
    shut, late = SHUT.get(mic, frozenset()), AN_HOUR_LATER.get(mic, frozenset())
    kept = [session for session in sessions if session.date not in shut]
    return [_an_hour_later(session) if session.date in late else session for session in kept]


def coins(first: date, last: date) -> list[Session]:
    """Coins trade always, and a day is one of UTC."""
    starts = [int(datetime.combine(day, time.min, UTC).timestamp()) for day in days(first, last)]
    return [Session(day, start, start + _DAY) for day, start in zip(days(first, last), starts, strict=True)]


def currencies(first: date, last: date) -> list[Session]:
    """Yahoo's day of a currency is London's. The week begins on Sunday and ends on Friday, at five in New York."""

    def of(day: date) -> Session:
        opens, closes = (
            datetime.combine(day, time.min, LONDON),
            datetime.combine(day + timedelta(days=1), time.min, LONDON),
        )
        if day.weekday() == 0:
            opens = datetime.combine(day - timedelta(days=1), time(17), NEW_YORK)
        if day.weekday() == 4:
            closes = datetime.combine(day, time(17), NEW_YORK)
        return Session(day, int(opens.timestamp()), int(closes.timestamp()))

    return [of(day) for day in days(first, last) if day.weekday() < 5]


# What trades on no exchange, under Yahoo's codes: its zone, and its sessions from one day to another.
OVER_THE_COUNTER: dict[str, tuple[ZoneInfo, Callable[[date, date], list[Session]]]] = {
    "CCC": (UTC, coins),
    "CCY": (LONDON, currencies),
}


def _an_hour_later(session: Session) -> Session:
    return session._replace(opens=session.opens + _HOUR, closes=session.closes + _HOUR)
