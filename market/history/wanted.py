"""What is to be loaded and mended, of all symbols or of some: found here, done in chunks by jobs side by side."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

from market import intervals, symbols
from market.coverage import loading as coverage
from market.history import gaps
from market.history.load import EVER, START
from market.history.within import Reach, first_session
from market.intervals import DAY, MINUTE
from market.models import Coverage, WatchedSymbol
from monitoring import jobs
from monitoring.jobs import Step
from monitoring.models import Job

EVERYTHING = "all"
CHUNK = 25  # symbols of one job that asks a source, where that does not say how many
AT_ONCE = 1000  # symbols that one job is asked to load
TOLD, TOLD_SYMBOLS = 20, 500  # gaps of one symbol and interval that a job tells, the newest; and of how many symbols


Reaches = Mapping[str, Reach]


class InvalidStart(jobs.JobError):
    code = "invalid_since"


def start(text: str) -> date:
    """From which session on is loaded: a date, `all` for all there is, or nothing for what is usual.

    Raises InvalidStart.
    """
    if not text or text == EVERYTHING:
        return EVER if text else START
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not EVER <= found <= datetime.now(UTC).date():
        raise InvalidStart(f"{text[:40]!r} is no day from {EVER} to today, such as 2010-01-04, and not {EVERYTHING}.")
    return found


def unloaded(named: Collection[str] | None, since: date) -> list[str]:
    """The tracked symbols whose history from a session on is not held and that may be asked for now; what somebody
    names is loaded whatever was said of it before.
    """
    if named is not None:
        return symbols.named(named)
    tracked = symbols.named(None)
    missing = coverage.missing(tracked, since=since, now=datetime.now(UTC)) - _under_way()
    return [ticker for ticker in tracked if ticker in missing]


def begin() -> None:
    """Have a job load tracked symbols that were never loaded. Safe to run again: what one loads is left to it."""
    unheld = coverage.unloaded()
    due = set(unloaded(None, START)) if unheld else set()
    for some in jobs.chunks([ticker for ticker in unheld.values() if ticker in due], AT_ONCE):
        jobs.submit("market.backfill", {"symbols": some})


def within(named: Collection[str] | None, interval: str | None, reach: Reaches) -> dict[str, list[str]]:
    """By interval the symbols whose bars within sessions are loaded, as far as the source tells any.

    named: none means the tracked ones whose days are loaded, and of minutes those on a watchlist: they are many.
    interval: none means all.
    """
    asked = [name for name in intervals.STORED_WITHIN if name in reach and interval in (None, name)]
    if named is not None:
        return dict.fromkeys(asked, symbols.named(named))
    tracked = symbols.named(None)
    loaded = set(tracked) - coverage.missing(tracked)
    of_minutes = watched()
    return {
        name: [each for each in tracked if each in loaded and (name != MINUTE.name or each in of_minutes)]
        for name in asked
    }


def watched() -> set[str]:
    """The tickers on any watchlist, of which minutes are kept."""
    return set(WatchedSymbol.objects.order_by().values_list("symbol__ticker", flat=True).distinct())


def mend(named: Collection[str] | None, reach: Reaches) -> dict:
    """Count what is held of some symbols against the calendar, and end the job with the gaps, by ticker and interval.

    What is torn is asked for: what somebody names at once, of the others what was not lately.
    """
    now, wanted, is_named = datetime.now(UTC), symbols.named(named), named is not None
    loaded = within(named, None, reach)
    asked_for: dict[str, list[str]] = defaultdict(list)

    def found(ticker: str) -> dict[str, list]:
        counted = [(row, gaps.of(row)) for row in gaps.recount(symbols.resolve(ticker))]
        torn_rows = [(row, some) for row, some in counted if some]
        for row, some in torn_rows:
            is_wanted = row.interval == DAY.name or ticker in loaded.get(row.interval, ())
            if is_wanted and _is_asked_for(row, now, is_named=is_named) and _is_told(row, some, reach, now):
                asked_for[row.interval].append(ticker)
        return {row.interval: [each.as_json() for each in some[-TOLD:]] for row, some in torn_rows}

    outcome = jobs.fan_out(wanted, found, parallel=1)
    outcome.require_any()
    days = sorted(asked_for.pop(DAY.name, ()))
    with jobs.current().commit() as end:
        torn = [(ticker, some) for ticker, some in outcome.done.items() if some]
        end.result = {"counted": len(outcome.done), "torn": len(torn), "gaps": dict(torn[:TOLD_SYMBOLS])}
        end.result |= {"failed": outcome.failed}
        about = None if named is None else days
        end.result |= in_chunks("market.history_chunk", days, about=about, fill_holes=True)
        end.result["within"] = within_chunks(asked_for, fill_holes=True)
    return end.result


def within_chunks(tickers: Mapping[str, Collection[str]], *, fill_holes: bool = False, size: int = CHUNK) -> dict:
    """Ask for the bars within sessions of these, by interval, in chunks side by side. Returns who they are."""
    calls = [
        {"symbols": chunk, "interval": interval, "fill_holes": fill_holes}
        for interval, some in tickers.items()
        for chunk in jobs.chunks(sorted(some), size)
    ]
    asked = jobs.submit_many("market.intraday_chunk", calls) if calls else []
    return {"symbols": {name: len(some) for name, some in tickers.items()}, "chunks": [str(each.pk) for each in asked]}


def in_chunks(
    job: str, tickers: Collection[str], *, about: Collection[str] | None = None, size: int = CHUNK, **how: object
) -> dict:
    """Ask for a job of these symbols, in chunks side by side, and for their records after them. Returns who they are.

    about: those whose records are counted; None for all. size: how many symbols a chunk has.
    """
    told = {"symbols": len(tickers), "chunks": []}
    if not tickers:
        return told
    steps = [Step(job, {"symbols": chunk, **how}) for chunk in jobs.chunks(list(tickers), size)]
    records = Step("market.records", {} if about is None else {"symbols": list(about)})
    chunks, then = jobs.group(steps, records)
    return told | {"chunks": [str(each.pk) for each in chunks], "then": str(then.pk)}


def _under_way() -> set[str]:
    """The tickers that jobs load which have not ended."""
    names = ("market.add_symbol", "market.backfill", "market.backfill_chunk")
    asked = Job.objects.filter(name__in=names).exclude(state__in=Job.ENDED).values_list("arguments", flat=True)
    return {ticker for each in asked for ticker in each.get("symbols") or [each.get("symbol")]}


def _is_asked_for(row: Coverage, now: datetime, *, is_named: bool) -> bool:
    """Whether the source is asked for the gaps of a row; what was never loaded whole is loaded, and not mended."""
    return row.complete_since is not None and (is_named or gaps.is_due(row, now))


def _is_told(row: Coverage, some: Collection[gaps.Gap], reach: Reaches, now: datetime) -> bool:
    """Whether the source reaches as far as the newest of them, or it can be made of what it reached once."""
    return row.interval not in intervals.STORED_WITHIN or some[-1].last >= first_session(reach[row.interval], now)
