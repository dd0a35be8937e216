"""A web process's part: it tells of itself, hears the questions that are asked of all, and answers them."""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress

from redis.exceptions import RedisError

from monitoring import loops
from monitoring import redis as connection
from monitoring.loops import Loop
from realtime.administration import asking, processes
from realtime.administration.asking import QUESTION, Question
from realtime.administration.commands import COMMANDS
from realtime.administration.measuring import Meter
from realtime.hub.members import Members

logger = logging.getLogger(__name__)

AWAY = (RedisError, OSError)
CHECK_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
FORGET_SECONDS = 0.5  # else it is forgotten by itself
REMEMBERED = 1000  # questions that are not answered again
MOST_AT_ONCE = 20  # more questions than staff ask: the rest is not answered


class Administration:
    """Runs on the event loop, whose hub it tells of."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._meter = Meter(members)
        self._heard: deque[str] = deque(maxlen=REMEMBERED)
        self._tasks: list[asyncio.Task] = []
        self._answering: set[asyncio.Task] = set()

    def start(self) -> None:
        self._redis = connection.async_client()
        self._tasks = [asyncio.create_task(each()) for each in (self._tell_on, self._listen_on)]

    async def stop(self) -> None:
        """Safe to call again."""
        tasks, self._tasks = self._tasks, []
        await loops.end([*tasks, *self._answering])
        if tasks:
            with suppress(TimeoutError, *AWAY):
                async with asyncio.timeout(FORGET_SECONDS):
                    await asyncio.to_thread(processes.forget)
            await self._redis.aclose()

    async def _tell_on(self) -> None:
        with Loop("web: what it tells of itself", every_seconds=processes.BEAT_SECONDS, away=AWAY) as loop:
            while True:
                with loop.turn():
                    await asyncio.to_thread(processes.tell, self._meter.read())
                await asyncio.sleep(processes.BEAT_SECONDS)

    async def _listen_on(self) -> None:
        pause = FIRST_PAUSE
        with Loop("web: questions") as loop:
            while True:
                began = time.monotonic()
                try:
                    await self._listen(loop)
                except AWAY as error:
                    logger.warning("questions can't be heard, next try in %.1f s: %s", pause, error)
                except Exception as error:  # noqa: BLE001 - whatever came, the next question is heard
                    loop.fail(error)
                pause = FIRST_PAUSE if time.monotonic() - began > CHECK_SECONDS else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen(self, loop: Loop) -> None:
        client = connection.async_client(socket_timeout=None)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(asking.channel())
                while True:
                    message = await subscription.get_message(timeout=CHECK_SECONDS)
                    with loop.turn():
                        self._hear(message)
        finally:
            await client.aclose()

    def _hear(self, message: dict | None) -> None:
        question = QUESTION.unpack(message["data"]) if message is not None else None
        if question is None or question.id in self._heard:
            return
        if question.command not in COMMANDS or len(self._answering) >= MOST_AT_ONCE:
            logger.warning("the question %.40r is not answered", question.command)
            return
        self._heard.append(question.id)
        answering = asyncio.create_task(self._answer(question))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    async def _answer(self, question: Question) -> None:
        """What can't be answered is logged, and missing where it was asked."""
        try:
            answer = await COMMANDS[question.command](self._members, **question.arguments)
            key = asking.answers(question.id)
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.rpush(key, asking.packed(processes.mine(), answer))
                pipe.expire(key, asking.KEPT_SECONDS)
                await pipe.execute()
        except Exception:  # the last line of defence: one question must not stop the next
            logger.exception("the question %s can't be answered", question.command)
