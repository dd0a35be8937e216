"""The default set's newest values of each symbol as rows: one of each interval of whole sessions, wide.

They are of bars that are over. A row is computed anew once the bars have another version than it: at a close, and when
a value is revised, a split comes or a gap is mended.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from django.db import connection, transaction

from analysis.indicators import catalogue, frames
from analysis.models import BEFORE, OUTPUTS, IndicatorRow
from analysis.summary import ADJUSTMENT, IndicatorValues
from market import bars, coverage, intervals
from market.clock import passes
from market.intervals import DAY
from market.models import DataSource, Symbol
from market.prices import FINAL, FORMING, Bar
from market.symbols import named, resolve
from monitoring import jobs

INTERVALS = tuple(each.name for each in intervals.ALL.values() if each.is_whole)
_FACTS = [each.name for each in IndicatorRow._meta.concrete_fields if each.name not in ("id", "symbol", "interval")]


class Moving(RuntimeError):
    """Others wrote the bars each time that they were read."""

    code = "bars_moving"
    temporary = True


def refresh(symbols: list[str] | None) -> dict:
    """Compute the rows whose bars have another version, of these symbols or of all that are tracked; one that can't be
    fails alone.

    Returns `done`, and `failed` with the reason of each. Raises NothingDone where all of them failed.
    """
    outcome = jobs.fan_out(_stale(named(symbols)), store, parallel=1)
    outcome.require_any()
    with jobs.current().commit() as end:
        end.result = outcome.as_json()
        end.note(IndicatorRow, sum(outcome.done.values()))
    return end.result


def latest(tickers: Iterable[str]) -> dict[str, IndicatorValues]:
    """The values at the last daily bar of each ticker that has a row which its bars have not left behind."""
    tickers = list(tickers)
    versions = coverage.latest(tickers)
    rows = IndicatorRow.objects.running().filter(symbol__ticker__in=tickers, interval=DAY.name)
    told = {row.symbol.ticker: row for row in rows.select_related("symbol")}
    return {ticker: _values(ticker, row) for ticker, row in told.items() if row.version == versions[ticker]}


def _stale(tickers: list[str]) -> list[str]:
    """Those of which a row is missing, or has another version than the bars."""
    versions = coverage.latest(tickers)  # of days, which all these intervals are made of
    rows = IndicatorRow.objects.running().filter(symbol__ticker__in=tickers)
    known = {(ticker, interval): version
             for ticker, interval, version in rows.values_list("symbol__ticker", "interval", "version")}  # fmt: skip
    return [
        ticker
        for ticker, version in versions.items()
        if version != coverage.NONE and any(known.get((ticker, name)) != version for name in INTERVALS)
    ]


def store(ticker: str) -> int:
    """The rows of one symbol as its bars are now; returns how many. Raises Moving."""
    number = DataSource.objects.pass_number()  # before the bars
    symbol = resolve(ticker)
    rows = [row for name in INTERVALS if (row := _row(symbol, name)) is not None]
    for row in rows:
        row.pass_number = number
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "interval"]
    with transaction.atomic():
        IndicatorRow.objects.bulk_create(rows, update_conflicts=True, update_fields=_FACTS, unique_fields=unique)
        passes.require(number)
    return len(rows)


def _row(symbol: Symbol, interval: str) -> IndicatorRow | None:
    """None where no bar of the interval is over yet. Raises Moving."""
    series = bars.series(symbol.ticker, interval=interval, adjusted=ADJUSTMENT)
    columns = series.columns
    if not len(columns["session_date"]):
        return None
    if series.versions is None:
        raise Moving(f"others wrote the bars of {symbol.ticker} each time that they were read")
    last = _last(symbol, interval, columns["opened_at"][-1].item().replace(tzinfo=UTC))
    return IndicatorRow(
        symbol=symbol,
        interval=interval,
        opened_at=last.opened_at,
        session_date=last.session_date,
        since=columns["session_date"][0].item(),
        state=last.state,
        source=last.source,
        received_at=last.received_at,
        computed_at=datetime.now(UTC),
        version=series.version,
        **_told(symbol.ticker, interval, columns),
    )


def _last(symbol: Symbol, interval: str, opened_at: datetime) -> Bar:
    """The last bar that is over, with where it came from. Raises Moving."""
    found = bars.history(symbol.ticker, interval=interval, start=opened_at, end=opened_at, adjusted="raw")
    if not found or found[0].state == FORMING:
        raise Moving(f"the last bar of {symbol.ticker} is gone since it was read")
    return found[0]


def _told(ticker: str, interval: str, columns: dict[str, np.ndarray]) -> dict[str, float | None]:
    """The values of the last bar and of the one before, by column."""
    found = {key: frames.values(each, ticker, columns)[0] for key, each in catalogue.defaults(interval).items()}
    series = {"close": columns["close"], **{name: found[key][output] for name, (key, output) in OUTPUTS.items()}}
    now = {name: _number(values[-1]) for name, values in series.items()}
    return now | {BEFORE + name: _number(values[-2]) if len(values) > 1 else None for name, values in series.items()}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _values(ticker: str, row: IndicatorRow) -> IndicatorValues:
    values: dict[str, dict[str, float | None]] = {}
    for name, (key, output) in OUTPUTS.items():
        values.setdefault(key, {})[output] = getattr(row, name)
    return IndicatorValues(
        ticker=ticker,
        interval=row.interval,
        as_of=row.opened_at,
        as_of_precision=DAY.precision,
        adjustment=ADJUSTMENT,
        is_final=row.state == FINAL,
        state=row.state,
        values=values,
        source=row.source,
        received_at=row.received_at,
        session_date=row.session_date,
        version=row.version,
    )
