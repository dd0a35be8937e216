"""Charts as in Yahoo's v8 answers: recorded ones, and ones made of the recorded sessions in bokeh_sampledata."""

import copy
import json
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from bokeh_sampledata import stocks

from market.models import Symbol

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data"
NEW_YORK = ZoneInfo("America/New_York")
SPLITS = {"AAPL": ["2000-06-21", "2005-02-28"], "MSFT": ["2003-02-18"]}  # two for one each
RANGES = {"1d": 1, "5d": 5}


FACTS = {
    "BTC-USD": {"exchange": "CCC", "time_zone": "UTC", "asset_type": "crypto"},
    "EURUSD=X": {"exchange": "CCY", "time_zone": "Europe/London", "asset_type": "currency", "price_decimals": 4},
    "WSU.DE": {"exchange": "XETR", "time_zone": "Europe/Berlin", "currency": "EUR"},
    "005930.KS": {"exchange": "XKRX", "time_zone": "Asia/Seoul", "currency": "KRW", "price_decimals": 0},
}


def symbol_of(ticker: str, **facts: object) -> Symbol:
    """One that is in no database, at home in New York unless something else is known or said."""
    usual = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol(ticker=ticker, name=ticker, **{**usual, **FACTS.get(ticker, {}), **facts})


def recorded(name: str) -> dict:
    """A recorded JSON file, such as yahoo/errors.json; the test is skipped where the recordings are absent."""
    path = RECORDINGS / name
    if not path.exists():
        pytest.skip(f"needs the recorded exchanges of Yahoo, and {path} is absent")
    return json.loads(path.read_text())


def recording(name: str) -> dict:
    """The one chart of a recorded exchange."""
    return recorded(f"yahoo/chart-{name}.json")["body"]["chart"]["result"][0]


def made_chart(ticker: str, **meta: object) -> dict:
    """The bars of bokeh_sampledata as Yahoo would tell them: split-adjusted, in float32, with the splits as events."""
    data = getattr(stocks, ticker)
    splits = SPLITS.get(ticker, [])
    factors = np.array([2.0 ** sum(split > day for split in splits) for day in data["date"]])
    opens = [datetime.combine(datetime.fromisoformat(day), time(9, 30), NEW_YORK) for day in data["date"]]
    candles = {name: (np.array(data[name]) / factors).astype("f4").astype(float).tolist() for name in ("open", "high")}
    candles |= {name: (np.array(data[name]) / factors).astype("f4").astype(float).tolist() for name in ("low", "close")}
    candles["volume"] = (np.array(data["volume"]) * factors).astype(int).tolist()
    return {
        "meta": {**_meta(ticker, opens[-1], candles), **meta},
        "timestamp": [int(at.timestamp()) for at in opens],
        "indicators": {"quote": [candles]},
        "events": {"splits": dict(map(_split_event, splits))} if splits else {},
    }


def cut(chart: dict, asked: dict) -> dict:
    """The part of a chart that a request's period1 and period2, or its range, names; events inside it only."""
    stamps = chart.get("timestamp") or []
    first = int(asked.get("period1", 0)) or min(stamps[-RANGES[asked["range"]] :], default=0)
    last = int(asked.get("period2", 1 << 40))
    kept = [index for index, stamp in enumerate(stamps) if first <= stamp < last]
    part = copy.deepcopy({name: value for name, value in chart.items() if name != "timestamp"})
    if kept:
        part["timestamp"] = [stamps[index] for index in kept]
    candles = part["indicators"]["quote"][0]
    if kept and kept[0] > 0:
        part["meta"]["chartPreviousClose"] = candles["close"][kept[0] - 1]
    part["indicators"]["quote"] = [{name: [column[index] for index in kept] for name, column in candles.items()}]
    for kind, events in (part.get("events") or {}).items():
        part["events"][kind] = {key: event for key, event in events.items() if first <= event["date"] < last}
    return part


def listed(chart: dict) -> dict:
    """A chart's newest session as an entry of the quote list."""
    meta, candles = chart["meta"], chart["indicators"]["quote"][0]
    same = ("symbol", "currency", "exchangeTimezoneName", "regularMarketPrice", "regularMarketTime")
    return {
        **{name: meta[name] for name in (*same, "regularMarketDayHigh", "regularMarketDayLow", "regularMarketVolume")},
        "quoteType": meta["instrumentType"],
        "marketState": "CLOSED",
        "regularMarketOpen": candles["open"][-1],
        "regularMarketPreviousClose": candles["close"][-2],
    }


def _meta(ticker: str, opens: datetime, candles: dict[str, list]) -> dict:
    closes = opens + timedelta(hours=6, minutes=30)
    periods = {
        "pre": (opens - timedelta(hours=5, minutes=30), opens),
        "regular": (opens, closes),
        "post": (closes, closes + timedelta(hours=4)),
    }
    return {
        "symbol": ticker,
        "currency": "USD",
        "exchangeName": "NMS",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
        "regularMarketTime": int(closes.timestamp()),
        "regularMarketPrice": candles["close"][-1],
        "regularMarketDayHigh": candles["high"][-1],
        "regularMarketDayLow": candles["low"][-1],
        "regularMarketVolume": candles["volume"][-1],
        "chartPreviousClose": candles["close"][0],
        "currentTradingPeriod": {
            name: {"start": int(start.timestamp()), "end": int(end.timestamp())}
            for name, (start, end) in periods.items()
        },
    }


def _split_event(day: str) -> tuple[str, dict]:
    stamp = int(datetime.combine(datetime.fromisoformat(day), time(9, 30), NEW_YORK).timestamp())
    return str(stamp), {"date": stamp, "numerator": 2, "denominator": 1, "splitRatio": "2:1"}
