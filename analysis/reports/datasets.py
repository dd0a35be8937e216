"""One symbol's history as a data set: brought up to date, checked against the exchange's calendar, and summed up.

It holds finished sessions alone, and its period counts back from the newest of them: what still forms is none of it.
"""

from datetime import date

import numpy as np

from analysis.indicators import frames
from analysis.indicators.catalogue import DEFAULTS
from analysis.reports import spans, statistics
from analysis.reports.spans import Span
from market import bars, history, prices, sources, symbols
from market.bars import stored
from market.bars.columns.kept import Columns
from market.calendars import sessions
from market.intervals import DAY
from market.models import Symbol
from market.sources import ProviderError
from monitoring import jobs

NAMED_AT_MOST = 20  # missing sessions that are named; the others are counted
STEPS = ("fetching", "checking", "computing")
ADJUSTMENT = "split"


def process(symbol: str, period: str) -> dict:
    """The data set of a period, with where it came from. Raises UnknownSymbol.

    A source that cannot be asked now is told in `refreshed`; what is stored is worth having all the same.
    `finished` says the exchange's last finished session, and why where the data set does not reach to it.
    """
    row, running = symbols.resolve(symbol), jobs.current()
    running.progress(0, len(STEPS), STEPS[0])
    filled, refreshed = _refreshed(row)
    running.progress(1, len(STEPS), STEPS[1])
    whole = bars.columns(row.ticker, adjusted=ADJUSTMENT)
    first = frames.first_of(whole["session_date"], period)
    columns, span = {name: column[first:] for name, column in whole.items()}, spans.of(row.exchange, "day")
    checked = _checked(row, columns, span)
    running.progress(2, len(STEPS), STEPS[2])
    computed = {"statistics": _summed(row, columns), **_indicators(row.ticker, whole)}
    running.progress(len(STEPS), len(STEPS), "")
    running.tell_parts(dict.fromkeys(STEPS, "") | {STEPS[0]: refreshed.get("failed", "")})
    with running.commit() as end:
        asked = {"symbol": row.ticker, "period": period, "interval": DAY.name, "adjustment": ADJUSTMENT}
        end.result = {**asked, **_origin(row.ticker, columns), "refreshed": refreshed, **checked, **computed}
        if filled:
            history.note(end, row.ticker, filled.bars)
    return end.result


def _refreshed(row: Symbol) -> tuple[history.Filled | None, dict]:
    try:
        source = sources.source()
        filled = history.fill(row, source.history, source.name, by_calendar=sources.has_hours())
    except ProviderError as error:
        return None, {"failed": f"{error.code}: {error}"}
    return filled, filled.as_json()


def _origin(ticker: str, columns: Columns) -> dict[str, str | None]:
    """Where the newest bar of the data set came from."""
    if not len(columns["session_date"]):
        return {"source": None, "as_of": None, "as_of_precision": DAY.precision, "received_at": None, "state": None}
    at = prices.midnight(columns["session_date"][-1].item())
    newest = bars.history(ticker, start=at, end=at)[0]
    return {"source": newest.source, "as_of": prices.instant(at), "as_of_precision": DAY.precision,
            "received_at": prices.instant(newest.received_at), "state": newest.state}  # fmt: skip


def _checked(row: Symbol, columns: Columns, span: Span | None) -> dict:
    """How whole the data set is."""
    held = columns["session_date"].tolist()
    missing = _missing(row, held, span)
    return {
        "bars": len(held),
        "first": str(held[0]) if held else None,
        "last": str(held[-1]) if held else None,
        "finished": span and _finished(row, held, span),
        "missing_sessions": None if missing is None else [str(day) for day in missing[:NAMED_AT_MOST]],
        "missing": None if missing is None else len(missing),
        "corrections": stored.corrections(row, held[0] if held else None),
    }


def _finished(row: Symbol, held: list[date], span: Span) -> dict:
    """The last finished session, and why it is not held where it is not."""
    is_held = bool(held) and held[-1] >= span.last
    lacking = None if is_held else spans.lacking(row, span, held[-1] if held else None).as_json()
    return {"session": str(span.last), "known_by": span.known_by, "is_held": is_held, "lacking": lacking}


def _missing(row: Symbol, held: list[date], span: Span | None) -> list[date] | None:
    """Sessions from our first bar to the last finished one that we have no bar of; None without a calendar."""
    if not held:
        return []
    try:
        last = max(held[-1], span.last) if span else held[-1]
        return sorted(set(sessions.between(row.exchange, held[0], last)) - set(held))
    except sessions.UnknownExchange:
        return None


def _summed(row: Symbol, columns: Columns) -> dict | None:
    close, volume = columns["close"], columns["volume"]
    if not len(close):
        return None
    known, a_year = volume[~np.isnan(volume)], _sessions_a_year(row, columns["session_date"][-1].item())
    return {
        "change_percent": _rounded(statistics.change_percent(float(close[0]), float(close[-1]))),
        "volatility_percent": _rounded(statistics.volatility_percent(close, a_year["sessions_a_year"])),
        **a_year,
        "drawdown_percent": _rounded(statistics.drawdown_percent(close)),
        "high": float(columns["high"].max()),
        "low": float(columns["low"].min()),
        "average_volume": round(float(known.mean())) if len(known) else None,
    }


def _sessions_a_year(row: Symbol, until: date) -> dict[str, int | str]:
    """By how many sessions the volatility is annualised, and whether the exchange's calendar counts them."""
    try:
        return {"sessions_a_year": sessions.a_year(row.exchange, until), "sessions_by": spans.BY_CALENDAR}
    except sessions.UnknownExchange:
        return {"sessions_a_year": statistics.CONVENTION, "sessions_by": "convention"}


def _indicators(ticker: str, columns: Columns) -> dict[str, dict]:
    """The values at the newest bar, of the whole history, and the reasons of those that have none."""
    told = {key: frames.values(each, ticker, columns) for key, each in DEFAULTS.items()}
    newest = {
        key: {output: _number(series[-1]) if len(series) else None for output, series in found.items()}
        for key, (found, _) in told.items()
    }
    return {"indicators": newest, "reasons": {key: reason for key, (_, reason) in told.items() if reason}}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
