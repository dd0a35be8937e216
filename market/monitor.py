"""The price monitor: symbols that nobody tells are asked about, so that a silent feed leaves no old prices."""

from datetime import UTC, datetime, timedelta

from market import bars, closes, prices, quotes, sources, symbols
from market.calendars import hours
from market.models import Snapshot, Symbol
from market.prices import Quote
from market.quotes import freshness
from monitoring import jobs
from monitoring.jobs import Job

CHUNK = 25  # symbols of one job that asks: by charts alone they take half a minute
SILENCE = timedelta(minutes=2)  # of a symbol whose exchange is open


def look() -> dict:
    """Which tracked symbols are silent although they could be told of; jobs of their own ask about those.

    A source that can't be asked is not: a feed plays a recording, or nobody does.
    """
    tracked, now = list(Symbol.objects.tracked()), datetime.now(UTC)
    latest = quotes.latest([symbol.ticker for symbol in tracked])
    has_hours = sources.has_hours()
    at_home = {symbol.exchange for symbol in tracked}
    is_open = {exchange: hours.is_open(exchange, has_hours=has_hours) for exchange in at_home}
    silent = [
        symbol.ticker for symbol in tracked if _is_silent(latest[symbol.ticker], now, is_open=is_open[symbol.exchange])
    ]
    unended = Job.objects.filter(name="market.quotes").exclude(state__in=Job.ENDED).exists()
    can_ask = not unended and sources.can("quotes")
    chunks = [{"symbols": each} for each in jobs.chunks(silent if can_ask else [], CHUNK)]
    with jobs.current().commit() as end:
        end.result = {
            "tracked": len(tracked),
            "open": sorted(exchange for exchange, state in is_open.items() if state),
            "silent": silent,
            "task_ids": [str(jobs.submit("market.quotes", chunk).pk) for chunk in chunks],
        }
    return end.result


def ask(tickers: list[str]) -> dict:
    """Ask the source for the last price of some symbols, and keep it. Raises ProviderError where the source fails."""
    source = sources.source()
    outcome = jobs.fan_out(tickers, symbols.resolve, parallel=1)
    outcome.require_any()
    told, newer, counting = set(), [], closes.Closes(asks=False)
    negative = symbols.negative(outcome.done.values())
    for quote in source.quotes(outcome.done.values()):  # each is kept as it comes, whatever becomes of those behind it
        told.add(quote.ticker)
        newer += quotes.keep(counting.counted([quote], {}), negative=negative)
    untold = {ticker: "no_data: the source names no price" for ticker in outcome.done if ticker not in told}
    jobs.current().tell_parts(untold)
    with jobs.current().commit() as end:
        end.result = {"source": source.name, "done": sorted(told), "failed": outcome.failed | untold}
        kept = [quote.ticker for quote in newer]
        end.note(Snapshot, quotes.store(newer), min(kept, default=None), max(kept, default=None))
    return end.result


def keep_closes(tickers: list[str]) -> dict:
    """Store each symbol's last close as a snapshot, and show it where nobody has told a newer price.

    Raises NothingDone where none has one.
    """
    outcome = jobs.fan_out(tickers, lambda ticker: last_close(symbols.resolve(ticker)), parallel=1)
    outcome.require_any()
    told = list(outcome.done.values())
    known = quotes.latest(list(outcome.done))
    shown = [close for close in told if known[close.ticker] is None]
    found = symbols.found([close.ticker for close in shown]).values()
    quotes.keep(shown, negative=symbols.negative(found))
    with jobs.current().commit() as end:
        end.result = {
            "done": {close.ticker: {"close": close.price, "session": str(close.session_date)} for close in told},
            "failed": outcome.failed,
        }
        kept = [close.ticker for close in told]
        end.note(Snapshot, quotes.store(told), min(kept, default=None), max(kept, default=None))
    return end.result


def last_close(symbol: Symbol) -> Quote:
    """The close of the last finished session, as a quote, with that of the session before. Raises NoBars."""
    over = [bar for bar in bars.history(symbol.ticker, limit=3) if bar.state != prices.FORMING]
    if not over:
        raise bars.NoBars("there are no final daily bars yet")
    bar, expected = over[-1], hours.before(symbol.exchange, over[-1].session_date)
    before = [each.close for each in over[-2:-1] if expected in (None, each.session_date)]
    close = Quote(
        ticker=symbol.ticker, price=bar.close, previous_close=before[0] if before else None,
        open=bar.open, high=bar.high, low=bar.low, volume=bar.volume, session_date=bar.session_date,
        as_of=bar.opened_at, as_of_precision=prices.DAY,
        received_at=bar.received_at, source=bar.source, market_state=prices.CLOSED,
        is_final=bar.is_final, state=bar.state,
    )  # fmt: skip
    return prices.rounded(close, symbol.price_decimals)


def _is_silent(quote: Quote | None, now: datetime, *, is_open: bool) -> bool:
    if quote is None:
        return True
    if quote.as_of_precision == prices.DAY and quote.market_state != prices.CLOSED:
        return is_open and freshness.of(quote, now) == "stale"
    # A close that we hold is old once the exchange is open; what was received in the future says nothing.
    return is_open and (now - quote.received_at > SILENCE or prices.is_ahead(quote.received_at, now))
