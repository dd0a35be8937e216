"""Who is at the other end of a socket, and what a socket may know from the database, off the event loop and in time."""

import asyncio
import math
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from asgiref.typing import HTTPScope, WebSocketScope
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from market import symbols
from realtime import people
from realtime.people import Credential

Answer = TypeVar("Answer")
Scope = HTTPScope | WebSocketScope

THREADS, MAX_WAITING, DEADLINE_SECONDS = 4, 64, 5.0
TRACKED_SECONDS = 10.0  # how old the list of tracked symbols may be
UNKNOWN_SECONDS = 1.0  # and where it lacks one that is asked for
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
_waiting = 0
_tracked: tuple[float, dict[str, str]] = (0.0, {})
_looking_up: asyncio.Task | None = None


class Busy(Exception):
    """The database or Redis did not answer in time; trying again can help."""


async def run(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """Run blocking work on the sockets' own few threads. Raises Busy after 5 s, or when too much waits already."""
    global _waiting
    if _waiting >= MAX_WAITING:
        raise Busy(f"{_waiting} look-ups wait already")
    _waiting += 1
    future = asyncio.get_running_loop().run_in_executor(_threads, partial(_with_connection, work, *arguments))
    future.add_done_callback(_done)
    try:
        return await asyncio.wait_for(asyncio.shield(future), DEADLINE_SECONDS)
    except TimeoutError:
        raise Busy(f"no answer in {DEADLINE_SECONDS:g} s") from None
    except DatabaseError as error:
        raise Busy(f"the database: {error}") from error


def _done(future: asyncio.Future) -> None:
    global _waiting
    _waiting -= 1
    if not future.cancelled():
        future.exception()  # a look-up that came too late has nobody left to raise to


def _with_connection(work: Callable[..., Answer], *arguments: Any) -> Answer:
    close_old_connections()
    try:
        return work(*arguments)
    finally:
        close_old_connections()


async def tracked() -> list[str]:
    """The tracked tickers, in order, as of a few seconds ago."""
    return list(dict.fromkeys((await _words(TRACKED_SECONDS)).values()))


async def named(texts: Collection[str]) -> dict[str, str]:
    """The ticker of each text that means a tracked symbol, by whatever name."""
    found = symbols.named_in(await _words(TRACKED_SECONDS), texts)
    if len(found) < len(set(texts)):  # it may have come, or got another name, just now
        found = symbols.named_in(await _words(UNKNOWN_SECONDS), texts)
    return found


def forget_names() -> None:
    """A symbol has another name: what was read of them is old, and serves only where nothing newer can be had."""
    global _tracked, _looking_up
    _tracked, _looking_up = (-math.inf, _tracked[1]), None


async def _words(seconds: float) -> dict[str, str]:
    """Every way to write a tracked symbol, at most so old; an old list serves while the database is away.

    All who need it anew while it is looked up share that look-up.
    """
    global _looking_up
    at, known = _tracked
    if time.monotonic() - at <= seconds:
        return known
    if _looking_up is None or _looking_up.done() or _looking_up.get_loop() is not asyncio.get_running_loop():
        _looking_up = asyncio.create_task(_look_up())
    return await asyncio.shield(_looking_up)


async def _look_up() -> dict[str, str]:
    global _tracked
    _, known = before = _tracked
    try:
        known = await run(symbols.tracked_words)
    except Busy:
        if not known:
            raise
    # Where a symbol got another name meanwhile, this may be from before.
    if _tracked is before:
        _tracked = (time.monotonic() if known else 0.0, known)
    return known


def login(scope: WebSocketScope) -> Credential | None:
    """The socket's session cookie, if it was sent by a page of ours."""
    return None if _header(scope, b"origin") is None else session(scope)


def session(scope: Scope) -> Credential | None:
    """The session cookie, whoever made the request: for what changes nothing, and whose answer no other page reads."""
    key = parse_cookie(_header(scope, b"cookie") or "").get(settings.SESSION_COOKIE_NAME)
    return people.by_session(key) if key else None


def is_of_our_page(scope: Scope) -> bool:
    """Whether a script of ours, or of an origin that may come in, made the request: browsers say so of any, and no link
    or picture of another page's can.
    """
    return bool(_header(scope, b"origin")) or _header(scope, b"sec-fetch-site") == "same-origin"


def key(scope: WebSocketScope) -> str | None:
    """The API key that the handshake brought, as whoever let the socket in found it: empty where it can be none."""
    return scope.get("finstage.key")


def address(scope: Scope) -> str | None:
    """Where it comes from, as whoever let it in knows: behind proxies of ours, what they say. None: nobody knows."""
    return scope.get("finstage.address")


async def shown(scope: WebSocketScope, token: str) -> Credential | None:
    """What a ticket or an API key stands for; None of a wrong one. Raises Refused, Busy and redis' errors.

    Whoever let the socket in put the callable that knows into its scope.
    """
    return await run(scope["finstage.shown"], token) if "finstage.shown" in scope else None


def origin_fault(scope: Scope) -> str | None:
    """Why a socket or a stream of events may not come in, and what would allow it.

    Pages of this very host (scheme, name, port) may, and those of CSRF_TRUSTED_ORIGINS; without an Origin it is a
    program.
    """
    origin, host = _header(scope, b"origin"), _header(scope, b"host") or ""
    name = split_domain_port(host)[0]
    if not validate_host(name, settings.ALLOWED_HOSTS):
        return f"its Host {host[:100]!r} is not ours; where it is, start the web with ALLOWED_HOSTS={name[:100]}"
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return None
    scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    parts = _parts(origin)
    if parts.netloc == host and parts.scheme == scheme and not (parts.path or parts.query or "@" in parts.netloc):
        return None
    fix = f"where it is, start the web with CSRF_TRUSTED_ORIGINS={origin[:100]} (several by commas)"
    if not (parts.scheme and parts.netloc):  # "null": the setting takes none such, and the web would not start
        fix = "a page from a file or a sandbox has no origin of its own: serve it from an address, and name that"
    return f"its page's Origin {origin[:100]!r} is not that of {scheme}://{host[:100]}; {fix}"


def _parts(origin: str) -> SplitResult:
    """An origin's parts; empty ones of what is none."""
    try:
        return urlsplit(origin)
    except ValueError:  # such as half an IPv6 address
        return urlsplit("")


def _header(scope: Scope, name: bytes) -> str | None:
    """The header's value; a header that stands twice counts as one that nobody sends."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin1") if len(values) == 1 else (None if not values else "")
