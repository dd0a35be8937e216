"""What is asked of Yahoo, and the only module that imports yfinance.

Charts are asked for without cookie or crumb, which Yahoo does not want for them; what wants a crumb goes through
yfinance's YfData on the same session. Every request takes a slot of the pace that all processes share, and every
failure leaves here as ProviderError: never None, zero or an old price.
"""

import base64
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import TypeVar
from urllib.parse import quote as quoted

import yfinance
from curl_cffi.requests import Response
from curl_cffi.requests.exceptions import RequestException
from django.conf import settings
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from yfinance.data import YfData
from yfinance.exceptions import YFException
from yfinance.pricing_pb2 import PricingData

from market import prices
from market.intervals import DAY
from market.models import Symbol
from market.prices import Bar, Named, Quote
from market.sources.errors import ProviderError
from market.sources.pace import NoSlot, Pace
from market.sources.yahoo import charts, http, known, reading
from market.sources.yahoo.charts import identity
from market.sources.yahoo.fields import Mismatch, Misshapen
from market.sources.yahoo.http import PacedSession
from monitoring import redis, refusals

logger = logging.getLogger(__name__)
Understood = TypeVar("Understood")

CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"
LIST_URL = "https://query1.finance.yahoo.com/v7/finance/quote"
LISTED_A_REQUEST = 50
CORRECTED, JUDGED_BY = timedelta(days=67), timedelta(days=7)  # splits and payments for so long; by so much before them
LIST_REFUSED_SECONDS = 3600  # how long charts serve alone after Yahoo refused the list

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
    made = PacedSession(Pace("yahoo", settings.YAHOO_RATE), socket=settings.YAHOO_SOCKET, ca=settings.YAHOO_CA)
    YfData(session=made)
    return made


def history(symbol: Symbol, start: date, end: date | None = None, interval: str = DAY.name) -> tuple[list[Bar], Named]:
    """Bars as traded from `start` to `end` inclusive (None: to now), oldest first, and the actions since weeks before.

    Raises ProviderError, and ValueError for an interval that is none of `charts.GIVEN`.
    """
    if interval not in charts.GIVEN:
        raise ValueError(f"interval is {interval!r}; it can be {', '.join(charts.GIVEN)}")
    ticker, now = symbol.ticker, datetime.now(UTC)
    # Up to now, whatever the end: an answer names only the splits inside its own range, and later ones count.
    # More on both sides, as a session may begin on the day before in UTC, and as splits and payments are corrected for
    # weeks, and judged by the prices before them; what is given is cut exactly.
    before, judged_by = (CORRECTED, JUDGED_BY) if interval == DAY.name else (timedelta(days=1), timedelta(0))
    first, last, since = prices.midnight(start) - before, now + timedelta(days=1), start - before + judged_by
    span = {"period1": int(first.timestamp()), "period2": int(last.timestamp())}
    asked = {**span, "interval": interval, "events": "div,splits,capitalGains"}
    held = known.of(symbol, first.date())
    found, opens = _chart(symbol, asked, partial(reading.history, symbol, interval, now, held))
    named = found.actions
    inside = [bar for bar in found.bars if start <= bar.session_date <= (end or date.max)]
    if not inside and opens and start >= opens.date():
        raise ProviderError(f"{ticker}: the session of {start} has no trade yet", code="closed", temporary=True)
    if not inside:
        raise ProviderError(f"{ticker}: Yahoo has no bars from {start}", code="no_data", temporary=False)
    return inside, replace(
        named, actions=[each for each in named if each.ex_date >= since], start=since, end=now.date()
    )


def quotes(wanted: Iterable[Symbol]) -> Iterator[Quote]:
    """The last price of each symbol, as they come; one that has none is left out and named in the log.

    Raises ProviderError where Yahoo itself fails; what came before stands.
    """
    missing = {symbol.ticker: symbol for symbol in wanted}
    # What the list calls a coin's previous close is its price of a day ago, at whatever hour that was.
    for listed in _listed(
        {each.ticker: each for each in missing.values() if each.asset_type != Symbol.AssetType.CRYPTO}
    ):
        del missing[listed.ticker]
        yield listed
    for symbol in missing.values():
        try:
            yield quote(symbol)
        except ProviderError as error:
            if error.code in http.FAILURES:
                raise
            if error.code not in ("misshapen", "mismatch"):  # that is told where it is counted
                logger.warning("No price: %s", error)


def quote(symbol: Symbol) -> Quote:
    """The last price by the chart of the last days. Raises ProviderError."""
    asked = {"range": "5d", "interval": DAY.name, "events": "div,splits"}
    found = _chart(symbol, asked, partial(reading.quote, symbol))
    if found is None:
        raise ProviderError(f"{symbol.ticker}: Yahoo names no price", code="no_data", temporary=True)
    return found


def decode(text: str) -> dict:
    """A streamed message's fields, by yfinance's own protobuf. int64 are strings, zeros are absent.

    Raises ValueError.
    """
    message = PricingData()
    try:
        message.ParseFromString(base64.b64decode(text, validate=True))
    except DecodeError as error:
        raise ValueError(f"no price message: {error}") from error
    return MessageToDict(message, preserving_proto_field_name=True)


def _chart(symbol: Symbol, asked: dict, read: Callable[[dict], Understood]) -> Understood:
    """What `read` makes of a symbol's chart."""
    ticker = symbol.ticker
    url = CHART_URL + quoted(ticker, safe="")

    def understood(answer: dict) -> Understood:
        chart = http.chart(answer, ticker)
        try:
            identity.require(chart["meta"], symbol, asked["interval"])
            return read(chart)
        except Mismatch as error:
            raise http.mismatch(ticker, str(error)) from error
        except (Misshapen, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise http.misshapen(ticker, str(error)) from error

    return _ask(lambda: _fetch_chart(url, asked), understood, about=ticker)


def _fetch_chart(url: str, asked: dict) -> Response:
    response = session().get(url, params=asked)
    # Should Yahoo want cookie and crumb for charts after all.
    return YfData().get(url, asked) if response.status_code in (401, 403) else response


def _listed(wanted: dict[str, Symbol]) -> Iterator[Quote]:
    """Quotes from the v7 list, fifty a request; none of those it does not name, and none while it is refused."""
    refused = redis.key("yahoo", "list_refused")
    if len(wanted) < 2 or redis.client().exists(refused):
        return
    tickers = list(wanted)
    try:
        for first in range(0, len(tickers), LISTED_A_REQUEST):
            some = ",".join(tickers[first : first + LISTED_A_REQUEST])
            yield from _ask(partial(_fetch_list, some), partial(reading.listed, wanted), about="the quote list")
    except NoSlot:
        raise
    except ProviderError as error:
        logger.warning("The quote list: %s; asking for charts for %d s", error, LIST_REFUSED_SECONDS)
        redis.client().set(refused, str(error), ex=LIST_REFUSED_SECONDS)
        if error.code == "rate_limited":
            raise


def _fetch_list(tickers: str) -> Response:
    session()
    return YfData().get(LIST_URL, {"symbols": tickers})


def _ask(fetch: Callable[[], Response], read: Callable[[dict], Understood], *, about: str) -> Understood:
    """What `read` makes of an answer's JSON. What goes wrong on the way is a ProviderError and counts for the breaker;
    nonsense about one symbol says nothing against Yahoo, and nonsense about one after the other does.
    """
    asking = session().pace
    try:
        understood = read(http.read(fetch()))
    except NoSlot:
        raise
    except ProviderError as error:
        if error.code in http.FAILURES:
            asking.failed(error.code, str(error))
        elif error.code in ("misshapen", "mismatch"):
            refusals.note("answers", about, str(error))
            asking.doubted(about, str(error))
        else:
            asking.succeeded()
        raise
    except (RequestException, YFException) as error:
        asking.failed("upstream_down", str(error))
        raise ProviderError(f"Yahoo: {error}", code="upstream_down", temporary=True) from error
    asking.succeeded()
    return understood
