"""ASGI's lifespan, which daphne does not speak: the application hears when the server starts and stops."""

import asyncio
import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Lifespan:
    """One run of an application's lifespan."""

    def __init__(self, application: Callable):
        self._application = application
        self._events: asyncio.Queue[dict] = asyncio.Queue()
        self._answers: asyncio.Queue[dict] = asyncio.Queue()
        self._task: asyncio.Task | None = None

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.create_task(self._application(scope, self._events.get, self._answers.put))
        await self._tell("startup")

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            await self._tell("shutdown")

    async def _tell(self, event: str) -> None:
        await self._events.put({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            logger.error("the application ended during %s", event, exc_info=self._task.exception())
