"""The last price of a symbol, by a chart of the last days or by an entry of the quote list. Pure."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from math import prod

import numpy as np

from market import prices
from market.bars import batch
from market.prices import FINAL, FORMING, POST, PRE, Extended, Quote
from market.sources.yahoo import fields
from market.sources.yahoo.charts import candles, days, units
from market.sources.yahoo.charts.candles import Dated, Row
from market.sources.yahoo.charts.columns import SOURCE
from market.sources.yahoo.charts.days import Days
from market.sources.yahoo.charts.extended import extended
from market.sources.yahoo.charts.history import judged, settled_rows
from market.sources.yahoo.charts.listed import Symbol
from market.sources.yahoo.fields import Misshapen, moment, part

LIVELY = timedelta(minutes=30)  # where the exchange's hours are not told, a price so young is one of an open market
MARKET_STATES = {"REGULAR": "open", "PRE": "pre", "POST": "post"}
EXTENDED = {PRE: "pre", POST: "post"}  # how an entry's fields of those hours begin
_LONGEST_DELAY = 1440  # minutes


def quote(chart: dict, *, symbol: Symbol, now: datetime) -> Quote | None:
    """The last price by a chart of the last few days; None where it has none. Raises Misshapen."""
    meta, known = chart["meta"], days.of_chart(chart, symbol)
    price = _prices(symbol)
    last, as_of = price(meta, "regularMarketPrice"), known.traded_at
    if last is None or as_of is None:
        return None
    session = known.of_trade(as_of)
    rows = settled_rows(chart, known)
    of_today = np.flatnonzero(rows.session == batch.day(session)).tolist()
    today, is_settled = (rows.rows[of_today[-1]], bool(rows.is_settled[of_today[-1]])) if of_today else (None, False)
    state = known.state(session, now, is_settled=is_settled)
    settled = today if state == FINAL and is_settled else None
    found = Quote(
        ticker=symbol.ticker,
        price=settled.close if settled else last,
        previous_close=_previous_close(chart, known, session, rows, now, symbol),
        open=today and today.open,
        high=settled.high if settled else price(meta, "regularMarketDayHigh") or (today and today.high),
        low=settled.low if settled else price(meta, "regularMarketDayLow") or (today and today.low),
        volume=_volume(meta, settled),
        session_date=session,
        as_of=as_of.astimezone(UTC),
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state=_market_state(meta, known, now),
        is_final=state == FINAL,
        state=state,
    )
    return _in_currency(found, meta, symbol)


def listed_quote(listed: dict, *, symbol: Symbol, now: datetime) -> Quote | None:
    """The last price by one entry of the v7 quote list; None where it has none. Raises Misshapen.

    A list does not say whether a session has settled.
    """
    zone, price = fields.zone(listed), _prices(symbol)
    last, as_of = price(listed, "regularMarketPrice"), moment(listed.get("regularMarketTime"), zone)
    if last is None or as_of is None:
        return None
    known = days.of_symbol(symbol, zone)
    session, said = known.of_trade(as_of), listed.get("marketState")
    market_state = MARKET_STATES.get(said, "closed") if isinstance(said, str) else _by_age(as_of, now)
    delay = listed.get("exchangeDataDelayedBy")
    late = timedelta(minutes=delay if prices.is_number(delay) and 0 < delay < _LONGEST_DELAY else 0)
    state = FORMING if market_state == "open" else known.state(session, now - late, is_settled=False)
    found = Quote(
        ticker=symbol.ticker,
        price=last,
        previous_close=price(listed, "regularMarketPreviousClose"),
        open=price(listed, "regularMarketOpen"),
        high=price(listed, "regularMarketDayHigh"),
        low=price(listed, "regularMarketDayLow"),
        volume=fields.volume(listed, "regularMarketVolume", listed.get("quoteType")),
        session_date=session,
        as_of=as_of.astimezone(UTC),
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state=market_state,
        is_final=state == FINAL,
        state=state,
    )
    return _in_currency(found, listed, symbol)


def listed_extended(listed: dict, *, symbol: Symbol, now: datetime) -> Extended | None:
    """The last price of before or after a session by the same entry; None where it tells none. Raises Misshapen."""
    told = [
        (at, said, last)
        for said, name in EXTENDED.items()
        if (last := _prices(symbol)(listed, f"{name}MarketPrice")) is not None
        and (at := moment(listed.get(f"{name}MarketTime"), UTC))
    ]
    if not told:
        return None
    at, said, last = max(told)
    unit = units.factor(listed.get("currency"), symbol.currency)
    return extended(symbol, said, last * unit.numerator / unit.denominator, at, now)


def _prices(symbol: Symbol) -> Callable[[dict, str], float | None]:
    """How prices of a symbol are read out of an answer."""
    return partial(fields.price, may_be_negative=symbol.may_be_negative)


def _in_currency(quote: Quote, told: dict, symbol: Symbol) -> Quote:
    """The quote in the symbol's own currency, rounded to its decimals."""
    unit = units.factor(told.get("currency"), symbol.currency)
    return prices.rounded(prices.multiplied(quote, unit), symbol.price_decimals)


def _volume(meta: dict, settled: Row | None) -> int | None:
    told = fields.volume(meta, "regularMarketVolume", meta.get("instrumentType"))
    return told if settled is None or settled.volume is None else settled.volume


def _previous_close(chart: dict, known: Days, today: date, rows: Dated, now: datetime, symbol: Symbol) -> float | None:
    """The close of the session before by the calendar; None where that can't be read: no older one passes for it.

    Where the calendar does not say which that is, the last one before today that the source traded. In the shares of
    today, also where the answer is not restated yet by a split that it names.
    """
    found = list(candles.candles(chart))
    if not found or any(each.at is None for each in found):
        return None
    last = max(each.at for each in found)
    closes = {known.of_row(each.at, is_last=each.at == last): each.prices[3] for each in found}
    before = max((session for session in closes if session < today), default=None)
    expected = known.before(today)
    if before is None:
        close = chart["meta"].get("chartPreviousClose") if today in closes else None
    elif expected is None or before >= expected:
        close = closes[before]
    else:
        close = None
    try:
        told = judged(chart, known, rows, Fraction(1), now)
    except Misshapen:
        return None
    shares = prod(split.value for split in told.unrestated if split.ex_date <= today)
    return close / shares if fields.is_told(close, may_be_negative=symbol.may_be_negative) else None


def _market_state(meta: dict, known: Days, now: datetime) -> str:
    """By the hours that are told, but of what trades through the night: of it Yahoo tells the dates of a zone."""
    is_open = known.is_open(now)
    if is_open is not None:
        return "open" if is_open else "closed"
    told = part(meta, "currentTradingPeriod")
    periods = {name: days.period(part(told, name), known.zone) for name in ("regular", "pre", "post")}
    if periods["regular"] is None:
        return _by_age(known.traded_at, now)
    states = {"regular": "open", "pre": "pre", "post": "post"}
    return next((states[name] for name, period in periods.items() if period and period[0] <= now < period[1]), "closed")


def _by_age(as_of: datetime, now: datetime) -> str:
    return "open" if now - as_of < LIVELY else "closed"
