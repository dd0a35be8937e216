"""A symbol's indicators with what they say, and the job that saves them."""

from typing import Any

from analysis import periods
from analysis.against import compared
from analysis.indicators import catalogue, frames
from analysis.reports import remarks
from analysis.technical import rows
from market import bars, prices
from market.symbols import resolve
from monitoring import jobs

SAVED = ("symbol", "interval", "adjustment", "source", "version", "as_of_precision", "is_final", "reasons")

Told = dict[str, Any]


def of(series: bars.Series, period: str, names: list[str]) -> Told:
    """The indicators of a series as they are told alone, and a summary of the newest: kinds and values.

    Raises frames.UnknownPeriod, catalogue.UnknownIndicator, frames.TooShort, bars.NoBars, and UnknownSymbol of one that
    some are measured against.
    """
    names, others = compared.named(names)
    told = frames.over(frames.with_bars(series), period, names, compared.read(series, others))
    found = remarks.of(frames.close(series), _latest(told))
    return {"indicators": told, "summary": [each.as_json() for each in found]}


def save(symbols: list[str], interval: str, adjusted: str, indicators: list[str] | None) -> Told:
    """The newest values of each symbol and what they say, which the job keeps; one that can't be told fails alone.

    indicators: None is the default set, whose newest values of bars that are over are kept as rows whatever is asked.
    They are computed when the job runs, so each says of which bar and of which version of the bars it is.
    Raises NothingDone where all of them failed.
    """

    def one(ticker: str) -> Told:
        series = bars.series(resolve(ticker).ticker, interval=interval, adjusted=adjusted)
        saved = _saved(of(series, periods.NEWEST, indicators or [catalogue.ALL]))
        rows.store(series.ticker)
        return saved

    outcome = jobs.fan_out(symbols, one, parallel=1)
    outcome.require_any()
    return {"symbols": outcome.done, "failed": outcome.failed}


def _saved(analysis: Told) -> Told:
    told = analysis["indicators"]
    return {
        **{name: told[name] for name in SAVED},
        "as_of": prices.instant(told["as_of"]),
        "session_date": str(told["session_date"]),
        "received_at": prices.instant(told["received_at"]),
        "indicators": _latest(told),
        "summary": analysis["summary"],
    }


def _latest(told: Told) -> dict[str, dict[str, float | None]]:
    return {key: each["latest"] for key, each in told["indicators"].items()}
