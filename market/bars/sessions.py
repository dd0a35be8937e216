"""Which bars lie where their exchange's calendar has none."""

from collections.abc import Sequence
from importlib import import_module

import numpy as np

from market import intervals
from market.bars.batch import Batch
from market.models import Symbol

_THROUGH_THE_NIGHT = 18 * 3600  # seconds; when one so long pauses, calendars hardly know


def outside(batch: Batch, symbols: Sequence[Symbol | None]) -> dict[int, str]:
    """Why the calendar has no such bars, by their places: of days, and of bars within sessions, whose opening is to lie
    in one. An auction at the close does. Of what trades through the night the day alone is asked about, of an exchange
    without a calendar nothing.
    """
    found: dict[int, str] = {}
    exchanges = np.array([each.exchange if each else "" for each in symbols], object)[batch.symbol]
    for exchange in sorted(set(exchanges)):
        found |= _outside(batch, np.flatnonzero(exchanges == exchange), exchange)
    return found


def _outside(batch: Batch, rows: np.ndarray, exchange: str) -> dict[int, str]:
    calendar = import_module("market.calendars.sessions")  # by name: it brings pandas
    days = batch.session[rows]
    first, last = (np.datetime64(int(each), "D").item() for each in (days.min(), days.max()))
    try:
        dates, opens, closes = calendar.columns(exchange, first, last)
    except calendar.UnknownExchange:
        return {}
    is_none = ~np.isin(days, dates)
    found = {int(row): f"there is no session of {exchange} that day" for row in rows[is_none]}
    if intervals.named(batch.interval).is_whole or is_none.all():
        return found
    inside = rows[~is_none]
    place, opened = np.searchsorted(dates, batch.session[inside]), batch.opened[inside]
    is_early_or_late = (opened < opens[place]) | (opened > closes[place])
    is_early_or_late &= (closes - opens)[place] < _THROUGH_THE_NIGHT
    return found | {int(row): f"it opens outside of its session of {exchange}" for row in inside[is_early_or_late]}
