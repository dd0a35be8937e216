"""What is known of many symbols without their bars: the wide rows of the default set, and key figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from analysis.conditions.tree import FIELD, INDICATOR, Series
from analysis.models import BEFORE, OUTPUTS, IndicatorRow
from analysis.screener.asking import FIGURES
from analysis.technical.rows import INTERVALS
from market import actions, coverage, figures, intervals, sources
from market.bars import stored
from market.models import Symbol

CLOSE, CHANGE, CHANGE_PERCENT = "close", "change", "change_percent"
_CLOSES = (CLOSE, "price")  # two words for the same of a bar that has closed
_OF_BAR = ("open", "high", "low", "volume")
_COLUMNS = {of: column for column, of in OUTPUTS.items()}
_FACTS = ("session_date", "source", "received_at", "version")


@dataclass(frozen=True, slots=True)
class Values:
    """Of some symbols: each series (bars, symbols), oldest first; and what a row says of its last bar, by ticker."""

    tickers: Sequence[str]
    columns: Mapping[Series, np.ndarray]
    facts: Mapping[str, dict]


def holds(wanted: Collection[Series], interval: str) -> bool:
    """Whether all of these are in the rows."""
    return interval in INTERVALS and all(each.is_own and _is_in_rows(each, interval) for each in wanted)


def of(tickers: Collection[str], wanted: Collection[Series], interval: str) -> Values:
    """Of the symbols whose row their bars have not left behind, at the bar before and at the last one that is over."""
    versions = coverage.latest(tickers)  # of days, which all these intervals are made of
    columns = list(dict.fromkeys([CLOSE, *(column for each in wanted if (column := _column(each)))]))
    names = ["symbol__ticker", "opened_at", *_FACTS, *(BEFORE + each for each in columns), *columns]
    rows = IndicatorRow.objects.running().filter(symbol__ticker__in=tickers, interval=interval).order_by()
    found = [row for row in rows.values_list(*names) if row[5] == versions[row[0]]]
    found.sort(key=lambda row: row[0])
    kept = [row[0] for row in found]
    numbers = np.array([row[6:] for row in found], np.float64).reshape(len(found), 2, len(columns))
    facts = {ticker: dict(zip(("as_of", *_FACTS), told, strict=True)) for ticker, *told in (row[:6] for row in found)}
    at = {name: numbers[:, :, place].T for place, name in enumerate(columns)}
    beside = _of_bars(kept, facts, {each.name for each in wanted} & set(_OF_BAR)) if found else {}
    return Values(kept, {each: _value(each, at, beside) for each in wanted}, facts)


def figures_of(tickers: Collection[str], wanted: Collection[Series]) -> dict[Series, dict[str, float]]:
    """Key figures by series and ticker, as they are today; NaN of one that has none."""
    if not wanted:
        return {}
    rows = [{"symbol": ticker, "asset_type": kind, "time_zone": zone}
            for ticker, kind, zone in Symbol.objects.filter(ticker__in=tickers).values_list(
                "ticker", "asset_type", "time_zone")]  # fmt: skip
    told = figures.latest(rows, datetime.now(UTC), can=sources.can("figures"))
    return {each: {ticker: _number(told[ticker][each.name]) for ticker in told} for each in wanted}


def _is_in_rows(series: Series, interval: str) -> bool:
    if series.kind == INDICATOR:
        return (series.name, series.output) in _COLUMNS
    known = {*_CLOSES, CHANGE, CHANGE_PERCENT, *FIGURES}
    # A row's bar is stored as it is of days alone.
    return series.kind == FIELD and (
        series.name in known or (series.name in _OF_BAR and intervals.named(interval).stored_as == interval)
    )


def _column(series: Series) -> str | None:
    return _COLUMNS.get((series.name, series.output)) if series.kind == INDICATOR else None


def _value(series: Series, at: Mapping[str, np.ndarray], beside: Mapping[str, np.ndarray]) -> np.ndarray:
    """(2, symbols)."""
    close = at[CLOSE]
    if column := _column(series):
        return at[column]
    if series.name in _CLOSES:
        return close
    if series.name in beside:
        return np.stack([np.full_like(beside[series.name], np.nan), beside[series.name]])
    before = close[0]
    with np.errstate(all="ignore"):
        change = close[1] - before
        told = change if series.name == CHANGE else np.where(before > 0, 100 * (close[1] / before - 1), np.nan)
    return np.stack([np.full_like(told, np.nan), told])


def _of_bars(tickers: Sequence[str], facts: Mapping[str, dict], names: Collection[str]) -> dict[str, np.ndarray]:
    """Of each symbol's newest stored bar in today's shares, NaN where that is not the bar of its row."""
    if not names:
        return {}
    newest, splits = stored.newest_of(tickers, intervals.DAY.name), actions.splits(tickers)
    told = {name: np.full(len(tickers), np.nan) for name in names}
    for place, ticker in enumerate(tickers):
        bar = newest[ticker][1]
        if bar is None or bar.opened_at != facts[ticker]["as_of"]:
            continue
        price, shares = splits[ticker].at(bar.session_date)
        for name in names:
            value = getattr(bar, name)
            told[name][place] = np.nan if value is None else value * (shares if name == "volume" else price)
    return told


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
