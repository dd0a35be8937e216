"""Which session a row or a price is of, and whether that is over: by the exchange's calendar and by what was traded.

Yahoo stamps a day that has settled with its opening, or with the midnight before that, which it sometimes counts by the
other daylight saving time. Until then, and for hours after the close, a day's row bears the time of its last trade and
the values of then. Where the source trades on a day that is no session of the calendar, the source is right.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from market.bars import batch
from market.calendars import sessions
from market.calendars.table import Session, Table, Untold, instant
from market.prices import CLOSED_BAR, FINAL, FORMING, SETTLING
from market.sources.yahoo import fields
from market.sources.yahoo.charts.candles import Rows
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import moment, part

_WHOLE_DAY = timedelta(hours=23)  # the hours that Yahoo tells of what trades around the clock are those of a date
_THROUGH_THE_NIGHT = timedelta(hours=18)  # a session so long
_MISCOUNTED = timedelta(hours=2)  # a midnight that is counted with another daylight saving time is up to so early


@dataclass(frozen=True, slots=True)
class Days:
    """The sessions of one symbol.

    table: by the calendar; None where there is none. period: from when to when the session goes that runs or comes
    next, as the answer says; None where it does not, or tells a whole date. traded_at: when the last trade was.
    """

    zone: ZoneInfo
    table: Table | None
    period: tuple[datetime, datetime] | None = None
    traded_at: datetime | None = None

    def of_trade(self, at: datetime) -> date:
        """The session of a price; after a close, that session's."""
        local, running = at.astimezone(self.zone), self._running(at)
        return running.date if running and at.timestamp() < running.closes else local.date()

    def of_row(self, at: datetime, *, is_last: bool) -> date:
        """The session of a day's row."""
        midnight = _midnight(at.astimezone(self.zone))
        if midnight and (not is_last or not self._is_trading(at)):
            return midnight
        return self.of_trade(at)

    def of_trades(self, rows: Rows) -> np.ndarray:
        """`of_trade` of each row: int64 (n,), days since 1970."""
        own = rows.dates
        if self.table is None or not len(own):
            return own.copy()
        running, known = self.table.trading(rows.seconds)
        known &= (own >= batch.day(self.table.first)) & (own <= batch.day(self.table.last))
        return np.where(known, running, own)

    def of_rows(self, rows: Rows) -> np.ndarray:
        """`of_row` of each row: int64 (n,), days since 1970."""
        found = self.of_trades(rows)
        for place in np.flatnonzero(rows.are_hours).tolist():
            found[place] = batch.day(self.of_row(rows.at[place], is_last=rows.at[place] == rows.last))
        return found

    def strange(self, sessions: np.ndarray) -> list[date]:
        """Those that the calendar says are none, each once, in order. sessions: int64 (n,), days since 1970."""
        if self.table is None or not len(sessions):
            return []
        first, last = (np.datetime64(int(each), "D").item() for each in (sessions.min(), sessions.max()))
        first, last = max(first, self.table.first), min(last, self.table.last)
        if first > last:
            return []
        known = self.table.columns(first, last)[0]
        inside = sessions[(sessions >= batch.day(first)) & (sessions <= batch.day(last))]
        return np.unique(inside[~np.isin(inside, known)]).astype("datetime64[D]").tolist()

    def state(self, session: date, now: datetime, *, is_settled: bool) -> str:
        """Of a session's bar. is_settled: by the source itself; when the next session opens nobody waits any longer."""
        if now < self.ends(session) + SETTLING:
            return FORMING
        following = self.next_opens(session)
        return FINAL if is_settled or (following and now >= following) else CLOSED_BAR

    def ends(self, session: date) -> datetime:
        """When a session closes; where nobody tells its hours, with its date."""
        if self.period and session == self.period[0].date():
            return self.period[1]
        if known := self._known(session):
            return instant(known.closes)
        if self.period and self.traded_at and self.traded_at.date() == session < self.period[0].date():
            return self.traded_at  # the period named is already the next session's
        return datetime.combine(session + timedelta(days=1), time.min, self.zone)

    def next_opens(self, session: date) -> datetime | None:
        """When the session after one opens; None where that is not known."""
        try:
            following = self.table.after(session) if self.table else None
        except Untold:
            following = None
        if following:
            return instant(following.opens)
        return self.period[0] if self.period and session < self.period[0].date() else None

    def is_open(self, now: datetime) -> bool | None:
        """Whether what trades through the night does now; None of all else, and where the calendar does not say."""
        running = self._running(now)
        if running is None or running.closes - running.opens < _THROUGH_THE_NIGHT.total_seconds():
            return None
        return now.timestamp() < running.closes

    def is_opening(self, at: datetime, session: date) -> bool:
        """Whether a row is stamped with its session's opening."""
        known, starts = self._known(session), self.period and self.period[0]
        return at == starts or (known is not None and at.timestamp() == known.opens)

    def opens_a_bar(self, at: datetime, seconds: int) -> bool:
        """Whether a bar of so many seconds opens at a moment: none does at a close, nor in a lunch break."""
        running, stamp = self._running(at), int(at.timestamp())
        if running is None:
            return stamp % 60 == 0
        return any(start <= stamp < end and (stamp - start) % seconds == 0 for start, end in running.spans)

    def before(self, session: date) -> date | None:
        """The session before one, by the calendar; None where that does not say."""
        try:
            found = self.table.before(session) if self.table else None
        except Untold:
            return None
        return found and found.date

    def other_hours(self) -> list[str]:
        """The hours of a session where the answer tells others than the calendar, in words."""
        known = self.period and self._known(self.period[0].date())
        if not known or (self.period[0].timestamp(), self.period[1].timestamp()) == (known.opens, known.closes):
            return []
        times = [f"{each.astimezone(self.zone):%H:%M}" for each in (*self.period, *map(instant, known[1:3]))]
        return ["{} is from {} to {}, by the calendar from {} to {}".format(known.date, *times)]

    def _known(self, session: date) -> Session | None:
        try:
            return self.table.of(session) if self.table else None
        except Untold:
            return None

    def _running(self, at: datetime) -> Session | None:
        try:
            return self.table.at(at) if self.table else None
        except Untold:
            return None

    def _is_trading(self, at: datetime) -> bool:
        running = self._running(at)
        return running is not None and at.timestamp() < running.closes


def of_chart(chart: dict, symbol: Symbol) -> Days:
    """As an answer and the exchange's calendar say it. Raises Misshapen."""
    meta, zone = chart["meta"], fields.zone(chart["meta"])
    period = regular(meta, zone)
    is_told = period and period[1] - period[0] < _WHOLE_DAY
    return Days(
        zone, sessions.known(symbol.exchange), period if is_told else None, moment(meta.get("regularMarketTime"), zone)
    )


def of_symbol(symbol: Symbol, zone: ZoneInfo | None = None) -> Days:
    """As the exchange's calendar says it alone; zone: the exchange's, where an answer tells it."""
    return Days(zone or ZoneInfo(symbol.time_zone), sessions.known(symbol.exchange))


def next_session(chart: dict) -> datetime | None:
    """When the exchange's running session began, or its next begins, in its own zone; None where it is not told."""
    told = regular(chart["meta"], fields.zone(chart["meta"]))
    return told and told[0]


def regular(meta: dict, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From when to when the session goes that runs or comes next; None where it is not told."""
    return period(part(meta, "currentTradingPeriod", "regular"), zone)


def period(told: dict, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    start, end = moment(told.get("start"), zone), moment(told.get("end"), zone)
    return (start, end) if start and end and start < end else None


def _midnight(local: datetime) -> date | None:
    """The date whose midnight this is, also where it was counted an hour or two early; None where it is none."""
    if local.minute or local.second:
        return None
    day = (local + _MISCOUNTED).date()
    return day if local - datetime.combine(day, time.min, local.tzinfo) <= timedelta(0) else None
