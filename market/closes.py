"""What the change of a session is counted from: the close of the session before by the exchange's calendar, or nothing.

Sources name one too. It may be an older one where yesterday is a hole, of other shares on the day of a split, or the
price of a day ago of what trades around the clock. Ours is the bar that we hold, in the shares of the session.
"""

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from market import actions, prices, sources
from market.bars import stored
from market.calendars import hours
from market.models import Symbol
from market.prices import Quote
from monitoring import jobs
from monitoring.jobs import Job

LOOK_SECONDS = 30.0  # between two looks at what is held
PATIENCE_SECONDS = 60.0  # an answer about splits is waited for no longer
SAME = 1.01  # a close that is told later or rounded otherwise
GAP = 1.08  # what opens so far from the close before is asked about: the smallest usual bonus is 11:10
_OLD = timedelta(days=2)  # what was asked for sessions so far back is forgotten
AT_THE_END = timedelta(minutes=5)  # of a session that no pause follows, the last price is its close
_SPLIT = {Symbol.AssetType.EQUITY, Symbol.AssetType.ETF, Symbol.AssetType.FUND}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a symbol before a session.

    expected: the session before by the calendar, None where there is none. held: the newest sessions that we have with
    their closes as traded, oldest first. shares: what the last is to be multiplied by in the session's shares. seen:
    the last price of the session before, where we heard it to its end. splits: whether there can be any.
    """

    session: date
    expected: date | None
    held: Sequence[tuple[date, float]]
    shares: float
    seen: float | None
    splits: bool
    decimals: int


class Closes:
    """The closes that quotes are counted from, looked up once a session and now and then.

    What a look has found is kept in memory, so that one thread may look while another counts.

    asks: whether a source is asked for a split where one would explain what a session begins with.
    """

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks
        self._facts: dict[str, Facts] = {}
        self._looked_at: dict[str, float] = {}
        self._judgements: dict[str, tuple[Facts, float | None, float | None]] = {}  # what is told, and to count from
        self._asked: dict[tuple[str, date], tuple[Job | None, float]] = {}  # None where nobody can be asked
        self._looking = threading.Lock()

    def counted(self, told: Sequence[Quote], seen: Mapping[str, Quote]) -> list[Quote]:
        """The quotes with the close that their change is counted from, None where nobody knows it.

        seen: the quote before these of each ticker.
        """
        if any(map(self.is_due, told)):
            self.look(told, seen)
        return self.remembered(told)

    def remembered(self, told: Sequence[Quote]) -> list[Quote]:
        """As `counted`, by what was looked up before; asks no database."""
        return [self._counted(quote) for quote in told]

    def is_unknown(self, quote: Quote) -> bool:
        """Whether nobody has looked since its session began."""
        facts = self._facts.get(quote.ticker)
        is_new = facts is not None and facts.session < quote.session_date
        return is_new or quote.ticker not in self._looked_at

    def is_due(self, quote: Quote) -> bool:
        """Whether a look may find more."""
        return self._is_old(quote) or self._is_waited_for(quote)

    def look(self, told: Sequence[Quote], seen: Mapping[str, Quote]) -> None:
        """Look up what is due, and ask for a split where one would explain what a session begins with."""
        with self._looking:
            answered = self._answered()
            old = [quote for quote in told if self._is_old(quote) or quote.ticker in answered]
            self._read({quote.ticker: quote.session_date for quote in old}, seen)
            for quote in told:
                self._ask(quote)

    def _is_old(self, quote: Quote) -> bool:
        is_late = time.monotonic() - self._looked_at.get(quote.ticker, -math.inf) >= LOOK_SECONDS
        return is_late or self.is_unknown(quote)

    def _counted(self, quote: Quote) -> Quote:
        close, is_doubted = self._judged(quote)
        if is_doubted and not self._is_answered(quote):
            close = None
        return quote if close == quote.previous_close else replace(quote, previous_close=close)

    def _judged(self, quote: Quote) -> tuple[float | None, bool]:
        """The close to count from, and whether a split that nobody has named yet would explain the price after it."""
        facts = self._facts.get(quote.ticker)
        if facts is None or facts.session != quote.session_date:
            return quote.previous_close, False
        close = self._counted_from(quote, facts)
        return close, close is not None and self._asks and may_be_split(quote, close, facts)

    def _counted_from(self, quote: Quote, facts: Facts) -> float | None:
        """As `previous_close`, which says the same of a whole session's quotes."""
        known = self._judgements.get(quote.ticker)
        if known is None or known[0] is not facts or known[1] != quote.previous_close:
            known = facts, quote.previous_close, previous_close(quote.previous_close, facts)
            self._judgements[quote.ticker] = known
        return known[2]

    def _read(self, sessions: Mapping[str, date], seen: Mapping[str, Quote]) -> None:
        if not sessions:
            return
        heard = {each: facts.seen for each, facts in self._facts.items() if facts.session == sessions.get(each)}
        # What is recorded says what it counts from, and may have no calendar.
        found = _read(sessions, seen) if sources.has_hours() else {}
        self._facts |= {each: replace(facts, seen=heard.get(each, facts.seen)) for each, facts in found.items()}
        self._looked_at |= dict.fromkeys(sessions, time.monotonic())

    def _answered(self) -> set[str]:
        """Those whose answer about splits has come since: what is known of them is looked up before they are told."""
        waiting = {key: asked for key, asked in self._asked.items() if not _is_over(*asked)}
        if not waiting:
            return set()
        jobs_now = Job.objects.in_bulk([job.pk for job, _ in waiting.values()])
        self._asked |= {key: (jobs_now.get(job.pk, job), since) for key, (job, since) in waiting.items()}
        return {ticker for ticker, session in waiting if _is_over(*self._asked[ticker, session])}

    def _ask(self, quote: Quote) -> None:
        """Have the source asked for a split, once a session."""
        key = quote.ticker, quote.session_date
        if key in self._asked or not self._judged(quote)[1]:
            return
        asked = None
        if sources.can("history"):
            named = f"market.history_chunk:{quote.ticker}:{quote.session_date}"
            asked = jobs.submit("market.history_chunk", {"symbols": [quote.ticker]}, key=named, priority="high")
        kept = {each: job for each, job in self._asked.items() if each[1] >= quote.session_date - _OLD}
        self._asked = kept | {key: (asked, time.monotonic())}

    def _is_waited_for(self, quote: Quote) -> bool:
        """Whether the source is asked for a split, or is to be."""
        return self._judged(quote)[1] and not self._is_answered(quote)

    def _is_answered(self, quote: Quote) -> bool:
        asked = self._asked.get((quote.ticker, quote.session_date))
        return asked is not None and _is_over(*asked)


def previous_close(told: float | None, facts: Facts) -> float | None:
    """The close to count from, of what the source tells and what we know. Pure."""
    ours = _ours(facts)
    if told is None or facts.expected is None or _is_older(told, facts):
        return ours if facts.expected else told
    if ours is None:
        return told if facts.shares == 1.0 else None  # of which shares it is, nobody can say
    knows_more = facts.splits and facts.shares == 1.0 and _are_apart(told, ours, SAME)
    return told if knows_more else ours


def may_be_split(quote: Quote, close: float, facts: Facts) -> bool:
    """Whether a split that nobody has named yet would explain where a session began. Pure."""
    return facts.splits and facts.shares == 1.0 and _are_apart(quote.open or quote.price, close, GAP)


def _ours(facts: Facts) -> float | None:
    if not _is_held(facts):
        return facts.seen
    return prices.kept(facts.held[-1][1] * facts.shares, facts.decimals)


def _is_held(facts: Facts) -> bool:
    """Whether we have the session before."""
    return bool(facts.expected and facts.held) and facts.held[-1][0] >= facts.expected


def _is_older(told: float, facts: Facts) -> bool:
    """Whether it is the close of an earlier session, which stands in for the one that is missing."""
    older = facts.held[:-1] if _is_held(facts) else facts.held
    closes = {prices.kept(close * each, facts.decimals) for _, close in older for each in (1.0, facts.shares)}
    return prices.kept(told, facts.decimals) in closes


def _are_apart(price: float, other: float, ratio: float) -> bool:
    return min(price, other) <= 0 or max(price, other) / min(price, other) > ratio


def _is_over(job: Job | None, since: float) -> bool:
    return job is None or job.is_ended or time.monotonic() - since > PATIENCE_SECONDS


def _read(sessions: Mapping[str, date], seen: Mapping[str, Quote]) -> dict[str, Facts]:
    """The facts of each ticker before its session, in three queries."""
    symbols = {symbol.ticker: symbol for symbol in Symbol.objects.filter(ticker__in=sessions)}
    held = stored.closes_before({symbol.pk: sessions[ticker] for ticker, symbol in symbols.items()})
    spans = {ticker: _span(ticker, held[symbol.pk], sessions[ticker]) for ticker, symbol in symbols.items()}
    shares = actions.between(list(spans.values()))
    return {
        ticker: Facts(
            session=sessions[ticker],
            expected=(expected := hours.before(symbol.exchange, sessions[ticker])),
            held=held[symbol.pk],
            shares=shares.get(spans[ticker], 1.0),
            seen=_last_seen(symbol, expected, seen.get(ticker)),
            splits=symbol.asset_type in _SPLIT,
            decimals=symbol.price_decimals,
        )
        for ticker, symbol in symbols.items()
    }


def _span(ticker: str, held: Sequence[tuple[date, float]], session: date) -> tuple[str, date, date]:
    return ticker, held[-1][0] if held else session - timedelta(days=1), session


def _last_seen(symbol: Symbol, expected: date | None, quote: Quote | None) -> float | None:
    if quote is None or expected is None or quote.session_date != expected or symbol.asset_type in _SPLIT:
        return None
    ends_at = hours.ends_at(symbol.exchange, expected)
    return quote.price if ends_at and quote.as_of >= ends_at - AT_THE_END else None
