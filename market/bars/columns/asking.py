"""Final bars as columns, of many symbols at once: read without the ORM, kept in the process, restated on asking."""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from market import actions, coverage, intervals
from market.actions import adjustments
from market.actions.adjustments import Factors
from market.bars.columns.kept import Columns, Series, Store
from market.intervals import DAY
from market.models import Bar, Symbol

VALUES = ("open", "high", "low", "close", "volume")
KEPT_VIEW = "split"  # what pages, indicators and screens ask for
_UNKNOWN = -1  # a volume that is not known, on its way
_DAY_SECONDS = 86_400
_BATCH = 2_000  # rows that are in memory as rows at once
# The seconds since 1970 of an opening or a date, as each database counts them fastest.
_SECONDS = {
    "sqlite": "(julianday({0}) - 2440587.5) * 86400",
    "mysql": "TIMESTAMPDIFF(SECOND, '1970-01-01', {0})",
}

store = Store()


def columns(ticker: str, *, interval: str = DAY.name, adjusted: str = "split", limit: int | None = None) -> Columns:
    """The final bars of a symbol, as `of_many` gives them; with a limit the newest of them."""
    found = of_many([ticker], interval=interval, adjusted=adjusted)[ticker]
    return {name: column[-limit:] for name, column in found.items()} if limit else found


def of_many(tickers: Collection[str], *, interval: str = DAY.name, adjusted: str = "split") -> dict[str, Columns]:
    """The final bars of each ticker as read-only arrays of one length, oldest first; empty where there are none.

    opened_at: datetime64[us], UTC; session_date: datetime64[D]; open, high, low, close, volume: float64, NaN where a
    volume is not known. Raises UnknownAdjustment.
    """
    adjustments.factors([], adjusted)  # refuses what is none
    series = _series(tickers, interval)
    lacking = [] if adjusted == "raw" else [each for each in tickers if adjusted not in series[each].views]
    for ticker, factors in _factors(lacking, adjusted).items():
        restated = _restated(series[ticker].raw, factors)
        if adjusted == KEPT_VIEW:
            series[ticker].views[adjusted] = restated
            _keep(ticker, interval, series[ticker])
        else:
            series[ticker] = Series(series[ticker].version, series[ticker].raw, {adjusted: restated})
    # Copies, of which the arrays are shared: what one caller puts in, no other sees.
    return {each: dict(series[each].raw if adjusted == "raw" else series[each].views[adjusted]) for each in tickers}


def _series(tickers: Collection[str], interval: str) -> dict[str, Series]:
    # The version before the rows: these may be newer than it, and are then read once too often.
    versions = coverage.latest(tickers, interval=interval)
    found = {each: store.get((each, interval), versions.get(each, "")) for each in tickers}
    missing = [ticker for ticker, series in found.items() if series is None]
    for ticker, raw in _read(missing, interval).items():
        found[ticker] = Series(versions.get(ticker, ""), raw)
        _keep(ticker, interval, found[ticker])
    return found


def _keep(ticker: str, interval: str, series: Series) -> None:
    if series.version:  # what has no bars has no version
        store.keep((ticker, interval), series)


def _read(tickers: Sequence[str], interval: str) -> dict[str, Columns]:
    """The rows of each ticker as traded, in one statement."""
    if not tickers:
        return {}
    keys = dict(Symbol.objects.filter(ticker__in=tickers).order_by().values_list("ticker", "pk"))
    is_whole = intervals.named(interval).is_whole
    table = _table(sorted(keys.values()), interval, is_whole=is_whole) if keys else np.empty((0, 7))
    found = {}
    for ticker in tickers:
        first, last = np.searchsorted(table[:, 0], [keys.get(ticker, -1), keys.get(ticker, -1) + 0.5])
        found[ticker] = _columns(table[first:last])
    return found


def _table(keys: list[int], interval: str, *, is_whole: bool) -> np.ndarray:
    """Rows in the order of the primary key: of each its key, opening, prices, volume and, within a session, its date.

    All as numbers: a date or an instant costs more to make than all the prices.
    """
    quoted, seconds = connection.ops.quote_name, _SECONDS[connection.vendor]
    opened_at = quoted("opened_at")
    # Of whole sessions the opening is the date.
    sessions = "" if is_whole else f", {seconds.format(quoted('session_date'))}"
    prices = ", ".join(quoted(name) for name in VALUES[:4])
    volume = f"COALESCE({quoted('volume')}, {_UNKNOWN})"
    asked = f"""SELECT symbol_id, {seconds.format(opened_at)}, {prices}, {volume}{sessions}
        FROM {quoted(Bar._meta.db_table)} WHERE symbol_id IN ({", ".join(["%s"] * len(keys))})
        AND {quoted("interval")} = %s ORDER BY symbol_id, {opened_at}"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [*keys, interval])
        numbers = chain.from_iterable(chain.from_iterable(_batches(cursor)))
        return np.fromiter(numbers, np.float64).reshape(-1, 7 if is_whole else 8)


def _batches(cursor: CursorWrapper) -> Iterator[Sequence[tuple]]:
    while rows := cursor.fetchmany(_BATCH):
        yield rows


def _columns(table: np.ndarray) -> Columns:
    """Of rows as `_table` gives them."""
    seconds = np.rint(table[:, 1]).astype(np.int64)
    sessions = seconds if table.shape[1] == 7 else np.rint(table[:, 7]).astype(np.int64)
    volume = np.where(table[:, 6] == _UNKNOWN, np.nan, table[:, 6])
    return _frozen(
        opened_at=seconds.astype("datetime64[s]").astype("datetime64[us]"),
        session_date=(sessions // _DAY_SECONDS).astype("datetime64[D]"),
        **{name: table[:, 2 + place].copy() for place, name in enumerate(VALUES[:4])},
        volume=volume,
    )


def _factors(tickers: list[str], adjusted: str) -> dict[str, Factors]:
    if adjusted == KEPT_VIEW:
        return actions.splits(tickers) if tickers else {}
    return {ticker: actions.factors(ticker, adjusted) for ticker in tickers}


def _restated(raw: Columns, factors: Factors) -> Columns:
    """In today's shares; what nothing changes is the same arrays."""
    if not factors.ex_dates:
        return raw
    after = np.searchsorted(np.array(factors.ex_dates, dtype="datetime64[D]"), raw["session_date"], side="right")
    by, shares = np.array(factors.prices)[after], np.array(factors.volumes)[after]
    return _frozen(**raw | {name: raw[name] * by for name in VALUES[:4]} | {"volume": np.round(raw["volume"] * shares)})


def _frozen(**arrays: np.ndarray) -> Columns:
    """Kept for all who ask, so nobody writes into them."""
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
