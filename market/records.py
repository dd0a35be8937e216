"""Records: the highest high and the lowest low of each symbol, of all time and of 52 weeks, in today's shares."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import numpy as np
from django.db import connection, transaction
from django.db.models import Model

from market import actions, bars, coverage, symbols
from market.actions import adjustments
from market.bars import stored
from market.clock import passes
from market.models import DataSource, NewestRecord, Record
from market.prices import PRE, Quote
from monitoring import jobs, turns

YEAR = np.timedelta64(52, "W")
_FACTS = ["high", "high_date", "low", "low_date", "since", "as_of", "source", "computed_at", "version"]
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Extremes:
    """A highest high and a lowest low, each with the first session that reached it, of the sessions since one."""

    high: float
    high_date: date
    low: float
    low_date: date
    since: date


def refresh(tickers: Iterable[str]) -> dict:
    """Compute the records of each symbol from its final daily bars and store them; one that can't be fails alone.

    Returns `done`, and `failed` with the reason of each. Raises NothingDone where all of them failed.
    """
    outcome = jobs.fan_out(tickers, _store, parallel=1)
    outcome.require_any()
    with jobs.current().commit() as end:
        end.result = outcome.as_json()
        stored = sorted(outcome.done)
        end.note(Record, len(stored) * len(Record.Scope), *((stored[0], stored[-1]) if stored else ()))
    return end.result


def latest(
    tickers: Iterable[str], splits: dict[str, adjustments.Factors] | None = None
) -> dict[str, dict[str, Record]]:
    """The stored records by ticker and scope, in the shares of now: a split since they were computed is counted in.

    splits: as actions.splits gives them, for a caller that has read them.
    """
    wanted = list(tickers)
    found: dict[str, dict[str, Record]] = {ticker: {} for ticker in wanted}
    splits = actions.splits(wanted) if splits is None else splits
    for record in Record.objects.running().filter(symbol__ticker__in=wanted).select_related("symbol"):
        ticker = record.symbol.ticker
        price, _ = splits[ticker].at(record.as_of)
        record.high, record.low = record.high * price, record.low * price
        found[ticker][record.scope] = record
    return found


def forget_passes(*, tell: Callable[[int], object]) -> int:
    """Delete those of passes of a recording that are kept no longer, a few at a time. Returns how many; tell: hears how
    many so far.
    """
    last = DataSource.objects.pass_number() - passes.KEPT
    return turns.delete(Record.objects.filter(pass_number__lte=last), AT_ONCE, tell=tell)


def with_session(record: Record, quote: Quote | None) -> Record:
    """The record with the session that runs, by the highest and lowest of its hours; itself where it sets neither.

    What trades before the session opens makes no record. Pure.
    """
    if quote is None or quote.session_date <= record.as_of or quote.market_state == PRE:
        return record
    is_higher = quote.high is not None and quote.high > record.high
    is_lower = quote.low is not None and quote.low < record.low
    if not (is_higher or is_lower):
        return record
    now = copy(record)
    if is_higher:
        now.high, now.high_date = quote.high, quote.session_date
    if is_lower:
        now.low, now.low_date = quote.low, quote.session_date
    return now


def distance_percent(price: float, extreme: float) -> float | None:
    """How far a price is above one, in percent points; None of what is not above zero: nothing is a part of it."""
    return round((price / extreme - 1) * 100, 4) if extreme > 0 else None


def extremes(columns: dict[str, np.ndarray]) -> dict[str, Extremes]:
    """The extremes of each scope. columns: as bars.columns gives them; raises bars.NoBars where they are empty."""
    if not len(columns["session_date"]):
        raise bars.NoBars("there are no final daily bars yet")
    recent = columns["session_date"] > columns["session_date"][-1] - YEAR
    return {
        Record.Scope.ALL_TIME: _extremes(columns, np.ones_like(recent)),
        Record.Scope.YEAR: _extremes(columns, recent),
    }


def _extremes(columns: dict[str, np.ndarray], counted: np.ndarray) -> Extremes:
    sessions, high, low = (columns[name][counted] for name in ("session_date", "high", "low"))
    top, bottom = int(high.argmax()), int(low.argmin())
    return Extremes(
        float(high[top]), sessions[top].item(), float(low[bottom]), sessions[bottom].item(), sessions[0].item()
    )


def _store(ticker: str) -> None:
    number = DataSource.objects.pass_number()  # before the bars
    symbol = symbols.resolve(ticker)
    version = coverage.latest([symbol.ticker])[symbol.ticker]
    columns = bars.columns(symbol.ticker)
    found, as_of = extremes(columns), columns["session_date"][-1].item()
    _, source = stored.last(symbol)
    facts = {"symbol": symbol, "as_of": as_of, "source": source, "computed_at": datetime.now(UTC), "version": version}
    facts |= {"pass_number": number}
    rows = [{"scope": scope, **asdict(values), **facts} for scope, values in found.items()]
    with transaction.atomic():
        _upsert(Record, rows, _FACTS, ["symbol", "scope", "pass_number"])
        _upsert(NewestRecord, rows, [*_FACTS, "pass_number"], ["symbol", "scope"])
        passes.require(number)


def _upsert(model: type[Model], rows: list[dict], written: list[str], unique: list[str]) -> None:
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else unique
    found = [model(**row) for row in rows]
    model.objects.bulk_create(found, update_conflicts=True, update_fields=written, unique_fields=unique)
