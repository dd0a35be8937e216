"""Which connections there are, and which application runs for each. One is forgotten when both have ended."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from functools import partial

logger = logging.getLogger(__name__)


@dataclass
class Life:
    """application: None before it runs and after it has ended."""

    application: asyncio.Task | None = None
    left_at: float | None = None


class Lives:
    """By daphne's protocols, which are WebSockets and single HTTP requests."""

    def __init__(self, patience_seconds: float):
        self._patience_seconds = patience_seconds  # with an application whose client has left
        self._lives: dict[object, Life] = {}

    def __contains__(self, protocol) -> bool:
        return protocol in self._lives

    def __iter__(self) -> Iterator[object]:
        return iter(self._lives)

    def is_connected(self, protocol) -> bool:
        life = self._lives.get(protocol)
        return life is not None and life.left_at is None

    def begin(self, protocol) -> None:
        self._lives[protocol] = Life()

    def run(self, protocol, application: Coroutine) -> None:
        task = self._lives[protocol].application = asyncio.ensure_future(application)
        task.add_done_callback(partial(self._ended, protocol))

    def leave(self, protocol) -> None:
        """The client is gone."""
        if (life := self._lives.get(protocol)) is not None:
            life.left_at = life.left_at or time.monotonic()
            self._forget_if_over(protocol, life)

    def check(self, protocol) -> None:
        """An application that does not notice that its client has left is ended."""
        life = self._lives.get(protocol)
        if life is None or life.application is None or life.left_at is None:
            return
        if time.monotonic() - life.left_at > self._patience_seconds and not life.application.cancelling():
            logger.warning("an application went on for %g s after its client left, and was ended: %r",
                           self._patience_seconds, protocol)  # fmt: skip
            life.application.cancel()

    def forget(self, protocol) -> None:
        if (life := self._lives.pop(protocol, None)) is not None and life.application is not None:
            life.application.cancel()

    def cancel(self) -> list[asyncio.Task]:
        """End every application."""
        running = [life.application for life in self._lives.values() if life.application is not None]
        for application in running:
            application.cancel()
        return running

    def _ended(self, protocol, application: asyncio.Task) -> None:
        error = None if application.cancelled() else application.exception()
        if error is not None:
            logger.error("an application failed", exc_info=error)
        if (life := self._lives.get(protocol)) is None:
            return
        life.application = None
        self._forget_if_over(protocol, life)
        if life.left_at is None:
            protocol.application_ended(error)

    def _forget_if_over(self, protocol, life: Life) -> None:
        if life.application is None and life.left_at is not None:
            self._lives.pop(protocol, None)
