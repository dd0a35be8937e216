"""What Twisted notices goes to our log, and what a stranger can cause again and again does not fill it."""

import asyncio
import logging

from twisted.internet import error
from twisted.logger import LogLevel, formatEvent, globalLogBeginner

from realtime.transports import logs

logger = logging.getLogger(__name__)

# How connections end on an ordinary day.
LOST = (error.ConnectionDone, error.ConnectionLost, error.ConnectionAborted, *logs.LOST)


def listen(loop: asyncio.AbstractEventLoop) -> None:
    """Hear of every failure from now on. Once in a process."""
    globalLogBeginner.beginLoggingTo([of_twisted], redirectStandardIO=False, discardBuffer=True)
    logs.listen(loop, LOST)


def of_twisted(event: dict) -> None:
    """Twisted's observer. Below an error there is only what connections do, thousands of times."""
    failure = event.get("log_failure")
    if event["log_level"] < LogLevel.error or (failure is not None and failure.check(*LOST)):
        return
    traceback = failure and (failure.type, failure.value, failure.getTracebackObject())
    cause = f"twisted {failure.type.__name__}" if failure else f"twisted {event.get('log_format')}"
    logs.sparing.tell(logger.error, cause, "Twisted: %s", formatEvent(event) or "a failure", exc_info=traceback)
