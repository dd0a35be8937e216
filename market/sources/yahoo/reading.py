"""What is made of an answer that has come, and what people should hear of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from market import symbols
from market.coverage import loading as coverage
from market.models import Symbol
from market.prices import Extended, Quote
from market.sources import pace
from market.sources.yahoo import charts, fields, http
from market.sources.yahoo.charts import Held, History, units
from market.sources.yahoo.fields import Misshapen
from market.sources.yahoo.seeds import SEEDS
from monitoring import refusals

_BEGUN = frozenset(seed.ticker for seed in SEEDS)  # their decimals are known


def history(symbol: Symbol, interval: str, now: datetime, held: Held, chart: dict) -> tuple[History, datetime | None]:
    """What a chart says, and when its session begins. Raises Misshapen where it has bars and none is whole."""
    _learn_decimals(symbol, chart["meta"])
    found = charts.read(chart, symbol=symbol, interval=interval, now=now, held=held)
    if found.left_out and not found.batch and not found.undecided:
        raise Misshapen(found.left_out[0])
    _count(symbol, found.left_out)
    coverage.note_refused(symbol, interval, found.candles_left_out)
    for kind, why in found.told:
        refusals.note(kind, symbol.ticker, why)
    return found, charts.next_session(chart)


def quote(symbol: Symbol, chart: dict) -> Quote | None:
    """The last price by a chart. Raises Misshapen."""
    found = charts.quote(chart, symbol=symbol, now=datetime.now(UTC))
    _count(symbol, charts.left_out(chart))
    return found


def listed(wanted: Mapping[str, Symbol], answer: dict) -> list[Quote]:
    """The quotes of the entries that can be read; the others are counted, and charts are asked for instead."""
    entries = fields.part(answer, "quoteResponse").get("result")
    if not isinstance(entries, list):
        raise http.misshapen("The quote list", "it has no list")
    now, found, misshapen = datetime.now(UTC), [], 0
    for entry in entries:
        ticker = fields.part({"entry": entry}, "entry").get("symbol")
        try:
            if symbol := wanted.get(ticker):
                told = charts.listed_quote(entry, symbol=symbol, now=now)
                found += [replace(told, extended=_extended(entry, symbol, now))] if told else []
        except (Misshapen, TypeError) as error:
            misshapen += 1
            refusals.note("quote list", str(ticker)[:32], str(error), repr(entry))
    if misshapen >= pace.FAILURES_TO_OPEN and not found:
        raise http.misshapen("The quote list", "no entry of it can be read")
    return found


def _extended(entry: dict, symbol: Symbol, now: datetime) -> Extended | None:
    """What an entry tells of the hours before or after a session; what can't be is counted, and costs no quote."""
    try:
        return charts.listed_extended(entry, symbol=symbol, now=now)
    except Misshapen as error:
        refusals.note("extended hours", symbol.ticker, str(error), repr(entry))
        return None


def _learn_decimals(symbol: Symbol, meta: dict) -> None:
    """Of a symbol that was added: as many as the source says, or more where somebody said so."""
    hint = charts.decimals(meta, units.factor(meta.get("currency"), symbol.currency))
    if hint is None or hint <= symbol.price_decimals or symbol.ticker in _BEGUN:
        return
    if coverage.missing([symbol.ticker]):  # whatever quotes have left there already
        symbol.price_decimals = hint
        symbols.learn_decimals(symbol)


def _count(symbol: Symbol, left_out: list[str]) -> None:
    if left_out:
        refusals.note("charts", symbol.ticker, f"left out {'; '.join(left_out[:3])}", times=len(left_out))
