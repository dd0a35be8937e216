"""Asking for key figures once a day, those of some symbols together; each is stored as it comes."""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta

from market import symbols
from market.figures.keeping import NotBelieved, keep
from market.figures.values import Figures, of_kind
from market.models import KeyFigures, Symbol
from market.symbols import UnknownSymbol
from monitoring import jobs

logger = logging.getLogger(__name__)

CHUNK = 50  # symbols of one job, which a source tells in one request
AGAIN = timedelta(hours=20)  # a daily job may come early, and asks for nothing twice

Ask = Callable[[Iterable[Symbol]], Iterable[tuple[Symbol, Figures | Exception]]]


def due(named: Collection[str] | None, now: datetime) -> list[str]:
    """The tickers to ask about: those that somebody names, else the tracked ones that can have key figures and whose
    did not all come today.
    """
    if named is not None:
        return symbols.named(named)
    fresh = set(KeyFigures.objects.filter(whole_at__gt=now - AGAIN, whole_at__lte=now).values_list("symbol", flat=True))
    return [each.ticker for each in symbols.tracked() if of_kind(each.asset_type) and each.pk not in fresh]


def refresh(tickers: Collection[str], ask: Ask, source: str) -> dict:
    """Ask for some symbols and end the job: one that fails does so alone and says why, and an attempt asks for what the
    ones before it did not get whole.

    Raises NotAllDone where another attempt can help one of them, NothingDone where all of them failed.
    """
    outcome, wanted = jobs.Outcome(), _wanted(tickers)
    job = jobs.current().job
    since = job.created_at if job else datetime.now(UTC)
    came = KeyFigures.objects.filter(symbol__in=wanted.values(), whole_at__gte=since)
    for ticker in list(came.values_list("symbol__ticker", flat=True)):
        outcome.done[ticker] = []
        del wanted[ticker]
    for ticker in set(tickers) - wanted.keys() - outcome.done.keys():
        _fail(outcome, ticker, _why_not(ticker))
    written = []
    for symbol, told in ask(wanted.values()) if wanted else ():
        written += [symbol.ticker] if _take(outcome, symbol, told) else []
        jobs.current().progress(len(outcome.done) + len(outcome.failed), len(tickers), symbol.ticker)
    jobs.current().tell_parts(dict.fromkeys(outcome.done, "") | outcome.failed)
    outcome.require_any()
    outcome.require_another_attempt()
    with jobs.current().commit() as end:
        emptied = {ticker: names for ticker, names in outcome.done.items() if names}
        end.result = {"source": source, "done": sorted(outcome.done), "failed": outcome.failed, "emptied": emptied}
        end.note(KeyFigures, len(written), min(written, default=None), max(written, default=None))
    return end.result


def _wanted(tickers: Collection[str]) -> dict[str, Symbol]:
    """Those of the tickers that can have key figures."""
    found = symbols.found(tickers).values()
    return {row.ticker: row for row in found if of_kind(row.asset_type)}


def _why_not(ticker: str) -> Exception:
    try:
        row = symbols.resolve(ticker)
    except UnknownSymbol as error:
        return error
    return NotBelieved(f"{row}: of its kind ({row.asset_type}) there are no key figures")


def _take(outcome: jobs.Outcome, symbol: Symbol, told: Figures | Exception) -> bool:
    """Store what came of one symbol; returns whether anything was. One of which a part did not come has failed."""
    try:
        if isinstance(told, Exception):
            raise told
        emptied = keep(symbol, told)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one symbol does not cost the others theirs
        _fail(outcome, symbol.ticker, error)
        return False
    if told.failed:
        name, why = next(iter(told.failed.items()))
        outcome.is_temporary |= told.may_come
        outcome.failed[symbol.ticker] = f"{why} ({name})"[:500]
    else:
        outcome.done[symbol.ticker] = emptied
    return True


def _fail(outcome: jobs.Outcome, ticker: str, error: Exception) -> None:
    code = getattr(error, "code", None)
    outcome.is_temporary |= jobs.is_temporary(error)
    outcome.failed[ticker] = f"{code if isinstance(code, str) else type(error).__name__}: {error}"[:500]
    logger.warning("%s has no new key figures: %s", ticker, outcome.failed[ticker], exc_info=not code)
