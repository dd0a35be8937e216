"""Which bars are stored: asked by those who need no series, but how far it goes or its end."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from market import clock, prices
from market.intervals import DAY
from market.models import Bar, BarRevision, Symbol
from market.prices import FORMING, midnight, state_of

_COLUMNS = (
    "opened_at", "open", "high", "low", "close", "volume", "is_final", "source", "received_at", "revision",
    "session_date", "state",
)  # fmt: skip

_FORTNIGHT = timedelta(days=14)  # no exchange is closed for longer


class Session(NamedTuple):
    """What a list shows of a bar, as traded."""

    symbol_id: int
    session_date: date
    close: float
    volume: int | None


def newest_of(tickers: Collection[str], interval: str) -> dict[str, tuple[int, prices.Bar | None]]:
    """By ticker of those there are, the symbol's key and its newest bar as traded, None where there is none."""
    covered = FilteredRelation("coverage", condition=Q(coverage__interval=interval))
    newest = FilteredRelation("bars", condition=Q(bars__interval=interval, bars__opened_at=F("covered__last_held")))
    named = Symbol.objects.filter(ticker__in=tickers).order_by().annotate(covered=covered, newest=newest)
    columns = (f"newest__{name}" for name in _COLUMNS)
    rows = list(named.annotate(now=clock.session()).values_list("ticker", "pk", *columns, "now"))
    found = {ticker: (key, _bar(ticker, interval, values)) for ticker, key, *values, _ in rows}
    if session := next((row[-1] for row in rows if row[-1]), None):
        keys = {ticker: key for ticker, (key, _) in found.items()}
        found = {ticker: (keys[ticker], bar) for ticker, bar in _newest_before(keys, interval, session).items()}
    return found


def opening_of_newest(number: int) -> Subquery:
    """The opening of a symbol's so many newest bar; null where there are fewer. For a query of symbols."""
    newest = _final().filter(symbol=OuterRef("pk")).order_by("-opened_at")
    return Subquery(newest.values("opened_at")[number - 1 : number])


def sessions(since: Mapping[int, datetime | None]) -> list[Session]:
    """The bars of many symbols, by their keys and each from its own opening on, oldest first; None: all there are."""
    together = defaultdict(list)  # most share one
    for symbol, opening in since.items():
        together[opening].append(symbol)
    wanted = Q(symbol_id__in=[])
    for opening, ids in together.items():
        wanted |= Q(symbol_id__in=ids) if opening is None else Q(symbol_id__in=ids, opened_at__gte=opening)
    found = _final().filter(wanted).order_by("symbol_id", "opened_at")
    return [Session(*row) for row in found.values_list(*Session._fields)]


def last(symbol: Symbol) -> tuple[date, str] | None:
    """The session of a symbol's newest bar and its source; None where there is none."""
    return _final().filter(symbol=symbol).order_by("-opened_at").values_list("session_date", "source").first()


def settled(sessions: Mapping[str, date]) -> dict[str, Bar]:
    """The final bar of each ticker's session, where there is one."""
    opened = {midnight(session) for session in sessions.values()}
    found = _final().filter(symbol__ticker__in=sessions, opened_at__in=opened, is_final=True)
    rows = [row for row in found.select_related("symbol") if row.session_date == sessions[row.symbol.ticker]]
    return {row.symbol.ticker: row for row in rows}


def state(ticker: str, session: date) -> str:
    """Of the bar of a session: closed or final; forming where none is stored."""
    found = _final().filter(symbol__ticker=ticker, opened_at=midnight(session))
    row = found.values_list("is_final", "state").first()
    return FORMING if row is None else state_of(*row)


def newest(exchange: str) -> date | None:
    """The newest session of which a bar of any tracked symbol of an exchange is stored."""
    tracked = Symbol.objects.tracked().filter(exchange=exchange).annotate(newest=opening_of_newest(1))
    return max((at.date() for at in tracked.values_list("newest", flat=True) if at), default=None)


def closes_before(days: Mapping[int, date]) -> dict[int, list[tuple[date, float]]]:
    """The sessions of each symbol in the fortnight before its day with their closes as traded, oldest first."""
    if not days:
        return {}
    since, until = midnight(min(days.values()) - _FORTNIGHT), midnight(max(days.values()))
    found = _final().filter(symbol_id__in=days, opened_at__gte=since, opened_at__lt=until)
    rows = found.order_by("symbol_id", "opened_at").values_list("symbol_id", "session_date", "close")
    closes: dict[int, list[tuple[date, float]]] = {symbol: [] for symbol in days}
    for symbol, session, close in rows:
        if session < days[symbol]:
            closes[symbol].append((session, close))
    return closes


def closes_since(symbol_id: int, since: date) -> list[tuple[date, float]]:
    """The sessions of a symbol from one on with their closes as traded, oldest first."""
    quoted, opened = connection.ops.quote_name, connection.ops.adapt_datetimefield_value(midnight(since))
    # A driver takes longer to make a date of it.
    asked = f"""SELECT CAST(session_date AS CHAR), {quoted("close")} FROM {quoted(Bar._meta.db_table)}
        WHERE symbol_id = %s AND {quoted("interval")} = %s AND opened_at >= %s{clock.cut("session_date")}
        ORDER BY opened_at"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [symbol_id, DAY.name, opened])
        return [(date.fromisoformat(day), close) for day, close in cursor.fetchall()]


def corrections(symbol: Symbol, since: date | None) -> int:
    """How many former values of a symbol's bars are kept, of the sessions from one on."""
    found = BarRevision.objects.filter(symbol=symbol, interval=DAY.name)
    return (found if since is None else found.filter(opened_at__gte=midnight(since))).count()


def last_played(tickers: Iterable[str], source: str, since: date) -> date | None:
    """The newest session, from one on, of which a source's bar of any of these is stored."""
    found = _of(tickers, source).filter(opened_at__gte=midnight(since)).order_by("-opened_at")
    return found.values_list("session_date", flat=True).first()


def counted(tickers: Iterable[str], source: str) -> dict[str, int]:
    """How many bars of a source are stored, by the tickers that have any."""
    found = _of(tickers, source).order_by().values_list("symbol__ticker")
    return dict(found.annotate(Count("opened_at")))


def _newest_before(keys: Mapping[str, int], interval: str, session: date) -> dict[str, prices.Bar | None]:
    """The newest bar of each before a session. keys: of the symbols, by their tickers."""
    past = Bar.objects.filter(interval=interval, session_date__lt=session)
    newest = past.filter(symbol=OuterRef("symbol")).order_by("-opened_at").values("opened_at")[:1]
    found = past.filter(symbol__in=keys.values(), opened_at=Subquery(newest)).values_list("symbol_id", *_COLUMNS)
    rows = {key: values for key, *values in found}
    return {ticker: _bar(ticker, interval, rows[key]) if key in rows else None for ticker, key in keys.items()}


def _bar(ticker: str, interval: str, values: list) -> prices.Bar | None:
    """Of the values of _COLUMNS."""
    if values[0] is None:
        return None
    *told, session, state = values
    return prices.Bar(ticker, interval, *told, session_date=session, state=prices.state_of(told[6], state))


def _of(tickers: Iterable[str], source: str) -> QuerySet[Bar]:
    return _final().filter(symbol__ticker__in=list(tickers), source=source)


def _final() -> QuerySet[Bar]:
    return Bar.objects.filter(clock.before(), interval=DAY.name)
