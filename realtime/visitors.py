"""Who is at the other end of a socket, and what a socket may know from the database, off the event loop and in time."""

import asyncio
import math
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from asgiref.typing import WebSocketScope
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http.request import split_domain_port, validate_host

from market import symbols

Answer = TypeVar("Answer")

THREADS, MAX_WAITING, DEADLINE_SECONDS = 4, 64, 5.0
TRACKED_SECONDS = 10.0  # how old the list of tracked symbols may be
UNKNOWN_SECONDS = 1.0  # and where it lacks one that is asked for
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
_waiting = 0
_tracked: tuple[float, dict[str, str]] = (0.0, {})


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
    global _tracked
    _tracked = (-math.inf, _tracked[1])


async def _words(seconds: float) -> dict[str, str]:
    """Every way to write a tracked symbol, at most so old; an old list serves while the database is away."""
    global _tracked
    at, known = _tracked
    if time.monotonic() - at > seconds:
        try:
            known = await run(symbols.tracked_words)
        except Busy:
            if not known:
                raise
        _tracked = (time.monotonic() if known else 0.0, known)
    return known


def session(scope: WebSocketScope) -> str | None:
    """The key of the socket's session cookie, if it was sent by a page of ours."""
    if _header(scope, b"origin") is None:
        return None
    return scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME) or None


def is_allowed_origin(scope: WebSocketScope) -> bool:
    """Pages of this very host (scheme, name, port) and of CSRF_TRUSTED_ORIGINS; without an Origin it is a program."""
    origin, host = _header(scope, b"origin"), _header(scope, b"host") or ""
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    if origin is None:
        return True
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    parts = urlsplit(origin)
    return origin in settings.CSRF_TRUSTED_ORIGINS or (
        parts.netloc == host and parts.scheme == scheme and not (parts.path or parts.query or "@" in parts.netloc)
    )


def _header(scope: WebSocketScope, name: bytes) -> str | None:
    """The header's value; a header that stands twice counts as one that nobody sends."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin1") if len(values) == 1 else (None if not values else "")
