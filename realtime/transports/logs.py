"""What goes wrong beneath us goes to our log, and what a stranger can cause again and again does not fill it."""

import asyncio
import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
MAX_CAUSES = 100


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


sparing = Sparing()
# How connections end on an ordinary day.
LOST = (ConnectionError,)


def listen(loop: asyncio.AbstractEventLoop, lost: tuple[type[BaseException], ...] = LOST) -> None:
    """Hear of every failure of the loop's from now on, but for connections that are lost."""
    loop.set_exception_handler(lambda loop, context: of_asyncio(context, lost))


def of_asyncio(context: dict, lost: tuple[type[BaseException], ...]) -> None:
    """The event loop's exception handler."""
    error = context.get("exception")
    if isinstance(error, lost):
        return
    cause = f"asyncio {type(error).__name__} {context['message']}"
    sparing.tell(logger.error, cause, "asyncio: %s", context["message"], exc_info=error)
