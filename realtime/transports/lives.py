"""Which connections there are, and which application runs for each. One is forgotten when both have ended."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

from realtime.transports.looks import Looks

logger = logging.getLogger(__name__)


class Life:
    """What goes on with a client. application: None before it runs and after it has ended."""

    __slots__ = ("_lives", "application", "left_at", "protocol")

    def __init__(self, lives: "Lives", protocol: Any) -> None:
        self._lives, self.protocol = lives, protocol
        self.application: asyncio.Task | None = None
        self.left_at: float | None = None

    def __repr__(self) -> str:
        return repr(self.protocol)

    def check(self, now: float) -> float | None:
        """An application that does not notice that its client has left is ended."""
        if self.left_at is None:
            return self.protocol.check(now)
        over_at = self.left_at + self._lives.patience_seconds
        if now < over_at:
            return over_at
        if self.application is not None:
            logger.warning("an application went on for %g s after its client left, and was ended: %r",
                           self._lives.patience_seconds, self.protocol)  # fmt: skip
            self.application.cancel()
        return None

    def abort(self) -> None:
        """It can't be looked at: nothing of it stays."""
        self._lives.forget(self.protocol)
        self.protocol.abort()


class Lives:
    """By a server's protocols, which are WebSockets and single HTTP requests."""

    def __init__(self, patience_seconds: float, looks: Looks):
        self.patience_seconds = patience_seconds  # with an application whose client has left
        self._looks = looks
        self._lives: dict[object, Life] = {}

    def __contains__(self, protocol) -> bool:
        return protocol in self._lives

    def __iter__(self) -> Iterator[object]:
        return iter(self._lives)

    def is_connected(self, protocol) -> bool:
        life = self._lives.get(protocol)
        return life is not None and life.left_at is None

    def begin(self, protocol) -> None:
        life = self._lives[protocol] = Life(self, protocol)
        self._looks.plan_soon(life)

    def run(self, protocol, application: Coroutine) -> None:
        task = self._lives[protocol].application = asyncio.ensure_future(application)
        task.add_done_callback(partial(self._ended, protocol))

    def leave(self, protocol) -> None:
        """The client is gone."""
        if (life := self._lives.get(protocol)) is not None:
            life.left_at = life.left_at or time.monotonic()
            if not self._forget_if_over(life):
                self._looks.plan(life, life.left_at + self.patience_seconds)

    def forget(self, protocol) -> None:
        if (life := self._lives.pop(protocol, None)) is not None:
            self._looks.forget(life)
            if life.application is not None:
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
        self._forget_if_over(life)
        if life.left_at is None:
            protocol.application_ended(error)

    def _forget_if_over(self, life: Life) -> bool:
        is_over = life.application is None and life.left_at is not None
        if is_over:
            self._lives.pop(life.protocol, None)
            self._looks.forget(life)
        return is_over
