"""Bars within sessions, and what is missing of any."""

from typing import Literal

from django.utils.translation import gettext_lazy as _

from market import sources
from market.history import wanted, within
from market.intervals import STORED_WITHIN
from market.sources import ProviderError
from market.symbols import tickers
from monitoring import jobs
from monitoring.jobs import Schedule, job

OfWithin = Literal[STORED_WITHIN]  # a session


@job(
    "market.intraday",
    timeout=300,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("20 2 * * *"),),
    title=_("Bars within sessions"),
    says=_("Loads bars of minutes and hours of every tracked symbol; of a minute, of those on a watchlist."),
)
def load_within(symbols: list[str] | None = None, interval: OfWithin | None = None, fill_holes: bool = False) -> dict:
    """Load the bars within sessions, in chunks side by side, as far as the source reaches.

    Without symbols those of every tracked one whose days are loaded, but of a minute of those on a watchlist alone.
    """
    reach = _reach()
    asked = wanted.within(symbols, interval, reach)
    if interval is not None and not asked:  # somebody wants them, and gets none
        raise ProviderError(_why_none(asked, interval), code="no_data", temporary=False)
    with jobs.current().commit() as end:
        end.result = wanted.within_chunks(asked, fill_holes=fill_holes, size=sources.portion())
        if not end.result["chunks"]:
            end.result["why"] = _why_none(asked, interval)
    return end.result


@job(
    "market.intraday_chunk",
    timeout=3600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    max_attempts=8,
    backoff_seconds=30.0,
    title=_("Bars within sessions of some symbols"),
    says=_("Loads what is missing of the bars of one interval of some symbols; run again, it goes on where it was."),
)
def load_chunk_within(symbols: list[str], interval: OfWithin, fill_holes: bool = False) -> dict:
    """Load what is missing of one interval; each attempt goes on where the one before it ended."""
    source, how = sources.source(), {"by_calendar": sources.has_hours(), "fill_holes": fill_holes}
    reach = source.about.reach.get(interval)
    if reach is None:
        raise ProviderError(f"{source.name} has no bars of {interval}", code="no_data", temporary=False)
    return within.refresh(symbols, interval, source.within, reach, source.name, parallel=source.about.at_once, **how)


@job(
    "market.gaps",
    timeout=3600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    schedules=(Schedule("10 4 * * *"),),
    title=_("Gaps of history"),
    says=_(
        "Counts what is held of every tracked symbol against its exchange's calendar, and asks for what is missing."
    ),
)
def mend_gaps(symbols: list[str] | None = None) -> dict:
    """Count what is held against the calendars, tell the gaps, and ask for what is missing."""
    return wanted.mend(symbols, _reach())


def _why_none(asked: dict[str, list[str]], interval: str | None) -> str:
    """Why there was nothing to do, in a sentence."""
    if asked:
        told = "its days are loaded first, and minutes are of watchlists alone"
        return f"No symbol is wanted of {', '.join(asked)}: {told}."
    source = sources.held()
    who = source.title if source else "No source is chosen yet, which"
    return f"{who} has no bars of {interval or ', '.join(STORED_WITHIN)}."


def _reach() -> wanted.Reaches:
    """How far back the source tells bars, by interval; nothing before one is chosen."""
    found = sources.held()
    return found.reach if found else {}
