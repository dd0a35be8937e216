"""What Twisted and asyncio notice goes to our log, and what a stranger can cause again and again does not fill it."""

import asyncio
import logging
import time
from collections.abc import Callable

from twisted.internet import error
from twisted.logger import LogLevel, formatEvent, globalLogBeginner

logger = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
MAX_CAUSES = 100
# How connections end on an ordinary day.
LOST = (error.ConnectionDone, error.ConnectionLost, error.ConnectionAborted, ConnectionError)


class Sparing:
    """At most one line in a while for each cause; it says how many it stands for."""

    def __init__(self, every_seconds: float = EVERY_SECONDS):
        self._every_seconds = every_seconds
        self._told: dict[str, tuple[float, int]] = {}  # each cause: when its last line was, and how many came since

    def tell(self, log: Callable[..., None], cause: str, sentence: str, *facts: object, **options: object) -> None:
        now = time.monotonic()
        if cause not in self._told and len(self._told) >= MAX_CAUSES:
            cause = "other"
        at, silenced = self._told.get(cause, (-self._every_seconds, 0))
        if now - at < self._every_seconds:
            self._told[cause] = at, silenced + 1
            return
        self._told[cause] = now, 0
        more = f" (and {silenced} more like it before)" if silenced else ""
        log(sentence + more, *facts, **options)


_sparing = Sparing()


def listen(loop: asyncio.AbstractEventLoop) -> None:
    """Hear of every failure from now on. Once in a process."""
    globalLogBeginner.beginLoggingTo([of_twisted], redirectStandardIO=False, discardBuffer=True)
    loop.set_exception_handler(of_asyncio)


def of_twisted(event: dict) -> None:
    """Twisted's observer. Below an error there is only what connections do, thousands of times."""
    failure = event.get("log_failure")
    if event["log_level"] < LogLevel.error or (failure is not None and failure.check(*LOST)):
        return
    traceback = failure and (failure.type, failure.value, failure.getTracebackObject())
    cause = f"twisted {failure.type.__name__}" if failure else f"twisted {event.get('log_format')}"
    _sparing.tell(logger.error, cause, "Twisted: %s", formatEvent(event) or "a failure", exc_info=traceback)


def of_asyncio(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """The event loop's exception handler."""
    error = context.get("exception")
    if isinstance(error, LOST):
        return
    cause = f"asyncio {type(error).__name__} {context['message']}"
    _sparing.tell(logger.error, cause, "asyncio: %s", context["message"], exc_info=error)
