"""What the analysis has done in the background; the worker that runs it imports the heavy modules."""

from typing import Annotated, Literal

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from analysis.periods import Period
from market import intervals
from market.actions.adjustments import ADJUSTMENTS
from market.intervals import DAY
from market.symbols import tickers
from monitoring.jobs import Between, Schedule, job

Interval = Literal[tuple(intervals.ALL)]
Adjustment = Literal[tuple(ADJUSTMENTS)]
NEW_YORK = "America/New_York"
AFTER_THE_CLOSE = Schedule(
    "30 18 * * mon-fri", NEW_YORK, only_if="market.had_session", only_if_arguments={"exchange": "XNYS"}
)
AFTER_THE_WEEK = Schedule("0 9 * * sat", NEW_YORK, {"span": "week"})


@job(
    "analysis.dataset",
    priority="high",
    max_attempts=3,
    isolated=True,
    about="symbol",
    spelled=tickers,
    audience="user",
    quick={"dataset-processing": {}},
    body="analysis.reports.datasets.process",
    title=_("Data of one symbol"),
    says=_("Brings one symbol's history up to date, checks it for gaps, and sums it up with its indicators."),
)
def process_dataset(symbol: str, period: Period = "1y") -> dict:
    """Bring one symbol's history up to date, check it for gaps, and sum it up with its indicators."""


@job(
    "analysis.indicators",
    timeout=300,
    about="symbols",
    spelled=tickers,
    body="analysis.technical.rows.refresh",
    title=_("Newest indicators"),
    says=_("Computes the newest indicators of every symbol whose bars have changed, and keeps them."),
    schedules=(Schedule("40 * * * *"),),
)
def refresh_indicators(symbols: list[str] | None = None) -> dict:
    """Compute the newest indicators of every symbol whose bars have changed since, and keep them."""


@job(
    "analysis.signals",
    timeout=300,
    about="symbols",
    spelled=tickers,
    body="analysis.seen.rows.refresh",
    title=_("Signals"),
    says=_("Finds the signals of every symbol whose bars have changed; confirms, withdraws or revises earlier ones."),
    schedules=(Schedule("45 * * * *"),),
)
def refresh_signals(symbols: list[str] | None = None) -> dict:
    """Find the signals of every symbol whose bars have changed since; of many, in chunks side by side."""


@job(
    "analysis.signals_chunk",
    timeout=3600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    max_attempts=8,
    backoff_seconds=30.0,
    body="analysis.seen.rows.compute",
    title=_("Signals of some symbols"),
    says=_("Finds the signals in the whole history of some symbols; run again, it goes on where it was."),
)
def refresh_signals_chunk(symbols: list[str]) -> dict:
    """Find the signals in the history of some symbols; each attempt goes on where the one before ended."""


@job(
    "analysis.signals_review",
    timeout=3600,
    isolated=True,
    about="symbols",
    spelled=tickers,
    body="analysis.seen.rows.review",
    title=_("Review of signals"),
    says=_("Computes the last session's signals again from the history, and tells what was otherwise live."),
    schedules=(Schedule("20 4 * * *"),),
)
def review_signals(symbols: list[str] | None = None) -> dict:
    """Compute the last settled session's signals again from the history, and tell what live had otherwise."""


@job(
    "analysis.signals_retention",
    priority="low",
    timeout=3600,
    schedules=(Schedule("40 3 * * *"),),
    body="analysis.seen.rows.retain",
    title=_("Clear old signals"),
    says=_("Deletes signals of sessions longer ago than they are kept, and of passes that are kept no longer."),
)
def retain_signals(days: Annotated[int, Between(30, 36_500)] = settings.SIGNAL_DAYS) -> dict:
    """Delete the signals of sessions so many days ago, and of passes of a recording before the last two."""


@job(
    "analysis.symbol",
    priority="high",
    about="symbol",
    spelled=tickers,
    audience="user",
    body="analysis.technical.state.compute",
    title=_("Technical state of a symbol"),
    says=_("Computes the technical state of one symbol at its last bar that is over."),
)
def analyse_symbol(symbol: str) -> dict:
    """Compute the technical state of one symbol at its last bar that is over."""


@job(
    "analysis.screen",
    priority="high",
    timeout=600,
    audience="user",
    body="analysis.screener.saving.run",
    title=_("Screen"),
    says=_("Finds the symbols that a condition holds for."),
)
def screen(
    where: str = "",
    interval: Interval = DAY.name,
    fields: list[str] | None = None,
    sort: list[str] | None = None,
    symbols: list[str] | None = None,
) -> dict:
    """Find the symbols that a condition holds for: a line or a tree as JSON; none is every symbol."""


@job(
    "analysis.comprehensive",
    about="symbols",
    spelled=tickers,
    audience="user",
    body="analysis.technical.comprehensive.save",
    title=_("Analysis of symbols"),
    says=_("Saves the newest indicators of some symbols and what they say."),
)
def analyse_symbols(
    symbols: list[str],
    interval: Interval = DAY.name,
    adjusted: Adjustment = "split",
    indicators: list[str] | None = None,
) -> dict:
    """Save the newest indicators of some symbols and what they say."""


@job(
    "analysis.market",
    about="symbols",
    spelled=tickers,
    audience="user",
    quick={"market-analysis": {}},
    body="analysis.reports.tracked.technical",
    title=_("State of the market"),
    says=_("Reads the technical state of every tracked symbol, and of the market they make."),
    schedules=(Schedule("5,35 * * * *", only_if="market.is_open"),),
)
def analyse_market(symbols: list[str] | None = None) -> dict:
    """Read the technical state of every tracked symbol, and of the market they make."""


@job(
    "analysis.report",
    timeout=180,
    about="symbols",
    spelled=tickers,
    audience="user",
    quick={"daily-report": {"span": "day"}, "weekly-report": {"span": "week"}},
    body="analysis.reports.tracked.compose",
    title=_("Report"),
    says=_("Reports what the last session, or its week, brought: moves, volumes, new highs and lows."),
    schedules=(AFTER_THE_CLOSE, AFTER_THE_WEEK),
)
def compose_report(span: Literal["day", "week"] = "day", symbols: list[str] | None = None) -> dict:
    """Report what the last session, or its week, brought: moves, volumes, new highs and lows, splits and dividends."""
