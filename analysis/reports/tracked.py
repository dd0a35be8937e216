"""What the tracked symbols did: the technical state of each now, and a report of a day or a week.

Both are of sessions: of each symbol's own exchange, the last that is finished. Who has no bar of them is named beside.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import numpy as np

from analysis.indicators import frames
from analysis.reports import runs, spans, statistics
from analysis.reports.remarks import OVERBOUGHT, OVERSOLD
from analysis.reports.spans import Lacking, Span
from market import actions, bars, prices, records
from market.bars.columns.kept import Columns
from market.calendars import hours
from market.intervals import DAY
from market.models import DataSource, Record, Symbol
from market.symbols import named, resolve
from monitoring import jobs
from monitoring.jobs.running.fan_out import Outcome

USUAL_SESSIONS = 30  # of the volume that is usual
MOVERS = 5

Told = dict[str, Any]


def technical(symbols: list[str] | None) -> Told:
    """The technical state of each symbol and of all together; one that can't be read fails alone. What a run of all
    that are tracked found is told on their streams.

    `without_bar` names those whose newest bar is of no session as new as the last finished one.
    """
    source = DataSource.objects.filter(pk=1).first()  # before the bars
    outcome, _ = _each(symbols, "day", _reading)
    read = {ticker: told for ticker, told in outcome.done.items() if not isinstance(told, Lacking)}
    momentum = {word: [ticker for ticker, each in read.items() if each["momentum"] == word]
                for word in ("overbought", "oversold")}  # fmt: skip
    above = [ticker for ticker, each in read.items() if each["trend"] == "above_sma_20"]
    breadth = {**_breadth(read.values()), "above_sma_20": len(above)}
    extremes = {name: [ticker for ticker, each in read.items() if each[name]] for name in ("new_high", "new_low")}
    found = {"interval": DAY.name, "symbols": read, "failed": outcome.failed, "without_bar": _lacking(outcome),
             "breadth": breadth, **momentum, **extremes}  # fmt: skip
    with jobs.current().commit() as end:
        end.result = found
        if symbols is None:
            runs.after_commit(jobs.current().job, found, source)
    return found


def compose(span: str, symbols: list[str] | None) -> Told:
    """What the last finished session of each exchange, or the sessions of its week, brought to each symbol.

    `sessions` says which they are. Who has no bar of them is in `without_bar` with the reason, and moved nowhere.
    """
    outcome, sessions = _each(symbols, span, _reported)
    told = {ticker: each for ticker, each in outcome.done.items() if not isinstance(each, Lacking)}
    changes = {ticker: each["change_percent"] for ticker, each in told.items() if each["change_percent"] is not None}
    rising, falling = (sorted(changes, key=lambda ticker: (sign * changes[ticker], ticker)) for sign in (-1, 1))
    return {
        "span": span,
        "from": min((str(each.first) for each in sessions.values()), default=None),
        "to": max((str(each.last) for each in sessions.values()), default=None),
        "sessions": {exchange: each.as_json() for exchange, each in sorted(sessions.items())},
        "symbols": told,
        "failed": outcome.failed,
        "without_bar": _lacking(outcome),
        "breadth": _breadth(told.values()),
        "risers": [ticker for ticker in rising if changes[ticker] > 0][:MOVERS],
        "fallers": [ticker for ticker in falling if changes[ticker] < 0][:MOVERS],
        **{name: sorted(each for each in told if name in told[each]["records"]) for name in ("new_high", "new_low")},
    }


def _each(
    symbols: list[str] | None, span: str, tell: Callable[[Symbol, Span], Told | Lacking]
) -> tuple[Outcome, dict[str, Span]]:
    """What is told of each symbol over the span of its exchange, and those spans. Raises NothingDone."""
    found: dict[str, Span] = {}

    def one(ticker: str) -> Told | Lacking:
        symbol = resolve(ticker)
        if symbol.exchange not in found:
            if (known := spans.of(symbol.exchange, span)) is None:
                return Lacking(spans.NOT_HELD, None, "there are no final daily bars yet")
            found[symbol.exchange] = known
        return tell(symbol, found[symbol.exchange])

    outcome = jobs.fan_out(named(symbols), one, parallel=1)
    outcome.require_any()
    return outcome, found


def _lacking(outcome: Outcome) -> dict[str, Told]:
    return {ticker: each.as_json() for ticker, each in outcome.done.items() if isinstance(each, Lacking)}


def _reading(symbol: Symbol, span: Span) -> Told | Lacking:
    """The newest bar, which may form, against the one of the session before, and the indicators at it."""
    *before, bar = bars.history(symbol.ticker, limit=2) or [None]
    if bar is None or bar.session_date < span.last:
        return spans.lacking(symbol, span, bar and bar.session_date)
    state = frames.indicators(symbol.ticker, period="5d")
    newest = {key: indicator["latest"] for key, indicator in state["indicators"].items()}
    expected = hours.before(symbol.exchange, bar.session_date)
    before = [each for each in before if expected in (None, each.session_date)]
    return {
        **_origin(bar),
        "session_date": str(bar.session_date),
        "state": bar.state,
        "is_final": bar.is_final,
        "close": bar.close,
        "change_percent": _rounded(statistics.change_percent(before[0].close, bar.close)) if before else None,
        "indicators": newest,
        "reasons": state["reasons"],
        "trend": _trend(bar.close, newest["sma_20"]["sma"]),
        "momentum": _momentum(newest["rsi_14"]["rsi"]),
        **_extremes(bar, bars.columns(symbol.ticker)),
    }


def _extremes(bar: prices.Bar, columns: Columns) -> dict[str, bool]:
    """Whether a bar is higher than all of the 52 weeks before it, or lower; neither where there are none."""
    day, sessions = np.datetime64(bar.session_date), columns["session_date"]
    year = (sessions < day) & (sessions > day - records.YEAR)
    is_known = bool(year.any())
    return {"new_high": is_known and bar.high > columns["high"][year].max().item(),
            "new_low": is_known and bar.low < columns["low"][year].min().item()}  # fmt: skip


def _trend(close: float, average: float | None) -> str | None:
    return None if average is None else "above_sma_20" if close > average else "below_sma_20"


def _momentum(rsi: float | None) -> str | None:
    return None if rsi is None else "overbought" if rsi >= OVERBOUGHT else "oversold" if rsi <= OVERSOLD else "neutral"


def _reported(symbol: Symbol, span: Span) -> Told | Lacking:
    """A report of one symbol over the sessions of a span that it has bars of."""
    columns = bars.columns(symbol.ticker)
    first, after = np.searchsorted(columns["session_date"], [np.datetime64(span.first), np.datetime64(span.last) + 1])
    sessions = columns["session_date"][:after].tolist()
    if first == after:
        return spans.lacking(symbol, span, sessions[-1] if sessions else None)
    start, end = sessions[first], sessions[-1]
    columns = {name: column[:after] for name, column in columns.items()}
    last = bars.history(symbol.ticker, start=prices.midnight(end), end=prices.midnight(end))[0]
    is_known = first > 0 and span.before in (None, sessions[first - 1])
    return {
        **_origin(last),
        "state": last.state,
        "from": str(start),
        "to": str(end),
        **_moves(columns, int(first), symbol.price_decimals, float(columns["close"][first - 1]) if is_known else None),
        "records": _records(columns, start),
        "actions": _actions(symbol.ticker, start, end),
    }


def _moves(columns: Columns, first: int, decimals: int, before: float | None) -> Told:
    """Prices of the sessions from `first` on, against the close before them; volumes against those before them."""
    close, volume = columns["close"], columns["volume"]
    usual = volume[max(0, first - USUAL_SESSIONS) : first]
    usual = float(usual[~np.isnan(usual)].mean()) if (~np.isnan(usual)).any() else None
    traded = volume[first:][~np.isnan(volume[first:])]
    found = {"open": columns["open"][first], "high": columns["high"][first:].max(), "low": columns["low"][first:].min(),
             "close": close[-1]}  # fmt: skip
    return {
        **{name: round(float(value), decimals) for name, value in found.items()},
        "previous_close": None if before is None else round(before, decimals),
        "change_percent": None if before is None else _rounded(statistics.change_percent(before, float(close[-1]))),
        "volume": int(traded.sum()) if len(traded) else None,
        "volume_ratio": _rounded(float(traded.mean()) / usual) if usual and len(traded) else None,
    }


def _records(columns: Columns, start: date) -> list[str]:
    """Which 52-week extremes fall into the sessions from one on."""
    year = records.extremes(columns)[Record.Scope.YEAR]
    return [name for name, day in (("new_high", year.high_date), ("new_low", year.low_date)) if day >= start]


def _actions(ticker: str, start: date, end: date) -> list[Told]:
    found = actions.of(ticker).counted().filter(ex_date__range=(start, end))
    return [{"kind": each.kind, "ex_date": str(each.ex_date), "value": each.value} for each in found]


def _origin(bar: prices.Bar) -> Told:
    return {"as_of": prices.instant(bar.opened_at), "as_of_precision": prices.DAY, "source": bar.source,
            "received_at": prices.instant(bar.received_at)}  # fmt: skip


def _breadth(told: Iterable[Told]) -> dict[str, int]:
    known = [each["change_percent"] for each in told if each["change_percent"] is not None]
    return {"rising": sum(change > 0 for change in known), "falling": sum(change < 0 for change in known),
            "unchanged": sum(change == 0 for change in known)}  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
