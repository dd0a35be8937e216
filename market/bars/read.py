"""Bars as values, as traded or restated, with the one that forms."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from market import actions, coverage, prices
from market.actions import adjustments
from market.bars import forming, rows
from market.bars.rows import Bounds, Row
from market.intervals import DAY
from market.prices import Bar

_VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Basis:
    """What a read stands upon, and is read before the rows.

    versions: as coverage.of gives them of actions.intervals_read. live: the forming bar. At a close the feed writes the
    row and then drops the forming bar, so that one of them is always read.
    """

    versions: coverage.Versions
    live: Bar | None


class NoBars(ValueError):
    """What is asked for needs bars that are not there."""

    code = "no_bars"


def history(
    ticker: str,
    *,
    interval: str = DAY.name,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    adjusted: str = "split",
    limit: int | None = None,
) -> list[Bar]:
    """The bars from `start` to `end`, as Bounds say, oldest first; with a limit the newest of them.

    The last one may be forming. Prices are restated as `actions.adjustments` says; raises UnknownAdjustment.
    """
    factors, bounds = actions.factors(ticker, adjusted), Bounds(start, end)
    live = forming.latest([ticker], interval=interval)[ticker]
    found = [
        value(ticker, interval, Row._make(row), adjusted, factors)
        for row in rows.read(ticker, bounds, interval=interval, limit=limit)
    ]
    gone = replaced(found[-1] if found else None, live if live and bounds.hold(live) else None)
    if gone is None:
        return found
    return [*found[: len(found) - gone], restated(live, adjusted, factors)][-limit if limit else 0 :]


def basis(ticker: str, interval: str, adjusted: str) -> Basis:
    """What a read of these now stands upon."""
    live = forming.latest([ticker], interval=interval)[ticker]
    return Basis(coverage.of([ticker], actions.intervals_read(interval, adjusted))[ticker], live)


def newest(stored: Bar | None, live: Bar | None) -> Bar | None:
    """The newest stored bar, or the forming one, which never stands for a final bar nor before one."""
    if stored is None or live is None:
        return stored or live
    return live if _rank(live) > _rank(stored) else stored


def replaced(stored: Bar | None, live: Bar | None) -> int | None:
    """How many of the stored bars' end the forming one takes the place of; None where it is not told.

    stored: the newest of them.
    """
    if live is None or newest(stored, live) is not live:
        return None
    return int(stored is not None and stored.opened_at == live.opened_at)


def value(
    ticker: str, interval: str, row: Row, adjusted: str = "raw", factors: adjustments.Factors = adjustments.NONE
) -> Bar:
    """The bar of a row, restated."""
    session, is_final = date.fromisoformat(row.session_date), bool(row.is_final)
    return Bar(
        ticker,
        interval,
        rows.moment(row.opened_at),
        *adjustments.restated(factors, session, *row[2:7]),
        is_final,
        row.source,
        rows.moment(row.received_at),
        row.revision,
        adjusted,
        session,
        prices.state_of(is_final, row.state),
    )


def restated(bar: Bar, adjusted: str, factors: adjustments.Factors) -> Bar:
    """A bar as traded, in the shares of the newest session."""
    values = bar.open, bar.high, bar.low, bar.close, bar.volume
    now = adjustments.restated(factors, bar.session_date, *values)
    return replace(bar, **dict(zip(_VALUES, now, strict=True)), adjustment=adjusted)


def _rank(bar: Bar) -> tuple[datetime, bool, datetime]:
    return bar.opened_at, bar.is_final, bar.received_at
