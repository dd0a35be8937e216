"""The newest indicator values of every symbol, moved in O(1) by each quote; the feed holds one `Summary`."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analysis.indicators import carried
from analysis.indicators.across import group
from analysis.indicators.across.group import Group, Member, Step, Told, rounds
from analysis.indicators.catalogue import DEFAULTS
from analysis.indicators.entry import Indicator
from market import bars, coverage
from market.actions.adjustments import Columns
from market.bars import forming, stored
from market.intervals import DAY
from market.prices import FINAL, FORMING, Bar, Quote
from monitoring import formats, redis
from monitoring.fields import Field

INTERVAL, ADJUSTMENT = DAY.name, "split"
LOOK_SECONDS = 5.0  # between two looks at what others have changed; each session's first quote looks too


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
    session_date: date | None = None  # None in what the version before left
    version: str = coverage.NONE  # of the held bars that they stand upon; NONE too in what the version before left
    # Why an indicator has no value, where it is not for want of bars.
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    state: str = ""  # of the newest bar; where it is not said, as is_final says

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", self.state or (FINAL if self.is_final else FORMING))


Chosen = Callable[[str], Mapping[str, Indicator]]
_FORMAT = formats.Format(IndicatorValues)


@dataclass(slots=True)
class Series:
    """A symbol's live indicators, open on the bars of a version, up to a session.

    version: None where others wrote each time the bars were read; the next look opens them again.
    """

    member: Member
    session_date: date | None
    version: str | None
    state: str  # of the bar of that session
    looked_for: date  # the session whose quotes it is known to be right for

    def moved(self, quote: Quote) -> IndicatorValues | None:
        """The values after a quote of a series that moves by itself; None of one of a session that is past."""
        step = self.step(quote)
        return None if step is None else self.told(step, group.moved(step))

    def step(self, quote: Quote) -> Step | None:
        """What its indicators are to be told of a quote; None of one of a session that is past."""
        if self.session_date is not None and quote.session_date < self.session_date:
            return None
        is_counted = quote.session_date == self.session_date
        return Step(self.member, quote, carried.columns(quote), is_counted)

    def told(self, step: Step, told: Told) -> IndicatorValues:
        """The values after a step, of which the indicators say this."""
        quote, (values, reasons) = step.quote, told
        if step.closes:
            self.session_date = quote.session_date
        if quote.has_closed:
            self.state = quote.state
        state = self.state if quote.session_date == self.session_date else FORMING
        return IndicatorValues(
            ticker=quote.ticker,
            interval=INTERVAL,
            as_of=quote.as_of,
            as_of_precision=quote.as_of_precision,
            adjustment=ADJUSTMENT,
            is_final=state == FINAL,
            state=state,
            values=values,
            source=quote.source,
            received_at=quote.received_at,
            session_date=quote.session_date,
            version=self.version or coverage.NONE,
            reasons=reasons,
        )


class Summary:
    """Live indicators of every symbol of the feed: a session's bar counts once, however often its close is told.

    chosen: which, by their keys, of a ticker. is_kept: their newest values are what `latest` knows.
    """

    def __init__(self, chosen: Chosen = lambda ticker: DEFAULTS, *, is_kept: bool = True) -> None:
        self._chosen, self._is_kept = chosen, is_kept
        self._group = Group(DEFAULTS if is_kept else {})
        self._series: dict[str, Series] = {}
        self._looked_at = 0.0

    def tick(self, quotes: Sequence[Quote]) -> list[IndicatorValues]:
        """The values after each quote, in order; quotes of sessions that are past give none.

        Call it when the bars of quotes that have closed are stored. The newest of each symbol is kept for `latest`.
        """
        self._look_for_changes(quotes)
        moved = [values for some in rounds(quotes, _ticker) for values in self._moved(some)]
        if self._is_kept:
            _keep(moved)
        return moved

    def now(self, quote: Quote) -> IndicatorValues | None:
        """The values as of a quote that was counted before; None where its close is not among the bars."""
        series = self._opened(quote)
        is_missed = quote.has_closed and quote.session_date != series.session_date and not _stands(quote)
        return next(iter(self._moved([quote])), None) if not is_missed else None

    def follow(self, closes: Iterable[Bar], versions: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        """Closes that were stored and that `tick` is about to be told: a series goes on where nobody else wrote.

        versions: as bars.upsert gives them.
        """
        for bar in closes:
            before, after = versions.get((bar.ticker, INTERVAL), ("", ""))
            series = self._series.get(bar.ticker)
            if series is None:
                continue
            is_next = series.session_date is None or bar.session_date > series.session_date
            if series.version == before and (is_next or before == after):
                series.version = after
            else:
                self.forget([bar.ticker])

    def version(self, ticker: str) -> str:
        """That of the final bars on which a symbol's indicators are open; coverage.NONE where there are none."""
        series = self._series.get(ticker)
        return (series and series.version) or coverage.NONE

    def forget(self, tickers: Iterable[str]) -> None:
        """Open these again at their next quote: their stored bars have changed."""
        for ticker in tickers:
            if series := self._series.pop(ticker, None):
                series.member.close()

    def leave_out(self, ticker: str, keys: Iterable[str]) -> None:
        """These are chosen no more."""
        if ticker in self._series:
            for key in keys:
                self._series[ticker].member.leave_out(key)

    def reset(self) -> None:
        """Forget all, also what `latest` knows: the prices begin anew."""
        self.forget(list(self._series))
        if self._is_kept:
            redis.client().delete(_FORMAT.key("indicators"))

    def _moved(self, quotes: Sequence[Quote]) -> list[IndicatorValues]:
        """Of one quote of each symbol."""
        asked = [(series, step) for quote in quotes if (step := (series := self._opened(quote)).step(quote))]
        told = self._group.moved([step for _, step in asked])
        return [series.told(step, each) for (series, step), each in zip(asked, told, strict=True)]

    def _opened(self, quote: Quote) -> Series:
        if quote.ticker not in self._series:
            self._series[quote.ticker] = _opened(quote, self._chosen(quote.ticker), self._group)
        return self._series[quote.ticker]

    def _look_for_changes(self, quotes: Sequence[Quote]) -> None:
        """Forget the series whose bars others have changed: of sessions that begin, and every few seconds of all."""
        begun = [quote for quote in quotes if self._begins(quote)]
        is_due = time.monotonic() - self._looked_at >= LOOK_SECONDS
        asked = list(self._series) if is_due else list({quote.ticker for quote in begun})
        versions = coverage.latest(asked, interval=INTERVAL) if asked else {}
        self.forget(ticker for ticker in asked if versions.get(ticker) != self._series[ticker].version)
        for quote in begun:
            if quote.ticker in self._series:
                self._series[quote.ticker].looked_for = quote.session_date
        if is_due:
            self._looked_at = time.monotonic()

    def _begins(self, quote: Quote) -> bool:
        series = self._series.get(quote.ticker)
        return series is not None and quote.session_date > series.looked_for


def latest(tickers: Iterable[str]) -> dict[str, IndicatorValues | None]:
    """The newest values of each ticker as the feed left them, None where there are none."""
    tickers = list(tickers)
    if not tickers:
        return {}
    found = redis.client().hmget(_FORMAT.key("indicators"), tickers)
    return {ticker: _FORMAT.unpack(text) for ticker, text in zip(tickers, found, strict=True)}


def remember(stored: Mapping[str, IndicatorValues]) -> None:
    """Have `latest` know these values of last closes, where it knows none so new: a feed that starts has told nothing,
    and Redis may have lost what the one before it told.
    """
    known = latest(stored)
    _keep([each for ticker, each in stored.items() if _is_newer(each, known[ticker])])


def field(ticker: str) -> Field:
    """Where the newest values of a ticker are kept."""
    return Field(_FORMAT.key("indicators"), ticker)


def _is_newer(values: IndicatorValues, known: IndicatorValues | None) -> bool:
    return known is None or known.session_date is None or values.session_date > known.session_date


def _stands(quote: Quote) -> bool:
    """Whether the bar of a close forms still, as that of a recording does until the next session."""
    bar = forming.latest([quote.ticker], interval=INTERVAL)[quote.ticker]
    return bar is not None and bar.state != FORMING and bar.session_date == quote.session_date


def _ticker(quote: Quote) -> str:
    return quote.ticker


def _keep(moved: list[IndicatorValues]) -> None:
    if moved:
        newest = {each.ticker: _FORMAT.pack(each) for each in moved}
        redis.client().hset(_FORMAT.key("indicators"), mapping=newest)


def opened(
    ticker: str,
    columns: Columns,
    session: date,
    chosen: Mapping[str, Indicator] = DEFAULTS,
    *,
    version: str | None,
    state: str = FORMING,
    within: Group | None = None,
) -> Series:
    """Indicators over bars, for the quotes of a session. columns: in its shares. state: that of its own bar. within:
    those that it moves with; None where it moves by itself.
    """
    return Series(
        member=(within or group).opened(chosen, ticker, columns),
        session_date=columns["session_date"][-1].item() if len(columns["session_date"]) else None,
        version=version,
        state=state,
        looked_for=session,
    )


def _opened(quote: Quote, chosen: Mapping[str, Indicator], within: Group) -> Series:
    """Over the bars that are stored."""
    held = bars.series(quote.ticker, interval=INTERVAL, adjusted=ADJUSTMENT)
    version = held.version if held.versions else None
    state = stored.state(quote.ticker, quote.session_date)
    columns, session = held.columns, quote.session_date
    return opened(quote.ticker, columns, session, chosen, version=version, state=state, within=within)
