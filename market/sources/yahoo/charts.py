"""What Yahoo's answers say, as our values. Pure: a parsed answer goes in, bars, actions and quotes come out.

Yahoo's prices and dividends are split-adjusted as of today. Bars and dividends leave here as traded and as paid:
multiplied back by the splits that follow them. Quotes are today's and so already as traded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from market import intervals, prices
from market.prices import SETTLING, Action, Bar, Named, Quote
from market.sources.yahoo import events, fields
from market.sources.yahoo.events import session_date
from market.sources.yahoo.fields import Misshapen, moment, part, price

SOURCE = "yahoo"
WHOLE_DAY = timedelta(hours=23)
# Weeks and months have no as-traded prices across a split; they are made from days.
GIVEN = ("1d", "1m", "5m", "15m", "30m", "1h")
LIVELY = timedelta(minutes=30)  # where the exchange's hours are not told, a price so young is one of an open market
PRICES = ("open", "high", "low", "close")
MARKET_STATES = {"REGULAR": "open", "PRE": "pre", "POST": "post"}


@dataclass(frozen=True, slots=True)
class Row:
    """One candle as Yahoo wrote it, with all five numbers checked."""

    at: datetime  # in the exchange's zone
    open: float
    high: float
    low: float
    close: float
    volume: int | None


def bars(chart: dict, *, ticker: str, interval: str, decimals: int, now: datetime) -> list[Bar]:
    """The chart's candles as traded, oldest first, one a session or instant; `is_final` once they have settled.

    A candle whose shares nobody can count, because of a split that can't be read, is left out. Raises Misshapen.
    """
    told = events.read(chart, _zone(chart))
    found = {}
    for row in rows(chart):
        session = session_date(row.at)
        if session < told.known_from:
            continue
        factor = told.later(session)
        opened_at = prices.midnight(session) if intervals.named(interval).is_whole else row.at.astimezone(UTC)
        volume = None if row.volume is None else round(row.volume / factor)
        # Yahoo repeats the running session's row with newer numbers: the later one counts.
        found[opened_at] = Bar(
            ticker=ticker,
            interval=interval,
            opened_at=opened_at,
            session_date=session,
            open=_traded(row.open * factor, decimals),
            high=_traded(row.high * factor, decimals),
            low=_traded(row.low * factor, decimals),
            close=_traded(row.close * factor, decimals),
            volume=volume if prices.is_volume(volume) else None,
            is_final=now >= _ends(chart, session, opened_at, interval) + SETTLING,
            source=SOURCE,
            received_at=now,
        )
    return [found[opened_at] for opened_at in sorted(found)]


def actions(chart: dict, *, ticker: str) -> Named:
    """The chart's splits and dividends, oldest first. Raises Misshapen."""
    told = events.read(chart, _zone(chart))
    found = [Action(ticker, "split", each.ex_date, each.value, *each[1:]) for each in told.splits]
    whole = told.whole if told.known_from == date.min else frozenset()  # a dividend before it is left out too
    for ex_date, amount in told.dividends:
        if ex_date >= told.known_from:
            found.append(Action(ticker, "dividend", ex_date, round(amount * told.later(ex_date), 6)))
    return Named(sorted(found, key=lambda action: (action.ex_date, action.kind)), whole)


def rows(chart: dict) -> Iterator[Row]:
    """The complete candles: rows with a null or a price of zero say nothing and are left out, as are misshapen ones."""
    for stamp, values, volume in _candles(chart):
        if stamp and all(map(prices.is_price, values)):
            count = fields.count(volume, chart["meta"].get("instrumentType"))
            yield Row(stamp, *map(float, values), count)


def left_out(chart: dict) -> list[str]:
    """What of a chart is misshapen and so left out, a few words each; rows that say nothing are none of it."""
    found = [
        f"a candle of {values!r}"[:200]
        for stamp, values, _ in _candles(chart)
        if stamp is None or any(value and not prices.is_price(value) for value in values)
    ]
    try:
        unread = events.read(chart, _zone(chart)).left_out
    except Misshapen as error:
        unread = [str(error)]
    return found + _unequal(chart) + unread


def next_session(chart: dict) -> datetime | None:
    """When the exchange's running session began, or its next begins, in its own zone; None where it is not told."""
    period = _regular(chart)
    return period and period[0]


def quote(chart: dict, *, ticker: str, decimals: int, now: datetime) -> Quote | None:
    """The last price by a chart of the last few days; None where it has none. Raises Misshapen."""
    meta, zone = chart["meta"], _zone(chart)
    last, as_of = price(meta, "regularMarketPrice"), moment(meta.get("regularMarketTime"), zone)
    if last is None or as_of is None:
        return None
    today = next((row for row in rows(chart) if session_date(row.at) == as_of.date()), None)
    found = Quote(
        ticker=ticker,
        price=last,
        previous_close=_previous_close(chart, as_of.date()),
        open=today and today.open,
        high=price(meta, "regularMarketDayHigh") or (today and today.high),
        low=price(meta, "regularMarketDayLow") or (today and today.low),
        volume=fields.volume(meta, "regularMarketVolume", meta.get("instrumentType")),
        session_date=as_of.date(),
        as_of=as_of.astimezone(UTC),
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state=_market_state(meta, as_of, now),
        is_final=now >= _session_ends(chart, as_of.date()) + SETTLING,
    )
    return prices.rounded(found, decimals)


def listed_quote(listed: dict, *, ticker: str, decimals: int, now: datetime) -> Quote | None:
    """The last price by one entry of the v7 quote list; None where it has none. Raises Misshapen."""
    last, as_of = (
        price(listed, "regularMarketPrice"),
        moment(listed.get("regularMarketTime"), fields.zone(listed)),
    )
    if last is None or as_of is None:
        return None
    state, delay = listed.get("marketState"), listed.get("exchangeDataDelayedBy")
    state = MARKET_STATES.get(state, "closed") if isinstance(state, str) else _by_age(as_of, now)
    settled_at = as_of + SETTLING + timedelta(minutes=delay if prices.is_number(delay) and 0 < delay < 1440 else 0)
    found = Quote(
        ticker=ticker,
        price=last,
        previous_close=price(listed, "regularMarketPreviousClose"),
        open=price(listed, "regularMarketOpen"),
        high=price(listed, "regularMarketDayHigh"),
        low=price(listed, "regularMarketDayLow"),
        volume=fields.volume(listed, "regularMarketVolume", listed.get("quoteType")),
        session_date=as_of.date(),
        as_of=as_of.astimezone(UTC),
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state=state,
        is_final=state != "open" and now >= settled_at,
    )
    return prices.rounded(found, decimals)


def _zone(chart: dict) -> ZoneInfo:
    return fields.zone(chart["meta"])


def _candles(chart: dict) -> Iterator[tuple[datetime | None, list, object]]:
    """Each candle's instant, its four prices and its volume, as they were written; None for an instant that is none.

    Columns that are not as long as the timestamps say nothing, as nobody can tell which entries they lack.
    """
    stamps, columns, zone = _stamps(chart), _columns(chart), _zone(chart)
    for index, stamp in enumerate(stamps):
        values = [columns[name][index] if columns[name] else None for name in (*PRICES, "volume")]
        yield moment(stamp, zone), values[:4], values[4]


def _stamps(chart: dict) -> list:
    stamps = chart.get("timestamp")
    if not isinstance(stamps, list | None):
        raise Misshapen(f"its timestamps are {stamps!r}"[:80])
    return stamps or []


def _columns(chart: dict) -> dict[str, list | None]:
    """The candles' columns; None for one that is not as long as the timestamps."""
    quotes, length = part(chart, "indicators").get("quote"), len(_stamps(chart))
    told = part({"first": quotes[0]}, "first") if isinstance(quotes, list) and quotes else {}
    columns = {name: told.get(name) for name in (*PRICES, "volume")}
    return {
        name: column if isinstance(column, list) and len(column) == length else None for name, column in columns.items()
    }


def _unequal(chart: dict) -> list[str]:
    length, columns = len(_stamps(chart)), _columns(chart)
    return [f"{name}, which is not told for {length} candles" for name in PRICES if length and columns[name] is None]


def _previous_close(chart: dict, today: date) -> float | None:
    """The close of the last session before; None where that can't be read: an older one must not pass for it."""
    candles = list(_candles(chart))
    if not candles or any(stamp is None for stamp, *_ in candles):
        return None
    closes = {session_date(stamp): values[3] for stamp, values, _ in candles}
    before = [session for session in closes if session < today]
    close = closes[max(before)] if before else chart["meta"].get("chartPreviousClose")
    return close if prices.is_price(close) else None


def _traded(price: float, decimals: int) -> float:
    """The price rounded to its symbol's decimals, half a cent to the same side whatever splits it went through."""
    return round(round(price, decimals + 2), decimals)


def _ends(chart: dict, session: date, opened_at: datetime, interval: str) -> datetime:
    """When a bar stops to move."""
    asked = intervals.named(interval)
    return _session_ends(chart, session) if asked.is_whole else opened_at + timedelta(seconds=asked.seconds)


def _session_ends(chart: dict, session: date) -> datetime:
    """When a day's bar stops to move; where the exchange's hours are not told, with its day."""
    zone, period = _zone(chart), _regular(chart)
    if period and session == period[0].date():
        return period[1]
    last = moment(chart["meta"].get("regularMarketTime"), zone)
    if period and last and session == last.date() and period[0] > last and period[1] - period[0] < WHOLE_DAY:
        return last  # the period named is already the next session's
    return datetime.combine(session + timedelta(days=1), time.min, zone)


def _regular(chart: dict) -> tuple[datetime, datetime] | None:
    """From when to when the session goes that runs or comes next; None where it is not told."""
    return _period(part(chart["meta"], "currentTradingPeriod", "regular"), _zone(chart))


def _period(told: dict, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    start, end = moment(told.get("start"), zone), moment(told.get("end"), zone)
    return (start, end) if start and end and start < end else None


def _market_state(meta: dict, as_of: datetime, now: datetime) -> str:
    told = part(meta, "currentTradingPeriod")
    periods = {name: _period(part(told, name), as_of.tzinfo) for name in ("regular", "pre", "post")}
    if periods["regular"] is None:
        return _by_age(as_of, now)
    states = {"regular": "open", "pre": "pre", "post": "post"}
    return next((states[name] for name, period in periods.items() if period and period[0] <= now < period[1]), "closed")


def _by_age(as_of: datetime, now: datetime) -> str:
    return "open" if now - as_of < LIVELY else "closed"
