"""The tables of sessions out of exchange_calendars, with our own facts over it. Brings pandas.

A table is built once for all its years, which costs little more than one year; the library's own calendar, which
keeps every minute, is let go.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
from exchange_calendars import ExchangeCalendar
from exchange_calendars.errors import InvalidCalendarName

from market.calendars import facts
from market.calendars.table import Session, Table

logger = logging.getLogger(__name__)

FIRST_YEAR = 1999  # a year before the histories begin


def table(mic: str, year: int) -> Table | str:
    """The exchange's table with this year in it, or why there is none."""
    next_year = datetime.now(UTC).year + 1
    if FIRST_YEAR <= year <= next_year:
        found = _whole(mic, next_year)
        if isinstance(found, Table) and year <= found.last.year:
            return found
    return _of_year(mic, year)


@lru_cache(maxsize=256)
def _whole(mic: str, next_year: int) -> Table | str:
    """All years to the next; where its holidays are not known yet, to the end of this one."""
    last_days = date(next_year, 12, 31), date(next_year - 1, 12, 31)
    return _first_built(mic, product([date(FIRST_YEAR, 1, 1)], last_days))


@lru_cache(maxsize=512)
def _of_year(mic: str, year: int) -> Table | str:
    """One year, which is told once where there is none, with a month on both sides where the library has it: some can't
    be built over a day on which their week changed.
    """
    first_days = date(year - 1, 12, 1), date(year, 1, 1), date(year, 2, 1)
    found = _first_built(mic, product(first_days, (date(year + 1, 1, 31), date(year, 12, 31))))
    if isinstance(found, str):
        found = f"there is no calendar of the exchange {mic!r} for {year}: {found}"
        logger.warning("%s; its prices tell whether it is open", found)
    return found


def _first_built(mic: str, spans: Iterable[tuple[date, date]]) -> Table | str:
    """The table of the first of some spans of which there is one, or why there is none of the first."""
    why = ""
    for first, last in spans:
        if mic in facts.OVER_THE_COUNTER:
            zone, sessions = facts.OVER_THE_COUNTER[mic]
            return Table(zone, sessions(first, last), first, last)
        try:
            built = exchange_calendars.get_calendar(facts.NAMES.get(mic, mic), start=str(first), end=str(last))
        except InvalidCalendarName:
            return "the library knows no such name"
        except Exception as error:  # noqa: BLE001 - each calendar is code of its own, which fails in its own way
            why = why or str(error).partition(".")[0][:200]
        else:
            return Table(ZoneInfo(str(built.tz)), facts.corrected(mic, _sessions(built)), first, last)
    return why


def _sessions(calendar: ExchangeCalendar) -> list[Session]:
    told = calendar.schedule
    opens, closes, starts, ends = (
        told[name].dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        for name in ("open", "close", "break_start", "break_end")
    )
    dates, has_rest = told.index.to_numpy().astype("datetime64[D]").tolist(), ~np.isnat(starts)
    opens, closes, starts, ends = (column.astype(np.int64).tolist() for column in (opens, closes, starts, ends))
    rests = [(start, end) if known else None for start, end, known in zip(starts, ends, has_rest, strict=True)]
    return list(map(Session, dates, opens, closes, rests))
