"""One symbol's history as a data set: brought up to date, checked against the exchange's calendar, and summed up."""

from datetime import date, datetime

import numpy as np

from analysis.indicators import frames
from analysis.reports import statistics
from market import bars, history, prices, sources, symbols
from market.bars import stored
from market.calendars import sessions
from market.models import Symbol
from market.sources import ProviderError
from monitoring import jobs

NAMED_AT_MOST = 20  # missing sessions that are named; the others are counted
STEPS = ("fetching", "checking", "computing")


def process(symbol: str, period: str) -> dict:
    """The data set of a period, with where it came from. Raises UnknownSymbol.

    A source that cannot be asked now is told in `refreshed`; what is stored is worth having all the same.
    """
    row, running = symbols.resolve(symbol), jobs.current()
    running.progress(0, len(STEPS), STEPS[0])
    filled, refreshed = _refreshed(row)
    running.progress(1, len(STEPS), STEPS[1])
    told = frames.indicators(row.ticker, period=period)
    columns = _since(bars.columns(row.ticker), told["times"])
    checked = _checked(row, columns)
    running.progress(2, len(STEPS), STEPS[2])
    summed = _summed(columns)
    running.progress(len(STEPS), len(STEPS), "")
    running.tell_parts(dict.fromkeys(STEPS, "") | {STEPS[0]: refreshed.get("failed", "")})
    with running.commit() as end:
        named = ("symbol", "period", "interval", "adjustment", "source", "as_of", "as_of_precision", "received_at")
        newest = {key: indicator["latest"] for key, indicator in told["indicators"].items()}
        end.result = {**{name: _plain(told[name]) for name in named}, "refreshed": refreshed, **checked, **summed,
                      "indicators": newest}  # fmt: skip
        if filled:
            history.note(end, row.ticker, filled.bars)
    return end.result


def _refreshed(row: Symbol) -> tuple[history.Filled | None, dict]:
    try:
        source = sources.source()
        filled = history.fill(row, source.history, source.name)
    except ProviderError as error:
        return None, {"failed": f"{error.code}: {error}"}
    return filled, filled.as_json()


def _since(columns: dict[str, np.ndarray], times: list) -> dict[str, np.ndarray]:
    """The final bars of the period that the indicators cover."""
    first = np.datetime64(times[0].replace(tzinfo=None)) if times else np.datetime64("NaT")
    return {name: column[columns["opened_at"] >= first] for name, column in columns.items()}


def _checked(row: Symbol, columns: dict[str, np.ndarray]) -> dict:
    """How whole the data set is."""
    held = columns["session_date"].tolist()
    missing = _missing(row, held)
    return {
        "bars": len(held),
        "first": str(held[0]) if held else None,
        "last": str(held[-1]) if held else None,
        "missing_sessions": None if missing is None else [str(day) for day in missing[:NAMED_AT_MOST]],
        "missing": None if missing is None else len(missing),
        "corrections": stored.corrections(row, held[0] if held else None),
    }


def _missing(row: Symbol, held: list[date]) -> list[date] | None:
    """Sessions of the calendar between our first and last bar that we have no bar of; None without a calendar."""
    if not held:
        return []
    try:
        return sorted(set(sessions.between(row.exchange, held[0], held[-1])) - set(held))
    except sessions.UnknownExchange:
        return None


def _summed(columns: dict[str, np.ndarray]) -> dict:
    close, volume = columns["close"], columns["volume"]
    if not len(close):
        return {"statistics": None}
    known, volatility = volume[~np.isnan(volume)], statistics.volatility_percent(close)
    return {
        "statistics": {
            "change_percent": round(float(statistics.change_percent(close[0], close[-1])), 4),
            "volatility_percent": None if volatility is None else round(volatility, 4),
            "drawdown_percent": round(statistics.drawdown_percent(close), 4),
            "high": float(columns["high"].max()),
            "low": float(columns["low"].min()),
            "average_volume": round(float(known.mean())) if len(known) else None,
        }
    }


def _plain(value: object) -> object:
    return prices.instant(value) if isinstance(value, datetime) else value
