"""Key figures, once a day."""

from datetime import UTC, datetime

from django.utils.translation import gettext_lazy as _

from market import figures, sources
from market.symbols import named, tickers
from monitoring import jobs
from monitoring.jobs import Schedule, job


@job(
    "market.figures",
    timeout=60,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("50 22 * * *"),),
    title=_("Key figures"),
    says=_("Asks for market value, earnings, dividends and dates of every tracked symbol that has them, in chunks."),
)
def refresh_figures(symbols: list[str] | None = None) -> dict:
    """Ask for the key figures of every tracked symbol that can have them, in chunks side by side; of all, only what did
    not come today.
    """
    if symbols is not None:
        sources.source().about.require("figures")
    asked = figures.due(symbols, datetime.now(UTC)) if sources.can("figures") else []
    calls = [{"symbols": chunk} for chunk in jobs.chunks(asked, figures.CHUNK)]
    with jobs.current().commit() as end:
        chunks = jobs.submit_many("market.figures_chunk", calls) if calls else []
        end.result = {"symbols": len(asked), "chunks": [str(each.pk) for each in chunks]}
    return end.result


@job(
    "market.figures_chunk",
    timeout=600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    max_attempts=8,
    backoff_seconds=30.0,
    audience="behalf",
    title=_("Key figures of some symbols"),
    says=_("Asks for the key figures of some symbols; run again, it asks for those that did not come."),
)
def refresh_chunk(symbols: list[str]) -> dict:
    """Ask for the key figures of some symbols; each attempt goes on where the one before it ended."""
    source = sources.source()
    return figures.refresh(named(symbols), source.figures, source.name)
