"""When bars are over, of many at once: by their exchange's calendar, as `intervals` has it of one."""

from datetime import timedelta
from importlib import import_module

import numpy as np

from market import intervals
from market.bars.columns.kept import Columns
from market.intervals import Interval

_DAY_SECONDS = 86_400


def of(exchange: str, interval: str, columns: Columns) -> np.ndarray:
    """int64 (n,), seconds since 1970, of bars as columns, oldest first; also of one that forms still.

    Of dates without a session, or an exchange without a calendar, when they are over in UTC.
    """
    if not len(columns["opened_at"]):
        return np.empty(0, np.int64)
    found = intervals.named(interval)
    return _of_whole(exchange, found, columns) if found.is_whole else _within(exchange, found, columns)


def _of_whole(exchange: str, interval: Interval, columns: Columns) -> np.ndarray:
    starts = columns["opened_at"].astype("datetime64[D]").astype(np.int64)
    following = interval.dates(starts + interval.seconds // _DAY_SECONDS)
    ends = following * _DAY_SECONDS
    calendar = import_module("market.calendars.sessions")  # by name: it brings pandas
    first, last = (np.datetime64(int(each), "D").item() for each in (starts[0], following[-1]))
    try:
        days, _, closes = calendar.columns(exchange, first, last)
    except calendar.UnknownExchange:
        return ends
    at = np.searchsorted(days, following) - 1
    is_known = (at >= 0) & (days[np.maximum(at, 0)] >= starts) if len(days) else np.zeros(len(starts), bool)
    return np.where(is_known, closes[np.maximum(at, 0)], ends) if len(days) else ends


def _within(exchange: str, interval: Interval, columns: Columns) -> np.ndarray:
    opened = columns["opened_at"].astype("datetime64[s]").astype(np.int64)
    ends = opened + interval.seconds
    calendar = import_module("market.calendars.sessions")
    days = columns["session_date"].astype("datetime64[D]")
    for place in np.split(np.arange(len(days)), np.flatnonzero(np.diff(days)) + 1):
        try:
            spans = calendar.spans(exchange, days[place[0]].item())
        except calendar.UnknownExchange:
            continue
        for _, closes_at in reversed(spans):  # the first span that is not over yet is the one that counts
            closes = int(closes_at.timestamp())
            ends[place] = np.where(opened[place] < closes, np.minimum(ends[place], closes), ends[place])
    return ends


def stale_after(interval: str) -> int:
    """Seconds after which the last bar of an interval tells nothing of now: the longest holidays, and a bar more."""
    return int(timedelta(days=14).total_seconds()) + intervals.named(interval).seconds
