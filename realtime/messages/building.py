"""What we send. A published message is encoded once, without its `seq`: `streams` adds that when it numbers it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Protocol, TypedDict

import orjson

from market import prices
from market.bars.wire import bar_fields
from market.coverage.telling import REVISION, Change, Span
from market.prices import FORMING, OPEN, Bar, Quote
from market.quotes.wire import quote_fields
from realtime import kinds
from realtime.kinds import ALERTS, BARS, INDICATORS, JOBS, PRICES, SIGNALS, SYSTEM, Kind
from realtime.messages.shapes import HEARTBEAT_SECONDS, PROTOCOL

_OF_SIGNAL = (
    "id", "symbol", "interval", "rule", "direction", "state", "holds", "as_of", "as_of_precision", "session_date",
    "price", "values", "source", "received_at", "version", "record",
)  # fmt: skip
_NOT_KEPT = {"open", "high", "low", "market_state", "extended"}  # of a quote in its snapshot


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream, before it has its number.

    body: the JSON object, encoded, without `seq`. keep: goes into the history, so that it can be recovered.
    conflate: for a client that asked for the newest only, a later one replaces it. aside: it says nothing of where the
    stream stands, and whoever comes later is told the message before it. once: names what is told once only, also where
    it is published again after a crash; empty for what is not.
    """

    stream: str
    body: bytes
    keep: bool
    conflate: bool
    aside: bool = False
    once: str = ""


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


class Finding(Protocol):
    """What the half-hourly analysis found of a symbol, as `analysis.reports.runs` gives it."""

    session_date: date
    close: float
    change_percent: float | None
    trend: str | None
    momentum: str | None
    new_high: bool
    new_low: bool


class Market(Protocol):
    """What it found of all together."""

    symbols: int
    without_bar: int
    failed: int
    breadth: dict[str, int]
    named: dict[str, list[str]]


class Run(Protocol):
    """A run of it; pass_number: of a recording."""

    at: datetime
    interval: str
    source: str
    market: Market
    pass_number: int | None


class PastPrice(Protocol):
    """What `market.models.Snapshot` holds of a quote."""

    price: float
    previous_close: float | None
    volume: int | None
    session_date: date
    as_of: datetime
    as_of_precision: str
    received_at: datetime
    source: str


class AlertRow(Protocol):
    """What `realtime.models.Alert` holds."""

    id: int | None  # none of what was played to one client: it is stored nowhere
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
    return _message(PRICES, PRICES.of(quote.ticker), quote_fields(quote))


def bar(value: Bar, version: str, adjustment: str = "") -> Message:
    """A bar. version: of the final bars; of one that forms those that it stands upon. adjustment: see `bar_fields`."""
    stream = BARS.of(value.ticker, value.interval)
    fields = {"stream": stream, **bar_fields(value, version, adjustment)}
    return _message(BARS, stream, fields, is_forming=value.state == FORMING)


def settled(value: Bar, version: str) -> Message:
    """A bar that was told as it closed, and is final now: once, however often that is repeated, and beside those that
    have come since.
    """
    return _once(replace(bar(value, version), aside=True))


def correction(ticker: str, change: Change) -> Message:
    """Bars that were held say something else now: what is kept of them is read again. change: one with a span."""
    stream = BARS.of(ticker, change.interval)
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
    return _once(Message(stream, encode(body), keep=True, conflate=False, aside=True))


def taken_back(value: Bar, version: str) -> Message:
    """A bar that was told while it formed, and that nobody has: what is kept of its session is read again."""
    span = Span(value.session_date, value.session_date, REVISION)
    told = correction(value.ticker, Change(0, value.interval, version, version, span))
    return replace(told, once="")  # several of one session are told alike, each in its turn


def indicators(values: IndicatorValues, key: str = "", finding: Finding | None = None) -> Message:
    """What everybody gets, or one indicator by its key on the stream that it has alone.

    finding: what the half-hourly analysis has to say beside.
    """
    stream = INDICATORS.of(values.ticker, values.interval, key)
    told, reasons = values.values, values.reasons
    if key:
        told = {key: told[key]}
        reasons = {key: reasons[key]} if key in reasons else {}
    fields = {
        "stream": stream,
        "symbol": values.ticker,
        "interval": values.interval,
        "as_of": prices.instant(values.as_of),
        "session_date": values.session_date.isoformat(),
        "as_of_precision": values.as_of_precision,
        "adjustment": values.adjustment,
        "state": values.state,
        "is_final": values.is_final,
        "values": told,
        "reasons": reasons,
        "source": values.source,
        "received_at": prices.instant(values.received_at),
        "version": values.version,
        **({} if finding is None else {"analysis": _finding(finding)}),
    }
    return _message(INDICATORS, stream, fields, is_forming=values.state == FORMING)


def alert(row: AlertRow) -> Message:
    """An alert for everybody on its symbol's stream, or its owner's on theirs, which they know as `alerts:@me`."""
    ticker = row.symbol.ticker
    stream = ALERTS.of_user(row.owner_id) if row.owner_id else ALERTS.of(ticker)
    fields = {
        "stream": kinds.public(stream),
        **({} if row.id is None else {"id": row.id}),
        "symbol": ticker,
        "kind": row.kind,
        "severity": row.severity,
        "message": row.message,
        **({} if row.values is None else {"values": row.values}),
        "price": row.price,
        "timestamp": prices.instant(row.as_of),
        "session_date": row.session_date.isoformat(),
        "as_of_precision": row.as_of_precision,
        "source": row.source,
        "received_at": prices.instant(row.received_at),
    }
    return _once(_message(ALERTS, stream, fields))


def signal(told: dict[str, Any]) -> Message:
    """A signal, as analysis.seen.asked tells one: once in each of its states. What is played has no id."""
    stream = SIGNALS.of(told["symbol"], told["interval"])
    return _once(
        _message(SIGNALS, stream, {"stream": stream, **{name: told[name] for name in _OF_SIGNAL if name in told}})
    )


def system(text: str, now: datetime, *, type: str = SYSTEM.message) -> Message:
    """What everybody is told, as a status or as an alert."""
    body = encode({**announcement(text, now, type=type), "stream": SYSTEM.name})
    return Message(SYSTEM.name, body, SYSTEM.keeps(is_forming=False), SYSTEM.conflates(is_forming=False))


def analysed(run: Run) -> Message:
    """What the half-hourly analysis found of the market."""
    market, of = run.market, run.market.breadth
    text = (
        f"Of {market.symbols} symbols {of['rising']} rise and {of['falling']} fall; {of['overbought']} are overbought "
        f"and {of['oversold']} oversold; {of['new_high']} stand at a high of 52 weeks and {of['new_low']} at a low."
    )
    facts = {
        "interval": run.interval,
        "symbols": market.symbols,
        "without_bar": market.without_bar,
        "failed": market.failed,
        "breadth": market.breadth,
        **market.named,
        "source": run.source,
        **({} if run.pass_number is None else {"pass": run.pass_number}),
    }
    said = system(text, run.at)
    return replace(said, body=said.body[:-1] + b',"market":' + encode(facts) + b"}")


def announcement(text: str, now: datetime, *, type: str, symbol: str | None = None) -> dict[str, Any]:
    """What people say to those who are connected; as it is, it has no number and is of no stream."""
    fields = {"type": type, "message": text, "timestamp": prices.instant(now)}
    if type == ALERTS.message:
        return {**fields, "symbol": symbol, "kind": SYSTEM.message, "severity": "warning"}
    return fields


def jobs(changes: list[dict[str, Any]], *, is_whole: bool) -> Message:
    """Changes of jobs; not whole where more happened than the list between the rooms holds: read them by REST then."""
    return _message(JOBS, JOBS.name, {"stream": JOBS.name, "jobs": changes, "is_whole": is_whole})


def replayed(message: Message, seq: int) -> bytes:
    """A message of a past session, with its number in a client's own replay."""
    return b'%s,"replay":true,"seq":%d}' % (message.body[:-1], seq)


def _finding(found: Finding) -> dict[str, Any]:
    names = ("close", "change_percent", "trend", "momentum", "new_high", "new_low")
    return {"session_date": found.session_date.isoformat(), **{name: getattr(found, name) for name in names}}


def _once(message: Message) -> Message:
    """What says a thing that happens once: the same words again are the same telling again."""
    digest = blake2b(message.stream.encode() + b" " + message.body, digest_size=12)
    return replace(message, once=f"{message.stream}:{digest.hexdigest()}")


def _message(kind: Kind, stream: str, fields: dict[str, Any], *, is_forming: bool = False) -> Message:
    """What a kind tells; `is_forming`: what it tells of is not over yet."""
    body = encode({"type": kind.message, **fields})
    return Message(stream, body, kind.keeps(is_forming=is_forming), kind.conflates(is_forming=is_forming))


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


def gap(
    stream: str, epoch: str, first: int, last: int, reason: str, *, had: tuple[str, int] | None = None
) -> dict[str, Any]:
    """Messages `first` to `last` of a stream can't be had here; `rest` says where their facts are.

    had: the epoch and seq up to which the client has the stream, where that is of an epoch before this one.
    """
    message = {"type": "gap", "stream": stream, "epoch": epoch, "from": first, "to": last, "reason": reason}
    path, after = kinds.rest(stream), had or ((epoch, first - 1) if first else None)
    # The epoch is a client's word; behind one that is none of ours comes all that there is.
    if path and kinds.of(stream).has_rows and after and kinds.PLACE.fullmatch(place := f"{after[0]}:{after[1]}"):
        path += f"&after={place}"
    return {**message, "rest": path} if path else message


def current_prices(quotes: dict[str, Quote | None], now: datetime) -> dict[str, Any]:
    found = {ticker: None if quote is None else quote_fields(quote) for ticker, quote in quotes.items()}
    return {"type": "current_prices", "timestamp": prices.instant(now), "prices": found}


def past_price(ticker: str, row: PastPrice) -> bytes:
    """A price that was told once, as its snapshot keeps it: without its number, and what else its session had."""
    values = {name: getattr(row, name) for name in PastPrice.__annotations__}
    quote = Quote(ticker=ticker, open=None, high=None, low=None, market_state=OPEN, **values)
    fields = {name: value for name, value in quote_fields(quote).items() if name not in _NOT_KEPT}
    return encode({"type": PRICES.message, **fields})


def history(ticker: str, told: Sequence[bytes], id: str | int | None) -> bytes:
    """The last prices of a symbol, newest last."""
    head = {"type": "history", "symbol": ticker, **({} if id is None else {"id": id})}
    return encode(head)[:-1] + b',"prices":[' + b",".join(told) + b"]}"


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
