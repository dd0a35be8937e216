"""Bars as values, as traded or restated, with the one that forms."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from market import actions, coverage, intervals, prices
from market.actions import adjustments
from market.bars import forming, resampling, rows
from market.bars.resampling import Known
from market.bars.rows import Bounds, Row
from market.calendars import clock
from market.coverage import told
from market.intervals import DAY, Interval
from market.models import Snapshot
from market.prices import FORMING, Bar

_ALL = Bounds()
_VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Basis:
    """What a read stands upon, and is read before the rows.

    versions: as coverage.of gives them of actions.intervals_read. live: the forming bar, of the interval that bars are
    stored as. At a close the feed writes the row and then drops the forming bar, so that one of them is always read.
    known, today: what bars that are made on reading are judged by; see `resampling`.
    """

    versions: coverage.Versions
    live: Bar | None
    known: Known = resampling.UNKNOWN
    today: int | None = None


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
    as_known_at: datetime | None = None,
) -> list[Bar]:
    """The bars from `start` to `end`, as Bounds say, oldest first; with a limit the newest of them.

    The last one may be forming. Prices are restated as `actions.adjustments` says; raises UnknownAdjustment.
    as_known_at: what was known then, bars and actions alike; what formed then nobody keeps.
    """
    asked, bounds = intervals.named(interval), Bounds(start, end)
    live = None if as_known_at else forming.latest([ticker], interval=asked.stored_as)[ticker]
    if asked.made_from is None:
        return _stored(ticker, interval, bounds, adjusted, limit, as_known_at, live)
    basis = Basis((), live, *_judged(ticker, asked, as_known_at, live))
    return made(ticker, asked, basis, bounds=bounds, adjusted=adjusted, limit=limit, as_known_at=as_known_at)


def made(
    ticker: str,
    interval: Interval,
    basis: Basis,
    *,
    adjusted: str,
    bounds: Bounds = _ALL,
    limit: int | None = None,
    as_known_at: datetime | None = None,
) -> list[Bar]:
    """The same of an interval whose bars are made on reading, with what a basis has beside the rows."""
    asked = resampling.bounds_of_bars(bounds, interval)
    within = resampling.bounds_of_parts(asked, interval)
    most = limit and (limit + 2) * interval.most_parts  # the first bar of them may lack some
    parts = _stored(ticker, interval.stored_as, within, adjusted, most, as_known_at, basis.live)
    found = resampling.of_bars(parts, interval, basis.known, basis.today) if parts else []
    return [bar for bar in found if asked.hold(bar)][-limit if limit else 0 :]


def factors_at(ticker: str, adjusted: str, at: datetime | None) -> adjustments.Factors:
    """A symbol's factors of an adjustment, as they are or as they were known at a moment. Raises UnknownAdjustment."""
    if at is None or adjusted == "raw":
        return actions.factors(ticker, adjusted)
    needed = None if adjusted == adjustments.DIVIDENDS else 1  # closes, or the last session alone
    daily = rows.read(ticker, Bounds(), interval=DAY.name, limit=needed, known_at=at)
    closes = [(date.fromisoformat(row.session_date), row.close) for row in map(Row._make, daily)]
    named = [action for action in actions.known(ticker, at) if action.is_counted]
    if closes:  # one that was announced restated nothing before its day
        last = max(closes[-1][0], _last_heard(ticker, at) or date.min)
        named = [action for action in named if action.ex_date <= last]
    return adjustments.factors(named, adjusted, closes)


def factors_of(tickers: Collection[str], adjusted: str, at: datetime | None) -> dict[str, adjustments.Factors]:
    """The same of many, where one query can tell them in one. Raises UnknownAdjustment."""
    if adjusted == "split" and at is None:
        return actions.splits(tickers)
    return {ticker: factors_at(ticker, adjusted, at) for ticker in tickers}


def basis(ticker: str, interval: str, adjusted: str) -> Basis:
    """What a read of these now stands upon."""
    asked = intervals.named(interval)
    live = forming.latest([ticker], interval=asked.stored_as)[ticker]
    versions = coverage.of([ticker], actions.intervals_read(interval, adjusted))[ticker]
    if asked.made_from is None:
        return Basis(versions, live)
    return Basis(versions, live, *_judged(ticker, asked, None, live))


def newest(stored: Bar | None, live: Bar | None) -> Bar | None:
    """The newest stored bar, or the forming one, which never stands for a final bar nor before one."""
    if stored is None or live is None:
        return stored or live
    if live.state != FORMING and live.opened_at <= stored.opened_at:  # one that was played, and is history since
        return stored
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


def _judged(ticker: str, interval: Interval, at: datetime | None, live: Bar | None) -> tuple[Known, int | None]:
    """What bars that are made on reading are judged by."""
    held = told.held([ticker], interval.name)
    return resampling.known(held)[ticker], resampling.today(at, clock.latest(), held[ticker], live)


def _stored(
    ticker: str,
    interval: str,
    bounds: Bounds,
    adjusted: str,
    limit: int | None,
    as_known_at: datetime | None,
    live: Bar | None,
) -> list[Bar]:
    factors = factors_at(ticker, adjusted, as_known_at)
    found = [
        value(ticker, interval, Row._make(row), adjusted, factors)
        for row in rows.read(ticker, bounds, interval=interval, limit=limit, known_at=as_known_at)
    ]
    gone = replaced(found[-1] if found else None, live if live and bounds.hold(live) else None)
    if gone is None:
        return found
    return [*found[: len(found) - gone], restated(live, adjusted, factors)][-limit if limit else 0 :]


def _last_heard(ticker: str, at: datetime) -> date | None:
    """The session of the newest price that had come."""
    heard = Snapshot.objects.filter(symbol__ticker=ticker, received_at__lte=at).order_by("-received_at")
    return heard.values_list("session_date", flat=True).first()


def _rank(bar: Bar) -> tuple[datetime, bool, datetime]:
    return bar.opened_at, bar.is_final, bar.received_at
