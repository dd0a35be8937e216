"""What the market has done in the background."""

from market import history, monitor, records, sources
from market.calendars import exchanges, hours
from market.sources import delisting
from market.symbols import named, tickers
from monitoring import jobs
from monitoring.jobs import Schedule, Step, condition, job

CHUNK = 25  # symbols of one job that asks a source: small enough to be done again, large enough to be worth a process


@condition("market.is_open", check=exchanges.unknown_if_named)
def is_open(exchange: str = "") -> bool:
    """The exchange trades now; without a name, any does where a tracked symbol is at home."""
    return hours.is_open(exchange, has_hours=sources.has_hours())


@condition("market.had_session", check=exchanges.unknown)
def had_session(exchange: str) -> bool:
    """Today is a trading day of the exchange, by its own calendar and date."""
    return hours.had_session(exchange, has_hours=sources.has_hours())


@job("market.price_monitor", timeout=60, schedules=(Schedule("*/2 * * * *"),))
def look_for_silence() -> dict:
    """Find symbols that have no price, or none for two minutes though their exchange is open, and ask for it."""
    return monitor.look()


@job("market.quotes", timeout=120, isolated=True, about="symbols", spelled=tickers)
def ask_for_prices(symbols: list[str]) -> dict:
    """Ask the source for the last price of some symbols."""
    return monitor.ask(symbols)


@job("market.previous_close", timeout=300, about="symbols", spelled=tickers, schedules=(Schedule("15 * * * *"),))
def keep_closes(symbols: list[str] | None = None) -> dict:
    """Keep the last close of every tracked symbol, and show it where there is no newer price."""
    return monitor.keep_closes(named(symbols))


@job("market.records", timeout=600, about="symbols", spelled=tickers, schedules=(Schedule("0 * * * *"),))
def refresh_records(symbols: list[str] | None = None) -> dict:
    """Compute the highs and lows of every tracked symbol; says which it could and why not the others."""
    return records.refresh(named(symbols))


@job("market.history", timeout=60, about="symbols", spelled=tickers, schedules=(Schedule("25 * * * *"),))
def refresh_history(symbols: list[str] | None = None) -> dict:
    """Fetch the newest bars of every tracked symbol, in chunks side by side, and count the records anew."""
    wanted = named(symbols)
    steps = [Step("market.history_chunk", {"symbols": chunk}) for chunk in jobs.chunks(wanted, CHUNK)]
    with jobs.current().commit() as end:
        chunks, then = jobs.group(steps, Step("market.records", {} if symbols is None else {"symbols": wanted}))
        end.result = {"symbols": len(wanted), "chunks": [str(each.pk) for each in chunks], "then": str(then.pk)}
    return end.result


@job("market.history_chunk", timeout=300, isolated=True, about="symbols", spelled=tickers)
def refresh_chunk(symbols: list[str]) -> dict:
    """Fetch the newest bars of some symbols, with their splits and dividends."""
    source = sources.source()
    fetch = delisting.watched(source.history)
    return history.refresh(symbols, fetch, source.name, by_calendar=sources.has_hours())
