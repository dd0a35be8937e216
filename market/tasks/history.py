"""Daily bars: the newest and the whole, of symbols that are followed and that are added, and their highs and lows."""

from django.utils.translation import gettext_lazy as _

from market import figures, history, records, sources
from market.history import wanted
from market.sources import adding, delisting
from market.symbols import named, tickers
from monitoring import jobs
from monitoring.jobs import Schedule, job


@job(
    "market.history",
    timeout=60,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("25 * * * *"),),
    title=_("Newest history"),
    says=_("Fetches the newest bars of every tracked symbol, side by side, and counts the records anew."),
)
def refresh_history(symbols: list[str] | None = None) -> dict:
    """Fetch the newest bars of every tracked symbol, in chunks side by side, and count the records anew."""
    asked = named(symbols)
    with jobs.current().commit() as end:
        end.result = wanted.in_chunks("market.history_chunk", asked, about=symbols and asked, size=sources.portion())
    return end.result


@job(
    "market.history_chunk",
    timeout=300,
    isolated=True,
    about="symbols",
    spelled=tickers,
    title=_("History of some symbols"),
    says=_("Fetches the newest bars of some symbols, with their splits and dividends."),
)
def refresh_chunk(symbols: list[str], fill_holes: bool = False) -> dict:
    """Fetch the newest bars of some symbols, with their splits and dividends; also older ones that are missing,
    whenever they were asked for.
    """
    source = sources.source()
    fetch, how = delisting.watched(source.history), {"by_calendar": sources.has_hours(), "fill_holes": fill_holes}
    return history.refresh(symbols, fetch, source.name, parallel=source.about.at_once, **how)


@job(
    "market.backfill",
    timeout=60,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("40 0 * * *"),),
    title=_("Whole history"),
    says=_("Loads the history of symbols that lack it: since 2000, since another day, or with “all” all there is."),
)
def load_history(symbols: list[str] | None = None, since: str = "") -> dict:
    """Load the history of symbols that lack it, in chunks side by side, and count the records anew."""
    start = wanted.start(since)
    asked = wanted.unloaded(symbols, start)
    with jobs.current().commit() as end:
        end.result = wanted.in_chunks(
            "market.backfill_chunk", asked, about=symbols and asked, size=sources.portion(), since=str(start)
        )
    return end.result


@job(
    "market.add_symbol",
    timeout=120,
    isolated=True,
    about="symbol",
    spelled=tickers,
    audience="behalf",
    title=_("Add a symbol"),
    says=_("Asks the source what it knows of a symbol, collects it from then on, and loads its history."),
)
def add_symbol(symbol: str) -> dict:
    """Collect a symbol that the source knows, load its whole history, count its records and ask for its key figures."""
    row = adding.add(symbol)
    ticker, has_figures = row.ticker, sources.can("figures") and figures.of_kind(row.asset_type)
    with jobs.current().commit() as end:
        end.result = {"symbol": ticker} | wanted.in_chunks("market.backfill_chunk", [ticker], about=[ticker])
        if has_figures:
            end.result["figures"] = str(jobs.submit("market.figures_chunk", {"symbols": [ticker]}).pk)
    return end.result


@job(
    "market.backfill_chunk",
    timeout=3600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    max_attempts=8,
    backoff_seconds=30.0,
    audience="behalf",
    title=_("Whole history of some symbols"),
    says=_("Loads the history of those of some symbols that lack it; run again, it goes on where it was."),
)
def load_chunk(symbols: list[str], since: str = "") -> dict:
    """Load the history of those of some symbols that lack it; each attempt goes on where the one before it ended."""
    source = sources.source()
    fetch = delisting.watched(source.history)
    how = {"by_calendar": sources.has_hours(), "parallel": source.about.at_once}
    return history.backfill(symbols, fetch, source.name, since=wanted.start(since), **how)


@job(
    "market.reload",
    timeout=300,
    isolated=True,
    about="symbols",
    spelled=tickers,
    title=_("Whole history anew"),
    says=_("Takes the whole history of some symbols as the source has it, also bars that are kept out until then."),
)
def reload_history(symbols: list[str]) -> dict:
    """Take the whole history of some symbols as the source has it, also bars that are kept out as they would change by
    one ratio.
    """
    source = sources.source()
    fetch = delisting.watched(source.believed)
    return history.refresh(symbols, fetch, source.name, by_calendar=sources.has_hours(), is_whole=True)


@job(
    "market.records",
    timeout=600,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("0 * * * *"),),
    audience="behalf",
    title=_("Highs and lows"),
    says=_("Counts the 52-week and all-time highs and lows of every tracked symbol."),
)
def refresh_records(symbols: list[str] | None = None) -> dict:
    """Compute the highs and lows of every tracked symbol; says which it could and why not the others."""
    return records.refresh(named(symbols))
