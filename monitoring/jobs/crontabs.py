"""When a crontab's times are: worked out field by field, on the wall clock of its zone.

At fixed hours each wall-clock time counts once: of an hour that comes twice the first counts, and what falls into an
hour that is left out comes at the instant of the change. A plan for every hour has each hour that passes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from celery.schedules import crontab

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of a crontab; weekdays from 0, a Sunday."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def is_hourly(self) -> bool:
        return len(self.hours) == 24

    def has(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes of UTC, both counted, in which a zone's clock is not set; before: its offset in the minute before."""

    first: datetime
    last: datetime
    offset: timedelta
    before: timedelta


@lru_cache(maxsize=1024)
def plan(minute: str, hour: str, day_of_month: str, month_of_year: str, day_of_week: str) -> Plan:
    """Raises ValueError where a field makes no sense."""
    read = crontab(minute, hour, day_of_week, day_of_month, month_of_year)
    hours, minutes = tuple(sorted(read.hour)), tuple(sorted(read.minute))
    return Plan(minutes, hours, *map(frozenset, (read.day_of_month, read.month_of_year, read.day_of_week)))


def slots(planned: Plan, zone: tzinfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The planned minutes in (after, until], in UTC, in order."""
    first = _minute(after) + MINUTE
    find = _each_time if planned.is_hourly else _once
    for stretch in _stretches(zone, first, _minute(until)):
        yield from find(planned, zone, stretch)


def _each_time(planned: Plan, zone: tzinfo, stretch: Stretch) -> Iterator[datetime]:
    for wall in _walls(planned, stretch.first + stretch.offset, stretch.last + stretch.offset):
        yield wall - stretch.offset


def _once(planned: Plan, zone: tzinfo, stretch: Stretch) -> Iterator[datetime]:
    newest = None
    begin = stretch.first + min(stretch.before, stretch.offset)  # with what was left out at the change
    for wall in _walls(planned, begin, stretch.last + stretch.offset):
        at = max(wall - stretch.offset, stretch.first)
        if at != newest and at.astimezone(zone).fold == 0:
            yield at
        newest = at


def _walls(planned: Plan, first: datetime, last: datetime) -> Iterator[datetime]:
    """The planned minutes of a clock that is never set, here UTC's, from first to last."""
    midnight = first.replace(hour=0, minute=0)
    while midnight <= last:
        if planned.has(midnight):
            yield from _walls_of_day(planned, midnight, first, last)
        midnight += DAY


def _walls_of_day(planned: Plan, midnight: datetime, first: datetime, last: datetime) -> Iterator[datetime]:
    for hour in planned.hours:
        if midnight.replace(hour=hour, minute=59) < first:
            continue
        for minute in planned.minutes:
            wall = midnight.replace(hour=hour, minute=minute)
            if wall > last:
                return
            if wall >= first:
                yield wall


def _stretches(zone: tzinfo, first: datetime, last: datetime) -> Iterator[Stretch]:
    before = _offset(zone, first - MINUTE)
    while first <= last:
        offset, end = _offset(zone, first), _steady_until(zone, first, last)
        yield Stretch(first, end, offset, before)
        first, before = end + MINUTE, offset


def _steady_until(zone: tzinfo, first: datetime, last: datetime) -> datetime:
    """The last minute before the zone's clock is set; no zone sets its clock twice within a day."""
    offset, steady = _offset(zone, first), first
    while steady < last:
        ahead = min(steady + DAY, last)
        if _offset(zone, ahead) != offset:
            return _before_change(zone, steady, ahead)
        steady = ahead
    return steady


def _before_change(zone: tzinfo, steady: datetime, changed: datetime) -> datetime:
    offset = _offset(zone, steady)
    while changed - steady > MINUTE:
        middle = steady + (changed - steady) // MINUTE // 2 * MINUTE
        if _offset(zone, middle) == offset:
            steady = middle
        else:
            changed = middle
    return steady


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset()


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)
