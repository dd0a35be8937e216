"""A symbol's indicators over a period, computed from its bars on demand, in CONTRACT.md's shape."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isnan

import numpy as np
import orjson

from analysis import periods
from analysis.indicators import alone, catalogue
from analysis.indicators.entry import AGAINST, Indicator, are_whole
from analysis.periods import MONTHS, PERIODS, SESSIONS
from market import bars, intervals
from market.bars.columns.kept import Columns
from market.intervals import DAY
from market.prices import Bar

# NaN becomes null; the openings are UTC and say no zone.
_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


@dataclass(frozen=True, slots=True)
class Other:
    """What another symbol's bars are beside those of one. closes: float64 (n,), at each of its bars; NaN where none was
    over yet.
    """

    series: bars.Series
    closes: np.ndarray


_NOBODY: Mapping[str, Other] = {}


class UnknownPeriod(ValueError):
    """A period that there is not; the text says which there are."""


class TooShort(ValueError):
    """There are bars, and not enough for any of the indicators that were named; the text says how many it takes."""

    code = "too_short_history"


def indicators(
    ticker: str,
    period: str = periods.DEFAULT,
    interval: str = DAY.name,
    names: Iterable[str] = ("all",),
    adjusted: str = "split",
) -> dict:
    """Times, and for each indicator its values at them (None while it warms up) and the newest.

    Each value is computed from the whole history, so that a bar has one value whatever the period, and the live one.
    A period counts back from the last bar, which may be forming. Without bars the lists are empty and `as_of` None.
    `reasons` says of the indicators that have no newest value, and not for want of bars, why.
    Raises UnknownPeriod, catalogue.UnknownIndicator, TooShort.
    """
    return over(bars.series(ticker, interval=interval, adjusted=adjusted), period, names)


def over(
    series: bars.Series,
    period: str = periods.DEFAULT,
    names: Iterable[str] = ("all",),
    beside: Mapping[str, Other] = _NOBODY,
) -> dict:
    """The same of a series. beside: by ticker those that some names are measured against."""
    return _told(series, period, names, beside, _instants, _nullable)


def encoded(
    series: bars.Series,
    period: str = periods.DEFAULT,
    names: Iterable[str] = ("all",),
    beside: Mapping[str, Other] = _NOBODY,
) -> bytes:
    """The same as JSON, which is written from the arrays."""
    found = _told(series, period, names, beside, np.ascontiguousarray, np.ascontiguousarray)
    return orjson.dumps(found, option=_JSON)


def _told(
    series: bars.Series,
    period: str,
    names: Iterable[str],
    beside: Mapping[str, Other],
    instants: Callable[[np.ndarray], Sequence[datetime]],
    numbers: Callable[[np.ndarray], Sequence[float | None]],
) -> dict:
    """instants, numbers: how arrays are told."""
    names = list(names)
    if period not in PERIODS:
        raise UnknownPeriod(f"no period {period!r}; there are {', '.join(PERIODS)}")
    wanted = catalogue.chosen(names, series.interval)
    columns = _with_newest(series.columns, series.newest)
    _require_enough(series, len(columns["session_date"]), wanted, names)
    first = first_of(columns["session_date"], period)
    is_whole = are_whole(columns)
    told = {
        each.key: values(each, series.ticker, {**columns, AGAINST: beside[each.against].closes})
        if each.against
        else values(each, series.ticker, columns, is_whole=is_whole)
        for each in wanted
    }
    return {
        "symbol": series.ticker,
        "interval": series.interval,
        "period": period,
        **_origin(series.newest),
        "version": series.version,
        "as_of_precision": intervals.named(series.interval).precision,
        "adjustment": series.adjustment,
        "times": instants(columns["opened_at"][first:]),
        "indicators": {
            each.key: _shape(each, {output: numbers(found[first:]) for output, found in told[each.key][0].items()})
            for each in wanted
        },
        "reasons": {key: reason for key, (_, reason) in told.items() if reason},
        **({"against": {ticker: _stands_upon(each.series) for ticker, each in beside.items()}} if beside else {}),
    }


def with_bars(series: bars.Series) -> bars.Series:
    """A series that has bars. Raises bars.NoBars of one that has none."""
    if series.newest is None:
        raise bars.NoBars(f"there are no bars of {series.ticker} at {series.interval} yet")
    return series


def close(series: bars.Series) -> float:
    """The newest close, as the indicators count it; of a series that has bars."""
    return float(_with_newest(series.columns, series.newest)["close"][-1])


def with_newest(series: bars.Series) -> Columns:
    """The bars of a series with the one that forms, of one that has bars."""
    return _with_newest(series.columns, series.newest)


def size(series: bars.Series, period: str, outputs: int) -> int:
    """How many values an answer of so many outputs has, about."""
    dates = series.columns["session_date"]
    return (len(dates) - first_of(dates, period) + 1) * outputs


def values(
    indicator: Indicator, ticker: str, columns: Columns, *, is_whole: bool = False
) -> tuple[dict[str, np.ndarray], str]:
    """Each output of an indicator over a history, NaN where it has no value, and why the newest has none.

    is_whole: all inputs of every bar are known.
    """
    found, broken = alone.attempt(indicator.key, ticker, lambda: indicator.over(columns, is_whole=is_whole))
    if found is None:
        return {output: np.full(len(columns["session_date"]), np.nan) for output in indicator.outputs}, broken
    reason = "" if is_whole else indicator.lacking(columns)
    count = len(columns["session_date"])
    if not reason and count > indicator.warm_up and any(np.isnan(series[-1]) for series in found.values()):
        reason = indicator.entry.undefined
    return found, reason


def _require_enough(series: bars.Series, held: int, wanted: list[Indicator], names: list[str]) -> None:
    """Who asks for the default set takes what there is; of what is named by itself one has a value, if there are bars
    at all. Raises TooShort.
    """
    least = min(wanted, key=lambda each: each.warm_up)
    if not catalogue.is_default(names) and 0 < held <= least.warm_up:
        are = "is 1 bar" if held == 1 else f"are {held} bars"
        text = f"there {are} of {series.ticker} at {series.interval}, and {least.key} takes {least.warm_up + 1} for a"
        raise TooShort(f"{text} value")


def _with_newest(columns: dict[str, np.ndarray], newest: Bar | None) -> dict[str, np.ndarray]:
    """The final bars and the one that forms, which nothing restates."""
    times = columns["opened_at"]
    if newest is None or (len(times) and newest.opened_at <= times[-1].item().replace(tzinfo=UTC)):
        return columns
    bar = {name: getattr(newest, name) for name in columns}
    bar["opened_at"] = np.datetime64(bar["opened_at"].replace(tzinfo=None))
    return {name: np.append(column, np.array([bar[name]], column.dtype)) for name, column in columns.items()}


def first_of(dates: np.ndarray, period: str) -> int:
    """The index of the period's first bar. dates: of the bars' sessions."""
    if period == "max" or not len(dates):
        return 0
    last = dates[-1].item()
    if period in SESSIONS:
        start = np.unique(dates)[-SESSIONS[period] :][0]
    else:
        start = np.datetime64(date(last.year, 1, 1) if period == "ytd" else months_before(last, MONTHS[period]))
    return int(np.searchsorted(dates, start))


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _origin(bar: Bar | None) -> dict:
    if bar is None:
        return {"as_of": None, "session_date": None, "is_final": None, "source": None, "received_at": None}
    return {"as_of": bar.opened_at, "session_date": bar.session_date, "is_final": bar.is_final,
            "source": bar.source, "received_at": bar.received_at}  # fmt: skip


def _stands_upon(series: bars.Series) -> dict:
    return {**_origin(series.newest), "version": series.version}


def _shape(indicator: Indicator, values: dict[str, Sequence[float | None]]) -> dict:
    return {
        "name": indicator.name,
        "parameters": dict(indicator.parameters),
        "pane": indicator.pane,
        "values": values,
        "latest": {output: series[-1] if len(series) else None for output, series in values.items()},
        "unit": indicator.entry.unit,
        "levels": indicator.entry.levels,
        "styles": {each.name: each.style for each in indicator.entry.outputs},
        "offsets": indicator.offsets,
        **({"against": indicator.against} if indicator.against else {}),
    }


def _nullable(series: np.ndarray) -> list[float | None]:
    return [None if isnan(value) else value for value in series.tolist()]


def _instants(openings: np.ndarray) -> list[datetime]:
    return [at.replace(tzinfo=UTC) for at in openings.tolist()]
