"""The newest indicator values of every symbol, moved in O(1) by each quote; the feed holds one `Summary`."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from analysis.indicators.catalogue import CATALOGUE
from analysis.indicators.live import Live
from market import bars
from market.intervals import DAY
from market.models import Bar, BarRevision, CorporateAction, Symbol
from market.prices import Quote
from monitoring import formats, redis

INTERVAL, ADJUSTMENT = DAY.name, "split"
LOOK_SECONDS = 5.0  # between two looks at what others have changed
DOUBT_SECONDS = 30.0  # between two openings of a series that does not follow its session
# A previous close that stands further from our last bar's tells of a split, a correction or a session that we lack.
TOLERANCE = 1e-3
REVISIONS_LOOKED_BACK = 200


@dataclass(frozen=True, slots=True)
class IndicatorValues:
    """The values after one quote: {"sma_20": {"sma": 187.3}, ..}, None while an indicator warms up."""

    ticker: str
    interval: str
    as_of: datetime
    as_of_precision: str
    adjustment: str
    is_final: bool
    values: dict[str, dict[str, float | None]]
    source: str
    received_at: datetime
    session_date: date | None = None  # None in what is read back


_FORMAT = formats.Format(IndicatorValues)
# Without the session: the version before can read no field that it does not know.
_KEPT = [field.name for field in fields(IndicatorValues) if field.name != "session_date"]


@dataclass(slots=True)
class Series:
    """A symbol's live indicators, open on its final bars up to a session."""

    handles: dict[str, Live]
    session_date: date | None
    close: float | None
    opened_for: date
    opened_at: float  # of time.monotonic


class Summary:
    """Live indicators of every symbol of the feed: a session's bar counts once, however often its close is told."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._looked_at = 0.0
        self._pasts: dict[str, tuple] = {}
        self._revisions: set[int] = set()

    def tick(self, quotes: Sequence[Quote]) -> list[IndicatorValues]:
        """The values after each quote, in order; quotes of sessions that are past give none.

        Call it when the bars of final quotes are stored. The newest of each symbol is kept for `latest`.
        """
        self._look_for_changes()
        moved = [values for quote in quotes if (values := self._moved(quote)) is not None]
        _keep(moved)
        return moved

    def forget(self, tickers: Iterable[str]) -> None:
        """Open these again at their next quote: their stored bars have changed."""
        for ticker in tickers:
            self._series.pop(ticker, None)

    def reset(self) -> None:
        """Forget all, also what `latest` knows: the prices begin anew."""
        self._series.clear()
        redis.client().delete(_FORMAT.key("indicators"))

    def _moved(self, quote: Quote) -> IndicatorValues | None:
        series = self._open_for(quote)
        if series.session_date is not None and quote.session_date < series.session_date:
            return None
        is_closed = quote.session_date == series.session_date
        values = {key: _values(key, handle, quote, is_closed) for key, handle in series.handles.items()}
        if quote.is_final and not is_closed:
            series.session_date, series.close = quote.session_date, quote.price
        return IndicatorValues(
            ticker=quote.ticker,
            interval=INTERVAL,
            as_of=quote.as_of,
            as_of_precision=quote.as_of_precision,
            adjustment=ADJUSTMENT,
            is_final=quote.is_final or is_closed,
            values=values,
            source=quote.source,
            received_at=quote.received_at,
            session_date=quote.session_date,
        )

    def _open_for(self, quote: Quote) -> Series:
        """The symbol's series, opened again where it can't be the one that the quote's session follows."""
        series = self._series.get(quote.ticker)
        if series is None or _is_doubtful(series, quote):
            series = self._series[quote.ticker] = _opened(quote)
        return series

    def _look_for_changes(self) -> None:
        """Every few seconds, forget the series whose past others have changed: the next quote opens them again."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        pasts, revisions = _pasts(), _recent_revisions()
        self.forget(ticker for ticker, past in pasts.items() if past != self._pasts.get(ticker))
        self.forget(ticker for pk, ticker in revisions.items() if pk not in self._revisions)
        self._pasts, self._revisions, self._looked_at = pasts, set(revisions), time.monotonic()


def latest(tickers: Iterable[str]) -> dict[str, IndicatorValues | None]:
    """The newest values of each ticker as the feed left them, None where there are none."""
    tickers = list(tickers)
    if not tickers:
        return {}
    found = redis.client().hmget(_FORMAT.key("indicators"), tickers)
    return {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}


def _keep(moved: list[IndicatorValues]) -> None:
    if moved:
        newest = {each.ticker: _FORMAT.pack({name: getattr(each, name) for name in _KEPT}) for each in moved}
        redis.client().hset(_FORMAT.key("indicators"), mapping=newest)


def _values(key: str, handle: Live, quote: Quote, is_closed: bool) -> dict[str, float | None]:
    indicator = CATALOGUE[key]
    columns = {"open": quote.open, "high": quote.high, "low": quote.low, "close": quote.price, "volume": quote.volume}
    bar = [columns[name] for name in indicator.inputs]
    values = handle.value if is_closed else handle.update(*bar) if quote.is_final else handle.peek(*bar)
    return dict(zip(indicator.outputs, values or [None] * len(indicator.outputs), strict=True))


def _opened(quote: Quote) -> Series:
    """The indicators over the final bars that are stored, for the quotes of a session."""
    columns = bars.columns(quote.ticker, interval=INTERVAL, adjusted=ADJUSTMENT)
    is_empty = not len(columns["close"])
    return Series(
        handles={key: indicator.carried(columns) for key, indicator in CATALOGUE.items()},
        session_date=None if is_empty else columns["session_date"][-1].item(),
        close=None if is_empty else float(columns["close"][-1]),
        opened_for=quote.session_date,
        opened_at=time.monotonic(),
    )


def _is_doubtful(series: Series, quote: Quote) -> bool:
    """Whether the stored bars may know more than the series: asked once a session, and now and then while in doubt."""
    if series.session_date is not None and quote.session_date <= series.session_date:
        return False
    is_fresh = series.opened_for == quote.session_date and time.monotonic() - series.opened_at < DOUBT_SECONDS
    return not is_fresh and (series.close is None or _differs(series.close, quote.previous_close))


def _differs(close: float, previous_close: float | None) -> bool:
    return previous_close is not None and abs(previous_close / close - 1) > TOLERANCE


def _pasts() -> dict[str, tuple]:
    """What a symbol's series rest on, where it can change behind the feed: its splits, and its oldest bar."""
    splits: dict[str, set] = {}
    rows = CorporateAction.objects.filter(kind=CorporateAction.Kind.SPLIT)
    for ticker, ex_date, value in rows.values_list("symbol__ticker", "ex_date", "value"):
        splits.setdefault(ticker, set()).add((ex_date, value))
    oldest = Bar.objects.filter(symbol=OuterRef("pk"), interval=INTERVAL).order_by("opened_at").values("opened_at")[:1]
    symbols = Symbol.objects.tracked().values_list("ticker", Subquery(oldest))
    return {ticker: (opened_at, splits.get(ticker)) for ticker, opened_at in symbols}


def _recent_revisions() -> dict[int, str]:
    """The newest corrections of daily bars; more than the last, because rows may appear out of order."""
    found = BarRevision.objects.filter(interval=INTERVAL).order_by("-pk").values_list("pk", "symbol__ticker")
    return dict(found[:REVISIONS_LOOKED_BACK])
