"""What Yahoo's answers say, as our values. Pure: a parsed answer goes in, bars, actions and quotes come out.

Yahoo's prices and dividends are split-adjusted as of today. Bars and dividends leave here as traded and as paid:
multiplied back by the splits that follow them. Quotes are today's and so already as traded.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from market import prices
from market.prices import Action, Bar, Quote

SOURCE = "yahoo"
SETTLING = timedelta(minutes=20)  # Yahoo still corrects a session's last bar for a while after its close
WHOLE_DAY = timedelta(hours=23)
# Seconds of an interval. Weeks and months have no as-traded prices across a split; they are made from days.
INTERVALS = {"1d": 86_400, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}
# A daily row stamped this late belongs to the next day: its midnight was computed with the other daylight saving time.
LATE_HOUR = 22
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
    """The chart's candles as traded, oldest first, one a session or instant; `is_final` once they have settled."""
    splits = _splits(chart)
    found = {}
    for row in rows(chart):
        session_date = _session_date(row.at)
        factor = _later(splits, session_date)
        opened_at = prices.midnight(session_date) if interval == "1d" else row.at.astimezone(UTC)
        # Yahoo repeats the running session's row with newer numbers: the later one counts.
        found[opened_at] = Bar(
            ticker=ticker,
            interval=interval,
            opened_at=opened_at,
            open=_traded(row.open * factor, decimals),
            high=_traded(row.high * factor, decimals),
            low=_traded(row.low * factor, decimals),
            close=_traded(row.close * factor, decimals),
            volume=None if row.volume is None else round(row.volume / factor),
            is_final=now >= _ends(chart, opened_at, interval) + SETTLING,
            source=SOURCE,
            received_at=now,
        )
    return [found[opened_at] for opened_at in sorted(found)]


def actions(chart: dict, *, ticker: str) -> list[Action]:
    """The chart's splits and dividends, oldest first."""
    splits = _splits(chart)
    found = [Action(ticker, "split", ex_date, value) for ex_date, value in splits.items()]
    for event, ex_date in _events(chart, "dividends"):
        if _is_price(amount := event.get("amount")):
            found.append(Action(ticker, "dividend", ex_date, round(amount * _later(splits, ex_date), 6)))
    return sorted(found, key=lambda action: (action.ex_date, action.kind))


def rows(chart: dict) -> Iterator[Row]:
    """The complete candles: rows with a null, a NaN or a price of zero say nothing and are left out."""
    zone = _zone(chart)
    candles = (chart.get("indicators", {}).get("quote") or [{}])[0]
    columns = [candles.get(name) or [] for name in ("open", "high", "low", "close", "volume")]
    # Yahoo writes 0 for the volume of a currency pair, which has none.
    has_volume = chart["meta"].get("instrumentType") != "CURRENCY"
    for stamp, *values, volume in zip(chart.get("timestamp") or [], *columns, strict=True):
        if all(map(_is_price, values)):
            count = round(volume) if has_volume and _is_number(volume) else None
            yield Row(datetime.fromtimestamp(stamp, zone), *map(float, values), count)


def next_session(chart: dict) -> datetime:
    """When the exchange's running session began, or its next begins; in its own zone."""
    return datetime.fromtimestamp(chart["meta"]["currentTradingPeriod"]["regular"]["start"], _zone(chart))


def quote(chart: dict, *, ticker: str, decimals: int, now: datetime) -> Quote | None:
    """The last price by a chart of the last few days; None where it has none."""
    meta, zone = chart["meta"], _zone(chart)
    if not _is_price(meta.get("regularMarketPrice")) or not meta.get("regularMarketTime"):
        return None
    as_of = datetime.fromtimestamp(meta["regularMarketTime"], zone)
    candles = {_session_date(row.at): row for row in rows(chart)}
    before = [session_date for session_date in candles if session_date < as_of.date()]
    previous = candles[max(before)].close if before else _price(meta, "chartPreviousClose")
    today = candles.get(as_of.date())
    found = Quote(
        ticker=ticker,
        price=meta["regularMarketPrice"],
        previous_close=previous,
        open=today and today.open,
        high=_price(meta, "regularMarketDayHigh") or (today and today.high),
        low=_price(meta, "regularMarketDayLow") or (today and today.low),
        volume=_volume(meta),
        session_date=as_of.date(),
        as_of=as_of.astimezone(UTC),
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state=_market_state(meta, now),
        is_final=now >= _ends(chart, prices.midnight(as_of.date()), "1d") + SETTLING,
    )
    return prices.rounded(found, decimals)


def listed_quote(listed: dict, *, ticker: str, decimals: int, now: datetime) -> Quote | None:
    """The last price by one entry of the v7 quote list; None where it has none."""
    if not _is_price(listed.get("regularMarketPrice")) or not listed.get("regularMarketTime"):
        return None
    as_of = datetime.fromtimestamp(listed["regularMarketTime"], ZoneInfo(listed["exchangeTimezoneName"]))
    state = MARKET_STATES.get(listed.get("marketState"), "closed")
    settled_at = as_of + SETTLING + timedelta(minutes=listed.get("exchangeDataDelayedBy") or 0)
    found = Quote(
        ticker=ticker,
        price=listed["regularMarketPrice"],
        previous_close=_price(listed, "regularMarketPreviousClose"),
        open=_price(listed, "regularMarketOpen"),
        high=_price(listed, "regularMarketDayHigh"),
        low=_price(listed, "regularMarketDayLow"),
        volume=None if listed.get("quoteType") == "CURRENCY" else _volume(listed),
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
    return ZoneInfo(chart["meta"]["exchangeTimezoneName"])


def _session_date(at: datetime) -> date:
    """The exchange's own date. Taken before any conversion: Seoul's and Paris's midnights are yesterday in UTC."""
    return at.date() + timedelta(days=1) if at.hour >= LATE_HOUR else at.date()


def _events(chart: dict, kind: str) -> list[tuple[dict, date]]:
    zone = _zone(chart)
    events = (chart.get("events") or {}).get(kind) or {}
    return [(event, _session_date(datetime.fromtimestamp(event["date"], zone))) for event in events.values()]


def _splits(chart: dict) -> dict[date, float]:
    """New shares for one old by ex date, oldest first."""
    found = {
        ex_date: event["numerator"] / event["denominator"]
        for event, ex_date in _events(chart, "splits")
        if _is_price(event.get("numerator")) and _is_price(event.get("denominator"))
    }
    return dict(sorted(found.items()))


def _later(splits: dict[date, float], session_date: date) -> float:
    """What one share of that session has become."""
    return math.prod(value for ex_date, value in splits.items() if ex_date > session_date)


def _traded(price: float, decimals: int) -> float:
    """The price rounded to its symbol's decimals, half a cent to the same side whatever splits it went through."""
    return round(round(price, decimals + 2), decimals)


def _ends(chart: dict, opened_at: datetime, interval: str) -> datetime:
    """When a bar stops to move."""
    if interval != "1d":
        return opened_at + timedelta(seconds=INTERVALS[interval])
    zone, regular = _zone(chart), chart["meta"]["currentTradingPeriod"]["regular"]
    starts, ends = (datetime.fromtimestamp(regular[name], zone) for name in ("start", "end"))
    session_date = opened_at.date()
    if session_date == starts.date():
        return ends
    last = datetime.fromtimestamp(chart["meta"].get("regularMarketTime") or 0, zone)
    if session_date == last.date() and starts > last and ends - starts < WHOLE_DAY:
        return last  # the period named is already the next session's
    return datetime.combine(session_date + timedelta(days=1), time.min, zone)


def _market_state(meta: dict, now: datetime) -> str:
    states = {"regular": "open", "pre": "pre", "post": "post"}
    for name, period in (meta.get("currentTradingPeriod") or {}).items():
        if name in states and period["start"] <= now.timestamp() < period["end"]:
            return states[name]
    return "closed"


def _price(answer: dict, name: str) -> float | None:
    return answer[name] if _is_price(answer.get(name)) else None


def _volume(answer: dict) -> int | None:
    if answer.get("instrumentType") == "CURRENCY" or not _is_number(answer.get("regularMarketVolume")):
        return None
    return round(answer["regularMarketVolume"])


def _is_price(value: object) -> bool:
    return _is_number(value) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
