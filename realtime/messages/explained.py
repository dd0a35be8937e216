"""What each part of the protocol means, in a sentence, with an example: for the schema, and the page made from it."""

from market.intervals import DAY

_AT = "2026-03-02T15:04:05Z"
_STREAM = "prices:AAPL"
_PRICE = {
    "type": "price_update", "symbol": "AAPL", "current_price": 187.32, "previous_close": 186.1, "change": 1.22,
    "change_percent": 0.6556, "volume": 51_234_567, "open": 186.4, "high": 187.5, "low": 185.9, "timestamp": _AT,
    "session_date": "2026-03-02", "as_of_precision": "second", "received_at": "2026-03-02T15:04:05.120Z",
    "source": "yahoo", "market_state": "open", "extended": None, "seq": 1042,
}  # fmt: skip
_OLDER = {
    name: value
    for name, value in _PRICE.items()
    if name not in ("open", "high", "low", "market_state", "extended", "seq")
}
_OF = {"symbol": "AAPL", "interval": DAY.name, "session_date": "2026-03-02"}
_FROM = {"as_of": _AT, "as_of_precision": "second", "source": "yahoo", "received_at": _AT, "version": "0199"}
_BAR = {
    "type": "bar", "stream": "bars:AAPL", **_OF, "opened_at": "2026-03-02T00:00:00Z", "open": 186.4, "high": 187.5,
    "low": 185.9, "close": 187.32, "volume": 51_234_567, "adjustment": "split", "state": "forming", "is_final": False,
    "revision": 0, **_FROM, "seq": 88,
}  # fmt: skip

ACTIONS = {
    "subscribe": (
        "Hold streams, from now on or since where one was: what was missed comes first, or one gap. `symbols` may be"
        ' ["*"]; `interval` is of bars, indicators and signals, `indicators` beyond the default set of indicators.'
        " Bars within sessions and such indicators are told from the first who holds them to 60 s after the last: who"
        " comes back later hears of a gap.",
        {"action": "subscribe", "type": "prices", "symbols": ["AAPL", "GOOGL"], "id": 1},
    ),
    "unsubscribe": (
        "Give streams up: of the type all, and each further word makes it less.",
        {"action": "unsubscribe", "type": "prices", "symbols": ["AAPL"], "id": 2},
    ),
    "get_current_prices": (
        "The newest price of each symbol, null where there is none.",
        {"action": "get_current_prices", "symbols": ["AAPL"], "id": 3},
    ),
    "get_history": (
        "The last prices that were told, newest last: 50, or as many as `limit` says.",
        {"action": "get_history", "symbol": "AAPL", "limit": 50, "id": 4},
    ),
    "configure": (
        "How prices come in mode latest: in one frame a flush, at a pace of one's own, with the wanted fields alone."
        " Null takes it back.",
        {"action": "configure", "batch": True, "pace_ms": 1000, "fields": ["current_price", "change_percent"]},
    ),
    "authenticate": (
        "Say who one is, by a one-time ticket or an API key.",
        {"action": "authenticate", "token": "a ticket or a key"},
    ),
    "ping": ("Ask whether the server is there.", {"action": "ping", "id": 5}),
    "replay": (
        "Stream past sessions over the same messages, to this client alone: prices, bars, indicators, the"
        " signals at each close and what rules would ring that it hears, each with `replay`, numbered by themselves and"
        " stored nowhere. `speed` is how many seconds of a session pass in one, 60 where it is not said."
        " It begins with the first session from `at`"
        " on, else from `start` on, and is held there where it is begun `paused`. `indicators` names those that it"
        " tells beyond the ones that everybody gets, each on a stream of its own, as `subscribe` does. `intervals` are"
        " those of which bars within sessions form and close too, where prices are held or bars that are no longer. A"
        " connection has one replay: another takes its place. It goes no faster than it is read.",
        {"action": "replay", "symbols": ["AAPL"], "start": "2012-09-04", "end": "2012-09-05", "speed": 60},
    ),
    "pause": ("Hold a replay where it is.", {"action": "pause"}),
    "resume": (
        "Let a replay go on; with a `speed`, at that one from now on, also where it plays.",
        {"action": "resume", "speed": 3600},
    ),
    "seek": (
        "Let a replay go on from the first session of another day on, or from the next one that has an `event`: one of"
        " the two is said. A `split` changes what a share is, an `alert` rings, a `record` is higher or lower than the"
        " 52 weeks before it.",
        {"action": "seek", "to": "2012-09-05"},
    ),
    "stop": ("End a replay.", {"action": "stop"}),
}

MESSAGES = {
    "connected": (
        "The first message.",
        {"type": "connected", "client_id": "f3a9c1", "heartbeat_seconds": 30, "protocol": 1},
    ),
    "subscribed": (
        "Where each stream is, all that is held now, and the newest of each that starts here. A large answer comes in"
        " pieces: all but the last have `more`. `published` is false where nobody tells of it yet. Symbols that are"
        " `starting` are asked for at the source: each comes in another answer with the same id, or in an error.",
        {
            "type": "subscribed", "id": 1, "streams": {_STREAM: {"epoch": "5f1c", "seq": 1041, "recovered": False}},
            "subscriptions": [_STREAM], "snapshot": [{**_PRICE, "seq": 1041}],
        },
    ),
    "unsubscribed": (
        "These streams have ended: it was asked for, or the rights to them ended, or nobody can tell for now.",
        {"type": "unsubscribed", "id": 2, "streams": [_STREAM], "reason": "asked", "subscriptions": []},
    ),
    "current_prices": (
        "The answer to `get_current_prices`, by the names that were asked for.",
        {
            "type": "current_prices", "timestamp": _AT, "id": 3,
            "prices": {"AAPL": {name: value for name, value in _PRICE.items() if name not in ("type", "seq")}},
        },
    ),
    "configured": (
        "How prices come now.",
        {"type": "configured", "batch": True, "pace_ms": 1000, "fields": ["current_price", "change_percent"]},
    ),
    "pong": ("The answer to `ping`.", {"type": "pong", "timestamp": _AT, "id": 5}),
    "price_update": ("A price. `seq` grows by one a price; a skipped one shows in it.", _PRICE),
    "price_updates": (
        "All prices of one flush, for who asked for `batch`.",
        {"type": "price_updates", "updates": [_PRICE]},
    ),
    "bar": ("A bar as it forms, when it has closed, and when its source has settled it.", _BAR),
    "correction": (
        "Bars that were held say something else now: what is kept of the range is read again.",
        {
            "type": "correction", "stream": "bars:AAPL", "symbol": "AAPL", "interval": DAY.name, "from": "2020-08-03",
            "to": "2020-08-28", "reason": "split", "version": "0200", "seq": 89,
        },
    ),
    "indicators": (
        "The newest values of a symbol's indicators, null while one warms up; `reasons` says why else one has none.",
        {
            "type": "indicators", "stream": "indicators:AAPL", **_OF, "adjustment": "split", "state": "forming",
            "is_final": False, "values": {"sma_20": {"sma": 184.9}, "rsi_14": {"rsi": 58.2}}, "reasons": {}, **_FROM,
            "seq": 88,
        },
    ),
    "signal": (
        "A rule saw something on a bar.",
        {
            "type": "signal", "stream": "signals:AAPL", "id": 12, **_OF, "rule": "golden_cross", "direction": "up",
            "state": "confirmed", "holds": True, "price": 187.32, "values": {"sma_50": 181.2, "sma_200": 181.1},
            "record": None, **_FROM, "seq": 3,
        },
    ),
    "alert": (
        "A condition has come true.",
        {
            "type": "alert", "stream": "alerts:AAPL", "id": 7, "symbol": "AAPL", "kind": "price_above",
            "severity": "warning", "message": "AAPL rose above 187.00: it is at 187.32", "price": 187.32,
            "values": {"level": 187.0, "price": 187.32, "decimals": 2}, "timestamp": _AT,
            "session_date": "2026-03-02", "as_of_precision": "second", "source": "yahoo", "received_at": _AT, "seq": 7,
        },
    ),
    "news": (
        "News of symbols, or of the market.",
        {
            "type": "news", "stream": "news:AAPL", "id": 5, "title": "..", "url": "https://example.com/1",
            "publisher": "..", "published_at": _AT, "symbols": ["AAPL"], "source": "yahoo", "seq": 2,
        },
    ),
    "system_status": (
        "What staff or the system have to say.",
        {
            "type": "system_status", "stream": "system", "message": "Market closes in 30 minutes.", "timestamp": _AT,
            "seq": 3,
        },
    ),
    "service_status": (
        "Whether prices can come: the store, the feed, its source, and why the source gives none.",
        {"type": "service_status", "redis": True, "feed": True, "source": True, "detail": None, "timestamp": _AT},
    ),
    "jobs": (
        "Jobs that changed, for staff.",
        {
            "type": "jobs", "stream": "jobs", "jobs": [{"task_id": "0f9d", "status": "running"}], "is_whole": True,
            "seq": 4,
        },
    ),
    "metric": (
        "Figures about this service, for staff.",
        {"type": "metric", "stream": "metrics", "metrics": {"active_connections": 150}, "timestamp": _AT, "seq": 9},
    ),
    "history": (
        "The answer to `get_history`. What only a snapshot keeps has no `seq`.",
        {"type": "history", "symbol": "AAPL", "prices": [_OLDER, _PRICE], "id": 4},
    ),
    "authenticated": ("Who the client is now.", {"type": "authenticated", "user": "ada"}),
    "replay": (
        "How a replay stands, of which `at` is the session: as it begins, when it is steered, and as it ends. One that"
        " has ended can be sought in; one that stands still for ten minutes stops, and `reason` says why one did.",
        {
            "type": "replay", "state": "playing", "at": "2012-09-04T00:00:00Z",
            "session_date": "2012-09-04", "symbols": ["AAPL"],
            "start": "2012-09-04", "end": "2012-09-05", "speed": 60, "messages": 0,
        },
    ),
    "epoch": (
        "A stream begins anew: its numbers start again.",
        {"type": "epoch", "stream": _STREAM, "epoch": "77aa", "seq": 0},
    ),
    "renamed": (
        "A stream goes on under another name, where it was.",
        {"type": "renamed", "stream": "prices:FB", "to": "prices:META"},
    ),
    "gap": (
        "Messages that can't be had here any more; `rest` says where their facts are. In mode `every` what forms counts"
        " too, which is not kept: it is missing between what is (`not_kept`).",
        {
            "type": "gap", "stream": "bars:AAPL", "epoch": "5f1c", "from": 1001, "to": 1042,
            "reason": "history_expired", "rest": "/api/v2/symbols/AAPL/bars/",
        },
    ),
    "server_shutdown": (
        "The server stops: come back after so many seconds.",
        {"type": "server_shutdown", "retry_after": 1.37},
    ),
    "error": (
        "An action, or a part of it, that is not carried out. With unknown symbols it comes ahead of the answer for the"
        " others, or when the source has said that it does not know one that was starting.",
        {"type": "error", "id": 1, "code": "unknown_symbol", "message": "Not tracked here: XYZ1.", "symbols": ["XYZ1"]},
    ),
}  # fmt: skip

REFUSALS = {
    "malformed": "The frame is not one JSON object.",
    "binary": "The frame is binary.",
    "empty": "The frame is empty.",
    "oversized": "The frame is too large.",
    "too_deep": "The JSON is nested too deep.",
    "duplicate_key": "An object names a key twice.",
    "not_a_number": "NaN or infinity.",
    "unknown_action": "There is no such action.",
    "unknown_type": "There is no such type.",
    "invalid": "A field is missing, unknown or of another shape.",
    "unknown_symbol": "These symbols are not tracked here. To a login, or a key with the scope write, a subscription"
    " starts what the source knows.",
    "too_many_symbols": "More symbols than one request, or one connection, may have.",
    "too_many_indicators": "More indicators of one's own than one connection may have.",
    "no_room": "More indicators than the server makes for all together; nothing was changed. Try again after a minute.",
    "rate_limited": "Too many messages.",
    "login_required": "It needs a login.",
    "staff_only": "It is for staff.",
    "invalid_token": "The ticket or key is unknown, used or expired.",
    "temporarily_unavailable": "The server can't reach its data; try again in a few seconds.",
    "not_started": "The source could not be asked about a new symbol for now; subscribe again in a while.",
    "too_many_connections": "Its address, person or key has as many sockets and streams open as may be: close one.",
    "no_bars": "There are no bars of these symbols in the range; the text says what is held.",
    "no_replay": "No replay plays on this connection.",
    "no_event": "Up to its end a replay has no such event any more.",
    "too_many_replays": "The user, or the server, has as many replays as may be at once.",
}

CLOSES = {
    "slow_client": "The client did not read what it was sent.",
    "server_shutdown": "The server stops.",
    "too_many_requests": "Too many messages, pings or fragments.",
    "silent": "Nothing was heard for too long.",
    "lifetime_over": "Connected for long enough.",
    "too_many_connections": "Its address, person or key has as many open as may be; wait longer each time.",
    "invalid_token": "The ticket or key is not valid, or the rights that reading needs have ended.",
    "authentication_timeout": "No ticket or key in time.",
    "origin_not_allowed": "A page of another origin.",
    "too_many_errors": "Too many refused messages.",
    "closed_by_staff": "Staff closed the connection.",
}
