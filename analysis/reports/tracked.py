"""What the tracked symbols did: the technical state of each now, and a report of a day or a week."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from analysis.indicators import frames
from analysis.reports import statistics
from market import actions, bars, prices, records
from market.intervals import DAY
from market.models import Record
from market.symbols import named, resolve
from monitoring import jobs

OVERBOUGHT, OVERSOLD = 70, 30
USUAL_SESSIONS = 30  # of the volume that is usual
MOVERS = 5
SPANS = {"day": timedelta(), "week": timedelta(days=6)}  # how many days before the last session count too


def technical(symbols: list[str] | None) -> dict:
    """The technical state of each symbol and of all together; one that can't be read fails alone."""
    outcome = jobs.fan_out(named(symbols), _reading, parallel=1)
    outcome.require_any()
    read = outcome.done
    momentum = {word: [ticker for ticker, each in read.items() if each["momentum"] == word]
                for word in ("overbought", "oversold")}  # fmt: skip
    above = [ticker for ticker, each in read.items() if each["trend"] == "above_sma_20"]
    breadth = {**_breadth([each["change_percent"] for each in read.values()]), "above_sma_20": len(above)}
    return {"interval": DAY.name, "symbols": read, "failed": outcome.failed, "breadth": breadth, **momentum}


def compose(span: str, symbols: list[str] | None) -> dict:
    """What the last finished session, or the sessions of its week, brought to each symbol."""
    outcome = jobs.fan_out(named(symbols), _reported(SPANS[span]), parallel=1)
    outcome.require_any()
    told = outcome.done
    ranked = sorted(told, key=lambda ticker: told[ticker]["change_percent"] or 0.0, reverse=True)
    return {
        "span": span,
        "from": min((each["from"] for each in told.values()), default=None),
        "to": max((each["to"] for each in told.values()), default=None),
        "symbols": told,
        "failed": outcome.failed,
        "breadth": _breadth([each["change_percent"] for each in told.values()]),
        "risers": [ticker for ticker in ranked if (told[ticker]["change_percent"] or 0) > 0][:MOVERS],
        "fallers": [ticker for ticker in reversed(ranked) if (told[ticker]["change_percent"] or 0) < 0][:MOVERS],
        **{name: [ticker for ticker in ranked if name in told[ticker]["records"]] for name in ("new_high", "new_low")},
    }


def _reading(ticker: str) -> dict[str, Any]:
    """The newest bar, which may form, against the one before, and the indicators at it."""
    told = frames.indicators(resolve(ticker).ticker, period="5d")
    if told["as_of"] is None:
        raise bars.NoBars("there are no daily bars yet")
    newest = {key: indicator["latest"] for key, indicator in told["indicators"].items()}
    *before, bar = bars.history(ticker, limit=2)
    return {
        **_origin(bar),
        "is_final": bar.is_final,
        "close": bar.close,
        "change_percent": _rounded(statistics.change_percent(before[0].close, bar.close)) if before else None,
        "indicators": newest,
        "trend": _trend(bar.close, newest["sma_20"]["sma"]),
        "momentum": _momentum(newest["rsi_14"]["rsi"]),
    }


def _trend(close: float, average: float | None) -> str | None:
    return None if average is None else "above_sma_20" if close > average else "below_sma_20"


def _momentum(rsi: float | None) -> str | None:
    return None if rsi is None else "overbought" if rsi >= OVERBOUGHT else "oversold" if rsi <= OVERSOLD else "neutral"


def _reported(back: timedelta) -> Callable[[str], dict[str, Any]]:
    """A report of one symbol over its last session and those at most so long before it."""

    def report(ticker: str) -> dict[str, Any]:
        symbol = resolve(ticker)
        columns = bars.columns(ticker, limit=USUAL_SESSIONS + 8)
        if not len(columns["close"]):
            raise bars.NoBars("there are no final daily bars yet")
        sessions = columns["session_date"]
        first = int(np.searchsorted(sessions, sessions[-1] - np.timedelta64(back)))
        start, end = sessions[first].item(), sessions[-1].item()
        last = bars.history(ticker, start=prices.midnight(end), end=prices.midnight(end))[0]
        return {
            **_origin(last),
            "from": str(start),
            "to": str(end),
            **_moves(columns, first, symbol.price_decimals),
            "records": _records(ticker, start),
            "actions": _actions(ticker, start, end),
        }

    return report


def _moves(columns: dict[str, np.ndarray], first: int, decimals: int) -> dict[str, Any]:
    """Prices of the sessions from `first` on, against the close before them; volumes against those before them."""
    close, volume = columns["close"], columns["volume"]
    before = float(close[first - 1]) if first else None
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


def _records(ticker: str, start: date) -> list[str]:
    """Which 52-week extremes fall into the span."""
    year = records.latest([ticker])[ticker].get(Record.Scope.YEAR)
    if year is None:
        return []
    return [name for name, day in (("new_high", year.high_date), ("new_low", year.low_date)) if day >= start]


def _actions(ticker: str, start: date, end: date) -> list[dict[str, Any]]:
    found = actions.of(ticker).filter(ex_date__range=(start, end))
    return [{"kind": each.kind, "ex_date": str(each.ex_date), "value": each.value} for each in found]


def _origin(bar: prices.Bar) -> dict[str, Any]:
    return {"as_of": prices.instant(bar.opened_at), "as_of_precision": prices.DAY, "source": bar.source,
            "received_at": prices.instant(bar.received_at)}  # fmt: skip


def _breadth(changes: list[float | None]) -> dict[str, int]:
    known = [change for change in changes if change is not None]
    return {"rising": sum(change > 0 for change in known), "falling": sum(change < 0 for change in known),
            "unchanged": sum(change == 0 for change in known)}  # fmt: skip


def _rounded(value: float) -> float:
    return round(float(value), 4)
