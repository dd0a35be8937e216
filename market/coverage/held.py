"""Which bars we hold, and whether the rows of coverage say so."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Count, Max, Min, Sum

from market import clock
from market.coverage import rows, so_far, telling
from market.intervals import DAY
from market.models import Bar, Coverage, Symbol
from market.prices import instant

_COUNTED = ("held", "first_held", "last_held")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a row says and what its bars say, of one fact. said: None where there is no row."""

    ticker: str
    interval: str
    fact: str
    said: object
    found: object

    def __str__(self) -> str:
        said, found = ("nothing" if each is None else each for each in (self.said, self.found))
        return f"{self.ticker} {self.interval}: {self.fact} says {said}, the bars say {found}"


def latest(tickers: Collection[str]) -> dict[str, dict[str, dict]]:
    """By ticker and interval the opening of the `first` and the `last` bar, as text, and their `count`."""
    held: dict[str, dict[str, dict]] = {ticker: {} for ticker in tickers}
    known = Coverage.objects.filter(symbol__ticker__in=tickers, held__gt=0).order_by("interval")
    rows = list(known.annotate(now=clock.session()).values_list("symbol__ticker", "interval", *_COUNTED, "now"))
    if session := next((row[-1] for row in rows if row[-1]), None):
        ends = so_far.counted(tickers, session)
        rows = [(*row[:2], *ends[row[:2]], session) for row in rows if row[:2] in ends]
    for ticker, interval, count, first, last, _ in rows:
        held[ticker][interval] = {"first": instant(first), "last": instant(last), "count": count}
    return held


def ends() -> tuple[date | None, date | None]:
    """The first and the last session of which daily bars are held, of all symbols together and also to come."""
    daily = Coverage.objects.filter(interval=DAY.name).order_by()
    found = daily.aggregate(first=Min("first_held"), last=Max("last_held"))
    first, last = found["first"], found["last"]
    return first and first.date(), last and last.date()


def total(symbols: Iterable[Symbol], interval: str | None = None) -> tuple[int, int]:
    """How many rows these have, and how many bars they say we hold. interval: of one alone."""
    rows = Coverage.objects.filter(symbol__in=list(symbols))
    rows = rows if interval is None else rows.filter(interval=interval)
    found = rows.order_by().aggregate(rows=Count("symbol_id"), bars=Sum("held"))
    return found["rows"], int(found["bars"] or 0)  # MariaDB sums to a decimal


def differences(symbols: Iterable[Symbol]) -> list[Difference]:
    """Where the rows of these do not say what the bars do, counted over all their bars."""
    tickers = {symbol.pk: symbol.ticker for symbol in symbols}
    covered, bars = (model.objects.filter(symbol__in=tickers).order_by() for model in (Coverage, Bar))
    said = {row[:2]: row[2:] for row in covered.values_list("symbol_id", "interval", *_COUNTED)}
    counted = bars.values_list("symbol_id", "interval")
    counted = counted.annotate(Count("opened_at"), Min("opened_at"), Max("opened_at"))
    found = {row[:2]: row[2:] for row in counted}
    return [
        Difference(tickers[key[0]], key[1], fact, old, new)
        for key in sorted(said.keys() | found.keys())
        for fact, old, new in zip(_COUNTED, said.get(key, (None,) * 3), found.get(key, (0, None, None)), strict=True)
        if old != new
    ]


def mend(found: Iterable[Difference]) -> None:
    """Count these anew, and give them a new version."""
    keys = dict(Symbol.objects.values_list("ticker", "pk"))
    for ticker, interval in sorted({(each.ticker, each.interval) for each in found}):
        with transaction.atomic():
            rows.renew_counted(rows.hold([(keys[ticker], interval)]).values(), reason=telling.REVISION)
