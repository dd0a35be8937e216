"""Final bars as columns, of many symbols at once: read without the ORM, kept in the process, restated on asking."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from market import actions, coverage, intervals
from market.actions import adjustments
from market.actions.adjustments import Factors
from market.bars import read
from market.bars.columns import table
from market.bars.columns.kept import Columns, Kept
from market.bars.read import Basis
from market.coverage import Versions
from market.intervals import DAY
from market.prices import FORMING, Bar
from monitoring.caches.store import Store

KEPT_VIEW = "split"  # what pages, indicators and screens ask for

store = Store[Kept]("COLUMNS_BYTES")


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of a symbol as columns, and the newest as traded, which may form; None where there is none.

    versions: those of actions.intervals_read that the columns have; None where others wrote each time they were read.
    """

    ticker: str
    interval: str
    adjustment: str
    columns: Columns
    newest: Bar | None
    versions: Versions | None

    @property
    def version(self) -> str:
        """That of its interval's bars; coverage.NONE where there are none, or it is not known."""
        return self.versions[0] if self.versions else coverage.NONE


def series(ticker: str, *, interval: str = DAY.name, adjusted: str = "split", basis: Basis | None = None) -> Series:
    """The bars of a symbol on a basis that was read, or on that of now. Raises UnknownAdjustment."""
    basis = basis or read.basis(ticker, interval, adjusted)
    return series_of_many({ticker: basis}, interval=interval, adjusted=adjusted)[ticker]


def series_of_many(
    bases: Mapping[str, Basis], *, interval: str = DAY.name, adjusted: str = "split"
) -> dict[str, Series]:
    """The bars of each ticker on its basis that was read: what is not kept in one read of all. Raises
    UnknownAdjustment.
    """
    if intervals.named(interval).made_from:
        return {ticker: _made(ticker, interval, adjusted, basis) for ticker, basis in bases.items()}
    found = _steady({ticker: basis.versions for ticker, basis in bases.items()}, interval, adjusted)
    return {
        ticker: Series(
            ticker, interval, adjusted, _view(kept, adjusted), read.newest(kept.newest, bases[ticker].live), versions
        )
        for ticker, (kept, versions) in found.items()
    }


def columns(ticker: str, *, interval: str = DAY.name, adjusted: str = "split", limit: int | None = None) -> Columns:
    """The final bars of a symbol, as `of_many` gives them; with a limit the newest of them."""
    found = of_many([ticker], interval=interval, adjusted=adjusted)[ticker]
    return {name: column[-limit:] for name, column in found.items()} if limit else found


def of_many(tickers: Collection[str], *, interval: str = DAY.name, adjusted: str = "split") -> dict[str, Columns]:
    """The final bars of each ticker as read-only arrays of one length, oldest first; empty where there are none.

    opened_at: datetime64[us], UTC; session_date: datetime64[D]; open, high, low, close, volume: float64, NaN where a
    volume is not known. Raises UnknownAdjustment.
    """
    if intervals.named(interval).made_from:
        return {ticker: _over(ticker, interval, adjusted) for ticker in tickers}
    versions = coverage.of(tickers, actions.intervals_read(interval, adjusted))
    found = _steady(versions, interval, adjusted)
    return {ticker: _view(found[ticker][0], adjusted) for ticker in tickers}


def _made(ticker: str, interval: str, adjusted: str, basis: Basis) -> Series:
    """That of bars which are made on reading; the newest is not among the columns, as it may form."""
    adjustments.factors([], adjusted)  # refuses what is none

    def ask(left: Mapping[str, Versions]) -> tuple[dict[str, list[Bar]], Collection[str]]:
        return {each: read.made(each, intervals.named(interval), basis, adjusted=adjusted) for each in left}, list(left)

    read_by = actions.intervals_read(interval, adjusted)
    found, versions = coverage.steady(ask, {ticker: basis.versions}, read_by)[ticker]
    return Series(ticker, interval, adjusted, table.of_bars(found[:-1]), found[-1] if found else None, versions)


def _over(ticker: str, interval: str, adjusted: str) -> Columns:
    """Those of them that are over."""
    found = read.history(ticker, interval=interval, adjusted=adjusted)
    return table.of_bars([bar for bar in found if bar.state != FORMING])


def _view(kept: Kept, adjusted: str) -> Columns:
    """A copy, of which the arrays are shared: what one caller puts in, no other sees."""
    return dict(kept.raw if adjusted == "raw" else kept.views[adjusted])


def _steady(versions: Mapping[str, Versions], interval: str, adjusted: str) -> dict[str, tuple[Kept, Versions | None]]:
    """Of each ticker what has the view that is asked for, and its versions. What was read and is steady is kept."""
    adjustments.factors([], adjusted)  # refuses what is none
    were_read: set[str] = set()

    def ask(left: Mapping[str, Versions]) -> tuple[dict[str, Kept], Collection[str]]:
        found, read_now = _found(left, interval, adjusted)
        were_read.update(read_now)
        return found, read_now

    found = coverage.steady(ask, versions, actions.intervals_read(interval, adjusted))
    for ticker in were_read:
        kept, proven = found[ticker]
        if proven and kept.version:  # what has no bars has no version
            store.keep((ticker, interval), kept.with_views({KEPT_VIEW}))
    return found


def _found(versions: Mapping[str, Versions], interval: str, adjusted: str) -> tuple[dict[str, Kept], set[str]]:
    """Of each ticker what has the view that is asked for, and those of which something was read for it."""
    known = {ticker: store.get((ticker, interval), found[0]) for ticker, found in versions.items()}
    missing = [ticker for ticker, kept in known.items() if kept is None]
    for ticker, (raw, newest) in table.read(missing, interval).items():
        known[ticker] = Kept(versions[ticker][0], raw, newest)
    lacking = [] if adjusted == "raw" else [ticker for ticker, kept in known.items() if adjusted not in kept.views]
    for ticker, factors in _factors(lacking, adjusted).items():
        kept = known[ticker]
        known[ticker] = replace(kept, views={**kept.views, adjusted: _restated(kept.raw, factors)})
    return known, {*missing, *lacking}


def _factors(tickers: list[str], adjusted: str) -> dict[str, Factors]:
    if adjusted == KEPT_VIEW:
        return actions.splits(tickers) if tickers else {}
    return {ticker: actions.factors(ticker, adjusted) for ticker in tickers}


def _restated(raw: Columns, factors: Factors) -> Columns:
    """In today's shares; what nothing changes is the same arrays."""
    return table.frozen(**adjustments.over(factors, raw)) if factors.ex_dates else raw
