"""Bars as values, as traded or restated, with the one that forms."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from market import actions, coverage, prices
from market.actions import adjustments
from market.bars import forming
from market.intervals import DAY
from market.models import Bar as BarRow
from market.prices import Bar

_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS = ("opened_at", *_VALUES, "is_final", "source", "received_at", "revision", "session_date", "state")
_AROUND = timedelta(days=2)  # further from its date's midnight, UTC, no bar of a session opens
Row = tuple


@dataclass(frozen=True, slots=True)
class Basis:
    """What a read stands upon, and is read before the rows.

    versions: as coverage.of gives them of actions.intervals_read. live: the forming bar. At a close the feed writes the
    row and then drops the forming bar, so that one of them is always read.
    """

    versions: coverage.Versions
    live: Bar | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which bars count, from `start` to `end`, both counted: a date is of their session, a datetime of their opening.

    before: they opened before it.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    before: datetime | None = None

    def hold(self, bar: Bar) -> bool:
        first, last = (
            bar.opened_at if isinstance(each, datetime) else bar.session_date for each in (self.start, self.end)
        )
        is_since, is_until = self.start is None or first >= self.start, self.end is None or last <= self.end
        return is_since and is_until and (self.before is None or bar.opened_at < self.before)

    def wanted(self) -> Q:
        found = Q()
        if self.start is not None:
            found &= _by(self.start, "gte", -_AROUND)
        if self.end is not None:
            found &= _by(self.end, "lte", _AROUND)
        return found if self.before is None else found & Q(opened_at__lt=self.before)


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
    found = rows(ticker, Bounds(start, end), interval=interval, adjusted=adjusted, limit=limit)
    return [Bar(*row) for row in found]


def rows(
    ticker: str,
    bounds: Bounds,
    *,
    interval: str,
    adjusted: str,
    limit: int | None = None,
    basis: Basis | None = None,
) -> list[Row]:
    """`history` as tuples of Bar's fields, which cost less where many only pass through; on a basis that was read."""
    factors = actions.factors(ticker, adjusted)
    wanted = BarRow.objects.filter(bounds.wanted(), symbol__ticker=ticker, interval=interval)
    live = basis.live if basis else forming.latest([ticker], interval=interval)[ticker]
    found = list(wanted.order_by("-opened_at").values_list(*_COLUMNS)[:limit])[::-1]
    if live and bounds.hold(live):
        found = _with_forming(found, live)[-limit if limit else 0 :]
    return [
        (
            ticker,
            interval,
            at,
            *adjustments.restated(factors, session, *rest[:5]),
            *rest[5:],
            adjusted,
            session,
            prices.state_of(rest[5], state),
        )
        for at, *rest, session, state in found
    ]


def steady_rows(
    ticker: str, bounds: Bounds, basis: Basis, *, interval: str, adjusted: str, limit: int
) -> tuple[list[Row], coverage.Versions | None]:
    """`rows` on a basis, and the versions that they have; None where others wrote each time they were read."""

    def ask(_: object) -> tuple[dict[str, list[Row]], list[str]]:
        found = rows(ticker, bounds, interval=interval, adjusted=adjusted, limit=limit, basis=basis)
        return {ticker: found}, [ticker]

    return coverage.steady(ask, {ticker: basis.versions}, actions.intervals_read(interval, adjusted))[ticker]


def basis(ticker: str, interval: str, adjusted: str) -> Basis:
    """What a read of these now stands upon."""
    live = forming.latest([ticker], interval=interval)[ticker]
    return Basis(coverage.of([ticker], actions.intervals_read(interval, adjusted))[ticker], live)


def _by(bound: date | datetime, compared: str, around: timedelta) -> Q:
    """A bound as the key can serve it, in which only openings are."""
    if isinstance(bound, datetime):
        return Q(**{f"opened_at__{compared}": bound})
    near = prices.midnight(bound) + around
    return Q(**{f"session_date__{compared}": bound, f"opened_at__{compared}": near})


def newest(stored: Bar | None, live: Bar | None) -> Bar | None:
    """The newest stored bar, or the forming one, which never stands for a final bar nor before one."""
    if stored is None or live is None:
        return stored or live
    is_newer = _rank(live.opened_at, live.is_final, live.received_at) > _rank(
        stored.opened_at, stored.is_final, stored.received_at
    )
    return live if is_newer else stored


def _with_forming(found: list[Row], live: Bar) -> list[Row]:
    """The stored rows and the forming bar's, as `newest` says."""
    row = tuple(getattr(live, name) for name in _COLUMNS)
    if not found or found[-1][0] < live.opened_at:
        return [*found, row]
    opened_at, *_, is_final, _, received_at, _, _, _ = found[-1]
    if _rank(live.opened_at, live.is_final, live.received_at) > _rank(opened_at, is_final, received_at):
        return [*found[:-1], row]
    return found


def _rank(opened_at: datetime, is_final: bool, received_at: datetime) -> tuple[datetime, bool, datetime]:
    return opened_at, is_final, received_at
