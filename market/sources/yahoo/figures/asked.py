"""Key figures asked of Yahoo: fifty symbols a request of the quote list, and one more of each that pays dividends."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote as quoted

from market.figures.values import Figures
from market.models import Symbol
from market.sources import negatives, pace
from market.sources.errors import ProviderError
from market.sources.negatives import BATCHED
from market.sources.pace import abreast
from market.sources.yahoo import ABOUT, asking, fields, http
from market.sources.yahoo.fields import Mismatch, Misshapen
from market.sources.yahoo.figures import told
from monitoring import jobs, refusals

logger = logging.getLogger(__name__)

SUMMARY_URL = "https://query2.finance.yahoo.com/v10/finance/quoteSummary/"
UNLISTED = negatives.Negatives(ABOUT.name, "unlisted")  # what the quote list does not name; a chart there may be

Told = Figures | ProviderError
Entries = dict[str, Figures | ProviderError]


def each(wanted: Iterable[Symbol]) -> Iterator[tuple[Symbol, Told]]:
    """Each symbol with its figures, or with why there are none, as they come. Where Yahoo itself fails it is not asked
    about those behind, and they are told so. Of what is not asked for at all nothing is told.
    """
    failure: ProviderError | None = None
    for some in jobs.chunks(list(wanted), asking.LISTED_A_REQUEST):
        if failure is None:
            failure = yield from _listed(some)
        else:
            yield from ((symbol, _unasked(symbol, failure)) for symbol in some)


def _listed(some: list[Symbol]) -> Iterator[tuple[Symbol, Told]]:
    """Those of one request. Returns how Yahoo itself failed, if it did."""
    asked: dict[str, Symbol] = {}
    for symbol in some:
        if dead := _dead(symbol.ticker):
            yield symbol, dead
        else:
            asked[symbol.ticker] = symbol
    if not asked:
        return None
    try:
        found, payers = _ask(asked)
    except ProviderError as error:
        yield from ((symbol, error) for symbol in asked.values())
        return error
    yield from ((symbol, found[ticker]) for ticker, symbol in asked.items() if ticker not in payers)
    return (yield from _with_ex_dates([asked[ticker] for ticker in payers], found))


def _dead(ticker: str) -> ProviderError | None:
    """That Yahoo did not know it a moment ago, and is not asked again yet."""
    left = max(asking.UNKNOWN.left(ticker) or 0, UNLISTED.left(ticker) or 0)
    text = f"{ticker}: Yahoo did not know it, and is asked again in {left:.0f} s"
    return ProviderError(text, code="unknown_symbol", temporary=False, was_asked=False) if left else None


def _ask(asked: Mapping[str, Symbol]) -> tuple[Entries, list[str]]:
    """The entries of one request, and the tickers of those that pay dividends. Raises ProviderError."""
    if left := asking.LIST_REFUSED.left(BATCHED):
        raise ProviderError(f"Yahoo refuses its quote list, and is asked for it again in {left:.0f} s", was_asked=False)
    fetch = partial(asking.crumbed, asking.LIST_URL, {"symbols": ",".join(asked)})
    found, payers = asking.ask(fetch, partial(_read, asked), about="the quote list")
    UNLISTED.forget(found)
    for ticker in asked.keys() - found.keys():
        UNLISTED.note(ticker)
        found[ticker] = ProviderError(f"{ticker}: Yahoo's quote list does not name it", code="unknown_symbol",
                                      temporary=False)  # fmt: skip
    return found, payers


def _read(asked: Mapping[str, Symbol], answer: dict) -> tuple[Entries, list[str]]:
    entries = fields.part(answer, "quoteResponse").get("result")
    if not isinstance(entries, list):
        raise http.misshapen("The quote list", "it has no list")
    now, found, payers = datetime.now(UTC), Entries(), []
    for entry in entries:
        ticker = entry.get("symbol") if isinstance(entry, dict) else None
        symbol = asked.get(ticker) if isinstance(ticker, str) else None
        if symbol is None:
            continue
        try:
            found[ticker] = told.figures(entry, symbol=symbol, now=now)
            if told.pays(entry) and "ex_dividend_date" in found[ticker].missing:
                payers.append(ticker)
        except (Misshapen, TypeError) as error:
            refusals.note("key figures", ticker, str(error), repr(entry))
            found[ticker] = (http.mismatch if isinstance(error, Mismatch) else http.misshapen)(ticker, str(error))
    if len(asked) >= pace.FAILURES_TO_OPEN and not any(isinstance(each, Figures) for each in found.values()):
        raise http.misshapen("The quote list", f"of {len(asked)} symbols no entry can be read")
    return found, payers


def _with_ex_dates(payers: list[Symbol], found: Entries) -> Iterator[tuple[Symbol, Told]]:
    """The figures with their ex-dates, or with why those did not come. Returns how Yahoo itself failed: twice in a row,
    or by refusing more requests.
    """
    failures: list[ProviderError] = []
    last: ProviderError | None = None

    def ask(symbol: Symbol) -> Figures:
        if failures:
            raise _unasked(symbol, failures[0])
        return _with_ex_date(symbol, found[symbol.ticker])

    for symbol, answer in abreast.each(payers, ask, threads=abreast.count(asking.session().pace.rate)):
        if isinstance(answer, Figures):
            last = None
        elif not isinstance(answer, ProviderError):
            raise answer
        elif answer.is_of_source and not failures:
            if last or answer.code == "rate_limited" or not answer.was_asked:
                failures.append(answer)
            last = answer
        yield symbol, answer if isinstance(answer, Figures) else _without_ex_date(found[symbol.ticker], answer)
    return failures[0] if failures else None


def _with_ex_date(symbol: Symbol, figures: Figures) -> Figures:
    """Raises ProviderError."""
    ticker = symbol.ticker
    asked = {"modules": "calendarEvents,quoteType", "formatted": "false"}
    fetch = partial(asking.crumbed, SUMMARY_URL + quoted(ticker, safe=""), asked)

    def read(answer: dict) -> Figures:
        try:
            found = told.ex_date(http.summary(answer, ticker), symbol=symbol, now=datetime.now(UTC))
        except Mismatch as error:
            raise http.mismatch(ticker, str(error)) from error
        except Misshapen as error:
            raise http.misshapen(ticker, str(error)) from error
        if found is None:
            return figures
        missing = {name: why for name, why in figures.missing.items() if name != "ex_dividend_date"}
        return replace(figures, values={**figures.values, "ex_dividend_date": found}, missing=missing)

    return asking.ask(fetch, read, about=f"{ticker}'s ex-date")


def _without_ex_date(figures: Figures, why: ProviderError) -> Figures:
    missing = {name: reason for name, reason in figures.missing.items() if name != "ex_dividend_date"}
    failed = {"ex_dividend_date": f"{why.code}: {why}"}
    return replace(figures, missing=missing, failed=failed, may_come=why.temporary)


def _unasked(symbol: Symbol, failure: ProviderError) -> ProviderError:
    why = f"{symbol}: not asked for, as Yahoo failed before it: {failure}"
    return ProviderError(why, code=failure.code, temporary=failure.temporary, was_asked=False)
