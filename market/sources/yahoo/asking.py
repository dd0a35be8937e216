"""What is asked of Yahoo, and the only module that imports yfinance.

Charts are asked for without cookie or crumb, which Yahoo does not want for them; what wants a crumb goes through
yfinance's YfData on the same session. Every request takes a slot of the pace that all processes share, and every
failure leaves here as ProviderError: never None, zero or an old price.
"""

import binascii
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import TypeVar
from urllib.parse import quote as quoted

import numpy as np
import yfinance
from curl_cffi.requests import Response
from curl_cffi.requests.exceptions import RequestException
from django.conf import settings
from google.protobuf.message import DecodeError
from yfinance.data import YfData
from yfinance.exceptions import YFException
from yfinance.pricing_pb2 import PricingData

from market import prices
from market.bars import batch
from market.bars.batch import Batch
from market.intervals import DAY
from market.models import Symbol
from market.prices import Bar, Named, Quote
from market.sources import negatives
from market.sources.errors import ProviderError, Unreadable
from market.sources.negatives import BATCHED
from market.sources.pace import NoSlot, abreast, pause
from market.sources.yahoo import ABOUT, http, known, reading, stream
from market.sources.yahoo.charts import Held, History, identity
from market.sources.yahoo.fields import Mismatch, Misshapen
from market.sources.yahoo.http import PacedSession
from market.symbols import Seed
from monitoring import refusals

logger = logging.getLogger(__name__)
Understood = TypeVar("Understood")

CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"
LIST_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
LISTED_A_REQUEST = 50
CORRECTED, JUDGED_BY = timedelta(days=67), timedelta(days=7)  # splits and payments for so long; by so much before them
ATTEMPTS = 3  # of one question where what went wrong may pass
UNKNOWN = negatives.unknown(ABOUT.name)
LIST_REFUSED = negatives.batched(ABOUT.name)

# What yfinance hides would come out as an empty answer.
yfinance.config.debug.hide_exceptions = False


def answers(seconds: float) -> bool:
    """Whether Yahoo gives a price within so many seconds. Needs no Redis: the choice comes before all else."""
    unpaced = PacedSession(None, socket=settings.YAHOO_SOCKET, ca=settings.YAHOO_CA, timeout_seconds=seconds)
    try:
        answer = http.read(unpaced.get(f"{CHART_URL}AAPL", params={"range": "1d", "interval": DAY.name}))
        return bool(http.chart(answer, "AAPL"))
    except (RequestException, ProviderError) as error:
        logger.info("Yahoo does not answer: %s", error)
        return False


@cache
def session() -> PacedSession:
    """The process's one long-lived session, shared with yfinance."""
    folder = settings.VAR / "cache" / "yfinance"
    folder.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(folder))
    made = PacedSession(ABOUT.pace(), socket=settings.YAHOO_SOCKET, ca=settings.YAHOO_CA)
    YfData(session=made)
    return made


def history(symbol: Symbol, start: date, end: date | None = None, *, is_believed: bool = False) -> tuple[Batch, Named]:
    """Daily bars as traded from `start` to `end` inclusive (None: to now), oldest first, and the actions since weeks
    before. is_believed: whatever of ours it would change, by one ratio or by a split. Raises ProviderError.
    """
    ticker, now = symbol.ticker, datetime.now(UTC)
    # Up to now, whatever the end: an answer names only the splits inside its own range, and later ones count.
    # More on both sides, as a session may begin on the day before in UTC, and as splits and payments are corrected for
    # weeks, and judged by the prices before them; what is given is cut exactly.
    first, last, since = prices.midnight(start) - CORRECTED, now + timedelta(days=1), start - CORRECTED + JUDGED_BY
    held = known.of(symbol, first.date())
    held = replace(held, closes={}) if is_believed else held
    if is_believed:
        UNKNOWN.forget([ticker])
    found, opens = _history(symbol, DAY.name, (first, last), now, held)
    named = found.actions
    days = found.batch.session
    inside = found.batch.take((days >= batch.day(start)) & (days <= batch.day(end or date.max)))
    if not inside and found.undecided:
        raise _undecided(ticker, found.undecided)
    if not inside and opens and start >= opens.date():
        raise ProviderError(f"{ticker}: the session of {start} has no trade yet", code="market_closed", temporary=True)
    are_kept_out = any(kind == "corrections" for kind, _ in found.told)  # then it has some, and ours stay
    if not inside and not are_kept_out:
        raise ProviderError(f"{ticker}: Yahoo has no bars from {start}", code="no_data", temporary=False)
    return inside, replace(
        named, actions=[each for each in named if each.ex_date >= since], start=since, end=now.date()
    )


def within(symbol: Symbol, interval: str, start: datetime, end: datetime) -> list[Bar]:
    """Bars within sessions as traded that opened from `start` on and before `end`, in one request, oldest first.

    An answer of some of a past names no later splits: those count that we hold, so days are to be loaded before.
    Raises ProviderError.
    """
    held = known.of(symbol, start.date())
    found, _ = _history(symbol, interval, (start, end), datetime.now(UTC), held)
    if not found.batch and found.undecided:
        raise _undecided(symbol.ticker, found.undecided)
    if not found.batch:
        told = f"{symbol.ticker}: Yahoo has no bars of {interval} from {start:%Y-%m-%d} to {end:%Y-%m-%d}"
        raise ProviderError(told, code="no_data", temporary=False)
    return found.bars


def quotes(wanted: Iterable[Symbol]) -> Iterator[Quote]:
    """The last price of each symbol, as they come; one that has none is left out and named in the log.

    Raises ProviderError where Yahoo itself fails, which it does not where it has trouble with one symbol between
    others; what came before stands.
    """
    missing = {symbol.ticker: symbol for symbol in wanted}
    asked = len(missing)
    # What the list calls a coin's previous close is its price of a day ago, at whatever hour that was.
    for listed in _listed(
        {each.ticker: each for each in missing.values() if each.asset_type != Symbol.AssetType.CRYPTO}
    ):
        del missing[listed.ticker]
        yield listed
    yield from _charted(list(missing.values()), has_answered=len(missing) < asked)


def quote(symbol: Symbol) -> Quote:
    """The last price by the chart of the last days. Raises ProviderError."""
    asked = {"range": "5d", "interval": DAY.name, "events": "div,splits"}
    found = _chart(symbol, asked, partial(reading.quote, symbol))
    if found is None:
        raise ProviderError(f"{symbol.ticker}: Yahoo names no price", code="no_data", temporary=True)
    return found


def identify(ticker: str) -> Seed:
    """What Yahoo says of a symbol that we do not have. Raises ProviderError."""
    asked = {"range": "5d", "interval": DAY.name}
    return Seed(ticker, **_chart_of(ticker, asked, lambda chart: identity.facts(chart["meta"], ticker)))


def decode(text: str) -> dict:
    """A streamed message's fields, by yfinance's own protobuf; zeros are absent. Raises ValueError.

    yfinance's way to a dict took four times as long: it converts what nobody reads too.
    """
    message = PricingData()
    try:
        message.ParseFromString(binascii.a2b_base64(text, strict_mode=True))
    except DecodeError as error:
        raise ValueError(f"no price message: {error}") from error
    told = ((field.name, value) for field, value in message.ListFields() if field.name in stream.READ)
    return {name: _shortest(value) if type(value) is float else value for name, value in told}


def _shortest(told: float) -> float:
    """What a float32 stands for: the number with the fewest digits that no other float32 is nearer to."""
    return float(str(np.float32(told)))


def _charted(wanted: Sequence[Symbol], *, has_answered: bool) -> Iterator[Quote]:
    """Quotes by charts, as they come. has_answered: whether Yahoo just did. Raises where it fails for two symbols in a
    row, or for one and answers for none.
    """
    failure: ProviderError | None = None
    threads = abreast.count(session().pace.rate)
    for _, found in abreast.each(wanted, quote, threads=threads):
        if isinstance(found, Quote):
            has_answered, failure = True, None
            yield found
            continue
        if not isinstance(found, ProviderError):
            raise found
        if not isinstance(found, Unreadable):  # that is told where it is counted
            logger.warning("No price: %s", found)
        if found.is_of_source:
            if failure or found.code == "rate_limited" or not found.was_asked:
                raise found
            failure = found
        elif found.was_asked:
            has_answered, failure = True, None
    if failure and not has_answered:
        raise failure


def _undecided(ticker: str, split: date) -> ProviderError:
    why = f"a split of {split} is named; which shares the prices before it are of, its first trade says"
    return ProviderError(f"{ticker}: {why}", code="market_closed", temporary=True)


def _history(
    symbol: Symbol, interval: str, span: tuple[datetime, datetime], now: datetime, held: Held
) -> tuple[History, datetime | None]:
    """What Yahoo's chart of a span says, and when its session begins."""
    first, last = (int(each.timestamp()) for each in span)
    asked = {"period1": first, "period2": last, "interval": interval, "events": "div,splits,capitalGains"}
    return _chart(symbol, asked, partial(reading.history, symbol, interval, now, held))


def _chart(symbol: Symbol, asked: dict, read: Callable[[dict], Understood]) -> Understood:
    """What `read` makes of a symbol's chart, where it is that."""

    def checked(chart: dict) -> Understood:
        identity.require(chart["meta"], symbol, asked["interval"])
        return read(chart)

    return _chart_of(symbol.ticker, asked, checked)


def _chart_of(ticker: str, asked: dict, read: Callable[[dict], Understood]) -> Understood:
    """What `read` makes of the chart of a ticker. One that Yahoo did not know a moment ago is not asked for again."""
    url = CHART_URL + quoted(ticker, safe="")
    left = UNKNOWN.left(ticker)
    if left:
        text = f"{ticker}: Yahoo did not know it, and is asked again in {left:.0f} s"
        raise ProviderError(text, code="unknown_symbol", temporary=False, was_asked=False)

    def understood(answer: dict) -> Understood:
        chart = http.chart(answer, ticker)
        try:
            return read(chart)
        except Mismatch as error:
            raise http.mismatch(ticker, str(error)) from error
        except (Misshapen, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise http.misshapen(ticker, str(error)) from error

    try:
        told = ask(lambda: _fetch_chart(url, asked), understood, about=ticker)
    except ProviderError as error:
        if error.code == "unknown_symbol":
            UNKNOWN.note(ticker)
        raise
    if left is not None:
        UNKNOWN.forget([ticker])
    return told


def _fetch_chart(url: str, asked: dict) -> Response:
    response = session().get(url, params=asked)
    # Should Yahoo want cookie and crumb for charts after all.
    return crumbed(url, asked) if response.status_code in (401, 403) else response


def _listed(wanted: dict[str, Symbol]) -> Iterator[Quote]:
    """Quotes from the v7 list, fifty a request; none of those it does not name, and none while it is refused."""
    tickers, left = list(wanted), LIST_REFUSED.left(BATCHED)
    if len(tickers) < 2 or left:
        return
    try:
        for first in range(0, len(tickers), LISTED_A_REQUEST):
            some = ",".join(tickers[first : first + LISTED_A_REQUEST])
            found = ask(partial(_fetch_list, some), partial(reading.listed, wanted), about="the quote list")
            UNKNOWN.forget(quote.ticker for quote in found)
            yield from found
    except NoSlot:
        raise
    except ProviderError as error:
        is_ill = isinstance(error, http.Limited) and not error.of_crumb  # charts would be many more requests
        if not is_ill:
            seconds = LIST_REFUSED.note(BATCHED)
            logger.warning("The quote list: %s; asking for charts for %.0f s", error, seconds)
        if error.code == "rate_limited":
            raise
    else:
        if left is not None:
            LIST_REFUSED.forget([BATCHED])


def _fetch_list(tickers: str) -> Response:
    return crumbed(LIST_URL, {"symbols": tickers})


def crumbed(url: str, asked: dict) -> Response:
    session()
    yahoo = YfData()
    try:
        return yahoo.get(url, asked)
    finally:
        if not http.is_crumb(yahoo._crumb):  # yfinance keeps whatever text it got, and would send it ever after
            yahoo._crumb = None


def ask(fetch: Callable[[], Response], read: Callable[[dict], Understood], *, about: str) -> Understood:
    """What `read` makes of an answer's JSON, asked for again after a while where what went wrong may pass.

    Apart by a random part of the wait, so that many who failed together do not come back together.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return _ask_once(fetch, read, about=about)
        except ProviderError as error:
            if not http.may_pass(error):
                raise
            wait = http.FIRST_RETRY_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
            logger.info("%s: %s; asking again in %.1f s", about, error, wait)
        pause(wait)
    return _ask_once(fetch, read, about=about)


def _ask_once(fetch: Callable[[], Response], read: Callable[[dict], Understood], *, about: str) -> Understood:
    """What goes wrong on the way is a ProviderError and counts for the breaker; nonsense about one symbol says nothing
    against Yahoo, and nonsense about one after the other does.
    """
    asking = session().pace
    try:
        understood = read(http.read(fetch()))
    except NoSlot:
        raise
    except Unreadable as error:
        refusals.note("answers", about, str(error))
        asking.doubted(about, str(error))
        raise
    except http.Limited as error:
        YfData()._crumb = None  # Yahoo counts by it
        asking.failed(error.code, str(error), seconds=error.seconds, retry_after=error.retry_after)
        raise
    except ProviderError as error:
        if error.is_of_source:
            asking.failed(error.code, str(error))
        else:
            asking.succeeded()
        raise
    except (RequestException, YFException) as error:
        asking.failed("upstream_down", str(error))
        raise http.on_the_way(error) from error
    asking.succeeded()
    return understood
