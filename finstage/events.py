"""`/api/v2/stream/`: server-sent events, let in as any request is, and refused as a problem before they begin."""

from finstage import answers
from finstage.access import events as access
from finstage.answers import Receive, Refused, Send
from monitoring import metrics
from realtime import messages, visitors
from realtime.hub import Unreachable
from realtime.sse import Events
from realtime.visitors import Busy

STATUS = {
    "login_required": 401, "invalid_token": 401, "staff_only": 403, "unknown_symbol": 404, "rate_limited": 429,
    "no_room": 503, "too_many_connections": 429,
}  # fmt: skip
RETRY_SECONDS = 5
ALLOWED = "GET, OPTIONS"
ASKED_FOR = "Authorization, X-API-Key, Last-Event-ID"  # heads of a page's that are of use here
PREFLIGHT_SECONDS = 600  # a browser need not ask again for so long
AWAY = "The server can't reach its data right now; try again in a few seconds."


async def respond(scope: dict, receive: Receive, send: Send) -> None:
    try:
        if scope["method"] == "OPTIONS":
            await answers.deliver(_preflight(scope), send, "OPTIONS")
            return
        if scope["method"] != "GET":
            raise Refused(405, "method_not_allowed", f"Method {scope['method'][:20]!r} not allowed.", allow=ALLOWED)
        events, headers = await _opened(scope, receive, send)
    except Refused as refused:
        metrics.GATE_REFUSED.labels(refused.code).inc()
        refused.headers += _readable(scope)
        await answers.deliver(answers.refusal(refused, scope["request_id"]), send, scope["method"])
        return
    await events.run(headers)


def _preflight(scope: dict) -> answers.Answer:
    """What a browser asks before a page of another origin may send a key, or say where it was. Raises Refused."""
    if fault := visitors.origin_fault(scope):
        raise Refused(403, "origin_not_allowed", fault)
    headers = {"Allow": ALLOWED, "Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": ASKED_FOR}
    kept = {"Access-Control-Max-Age": str(PREFLIGHT_SECONDS), "X-Request-ID": scope["request_id"]}
    return answers.Answer(204, [*answers.encoded(headers | kept), *_readable(scope)])


async def _opened(scope: dict, receive: Receive, send: Send) -> tuple[Events, answers.Headers]:
    standing: dict[str, str] = {}
    try:
        entry = await visitors.run(access.enter, scope)
        standing = entry.headers
        shown = {"address": entry.address, "login": entry.login, "key": entry.key}
        events = Events(receive, send, **shown, may_write=entry.key is not None or visitors.is_of_our_page(scope))
        await events.open(scope["query_string"], _last(scope))
    except messages.Refused as refused:
        status = STATUS.get(refused.code, 400)
        headers = standing | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
        after = refused.retry_after and round(refused.retry_after)
        raise Refused(status, refused.code, str(refused), retry_after=after, headers=headers) from None
    except (Busy, *Unreachable):
        raise Refused(503, "temporarily_unavailable", AWAY, retry_after=RETRY_SECONDS, headers=standing) from None
    return events, [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),  # nginx would keep events until it has many
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", scope["request_id"].encode()),
        *_readable(scope),
        *answers.encoded(standing),
    ]


def _readable(scope: dict) -> answers.Headers:
    """A page of another origin that may come in may read its answer."""
    origin = _head(scope, b"origin")
    is_let_in = origin and not visitors.origin_fault(scope)
    return [(b"vary", b"Origin"), *([(b"access-control-allow-origin", origin)] if is_let_in else [])]


def _last(scope: dict) -> str:
    return _head(scope, b"last-event-id").decode("latin1")


def _head(scope: dict, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")
