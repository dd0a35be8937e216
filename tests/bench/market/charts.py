"""Charts as Yahoo tells them, of as many symbols as are asked for: all have the same past, encoded once a span.

Days of ten years of New York's sessions, with a dividend each quarter and one split, and a candle for each; and bars
within some of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import orjson

from market import intervals
from market.calendars import sessions
from market.calendars.table import instant

EXCHANGE, YEARS = "XNAS", 10
SINCE = datetime.now(UTC).date() - timedelta(days=YEARS * 365 + 2)
NAME = "@NAME@"
PAID, PAID_EVERY, SPLIT_BEFORE = 0.25, 63, 300  # in the shares of today; sessions
WITHIN = 10  # sessions of which bars within them are told, the newest
ZONE, CURRENCY = "America/New_York", "USD"


@dataclass(frozen=True)
class Past:
    """Of each session its opening and close, in seconds since 1970, and the split-adjusted numbers of its bar."""

    opens: np.ndarray
    closes: np.ndarray
    numbers: dict[str, list]


@lru_cache(maxsize=1)
def past() -> Past:
    """Since some weeks before the ten years, as a request begins sooner than what is wanted."""
    now = datetime.now(UTC)
    days = sessions.between(EXCHANGE, SINCE - timedelta(days=100), now.date())
    tables = {day.year: sessions.of(EXCHANGE, day.year) for day in days}
    found = [tables[day.year].of(day) for day in days]
    found = [each for each in found if each.closes < now.timestamp() - 3600]
    moves = np.random.default_rng(1).normal(0, 0.01, len(found)).cumsum()
    close = (100 * np.exp(moves)).astype("f4")
    numbers = {"open": close, "high": close * np.float32(1.01), "low": close * np.float32(0.99), "close": close}
    told = {name: each.astype(float).tolist() for name, each in numbers.items()}
    told["volume"] = (1_000_000 + np.arange(len(found))).tolist()
    told["adjclose"] = (close * _unpaid(close.astype(float))).astype("f4").astype(float).tolist()
    return Past(np.array([each.opens for each in found]), np.array([each.closes for each in found]), told)


def _unpaid(close: np.ndarray) -> np.ndarray:
    """What each close is multiplied by to leave out the dividends that were paid since."""
    places = np.arange(PAID_EVERY, len(close), PAID_EVERY)
    parts = np.ones(len(close))
    parts[places - 1] = 1 - PAID / close[places - 1]
    return parts[::-1].cumprod()[::-1]


def chart(ticker: str, first: int, last: int) -> bytes:
    """The answer about a span of a symbol's days, in seconds since 1970."""
    begin, end = np.searchsorted(past().opens, [first, last])
    return _encoded(int(begin), int(end)).replace(NAME.encode(), ticker.encode())


@lru_cache(maxsize=64)
def _encoded(begin: int, end: int) -> bytes:
    known = past()
    numbers = {name: column[begin:end] for name, column in known.numbers.items()}
    adjusted = numbers.pop("adjclose")
    told = {
        "meta": _meta(),
        "timestamp": known.opens[begin:end].tolist(),
        "events": _events(begin, end),
        "indicators": {"quote": [numbers], "adjclose": [{"adjclose": adjusted}]},
    }
    return orjson.dumps({"chart": {"result": [told], "error": None}})


def within(ticker: str, interval: str, first: int, last: int) -> bytes:
    """The same of bars within the newest of its sessions."""
    opened = _openings(interval)
    begin, end = np.searchsorted(opened, [first, last])
    return _encoded_within(interval, int(begin), int(end)).replace(NAME.encode(), ticker.encode())


@lru_cache(maxsize=8)
def _openings(interval: str) -> np.ndarray:
    """In seconds since 1970; the last one of a session may be shorter."""
    known, seconds = past(), intervals.named(interval).seconds
    spans = zip(known.opens[-WITHIN:].tolist(), known.closes[-WITHIN:].tolist(), strict=True)
    return np.concatenate([np.arange(opens, closes, seconds) for opens, closes in spans])


@lru_cache(maxsize=64)
def _encoded_within(interval: str, begin: int, end: int) -> bytes:
    opened = _openings(interval)
    close = (100 + np.sin(np.arange(begin, end))).astype("f4").astype(float)
    numbers = {"open": close, "high": close + 1, "low": close - 1, "close": close}
    told = {name: column.tolist() for name, column in numbers.items()}
    told["volume"] = (1_000 + np.arange(begin, end)).tolist()
    chart = {"meta": _meta(), "timestamp": opened[begin:end].tolist(), "indicators": {"quote": [told]}}
    return orjson.dumps({"chart": {"result": [chart], "error": None}})


def _meta() -> dict:
    known, (opens, closes) = past(), _next_session()
    same = {"timezone": "EST", "gmtoffset": -18_000}
    spans = {"pre": (opens - 19_800, opens), "regular": (opens, closes), "post": (closes, closes + 14_400)}
    return {
        "symbol": NAME,
        "currency": CURRENCY,
        "exchangeName": "NMS",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": ZONE,
        "priceHint": 2,
        "regularMarketTime": int(known.closes[-1]),
        "regularMarketPrice": known.numbers["close"][-1],
        "regularMarketDayHigh": known.numbers["high"][-1],
        "regularMarketDayLow": known.numbers["low"][-1],
        "regularMarketVolume": known.numbers["volume"][-1],
        "chartPreviousClose": known.numbers["close"][0],
        "currentTradingPeriod": {name: {"start": at[0], "end": at[1], **same} for name, at in spans.items()},
    }


def _next_session() -> tuple[int, int]:
    opens = sessions.next_open(EXCHANGE, instant(int(past().closes[-1])))
    session = sessions.of(EXCHANGE, opens.year).of(sessions.session_date(EXCHANGE, opens))
    return session.opens, session.closes


def _events(begin: int, end: int) -> dict:
    opens, count = past().opens.tolist(), len(past().opens)
    paid = [opens[place] for place in range(begin, end) if place and place % PAID_EVERY == 0]
    found = {"dividends": {str(at): {"amount": PAID, "date": at} for at in paid}}
    if begin <= count - SPLIT_BEFORE < end:
        at = opens[count - SPLIT_BEFORE]
        found["splits"] = {str(at): {"date": at, "numerator": 2.0, "denominator": 1.0, "splitRatio": "2:1"}}
    return found
