"""What we send. A published message is encoded once, without its `seq`: `streams` adds that when it numbers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypedDict

import orjson

from market import prices
from market.bars.wire import bar_fields
from market.coverage.telling import Change
from market.intervals import DAY
from market.prices import FORMING, Bar, Quote
from market.quotes.wire import quote_fields
from realtime.messages.shapes import HEARTBEAT_SECONDS, PROTOCOL


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream, before it has its number.

    body: the JSON object, encoded, without `seq`. keep: goes into the history, so that it can be recovered.
    conflate: for a client that asked for the newest only, a later one replaces it. aside: it says nothing of where the
    stream stands, and whoever comes later is told the message before it.
    """

    stream: str
    body: bytes
    keep: bool
    conflate: bool
    aside: bool = False


class Service(TypedDict):
    """What prices need: the store, the feed and its source; `detail` says why the source gives none."""

    redis: bool
    feed: bool
    source: bool
    detail: str | None


class IndicatorValues(Protocol):
    """The newest values of a symbol's indicators, as `analysis.summary` gives them."""

    ticker: str
    interval: str
    as_of: datetime
    as_of_precision: str
    adjustment: str
    is_final: bool
    state: str
    source: str
    received_at: datetime
    session_date: date
    values: dict[str, dict[str, float | None]]
    reasons: dict[str, str]
    version: str


class AlertRow(Protocol):
    """What `realtime.models.Alert` holds."""

    id: int
    owner_id: int | None
    kind: str
    severity: str
    message: str
    price: float
    session_date: date
    as_of: datetime
    as_of_precision: str
    source: str
    received_at: datetime


def encode(message: dict[str, Any]) -> bytes:
    """JSON as it stands on the wire; NaN and infinity, which JSON does not have, become null."""
    return orjson.dumps(message)


def price(quote: Quote) -> Message:
    body = encode({"type": "price_update", **quote_fields(quote)})
    return Message(f"prices:{quote.ticker}", body, keep=True, conflate=True)


def bar(value: Bar, version: str) -> Message:
    """A bar. version: of the final bars; of one that forms those that it stands upon."""
    stream = f"bars:{value.ticker}"
    body = {"type": "bar", "stream": stream, **bar_fields(value, version)}
    return Message(stream, encode(body), keep=value.state != FORMING, conflate=value.state == FORMING)


def correction(ticker: str, change: Change) -> Message:
    """Bars that were held say something else now: what is kept of them is read again. change: one with a span."""
    stream = f"bars:{ticker}" if change.interval == DAY.name else f"bars:{ticker}@{change.interval}"
    body = {
        "type": "correction",
        "stream": stream,
        "symbol": ticker,
        "interval": change.interval,
        "from": change.span.first.isoformat(),
        "to": change.span.last.isoformat(),
        "reason": change.span.reason,
        "version": change.after,
    }
    return Message(stream, encode(body), keep=True, conflate=False, aside=True)


def indicators(values: IndicatorValues) -> Message:
    stream = f"indicators:{values.ticker}"
    body = {
        "type": "indicators",
        "stream": stream,
        "symbol": values.ticker,
        "interval": values.interval,
        "as_of": prices.instant(values.as_of),
        "session_date": values.session_date.isoformat(),
        "as_of_precision": values.as_of_precision,
        "adjustment": values.adjustment,
        "state": values.state,
        "is_final": values.is_final,
        "values": values.values,
        "reasons": values.reasons,
        "source": values.source,
        "received_at": prices.instant(values.received_at),
        "version": values.version,
    }
    return Message(stream, encode(body), keep=values.state != FORMING, conflate=values.state == FORMING)


def alert(row: AlertRow) -> Message:
    """An alert for everybody on its symbol's stream, or its owner's on theirs, which they know as `alerts:@me`."""
    ticker = row.symbol.ticker
    body = {
        "type": "alert",
        "stream": "alerts:@me" if row.owner_id else f"alerts:{ticker}",
        "id": row.id,
        "symbol": ticker,
        "kind": row.kind,
        "severity": row.severity,
        "message": row.message,
        "price": row.price,
        "timestamp": prices.instant(row.as_of),
        "session_date": row.session_date.isoformat(),
        "as_of_precision": row.as_of_precision,
        "source": row.source,
        "received_at": prices.instant(row.received_at),
    }
    stream = f"alerts:@{row.owner_id}" if row.owner_id else f"alerts:{ticker}"
    return Message(stream, encode(body), keep=True, conflate=False)


def system(text: str, now: datetime) -> Message:
    body = {"type": "system_status", "stream": "system", "message": text, "timestamp": prices.instant(now)}
    return Message("system", encode(body), keep=True, conflate=False)


def jobs(changes: list[dict[str, Any]], *, is_whole: bool) -> Message:
    """Changes of jobs; not whole where more happened than the list between the rooms holds: read them by REST then."""
    body = {"type": "jobs", "stream": "jobs", "jobs": changes, "is_whole": is_whole}
    return Message("jobs", encode(body), keep=True, conflate=False)


def connected(client_id: str) -> dict[str, Any]:
    return {
        "type": "connected",
        "client_id": client_id,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "protocol": PROTOCOL,
    }


def unsubscribed(streams: list[str], subscriptions: list[str], reason: str) -> dict[str, Any]:
    """These streams have ended, and those are left."""
    return {"type": "unsubscribed", "streams": streams, "reason": reason, "subscriptions": subscriptions}


def epoch(stream: str, name: str, seq: int = 0) -> dict[str, Any]:
    return {"type": "epoch", "stream": stream, "epoch": name, "seq": seq}


def renamed(stream: str, to: str) -> dict[str, Any]:
    """A stream goes on under another name, at the same place: its symbol has another ticker."""
    return {"type": "renamed", "stream": stream, "to": to}


def gap(stream: str, epoch: str, first: int, last: int, reason: str) -> dict[str, Any]:
    """Messages `first` to `last` of a stream can't be had here; `rest` says where their facts are."""
    message = {"type": "gap", "stream": stream, "epoch": epoch, "from": first, "to": last, "reason": reason}
    kind, _, ticker = stream.partition(":")
    path = _REST.get(kind)
    return {**message, "rest": path.format(ticker=ticker)} if path else message


_REST = {
    "prices": "/api/v2/symbols/{ticker}/quote/",
    "bars": "/api/v2/symbols/{ticker}/bars/",
    "indicators": "/api/v2/technical-analysis/indicators/{ticker}",
}


def current_prices(quotes: dict[str, Quote | None], now: datetime) -> dict[str, Any]:
    found = {ticker: None if quote is None else quote_fields(quote) for ticker, quote in quotes.items()}
    return {"type": "current_prices", "timestamp": prices.instant(now), "prices": found}


def server_shutdown(retry_after: float) -> dict[str, Any]:
    return {"type": "server_shutdown", "retry_after": retry_after}


def service_status(parts: Service, now: datetime) -> dict[str, Any]:
    """Whether prices can come: unnumbered, about this connection's server, at a change and after `connected`."""
    return {"type": "service_status", **parts, "timestamp": prices.instant(now)}


def error(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message, **more}


def merged(updates: Sequence[bytes]) -> bytes:
    """One `price_updates` frame of many encoded updates, for a client that asked for batches."""
    return b'{"type":"price_updates","updates":[' + b",".join(updates) + b"]}"
